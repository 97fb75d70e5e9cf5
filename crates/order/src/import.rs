//! Taking an order over from another system, with its own date, prices, number and payments. Nothing is
//! reserved for it, it has no payment window, and none of our invoices is issued where it has one.

use crate::{Order, PlaceOrder, Rejection, pay::completed, place::check};
use chrono::{DateTime, Utc};
use shared_events::{
    Money,
    order::{OrderConfirmed, OrderEvent, PaymentMethod},
};

/// Take it over. What the other system knows goes where placing has it; `expires_at` and the reservation
/// of `placing` mean nothing here, and its `now` is when it was placed there.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportOrder {
    /// The order.
    pub placing: PlaceOrder,
    /// The payments that were captured.
    pub payments: Vec<ImportedPayment>,
    /// The invoice that the other system issued.
    pub foreign_invoice_number: Option<String>,
}

/// A payment that another system captured.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportedPayment {
    /// The provider's reference.
    pub payment_id: String,
    /// Which provider.
    pub provider: Option<String>,
    /// The method that was used.
    pub method: PaymentMethod,
    /// How much.
    pub amount: Money,
    /// When.
    pub occurred_at: DateTime<Utc>,
}

impl ImportOrder {
    pub(crate) fn decide(self, order: &Order) -> Result<Vec<OrderEvent>, Rejection> {
        if order.exists() {
            return Err(Rejection::AlreadyPlaced);
        }
        check(&self.placing.priced)?;
        let mut placed = self.placing.into_event();
        placed.foreign_invoice_number = self.foreign_invoice_number;
        let mut events = vec![OrderEvent::from(placed)];
        let mut next = order.after(&events);
        for (index, payment) in self.payments.into_iter().enumerate() {
            if next.payment(&payment.payment_id).is_some() {
                continue;
            }
            let was_covered = next.covered();
            let at = payment.occurred_at;
            let event = completed(&next, payment).map_err(|rejection| within_payment(rejection, index))?;
            next.apply(&event);
            events.push(event);
            if !was_covered && next.covered() {
                let confirmed = OrderEvent::from(OrderConfirmed { occurred_at: at });
                next.apply(&confirmed);
                events.push(confirmed);
            }
        }
        Ok(events)
    }
}

fn within_payment(rejection: Rejection, index: usize) -> Rejection {
    let Rejection::Invalid(mut errors) = rejection else { return rejection };
    for error in &mut errors {
        error.pointer = format!("/payments/{index}{}", error.pointer);
    }
    Rejection::Invalid(errors)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{OrderStatus, obligations, testing::*};
    use chrono::TimeDelta;

    fn import(payments: &[(&str, &str)]) -> ImportOrder {
        let payment = |(id, amount): &(&str, &str)| ImportedPayment {
            payment_id: (*id).to_owned(),
            provider: None,
            method: PaymentMethod::BankTransfer,
            amount: eur(amount),
            occurred_at: later(60),
        };
        ImportOrder {
            placing: placing(),
            payments: payments.iter().map(payment).collect(),
            foreign_invoice_number: Some("2019-77".to_owned()),
        }
    }

    #[test]
    fn an_imported_order_has_no_payment_window_and_no_reservation() {
        let order = given([]).when(import(&[])).then(&["OrderPlaced"]);
        assert_eq!((order.expires_at, order.reservation, order.placed_at), (None, None, now()));
        assert_eq!(order.foreign_invoice_number.as_deref(), Some("2019-77"));
        assert_eq!(obligations(&order, TimeDelta::days(14)), []);
    }

    #[test]
    fn its_payments_come_with_it() {
        let order = given([]).when(import(&[("a", "30.00"), ("b", "9.00"), ("b", "9.00")])).then(&[
            "OrderPlaced",
            "PaymentCompleted",
            "PaymentCompleted",
            "OrderConfirmed",
        ]);
        assert_eq!((order.status(), order.paid_total()), (OrderStatus::Confirmed, dec("39.00")));
    }

    #[test]
    fn a_wrong_payment_is_named() {
        given([]).when(import(&[("a", "30.00"), ("", "9.00")])).then_invalid("/payments/1/paymentId");
    }

    #[test]
    fn an_order_is_imported_once() {
        given([import(&[]).into()]).when(import(&[])).then_rejected("ILLEGAL_TRANSITION");
    }
}
