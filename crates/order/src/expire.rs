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
