//! The end of the payment window: an order that is not covered by then is over, and its stock is free.

use crate::{Order, Rejection, refund::give_back};
use chrono::{DateTime, Utc};
use shared_events::{
    RefundId,
    order::{OrderEvent, OrderExpired, RefundCause},
};

/// Its payment window may be over; the order knows.
#[derive(Debug, Clone, PartialEq)]
pub struct ExpireOrder {
    /// The id of a refund, should a part have been paid.
    pub refund_id: RefundId,
    /// When.
    pub now: DateTime<Utc>,
}

impl Order {
    /// When it expires unless covered; none where it can't expire (any more).
    #[must_use]
    pub fn expires(&self) -> Option<DateTime<Utc>> {
        let may = self.exists() && !self.is_over() && !self.covered() && !self.was_dispatched();
        self.expires_at.filter(|_| may)
    }
}

impl ExpireOrder {
    pub(crate) fn decide(self, order: &Order) -> Result<Vec<OrderEvent>, Rejection> {
        if order.expires().is_none_or(|expires_at| self.now < expires_at) {
            return Ok(Vec::new());
        }
        let mut events = vec![OrderEvent::from(OrderExpired { occurred_at: self.now })];
        let next = order.after(&events);
        let reason = Some("the rest was not paid in time".to_owned());
        events.extend(give_back(&next, self.refund_id, RefundCause::Cancellation, None, reason, self.now));
        Ok(events)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{OrderStatus, Party, testing::*};

    fn expire(minutes: i64) -> ExpireOrder {
        ExpireOrder { refund_id: refund_id(85), now: later(minutes) }
    }

    #[test]
    fn an_order_that_is_not_paid_in_time_expires_and_gives_up_its_stock() {
        let order = given([place()]).when(expire(30)).then(&["OrderExpired"]);
        assert_eq!(order.status(), OrderStatus::Expired);
        assert!(order.held_quantities().is_empty());
        given([place(), expire(30).into()]).when(expire(31)).then_nothing();
    }

    #[test]
    fn a_timer_that_is_early_or_has_nothing_to_do_changes_nothing() {
        given([place()]).when(expire(29)).then_nothing();
        given([place(), pay("p", "39.00")]).when(expire(99)).then_nothing();
        given([place(), authorize("p", "39.00")]).when(expire(99)).then_nothing();
        given([place_on_credit()]).when(expire(99)).then_nothing();
        given([place(), cancel(Party::Customer)]).when(expire(99)).then_nothing();
        given([place(), authorize("p", "1.00")]).when(expire(59)).then_nothing();
    }

    #[test]
    fn a_part_that_was_paid_goes_back() {
        let order = given([place(), pay("p", "12.00")]).when(expire(30)).then(&["OrderExpired", "RefundRequested"]);
        assert_eq!(order.refunds[0].amount, dec("12.00"));
    }
}
