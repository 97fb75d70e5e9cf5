//! Credit notes of orders that are made by commands.

use super::*;
use crate::domain::invoice;
use chrono::TimeDelta;
use order::{
    AmendOrder, AmendedItem, CancelLines, CancelOrder, Command, CompletePayment, FailRefund, LineQuantity, NewProduct,
    Party, PaymentMethod, PlaceOrder, RefundWhat, RequestRefund, decide,
    pricing::{Discount, DiscountKind, LineToPrice, ToPrice, price},
};
use shared_events::{
    EventBody as _, EventId, ExceptionId, InvoiceId, Money, OrderId, ProductId, RefundId, ShipmentId, default_name,
    invoice::TradeParty,
};
use uuid::Uuid;

/// An order that grows by commands, with its invoice and what was credited of it.
struct Story {
    order: Order,
    invoice: InvoiceIssued,
    credit: Credit,
    notes: Vec<CreditNoteIssued>,
}

fn dec(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn at(minutes: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000, 0).unwrap() + TimeDelta::minutes(minutes)
}

fn line_id(number: u128) -> LineId {
    LineId::from_uuid(Uuid::from_u128(number))
}

fn pieces(line: u128, quantity: u32) -> LineQuantity {
    LineQuantity { line_id: line_id(line), quantity }
}

fn place(discount: Option<&str>, prices_include_tax: bool) -> PlaceOrder {
    let line = |number: u128, quantity, unit_price: &str| LineToPrice {
        line_id: line_id(number),
        product_id: ProductId::from_uuid(Uuid::from_u128(number)),
        sku: format!("SKU-{number}"),
        name: format!("Product {number}"),
        quantity,
        unit_price: dec(unit_price),
        tax_rate: dec("0.19"),
        channel: default_name(),
        legal_entity: default_name(),
        external_id: None,
        attributes: Attributes::new(),
    };
    let discounts = discount.map(|percent| Discount {
        code: "TEN".to_owned(),
        kind: DiscountKind::Percentage,
        value: dec(percent),
    });
    let priced = price(ToPrice {
        currency: Currency::EUR,
        prices_include_tax,
        lines: vec![line(1, 2, "10.00"), line(2, 3, "5.00")],
        shipping_method: Some("standard".to_owned()),
        shipping_amount: dec("4.00"),
        shipping_tax_rate: dec("0.19"),
        shipping_free_from: None,
        discounts: discounts.into_iter().collect(),
    });
    PlaceOrder {
        order_number: "R-000000001".to_owned(),
        customer_id: None,
        channel: default_name(),
        legal_entity: default_name(),
        external_id: None,
        attributes: Attributes::new(),
        cart_id: None,
        quote_id: None,
        priced: priced.unwrap(),
        payment_method: PaymentMethod::Card,
        contact: None,
        shipping_address: None,
        billing_address: None,
        note: None,
        shipment_id: ShipmentId::from_uuid(Uuid::from_u128(1)),
        reservation_revision: 1,
        expires_at: at(30),
        now: at(0),
    }
}

fn run(order: &mut Order, command: impl Into<Command>) -> Vec<OrderEvent> {
    let events = decide(order, command).unwrap();
    for event in &events {
        order.apply(event);
    }
    events
}

impl Story {
    /// An order that is paid and invoiced: 2 × 10.00, 3 × 5.00 and shipping 4.00.
    fn paid(discount: Option<&str>, prices_include_tax: bool) -> Self {
        let mut order = Order::of(OrderId::from_uuid(Uuid::from_u128(1)));
        run(&mut order, place(discount, prices_include_tax));
        let amount = Money::exact(order.totals.total, order.currency).unwrap();
        let paid = CompletePayment {
            payment_id: "p".to_owned(),
            provider: None,
            method: None,
            amount,
            reservation_revision: None,
            refund_id: RefundId::generate(),
            exception_id: ExceptionId::generate(),
            now: at(1),
        };
        run(&mut order, paid);
        assert!(order.covered());
        let seller =
            TradeParty { name: "The shop".to_owned(), address: None, email: None, vat_id: None, registration: None };
        let cause = Cause { event_id: EventId::generate(), order_version: order.version };
        let invoice = invoice::issue(&order, cause, seller, InvoiceId::generate(), at(1));
        let credit = Credit::of(&invoice.document);
        Self { order, invoice, credit, notes: Vec::new() }
    }

    /// What a command makes it necessary to credit.
    fn when(&mut self, command: impl Into<Command>) -> Option<&CreditNoteIssued> {
        let events = run(&mut self.order, command);
        let corrections = self.credit.follow(&self.order, events.iter().map(OrderEvent::event_type));
        if corrections.is_empty() {
            return None;
        }
        let cause = Cause { event_id: EventId::generate(), order_version: self.order.version };
        let number = "INV-2026-000001".to_owned();
        let why = Why::of(&events);
        let note = issue(&self.invoice, number, &corrections, (cause, why), CreditNoteId::generate(), at(9));
        let document = &note.document;
        let lines: Decimal = document.lines.iter().map(|line| line.total).sum();
        assert_eq!(lines, document.totals.total, "the lines sum up to the total");
        let taxed: Decimal = document.taxes.iter().map(|tax| tax.base + tax.tax).sum();
        assert_eq!(taxed, document.totals.total, "so do the taxes and what they are on");
        self.notes.push(note);
        self.notes.last()
    }

    fn credited(&self) -> (Decimal, Decimal) {
        let sum = |of: fn(&Totals) -> Decimal| self.notes.iter().map(|note| of(&note.document.totals)).sum();
        (sum(|totals| totals.total), sum(|totals| totals.tax_total))
    }
}

fn cancel() -> CancelOrder {
    let reason = Some("changed their mind".to_owned());
    CancelOrder { by: Party::Staff, reason, refund_id: RefundId::generate(), now: at(5) }
}

fn cancel_lines(lines: &[LineQuantity]) -> CancelLines {
    CancelLines { lines: lines.to_vec(), by: Party::Staff, reason: None, refund_id: RefundId::generate(), now: at(5) }
}

fn refund(number: u128, amount: &str) -> RequestRefund {
    RequestRefund {
        refund_id: RefundId::from_uuid(Uuid::from_u128(number)),
        what: RefundWhat::Amount(Money::parse(amount, "EUR").unwrap()),
        reason: Some("scratched".to_owned()),
        return_id: None,
        now: at(6),
    }
}

#[test]
fn a_cancelled_order_is_credited_as_a_whole_and_once() {
    let mut story = Story::paid(Some("10"), true);
    let note = story.when(cancel()).unwrap().clone();
    assert_eq!(note.document.lines, story.invoice.document.lines);
    assert_eq!(note.document.totals, story.invoice.document.totals);
    assert_eq!((note.invoice_id, note.reason.as_deref()), (story.invoice.invoice_id, Some("changed their mind")));
    assert_eq!(note.refund_id, Some(story.order.refunds[0].refund_id), "it names the refund that gives it back");
    assert!(story.when(cancel()).is_none());
}

#[test]
fn cancelled_pieces_are_credited_as_pieces() {
    let mut story = Story::paid(None, true);
    let note = story.when(cancel_lines(&[pieces(2, 2)])).unwrap();
    let line = &note.document.lines[0];
    assert_eq!((note.document.lines.len(), line.quantity, line.unit_price), (1, 2, dec("5.00")));
    assert_eq!((line.total, note.document.totals.subtotal), (dec("10.00"), dec("10.00")));
}

#[test]
fn a_refund_in_goodwill_is_credited_when_it_is_decided_and_not_again_after_it_failed() {
    let mut story = Story::paid(None, true);
    let note = story.when(refund(7, "3.33")).unwrap();
    assert_eq!((note.document.totals.total, note.document.lines[0].quantity), (dec("3.33"), 1));
    assert_eq!(note.reason.as_deref(), Some("scratched"));
    let failed = FailRefund {
        refund_id: RefundId::from_uuid(Uuid::from_u128(7)),
        reason: None,
        exception_id: ExceptionId::generate(),
        now: at(7),
    };
    assert!(story.when(failed).is_none());
    assert!(story.when(refund(8, "3.33")).is_none(), "the note there is covers it");
    assert_eq!(story.when(refund(9, "1.00")).unwrap().document.totals.total, dec("1.00"));
}

#[test]
fn however_it_is_taken_apart_credit_ends_at_what_was_invoiced_with_all_of_its_tax() {
    for (discount, prices_include_tax) in [(None, true), (Some("10"), true), (Some("7.5"), false), (None, false)] {
        let mut story = Story::paid(discount, prices_include_tax);
        story.when(refund(7, "0.01")).unwrap();
        story.when(refund(8, "3.33")).unwrap();
        story.when(cancel_lines(&[pieces(2, 1)])).unwrap();
        story.when(refund(9, "2.00")).unwrap();
        story.when(cancel_lines(&[pieces(1, 1)])).unwrap();
        story.when(cancel()).unwrap();
        let totals = story.invoice.document.totals;
        assert_eq!(story.credited(), (totals.total, totals.tax_total), "{discount:?} {prices_include_tax}");
        assert_eq!(story.credit.total(), totals.total);
    }
}

#[test]
fn what_is_exchanged_for_something_else_is_credited_only_when_that_is_owed_no_longer() {
    let mut story = Story::paid(None, true);
    let item = |number: u128, quantity, new: Option<NewProduct>| AmendedItem {
        product_id: ProductId::from_uuid(Uuid::from_u128(number)),
        quantity,
        new,
    };
    let amend = |items| AmendOrder {
        items: Some(items),
        shipping_address: None,
        billing_address: None,
        contact: None,
        note: None,
        reservation_revision: Some(2),
        expires_at: at(60),
        refund_id: RefundId::generate(),
        by: Party::Staff,
        now: at(4),
    };
    let new = NewProduct {
        line_id: line_id(3),
        sku: "SKU-3".to_owned(),
        name: "Product 3".to_owned(),
        unit_price: dec("5.00"),
        tax_rate: dec("0.19"),
        channel: default_name(),
        legal_entity: default_name(),
        attributes: Attributes::new(),
    };
    assert!(story.when(amend(vec![item(1, 2, None), item(3, 3, Some(new))])).is_none(), "nothing is owed back");
    let note = story.when(cancel_lines(&[pieces(1, 1)])).unwrap();
    assert_eq!(note.document.totals.total, dec("10.00"), "just what is cancelled");
    story.when(cancel()).unwrap();
    assert_eq!(story.credit.total(), story.invoice.document.totals.total);
}

#[test]
fn money_beyond_what_was_invoiced_is_not_credited() {
    let mut story = Story::paid(None, true);
    let twice = CompletePayment {
        payment_id: "q".to_owned(),
        provider: None,
        method: None,
        amount: Money::parse("10.00", "EUR").unwrap(),
        reservation_revision: None,
        refund_id: RefundId::generate(),
        exception_id: ExceptionId::generate(),
        now: at(3),
    };
    assert!(story.when(twice).is_none());
    assert!(story.when(refund(7, "10.00")).is_none());
}
