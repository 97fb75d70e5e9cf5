//! Picking and packing begins: from here on a customer can no longer cancel.

use crate::{Order, OrderStatus, Rejection};
use chrono::{DateTime, Utc};
use shared_events::order::{OrderEvent, ProcessingStarted};

/// Begin to pick and pack.
#[derive(Debug, Clone, PartialEq)]
pub struct StartProcessing {
    /// When.
    pub now: DateTime<Utc>,
}

impl StartProcessing {
    pub(crate) fn decide(self, order: &Order) -> Result<Vec<OrderEvent>, Rejection> {
        match order.status() {
            OrderStatus::Processing => Ok(Vec::new()),
            OrderStatus::Confirmed => Ok(vec![OrderEvent::from(ProcessingStarted { occurred_at: self.now })]),
            OrderStatus::Pending => Err(Rejection::NotCovered { outstanding: order.outstanding() }),
            _ => Err(order.illegal("processing begins with a confirmed order")),
        }
    }
}
