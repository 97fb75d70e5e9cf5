//! Taking an order over from another system, with its own date, prices, number and payments, and with what became
//! of it there: pieces that were cancelled, that it was shipped and delivered, what came back, that it was over.
//! Nothing is reserved for it, it has no payment window, and none of our invoices is issued where it has one. It is
//! one decision, so it is there with its whole history or not at all; each step keeps the rules of the command that
//! would do the same here, but for the address, which the goods no longer need.

use crate::{
    CancelLines, CompleteOrder, Order, PlaceOrder, ReceiveReturn, Rejection, RequestReturn, pay::completed,
    place::check,
};
use chrono::{DateTime, TimeDelta, Utc};
use shared_events::{
    DEFAULT, Money, RefundId, ReturnId,
    order::{LineQuantity, OrderConfirmed, OrderEvent, Party, PaymentMethod, ShipmentDelivered, ShipmentDispatched},
};
use uuid::Uuid;

/// Take it over. What the other system knows goes where placing has it; `expires_at` and the reservation
/// of `placing` mean nothing here, and its `now` is when it was placed there.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportOrder {
    /// The order.
    pub placing: PlaceOrder,
    /// Pieces that were cancelled before anything left, in the order it happened.
    pub cancellations: Vec<ImportedCancellation>,
    /// The payments that were captured and kept, for what was not cancelled.
    pub payments: Vec<ImportedPayment>,
    /// How all that was not cancelled left; none where it is still here.
    pub shipped: Option<ImportedShipment>,
    /// What came back, in the order it happened.
    pub returns: Vec<ImportedReturn>,
    /// When nothing more was to be expected of it.
    pub completed_at: Option<DateTime<Utc>>,
    /// The invoice that the other system issued.
    pub foreign_invoice_number: Option<String>,
}

/// Pieces that were cancelled in the other system.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportedCancellation {
    /// Which.
    pub lines: Vec<LineQuantity>,
    /// Why.
    pub reason: Option<String>,
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// How the goods left; in the order's first shipment.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportedShipment {
    /// The carrier.
    pub carrier: Option<String>,
    /// The carrier's number for it.
    pub tracking_number: Option<String>,
    /// When they left.
    pub dispatched_at: DateTime<Utc>,
    /// When they arrived; none where they are on their way.
    pub delivered_at: Option<DateTime<Utc>>,
}

/// Pieces that the other system took back.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportedReturn {
    /// Its id.
    pub return_id: ReturnId,
    /// Which pieces.
    pub lines: Vec<LineQuantity>,
    /// Why.
    pub reason: Option<String>,
    /// When they were there.
    pub occurred_at: DateTime<Utc>,
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

/// The order as it grows, and the events that made it so.
struct History {
    order: Order,
    events: Vec<OrderEvent>,
}

impl ImportOrder {
    pub(crate) fn decide(self, order: &Order) -> Result<Vec<OrderEvent>, Rejection> {
        if order.exists() {
            return Err(Rejection::AlreadyPlaced);
        }
        check(&self.placing.priced)?;
        let mut placed = self.placing.into_event();
        placed.foreign_invoice_number = self.foreign_invoice_number;
        let mut history = History { order: order.clone(), events: Vec::new() };
        history.add([placed.into()]);
        for (index, cancellation) in self.cancellations.into_iter().enumerate() {
            let at = format!("/cancellations/{index}");
            history.cancel(cancellation).map_err(|rejection| within_part(rejection, &at))?;
        }
        for (index, payment) in self.payments.into_iter().enumerate() {
            let at = format!("/payments/{index}");
            history.pay(payment).map_err(|rejection| within_part(rejection, &at))?;
        }
        if let Some(shipped) = self.shipped {
            history.ship(shipped)?;
        }
        for (index, returned) in self.returns.into_iter().enumerate() {
            let at = format!("/returns/{index}");
            history.take_back(returned).map_err(|rejection| within_part(rejection, &at))?;
        }
        if let Some(now) = self.completed_at {
            let complete = CompleteOrder { by: Party::Staff, return_window: TimeDelta::zero(), now };
            history.add(complete.decide(&history.order)?);
        }
        Ok(history.events)
    }
}

impl History {
    fn add(&mut self, events: impl IntoIterator<Item = OrderEvent>) {
        for event in events {
            self.order.apply(&event);
            self.events.push(event);
        }
    }

    /// Comes before the payments, so no refund can follow from it: what was captured is what was kept.
    fn cancel(&mut self, cancellation: ImportedCancellation) -> Result<(), Rejection> {
        if self.order.is_over() {
            return Err(self.order.illegal("all of it was cancelled before"));
        }
        let cancel = CancelLines {
            lines: cancellation.lines,
            by: Party::Staff,
            reason: cancellation.reason,
            refund_id: RefundId::from_uuid(Uuid::nil()),
            now: cancellation.occurred_at,
        };
        self.add(cancel.decide(&self.order)?);
        Ok(())
    }

    fn pay(&mut self, payment: ImportedPayment) -> Result<(), Rejection> {
        if self.order.payment(&payment.payment_id).is_some() {
            return Ok(());
        }
        if self.order.is_over() {
            return Err(self.order.illegal("all of it was cancelled, so nothing was kept of what was paid"));
        }
        let was_covered = self.order.covered();
        let occurred_at = payment.occurred_at;
        self.add([completed(&self.order, payment)?]);
        if !was_covered && self.order.covered() {
            self.add([OrderConfirmed { occurred_at }.into()]);
        }
        Ok(())
    }

    fn ship(&mut self, shipped: ImportedShipment) -> Result<(), Rejection> {
        let lines = self.order.open_lines();
        if self.order.is_over() || lines.is_empty() {
            return Err(self.order.illegal("all of it was cancelled, so nothing left"));
        }
        if !self.order.is_paid_for() {
            return Err(Rejection::NotCovered { outstanding: self.order.outstanding() });
        }
        let Some(shipment_id) = self.order.shipments.first().map(|shipment| shipment.shipment_id) else {
            return Ok(());
        };
        let ImportedShipment { carrier, tracking_number, dispatched_at, delivered_at } = shipped;
        self.add([ShipmentDispatched {
            shipment_id,
            lines,
            carrier,
            tracking_number,
            location: DEFAULT.to_owned(),
            occurred_at: dispatched_at,
        }
        .into()]);
        let delivered = delivered_at
            .map(|occurred_at| OrderEvent::from(ShipmentDelivered { shipment_id, location: None, occurred_at }));
        self.add(delivered);
        Ok(())
    }

    fn take_back(&mut self, returned: ImportedReturn) -> Result<(), Rejection> {
        let ImportedReturn { return_id, lines, reason, occurred_at: now } = returned;
        if self.order.find_return(return_id).is_some() {
            return Err(self.order.illegal(format!("the return {return_id} is there twice")));
        }
        let request = RequestReturn { return_id, lines, reason, by: Party::Staff, now };
        self.add(request.decide(&self.order)?);
        // Where the pieces went is for the stock to say, which is counted, not imported.
        let receive = ReceiveReturn { return_id, lines: None, restock: false, location: None, now };
        self.add(receive.decide(&self.order)?);
        Ok(())
    }
}

fn within_part(rejection: Rejection, part: &str) -> Rejection {
    let Rejection::Invalid(mut errors) = rejection else { return rejection };
    for error in &mut errors {
        error.pointer.insert_str(0, part);
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
            cancellations: Vec::new(),
            payments: payments.iter().map(payment).collect(),
            shipped: None,
            returns: Vec::new(),
            completed_at: None,
            foreign_invoice_number: Some("2019-77".to_owned()),
        }
    }

    /// On credit, with no address, as a table of invoices has it.
    fn historic() -> ImportOrder {
        let placing = PlaceOrder { payment_method: PaymentMethod::Invoice, shipping_address: None, ..placing() };
        ImportOrder { placing, shipped: Some(shipped()), ..import(&[]) }
    }

    fn shipped() -> ImportedShipment {
        ImportedShipment {
            carrier: None,
            tracking_number: None,
            dispatched_at: later(20),
            delivered_at: Some(later(30)),
        }
    }

    fn cancelled(lines: &[LineQuantity]) -> ImportedCancellation {
        ImportedCancellation { lines: lines.to_vec(), reason: Some("C1".to_owned()), occurred_at: later(10) }
    }

    fn returned(number: u128, lines: &[LineQuantity]) -> ImportedReturn {
        ImportedReturn {
            return_id: return_id(number),
            lines: lines.to_vec(),
            reason: None,
            occurred_at: later(40 + i64::try_from(number).unwrap()),
        }
    }

    #[test]
    fn stock_that_an_import_never_held_cannot_be_confirmed() {
        let confirm = crate::ConfirmStock { reservation_revision: 0, now: later(70) };
        given([import(&[("p", "39.00")]).into()]).when(confirm).then_rejected("ILLEGAL_TRANSITION");
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

    #[test]
    fn what_left_and_arrived_there_is_delivered_here_without_an_address() {
        let order = given([]).when(historic()).then(&["OrderPlaced", "ShipmentDispatched", "ShipmentDelivered"]);
        assert_eq!((order.status(), order.shipments[0].lines.len()), (OrderStatus::Delivered, 2));
        assert_eq!(order.shipments[0].delivered_at, Some(later(30)));
        assert_eq!((order.paid_total(), order.confirmed_at), (dec("0"), Some(now())));
    }

    #[test]
    fn what_was_cancelled_there_never_left() {
        let import = ImportOrder { cancellations: vec![cancelled(&[pieces(2, 1)])], ..historic() };
        let order =
            given([]).when(import).then(&["OrderPlaced", "LineCancelled", "ShipmentDispatched", "ShipmentDelivered"]);
        assert_eq!((order.lines[1].cancelled, order.lines[1].delivered), (1, 2));
        assert_eq!(order.totals.total, dec("34.00"));
        assert!(order.refunds.is_empty());
    }

    #[test]
    fn an_order_that_was_cancelled_there_is_cancelled() {
        let all = vec![cancelled(&[pieces(1, 2)]), cancelled(&[pieces(2, 3)])];
        let import = ImportOrder { cancellations: all, shipped: None, ..historic() };
        let order = given([]).when(import.clone()).then(&["OrderPlaced", "LineCancelled", "OrderCancelled"]);
        assert_eq!(order.status(), OrderStatus::Cancelled);
        let shipped = ImportOrder { shipped: Some(shipped()), ..import.clone() };
        given([]).when(shipped).then_rejected("ILLEGAL_TRANSITION");
        let mut again = import.clone();
        again.cancellations.push(cancelled(&[pieces(1, 1)]));
        given([]).when(again).then_rejected("ILLEGAL_TRANSITION");
        let paid = ImportOrder { payments: super::tests::import(&[("a", "1.00")]).payments, ..import };
        given([]).when(paid).then_rejected("ILLEGAL_TRANSITION");
    }

    #[test]
    fn what_came_back_there_has_come_back() {
        let returns = vec![returned(1, &[pieces(1, 1)]), returned(2, &[pieces(1, 1), pieces(2, 3)])];
        let import = ImportOrder { returns, completed_at: Some(later(90)), ..historic() };
        let order = given([]).when(import).then(&[
            "OrderPlaced",
            "ShipmentDispatched",
            "ShipmentDelivered",
            "ReturnRequested",
            "ReturnReceived",
            "ReturnRequested",
            "ReturnReceived",
            "OrderCompleted",
        ]);
        assert_eq!(order.status(), OrderStatus::Returned);
        assert_eq!((order.returns[1].closed_at, order.returns[1].restocked), (Some(later(42)), false));
        assert_eq!((order.completed_at, order.refunds.len()), (Some(later(90)), 0));
    }

    #[test]
    fn an_order_with_nothing_more_to_come_is_complete() {
        let order = given([]).when(ImportOrder { completed_at: Some(later(90)), ..historic() });
        assert_eq!(order.outcome.as_ref().unwrap().len(), 4);
        assert_eq!(order.order.status(), OrderStatus::Completed);
        assert_eq!(obligations(&order.order, TimeDelta::days(14)), []);
        let early = ImportOrder { completed_at: Some(later(90)), shipped: None, ..historic() };
        given([]).when(early).then_rejected("ILLEGAL_TRANSITION");
    }

    #[test]
    fn no_more_was_cancelled_or_came_back_than_there_was() {
        let too_much = |cancellations, returns| ImportOrder { cancellations, returns, ..historic() };
        given([]).when(too_much(vec![cancelled(&[pieces(1, 3)])], Vec::new())).then_rejected("QUANTITY_EXCEEDED");
        given([]).when(too_much(Vec::new(), vec![returned(1, &[pieces(1, 3)])])).then_rejected("QUANTITY_EXCEEDED");
        let both = too_much(vec![cancelled(&[pieces(1, 1)])], vec![returned(1, &[pieces(1, 2)])]);
        given([]).when(both).then_rejected("QUANTITY_EXCEEDED");
        let twice = vec![returned(1, &[pieces(1, 1)]), returned(1, &[pieces(1, 1)])];
        given([]).when(too_much(Vec::new(), twice)).then_rejected("ILLEGAL_TRANSITION");
        let unknown = vec![returned(1, &[pieces(1, 1)]), returned(2, &[pieces(9, 1)])];
        given([]).when(too_much(Vec::new(), unknown)).then_invalid("/returns/1/lines/0/lineId");
        given([]).when(too_much(vec![cancelled(&[])], Vec::new())).then_invalid("/cancellations/0/lines");
    }

    #[test]
    fn nothing_comes_back_of_what_never_arrived() {
        let returns = vec![returned(1, &[pieces(1, 1)])];
        given([]).when(ImportOrder { returns, shipped: None, ..historic() }).then_rejected("ILLEGAL_TRANSITION");
    }

    #[test]
    fn what_was_not_paid_for_did_not_leave() {
        let unpaid = ImportOrder { shipped: Some(shipped()), ..import(&[("a", "38.99")]) };
        given([]).when(unpaid).then_rejected("NOT_COVERED");
        let paid = ImportOrder { shipped: Some(shipped()), ..import(&[("a", "39.00")]) };
        assert_eq!(given([]).when(paid).order.status(), OrderStatus::Delivered);
    }
}
