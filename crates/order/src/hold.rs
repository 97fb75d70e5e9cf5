//! Holding an order for a person to look at, and letting it go on. Payments are recorded meanwhile;
//! nothing is processed or shipped.

use crate::{Order, Rejection, note::LONGEST_NOTE};
use chrono::{DateTime, Utc};
use shared_events::order::{OrderEvent, OrderHeld, OrderResumed};

/// Wait for a person.
#[derive(Debug, Clone, PartialEq)]
pub struct HoldOrder {
    /// Why.
    pub reason: String,
    /// When.
    pub now: DateTime<Utc>,
}

/// Go on.
#[derive(Debug, Clone, PartialEq)]
pub struct ResumeOrder {
    /// When.
    pub now: DateTime<Utc>,
}

impl Order {
    /// Whether it can be held: something of it is still to be dispatched.
    pub(crate) fn is_holdable(&self) -> bool {
        self.exists() && !self.is_over() && self.hold.is_none() && self.lines.iter().any(|line| line.open() > 0)
    }
}

impl HoldOrder {
    pub(crate) fn decide(self, order: &Order) -> Result<Vec<OrderEvent>, Rejection> {
        if order.hold.is_some() {
            return Ok(Vec::new());
        }
        if self.reason.trim().is_empty() || self.reason.chars().count() > LONGEST_NOTE {
            return Err(Rejection::invalid("/reason", format!("must have 1 to {LONGEST_NOTE} characters")));
        }
        if !order.is_holdable() {
            return Err(order.illegal("nothing of it is left to be held"));
        }
        Ok(vec![OrderEvent::from(OrderHeld { reason: self.reason, occurred_at: self.now })])
    }
}

impl ResumeOrder {
    pub(crate) fn decide(self, order: &Order) -> Result<Vec<OrderEvent>, Rejection> {
        if order.hold.is_none() {
            return Err(order.illegal("it is not on hold"));
        }
        Ok(vec![OrderEvent::from(OrderResumed { occurred_at: self.now })])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Command, OrderStatus, Party, WaitingReason, testing::*};
    use chrono::TimeDelta;

    fn hold() -> Command {
        HoldOrder { reason: "fraud check".to_owned(), now: later(3) }.into()
    }

    #[test]
    fn a_held_order_waits_for_a_person_until_it_is_resumed() {
        let order = given([place()]).when(hold()).then(&["OrderHeld"]);
        assert_eq!(order.status(), OrderStatus::OnHold);
        assert_eq!(order.waiting_for(TimeDelta::days(14)).unwrap().reason, WaitingReason::Hold);
        let order = given([place(), hold()]).when(ResumeOrder { now: later(4) }).then(&["OrderResumed"]);
        assert_eq!(order.status(), OrderStatus::Pending);
    }

    #[test]
    fn payments_are_recorded_while_it_is_held() {
        let order = given([place(), hold()]).when(pay("p", "39.00")).then(&["PaymentCompleted", "OrderConfirmed"]);
        assert_eq!(order.status(), OrderStatus::OnHold);
    }

    #[test]
    fn holding_again_changes_nothing() {
        given([place(), hold()]).when(hold()).then_nothing();
    }

    #[test]
    fn an_order_that_is_over_or_has_left_is_not_held() {
        given([place(), cancel(Party::Staff)]).when(hold()).then_rejected("ILLEGAL_TRANSITION");
        let shipped = [place(), pay("p", "39.00"), set_status("SHIPPED")];
        given(shipped).when(hold()).then_rejected("ILLEGAL_TRANSITION");
    }

    #[test]
    fn a_hold_has_a_reason() {
        given([place()]).when(HoldOrder { reason: " ".to_owned(), now: later(3) }).then_invalid("/reason");
    }

    #[test]
    fn only_a_held_order_is_resumed() {
        given([place()]).when(ResumeOrder { now: later(4) }).then_rejected("ILLEGAL_TRANSITION");
    }
}
