//! Cancelling: the whole order, or pieces of lines. Customers may until processing begins, staff until
//! all is shipped; from then on things come back as returns. What was paid for it goes back.

use crate::{
    Order, OrderStatus, Rejection,
    command::within,
    pay::confirm_if_covered,
    refund::{give_back, owed},
};
use chrono::{DateTime, Utc};
use shared_events::{
    RefundId,
    order::{LineCancelled, LineQuantity, OrderCancelled, OrderEvent, Party, RefundCause},
};

/// Cancel all that has not left.
#[derive(Debug, Clone, PartialEq)]
pub struct CancelOrder {
    /// Who asks.
    pub by: Party,
    /// Why.
    pub reason: Option<String>,
    /// The id of a refund, should one be necessary.
    pub refund_id: RefundId,
    /// When.
    pub now: DateTime<Utc>,
}

/// Cancel pieces of lines.
#[derive(Debug, Clone, PartialEq)]
pub struct CancelLines {
    /// Which.
    pub lines: Vec<LineQuantity>,
    /// Who asks.
    pub by: Party,
    /// Why.
    pub reason: Option<String>,
    /// The id of a refund, should one be necessary.
    pub refund_id: RefundId,
    /// When.
    pub now: DateTime<Utc>,
}

impl Order {
    /// Whether this party may cancel it, or pieces of it, now.
    #[must_use]
    pub fn is_cancellable(&self, by: Party) -> bool {
        let open = self.lines.iter().any(|line| line.open() > 0);
        if !self.exists() || self.is_over() || self.completed_at.is_some() || !open {
            return false;
        }
        match by {
            Party::Staff | Party::System => true,
            Party::Customer => {
                let early =
                    matches!(self.status(), OrderStatus::Pending | OrderStatus::Confirmed | OrderStatus::OnHold);
                early && self.lines.iter().all(|line| line.shipped == 0)
            }
        }
    }

    fn must_be_cancellable(&self, by: Party) -> Result<(), Rejection> {
        if self.is_cancellable(by) { Ok(()) } else { Err(Rejection::NotCancellable { status: self.status() }) }
    }
}

impl CancelOrder {
    pub(crate) fn decide(self, order: &Order) -> Result<Vec<OrderEvent>, Rejection> {
        if order.cancellation.is_some() {
            return Ok(Vec::new());
        }
        order.must_be_cancellable(self.by)?;
        let mut events = vec![OrderEvent::from(OrderCancelled {
            reason: self.reason.clone(),
            lines: order.open_lines(),
            by: self.by,
            occurred_at: self.now,
        })];
        let next = order.after(&events);
        events.extend(give_back(&next, self.refund_id, RefundCause::Cancellation, None, self.reason, self.now));
        Ok(events)
    }
}

impl CancelLines {
    pub(crate) fn decide(self, order: &Order) -> Result<Vec<OrderEvent>, Rejection> {
        if order.cancellation.is_some() {
            return Ok(Vec::new());
        }
        let lines = order.named_lines(&self.lines)?;
        order.must_be_cancellable(self.by)?;
        for part in &lines {
            within(*part, order.line(part.line_id).map_or(0, crate::Line::open))?;
        }
        let untouched = order.lines.iter().all(|line| line.shipped == 0);
        if untouched && lines == order.open_lines() {
            let whole = CancelOrder { by: self.by, reason: self.reason, refund_id: self.refund_id, now: self.now };
            return whole.decide(order);
        }
        let held = order.reservation.is_some() && !order.stock_was_released();
        let reservation_revision = held.then(|| order.reservation_revision().saturating_add(1));
        let mut events: Vec<_> = lines
            .into_iter()
            .map(|part| {
                OrderEvent::from(LineCancelled {
                    line_id: part.line_id,
                    quantity: part.quantity,
                    reason: self.reason.clone(),
                    reservation_revision,
                    by: self.by,
                    occurred_at: self.now,
                })
            })
            .collect();
        let next = order.after(&events);
        let more = owed(&next, None).0 - owed(order, None).0;
        confirm_if_covered(order, &mut events, self.now);
        events.extend(give_back(
            &next,
            self.refund_id,
            RefundCause::Cancellation,
            Some(more.max(rust_decimal::Decimal::ZERO)),
            self.reason,
            self.now,
        ));
        Ok(events)
    }
}
