//! Holding an order for a person to look at, and letting it go on. Payments are recorded meanwhile;
//! nothing is processed or shipped.

use crate::{Order, Rejection};
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
