//! What the order knows about its stock: what should be held for it now, and whether it is.

use crate::{
    Order, Rejection,
    order::{ReservationState, ShipmentStatus},
};
use chrono::{DateTime, Utc};
use shared_events::{
    ProductId,
    order::{OrderConfirmed, OrderEvent, StockConfirmed, StockReleased},
};
use std::collections::BTreeMap;

/// Stock was reserved (anew) for it.
#[derive(Debug, Clone, PartialEq)]
pub struct ReserveStock {
    /// The reservation's revision.
    pub reservation_revision: i32,
    /// When.
    pub now: DateTime<Utc>,
}

/// Its stock is held firmly, because it is covered.
#[derive(Debug, Clone, PartialEq)]
pub struct ConfirmStock {
    /// The reservation's revision, at least: a newer one that the order has by then is confirmed in its place.
    pub reservation_revision: i32,
    /// When.
    pub now: DateTime<Utc>,
}

/// Its stock was given up.
#[derive(Debug, Clone, PartialEq)]
pub struct ReleaseStock {
    /// Why.
    pub reason: Option<String>,
    /// When.
    pub now: DateTime<Utc>,
}

impl Order {
    /// The revision of its reservation; 0 where nothing was ever reserved. The next change takes the next.
    #[must_use]
    pub fn reservation_revision(&self) -> i32 {
        self.reservation.map_or(0, |reservation| reservation.revision)
    }

    /// Whether stock that it had was given up.
    #[must_use]
    pub fn stock_was_released(&self) -> bool {
        self.reservation.is_some_and(|reservation| reservation.state == ReservationState::Released)
    }

    /// Whether pieces are still to be dispatched that nothing is held for any more.
    #[must_use]
    pub fn lacks_stock(&self) -> bool {
        self.stock_was_released() && self.lines.iter().any(|line| line.open() > 0)
    }

    /// What its reservation should hold now: everything that is still to be dispatched.
    #[must_use]
    pub fn held_quantities(&self) -> BTreeMap<ProductId, u32> {
        if self.is_over() || self.reservation.is_none() || self.stock_was_released() {
            return BTreeMap::new();
        }
        self.open_quantities()
    }

    /// What is still to be dispatched, whether it is held or not: what to reserve when stock was given up.
    #[must_use]
    pub fn open_quantities(&self) -> BTreeMap<ProductId, u32> {
        let dead = self.cancellation.is_some();
        let mut quantities = BTreeMap::new();
        for line in self.lines.iter().filter(|line| !dead && line.open() > 0) {
            let sum: &mut u32 = quantities.entry(line.product_id).or_default();
            *sum = sum.saturating_add(line.open());
        }
        quantities
    }

    /// Whether a shipment is on its way.
    pub(crate) fn is_underway(&self) -> bool {
        self.shipments.iter().any(|shipment| shipment.status == ShipmentStatus::Dispatched)
    }
}

impl ReserveStock {
    pub(crate) fn decide(self, order: &Order) -> Result<Vec<OrderEvent>, Rejection> {
        if order.is_over() {
            return Err(order.illegal("nothing is reserved for an order that is over"));
        }
        let held = order.reservation.is_some_and(|held| held.state != ReservationState::Released);
        if held && self.reservation_revision <= order.reservation_revision() {
            return Ok(Vec::new());
        }
        let mut events = vec![stock_confirmed(self.reservation_revision, order.is_paid_for(), self.now)];
        if !order.covered() && order.after(&events).covered() {
            events.push(OrderConfirmed { occurred_at: self.now }.into());
        }
        Ok(events)
    }
}

impl ConfirmStock {
    pub(crate) fn decide(self, order: &Order) -> Result<Vec<OrderEvent>, Rejection> {
        if order.is_over() {
            return Err(order.illegal("nothing is reserved for an order that is over"));
        }
        if !order.is_paid_for() {
            return Err(Rejection::NotCovered { outstanding: order.outstanding() });
        }
        if order.reservation.is_none() || order.lacks_stock() {
            return Err(order.illegal("nothing is held for it; its stock has to be reserved first"));
        }
        let revision = self.reservation_revision.max(order.reservation_revision());
        let firm = order.reservation.is_some_and(|held| held.state == ReservationState::Firm);
        if firm && revision == order.reservation_revision() {
            return Ok(Vec::new());
        }
        Ok(vec![stock_confirmed(revision, true, self.now)])
    }
}

impl ReleaseStock {
    pub(crate) fn decide(self, order: &Order) -> Result<Vec<OrderEvent>, Rejection> {
        let Some(reservation) = order.reservation else { return Ok(Vec::new()) };
        if order.is_over() || reservation.state == ReservationState::Released {
            return Ok(Vec::new());
        }
        if order.covered() {
            return Err(order.illegal("the stock of a covered order is given up by cancelling it"));
        }
        if order.was_dispatched() {
            return Err(order.illegal("some of it has left already"));
        }
        Ok(vec![OrderEvent::from(StockReleased {
            reservation_revision: reservation.revision,
            reason: self.reason,
            occurred_at: self.now,
        })])
    }
}

fn stock_confirmed(reservation_revision: i32, firm: bool, now: DateTime<Utc>) -> OrderEvent {
    StockConfirmed { reservation_revision, firm, occurred_at: now }.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Command, OrderStatus, Party, WaitingReason, testing::*};
    use chrono::TimeDelta;

    fn release() -> Command {
        ReleaseStock { reason: None, now: later(3) }.into()
    }

    fn reserve(reservation_revision: i32) -> Command {
        ReserveStock { reservation_revision, now: later(3) }.into()
    }

    fn confirm(reservation_revision: i32) -> Command {
        ConfirmStock { reservation_revision, now: later(3) }.into()
    }

    #[test]
    fn an_uncovered_order_without_stock_stays_pending_and_waits_for_stock() {
        let order = given([place()]).when(release()).then(&["StockReleased"]);
        assert_eq!(order.status(), OrderStatus::Pending);
        assert_eq!(order.waiting_for(TimeDelta::days(14)).unwrap().reason, WaitingReason::Stock);
        assert!(order.held_quantities().is_empty());
        given([place(), release()]).when(release()).then_nothing();
    }

    #[test]
    fn a_covered_order_keeps_its_stock() {
        given([place(), pay("p", "39.00")]).when(release()).then_rejected("ILLEGAL_TRANSITION");
        given([place_on_credit()]).when(release()).then_rejected("ILLEGAL_TRANSITION");
    }

    #[test]
    fn stock_that_was_given_up_can_be_reserved_again() {
        let order = given([place(), release()]).when(reserve(2)).then(&["StockConfirmed"]);
        assert_eq!((order.reservation_revision(), order.held_quantities().len()), (2, 2));
        given([place()]).when(reserve(1)).then_nothing();
    }

    #[test]
    fn a_covered_orders_stock_is_confirmed_once() {
        given([place()]).when(confirm(1)).then_rejected("NOT_COVERED");
        given([place(), pay("p", "39.00")]).when(confirm(1)).then(&["StockConfirmed"]);
        given([place(), pay("p", "39.00"), confirm(1)]).when(confirm(1)).then_nothing();
    }

    #[test]
    fn a_confirmation_that_names_an_older_revision_confirms_what_is_held_now() {
        let paid_after = [place(), release(), reserve(2), pay("p", "39.00")];
        let order = given(paid_after.clone()).when(confirm(1)).then(&["StockConfirmed"]);
        assert_eq!(order.reservation_revision(), 2);
        given(paid_after.into_iter().chain([confirm(2)])).when(confirm(1)).then_nothing();
    }

    #[test]
    fn an_order_that_is_over_holds_nothing() {
        let history = [place(), cancel(Party::Customer)];
        given(history.clone()).when(reserve(2)).then_rejected("ILLEGAL_TRANSITION");
        given(history.clone()).when(confirm(2)).then_rejected("ILLEGAL_TRANSITION");
        given(history).when(release()).then_nothing();
    }
}
