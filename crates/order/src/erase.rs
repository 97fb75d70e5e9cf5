//! Forgetting the customer. The key is destroyed first, elsewhere; this says so in the order's history.

use crate::{Order, Rejection};
use chrono::{DateTime, Utc};
use shared_events::order::{OrderEvent, PersonalDataErased};

/// Forget the customer.
#[derive(Debug, Clone, PartialEq)]
pub struct EraseCustomer {
    /// When.
    pub now: DateTime<Utc>,
}

impl EraseCustomer {
    pub(crate) fn decide(self, order: &Order) -> Result<Vec<OrderEvent>, Rejection> {
        if order.erased_at.is_some() {
            return Ok(Vec::new());
        }
        Ok(vec![OrderEvent::from(PersonalDataErased { occurred_at: self.now })])
    }
}
