//! Given, when, then: a history made by commands, one command more, and what follows from it.

use crate::{
    AuthorizePayment, CancelLines, CancelOrder, Command, CompletePayment, CompleteRefund, CreateShipment,
    DeliverShipment, DispatchShipment, FailPayment, FailShipment, Order, PaymentWindows, PlaceOrder, ReceiveReturn,
    RefundWhat, Rejection, RequestRefund, RequestReturn, SetStatus, decide,
    pricing::{LineToPrice, Priced, ToPrice, price},
};
use chrono::{DateTime, TimeDelta, Utc};
use rust_decimal::Decimal;
use shared_events::{
    Address, Attributes, Contact, Currency, EventBody, ExceptionId, LineId, Money, NoteId, OrderId, ProductId,
    RefundId, ReturnId, ShipmentId, default_name,
    order::{LineQuantity, OrderEvent, Party, PaymentMethod},
};
use uuid::Uuid;

/// A history.
#[derive(Debug, Clone)]
pub(crate) struct Given {
    pub(crate) order: Order,
}

/// What followed from a command.
#[derive(Debug)]
pub(crate) struct Then {
    pub(crate) order: Order,
    pub(crate) outcome: Result<Vec<OrderEvent>, Rejection>,
}

/// A history made by these commands, each of which must be accepted.
pub(crate) fn given(commands: impl IntoIterator<Item = Command>) -> Given {
    let mut order = Order::of(OrderId::from_uuid(Uuid::from_u128(1)));
    for command in commands {
        let events = decide(&order, command.clone()).unwrap_or_else(|why| panic!("{command:?}: {why:?}"));
        order = order.after(&events);
    }
    Given { order }
}

impl Given {
    pub(crate) fn when(self, command: impl Into<Command>) -> Then {
        let outcome = decide(&self.order, command);
        let order = outcome.as_ref().map_or_else(|_| self.order.clone(), |events| self.order.after(events));
        Then { order, outcome }
    }
}

impl Then {
    /// Exactly these types of events follow.
    #[track_caller]
    pub(crate) fn then(self, types: &[&str]) -> Order {
        let events = self.outcome.unwrap_or_else(|why| panic!("rejected: {why:?}"));
        let happened: Vec<_> = events.iter().map(EventBody::event_type).collect();
        assert_eq!(happened, types);
        self.order
    }

    /// Nothing changes.
    #[track_caller]
    pub(crate) fn then_nothing(self) -> Order {
        self.then(&[])
    }

    /// It is refused with this code.
    #[track_caller]
    pub(crate) fn then_rejected(self, code: &str) -> Rejection {
        let rejection = self.outcome.expect_err("must be rejected");
        assert_eq!(rejection.code(), code, "{rejection:?}");
        rejection
    }

    /// It is refused because of the field at this pointer.
    #[track_caller]
    pub(crate) fn then_invalid(self, pointer: &str) {
        let Rejection::Invalid(errors) = self.then_rejected("VALIDATION_FAILED") else { unreachable!() };
        let pointers: Vec<_> = errors.iter().map(|error| error.pointer.as_str()).collect();
        assert!(pointers.contains(&pointer), "{pointers:?}");
    }
}

pub(crate) fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000, 0).unwrap()
}

pub(crate) fn later(minutes: i64) -> DateTime<Utc> {
    now() + TimeDelta::minutes(minutes)
}

pub(crate) fn dec(text: &str) -> Decimal {
    text.parse().unwrap()
}

pub(crate) fn eur(text: &str) -> Money {
    Money::parse(text, "EUR").unwrap()
}

pub(crate) fn line_id(number: u128) -> LineId {
    LineId::from_uuid(Uuid::from_u128(number))
}

pub(crate) fn product_id(number: u128) -> ProductId {
    ProductId::from_uuid(Uuid::from_u128(number))
}

pub(crate) fn shipment_id(number: u128) -> ShipmentId {
    ShipmentId::from_uuid(Uuid::from_u128(number))
}

pub(crate) fn refund_id(number: u128) -> RefundId {
    RefundId::from_uuid(Uuid::from_u128(number))
}

pub(crate) fn return_id(number: u128) -> ReturnId {
    ReturnId::from_uuid(Uuid::from_u128(number))
}

pub(crate) fn exception_id(number: u128) -> ExceptionId {
    ExceptionId::from_uuid(Uuid::from_u128(number))
}

pub(crate) fn note_id(number: u128) -> NoteId {
    NoteId::from_uuid(Uuid::from_u128(number))
}

pub(crate) fn pieces(line: u128, quantity: u32) -> LineQuantity {
    LineQuantity { line_id: line_id(line), quantity }
}

pub(crate) fn address() -> Address {
    Address {
        name: Some("Ada Example".to_owned()),
        company: None,
        line1: "Example Street 1".to_owned(),
        line2: None,
        city: "Berlin".to_owned(),
        region: None,
        postal_code: "10115".to_owned(),
        country: "DE".to_owned(),
        phone: None,
    }
}

pub(crate) fn to_price(number: u128, quantity: u32, unit_price: &str) -> LineToPrice {
    LineToPrice {
        line_id: line_id(number),
        product_id: product_id(number),
        sku: format!("SKU-{number}"),
        name: format!("Product {number}"),
        quantity,
        unit_price: dec(unit_price),
        tax_rate: dec("0.19"),
        channel: default_name(),
        legal_entity: default_name(),
        external_id: None,
        attributes: Attributes::new(),
    }
}

/// 2 × 10.00 and 3 × 5.00, shipping 4.00: 39.00 in all.
pub(crate) fn priced() -> Priced {
    price(ToPrice {
        currency: Currency::EUR,
        prices_include_tax: true,
        lines: vec![to_price(1, 2, "10.00"), to_price(2, 3, "5.00")],
        shipping_method: Some("standard".to_owned()),
        shipping_amount: dec("4.00"),
        shipping_free_from: None,
        shipping_tax_rate: dec("0.19"),
        discounts: Vec::new(),
    })
    .unwrap()
}

/// An order of [`priced`] by card, with an address; its payment window ends after 30 minutes.
pub(crate) fn placing() -> PlaceOrder {
    PlaceOrder {
        order_number: "R-000000001".to_owned(),
        customer_id: None,
        channel: default_name(),
        legal_entity: default_name(),
        external_id: None,
        attributes: Attributes::new(),
        cart_id: None,
        quote_id: None,
        priced: priced(),
        payment_method: PaymentMethod::Card,
        contact: Some(Contact { email: "ada@example.com".to_owned(), phone: None, name: None }),
        shipping_address: Some(address()),
        billing_address: None,
        note: None,
        shipment_id: shipment_id(1),
        reservation_revision: 1,
        expires_at: later(30),
        now: now(),
    }
}

pub(crate) fn place() -> Command {
    placing().into()
}

pub(crate) fn place_on_credit() -> Command {
    PlaceOrder { payment_method: PaymentMethod::Invoice, ..placing() }.into()
}

pub(crate) fn authorize(payment_id: &str, amount: &str) -> Command {
    AuthorizePayment {
        payment_id: payment_id.to_owned(),
        provider: None,
        method: None,
        amount: eur(amount),
        windows: PaymentWindows { usual: TimeDelta::minutes(59), bank_transfer: TimeDelta::days(5) },
        exception_id: exception_id(91),
        now: later(1),
    }
    .into()
}

pub(crate) fn captured(payment_id: &str, amount: &str) -> CompletePayment {
    CompletePayment {
        payment_id: payment_id.to_owned(),
        provider: None,
        method: None,
        amount: eur(amount),
        reservation_revision: None,
        refund_id: refund_id(90),
        exception_id: exception_id(90),
        now: later(2),
    }
}

pub(crate) fn pay(payment_id: &str, amount: &str) -> Command {
    captured(payment_id, amount).into()
}

pub(crate) fn fail_payment(payment_id: &str, reason: Option<&str>) -> Command {
    FailPayment {
        payment_id: payment_id.to_owned(),
        provider: None,
        method: None,
        amount: eur("39.00"),
        reason: reason.map(str::to_owned),
        now: later(2),
    }
    .into()
}

pub(crate) fn cancel(by: Party) -> Command {
    CancelOrder { by, reason: None, refund_id: refund_id(80), now: later(5) }.into()
}

pub(crate) fn cancel_lines(by: Party, lines: &[LineQuantity]) -> Command {
    CancelLines { lines: lines.to_vec(), by, reason: None, refund_id: refund_id(81), now: later(5) }.into()
}

pub(crate) fn create_shipment(number: u128, lines: &[LineQuantity]) -> Command {
    let lines = (!lines.is_empty()).then(|| lines.to_vec());
    CreateShipment {
        shipment_id: shipment_id(number),
        lines,
        carrier: None,
        tracking_number: None,
        location: None,
        now: later(6),
    }
    .into()
}

pub(crate) fn dispatch(by: Party, number: u128) -> Command {
    DispatchShipment {
        shipment_id: shipment_id(number),
        carrier: Some("DHL".to_owned()),
        tracking_number: Some("T1".to_owned()),
        by,
        exception_id: exception_id(70),
        now: later(7),
    }
    .into()
}

pub(crate) fn deliver(by: Party, number: u128) -> Command {
    DeliverShipment {
        shipment_id: shipment_id(number),
        location: None,
        tracking_number: None,
        by,
        exception_id: exception_id(71),
        now: later(8),
    }
    .into()
}

pub(crate) fn fail_shipment(number: u128, returned_to_sender: bool) -> Command {
    FailShipment {
        shipment_id: shipment_id(number),
        reason: Some("nobody there".to_owned()),
        returned_to_sender,
        exception_id: exception_id(72 + u128::from(returned_to_sender)),
        now: later(8),
    }
    .into()
}

pub(crate) fn request_return(number: u128, by: Party, lines: &[LineQuantity]) -> Command {
    RequestReturn { return_id: return_id(number), lines: lines.to_vec(), reason: None, by, now: later(10) }.into()
}

pub(crate) fn receive_return(number: u128, lines: Option<&[LineQuantity]>) -> Command {
    ReceiveReturn {
        return_id: return_id(number),
        lines: lines.map(<[_]>::to_vec),
        restock: true,
        location: None,
        now: later(11),
    }
    .into()
}

pub(crate) fn refund(number: u128, what: RefundWhat) -> Command {
    RequestRefund { refund_id: refund_id(number), what, reason: None, return_id: None, now: later(12) }.into()
}

pub(crate) fn complete_refund(number: u128) -> Command {
    CompleteRefund {
        refund_id: refund_id(number),
        provider_reference: None,
        exception_id: exception_id(60),
        now: later(13),
    }
    .into()
}

pub(crate) fn set_status(status: &str) -> Command {
    SetStatus {
        status: status.to_owned(),
        note: None,
        by: Party::Staff,
        note_id: note_id(1),
        shipment_id: shipment_id(50),
        refund_id: refund_id(50),
        now: later(9),
    }
    .into()
}
