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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AddNote, Party, testing::*};

    #[test]
    fn an_erased_customer_is_forgotten_and_the_order_stays() {
        let note = AddNote { note_id: note_id(1), text: "Ada called".to_owned(), by: Party::Staff, now: later(1) };
        let erase = || EraseCustomer { now: later(2) };
        let order = given([place(), note.into()]).when(erase()).then(&["PersonalDataErased"]);
        assert_eq!((order.contact.clone(), order.shipping_address.clone()), (None, None));
        assert_eq!(order.notes[0].text, None);
        assert_eq!(order.totals.total, dec("39.00"));
        given([place(), erase().into()]).when(erase()).then_nothing();
    }
}
