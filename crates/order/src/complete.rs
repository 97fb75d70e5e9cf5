//! The end of an order's life: all of it is delivered, and its return window is over.

use crate::{FulfilmentStatus, Order, Rejection, ReturnStatus, ShipmentStatus};
use chrono::{DateTime, TimeDelta, Utc};
use shared_events::order::{OrderCompleted, OrderEvent, Party};

/// Complete it. A timer (`System`) does so only when the return window is over; staff may before.
#[derive(Debug, Clone, PartialEq)]
pub struct CompleteOrder {
    /// Who asks.
    pub by: Party,
    /// How long things can be sent back after the last delivery.
    pub return_window: TimeDelta,
    /// When.
    pub now: DateTime<Utc>,
}

impl Order {
    /// When the last shipment arrived.
    #[must_use]
    pub fn last_delivered_at(&self) -> Option<DateTime<Utc>> {
        self.shipments
            .iter()
            .filter(|shipment| shipment.status == ShipmentStatus::Delivered)
            .filter_map(|shipment| shipment.delivered_at)
            .max()
    }

    /// Whether all of it arrived, nothing is about to come back, and it was not completed yet.
    #[must_use]
    pub fn is_completable(&self) -> bool {
        let arrived = matches!(
            self.fulfilment_status(),
            FulfilmentStatus::Delivered | FulfilmentStatus::PartiallyReturned | FulfilmentStatus::Returned
        ) && self.lines.iter().all(|line| line.delivered == line.live());
        let awaited = self.returns.iter().any(|found| found.status == ReturnStatus::Requested);
        arrived && !awaited && !self.is_over() && self.hold.is_none() && self.completed_at.is_none()
    }

    /// When it will be complete by itself.
    #[must_use]
    pub fn completes(&self, return_window: TimeDelta) -> Option<DateTime<Utc>> {
        let delivered_at = self.last_delivered_at().filter(|_| self.is_completable())?;
        delivered_at.checked_add_signed(return_window)
    }
}

impl CompleteOrder {
    pub(crate) fn decide(self, order: &Order) -> Result<Vec<OrderEvent>, Rejection> {
        if order.completed_at.is_some() {
            return Ok(Vec::new());
        }
        match self.by {
            Party::System if order.completes(self.return_window).is_none_or(|due| self.now < due) => {
                return Ok(Vec::new());
            }
            Party::Staff | Party::Customer if !order.is_completable() => {
                return Err(order.illegal("not all of it was delivered, or something is about to come back"));
            }
            Party::System | Party::Staff | Party::Customer => {}
        }
        Ok(vec![OrderEvent::from(OrderCompleted { occurred_at: self.now })])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Command, OrderStatus, testing::*};

    fn delivered() -> Vec<Command> {
        vec![place(), pay("p", "39.00"), dispatch(Party::Staff, 1), deliver(Party::Staff, 1)]
    }

    fn complete(by: Party, minutes: i64) -> CompleteOrder {
        CompleteOrder { by, return_window: TimeDelta::minutes(100), now: later(minutes) }
    }

    #[test]
    fn an_order_is_complete_when_its_return_window_is_over() {
        assert_eq!(given(delivered()).order.completes(TimeDelta::minutes(100)), Some(later(108)));
        given(delivered()).when(complete(Party::System, 107)).then_nothing();
        let order = given(delivered()).when(complete(Party::System, 108)).then(&["OrderCompleted"]);
        assert_eq!(order.status(), OrderStatus::Completed);
        let history = delivered().into_iter().chain([complete(Party::System, 108).into()]);
        given(history).when(complete(Party::System, 109)).then_nothing();
    }

    #[test]
    fn staff_may_complete_it_before_but_not_before_all_is_delivered() {
        given(delivered()).when(complete(Party::Staff, 9)).then(&["OrderCompleted"]);
        let shipped = delivered().into_iter().take(3);
        given(shipped.clone()).when(complete(Party::Staff, 200)).then_rejected("ILLEGAL_TRANSITION");
        given(shipped).when(complete(Party::System, 200)).then_nothing();
    }

    #[test]
    fn an_announced_return_is_awaited() {
        let history = || delivered().into_iter().chain([request_return(1, Party::Customer, &[pieces(1, 1)])]);
        given(history()).when(complete(Party::System, 200)).then_nothing();
        let order = given(history().chain([receive_return(1, None)])).when(complete(Party::System, 200));
        assert_eq!(order.then(&["OrderCompleted"]).status(), OrderStatus::PartiallyReturned);
    }
}
