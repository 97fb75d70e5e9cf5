//! An order as it is answered: the one JSON shape of commands and reads. It is derived from the state alone, for
//! a customer or for the shop; what is the shop's own business (notes, exceptions) a customer never gets.

use crate::{
    Action, Exception, FulfilmentStatus, Line, Note, Order, OrderStatus, Party, Payment, PaymentState, PaymentStatus,
    Refund, RefundStatus, Return, ReturnStatus, Shipment, ShipmentStatus, WaitingReason,
};
use chrono::{DateTime, TimeDelta, Utc};
use rust_decimal::Decimal;
use serde::Serialize;
use shared_events::{
    Address, Attributes, Contact, Currency, ExceptionId, LineId, Money, NoteId, OrderId, ProductId, RefundId, ReturnId,
    ShipmentId, UserId,
    order::{LineQuantity, PaymentMethod, RefundCause},
};
use utoipa::ToSchema;

/// An order.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrderAnswer {
    /// Its id.
    pub order_id: OrderId,
    /// What people call it.
    pub order_number: String,
    /// The customer; null for a guest.
    pub customer_id: Option<UserId>,
    /// When it was placed.
    pub order_date: DateTime<Utc>,
    /// Where it stands, in one word.
    #[schema(value_type = String, example = "CONFIRMED")]
    pub status: OrderStatus,
    /// Where its money stands.
    #[schema(value_type = String, example = "PAID")]
    pub payment_status: PaymentStatus,
    /// Where its goods stand.
    #[schema(value_type = String, example = "UNFULFILLED")]
    pub fulfilment_status: FulfilmentStatus,
    /// The currency of all its amounts.
    pub currency: Currency,
    /// Sum of all lines, before discount.
    pub subtotal: Money,
    /// Sum of all discounts.
    pub discount_total: Money,
    /// Shipping before discount.
    pub shipping_total: Money,
    /// Sum of all tax.
    pub tax_total: Money,
    /// What the customer pays.
    pub total_amount: Money,
    /// What was captured.
    pub paid_total: Money,
    /// What went back.
    pub refunded_total: Money,
    /// What was bought.
    pub lines: Vec<LineAnswer>,
    /// The first shipment.
    pub shipment_id: Option<ShipmentId>,
    /// When it expires unless it is paid by then; null where nothing is awaited.
    pub expires_at: Option<DateTime<Utc>>,
    /// How many events it has had.
    pub version: i64,
    /// What the caller may do next.
    #[schema(value_type = Vec<String>)]
    pub allowed_actions: Vec<Action>,
    /// Why it stands where it stands; null where nothing more is to happen.
    #[schema(value_type = Option<String>, example = "PAYMENT")]
    pub waiting_for: Option<WaitingReason>,
    /// Until when it waits for that; null without a deadline.
    pub waiting_until: Option<DateTime<Utc>>,
    /// How it is paid.
    pub payment_method: PaymentMethod,
    /// How the customer is reached.
    pub contact: Option<Contact>,
    /// Where it goes.
    pub shipping_address: Option<Address>,
    /// Who gets the bill, where that is another address.
    pub billing_address: Option<Address>,
    /// What the customer wrote with it.
    pub note: Option<String>,
    /// Every payment that was heard of.
    pub payments: Vec<PaymentAnswer>,
    /// All shipments.
    pub shipments: Vec<ShipmentAnswer>,
    /// All returns.
    pub returns: Vec<ReturnAnswer>,
    /// All refunds.
    pub refunds: Vec<RefundAnswer>,
    /// Its tags.
    pub tags: Vec<String>,
    /// What the shop wrote on it; absent for customers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notes: Option<Vec<NoteAnswer>>,
    /// What a person had to look at; absent for customers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exceptions: Option<Vec<ExceptionAnswer>>,
    /// Where it was sold.
    pub channel: String,
    /// Who sold it.
    pub legal_entity: String,
    /// Its id in another system.
    pub external_id: Option<String>,
    /// What the shop remembers about it.
    pub attributes: Attributes,
    /// When something last happened to it.
    pub updated_at: DateTime<Utc>,
}

/// A line of an order.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LineAnswer {
    /// Its id.
    pub line_id: LineId,
    /// What was bought.
    pub product_id: ProductId,
    /// The product's sku then.
    pub sku: String,
    /// The product's name then.
    pub name: String,
    /// Pieces.
    pub quantity: u32,
    /// Price of one piece.
    pub unit_price: Money,
    /// Quantity × unit price.
    pub line_total: Money,
    /// The tax rate as a fraction.
    #[schema(value_type = String, example = "0.19")]
    pub tax_rate: Decimal,
    /// Pieces that will not be delivered.
    pub cancelled_quantity: u32,
    /// Pieces that have left.
    pub shipped_quantity: u32,
    /// Pieces that arrived.
    pub delivered_quantity: u32,
    /// Pieces that came back.
    pub returned_quantity: u32,
    /// Its id in another system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// What the shop remembers about it.
    #[serde(skip_serializing_if = "Attributes::is_empty")]
    pub attributes: Attributes,
}

/// A payment.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PaymentAnswer {
    /// The provider's own reference.
    pub payment_id: String,
    /// Which provider.
    pub provider: Option<String>,
    /// The method that was used.
    pub method: Option<PaymentMethod>,
    /// How far it got.
    #[schema(value_type = String, example = "COMPLETED")]
    pub status: PaymentState,
    /// What it is about.
    pub amount: Money,
    /// What the provider holds now.
    pub authorized_amount: Money,
    /// What was captured.
    pub captured_amount: Money,
    /// The provider's reason, where it failed or was voided.
    pub reason: Option<String>,
    /// When something last happened to it.
    pub updated_at: DateTime<Utc>,
}

/// A shipment.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ShipmentAnswer {
    /// Its id.
    pub shipment_id: ShipmentId,
    /// How far it got.
    #[schema(value_type = String, example = "PLANNED")]
    pub status: ShipmentStatus,
    /// What is in it.
    pub lines: Vec<LineQuantity>,
    /// The carrier.
    pub carrier: Option<String>,
    /// The carrier's number for it.
    pub tracking_number: Option<String>,
    /// Why it failed.
    pub reason: Option<String>,
    /// When it was planned or filled.
    pub created_at: DateTime<Utc>,
    /// When the carrier got it.
    pub dispatched_at: Option<DateTime<Utc>>,
    /// When the customer got it.
    pub delivered_at: Option<DateTime<Utc>>,
    /// When it failed.
    pub failed_at: Option<DateTime<Utc>>,
}

/// A return.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReturnAnswer {
    /// Its id.
    pub return_id: ReturnId,
    /// How far it got.
    #[schema(value_type = String, example = "REQUESTED")]
    pub status: ReturnStatus,
    /// What comes back.
    pub lines: Vec<LineQuantity>,
    /// Why.
    pub reason: Option<String>,
    /// Whether it went back into stock.
    pub restocked: bool,
    /// When it was asked for.
    pub requested_at: DateTime<Utc>,
    /// When it was received or rejected.
    pub closed_at: Option<DateTime<Utc>>,
}

/// A refund.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RefundAnswer {
    /// Its id.
    pub refund_id: RefundId,
    /// How far it got.
    #[schema(value_type = String, example = "COMPLETED")]
    pub status: RefundStatus,
    /// How much.
    pub amount: Money,
    /// What made it necessary.
    pub cause: RefundCause,
    /// Why, in words.
    pub reason: Option<String>,
    /// The payment it goes back to.
    pub payment_id: Option<String>,
    /// The return it is for.
    pub return_id: Option<ReturnId>,
    /// When it was asked for.
    pub requested_at: DateTime<Utc>,
    /// When it was completed.
    pub completed_at: Option<DateTime<Utc>>,
    /// When it failed.
    pub failed_at: Option<DateTime<Utc>>,
}

/// Words on an order.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NoteAnswer {
    /// Its id.
    pub note_id: NoteId,
    /// The words; null once erased.
    pub text: Option<String>,
    /// Who wrote it.
    pub by: Party,
    /// When.
    pub created_at: DateTime<Utc>,
}

/// Something that a person has to look at.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExceptionAnswer {
    /// Its id.
    pub exception_id: ExceptionId,
    /// What kind.
    pub kind: String,
    /// What happened.
    pub detail: Option<String>,
    /// When it was raised.
    pub raised_at: DateTime<Utc>,
    /// When somebody dealt with it; null while it is open.
    pub resolved_at: Option<DateTime<Utc>>,
    /// What was done.
    pub resolution: Option<String>,
}

/// An order on `/orders` and `/order`, with the names that older clients read beside today's.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct LegacyOrderAnswer {
    /// The order with today's names.
    #[serde(flatten)]
    pub order: OrderAnswer,
    /// `orderId`.
    #[serde(rename = "orderID")]
    pub order_id: OrderId,
    /// `customerId`.
    #[serde(rename = "userID")]
    pub user_id: Option<UserId>,
    /// `shipmentId`.
    #[serde(rename = "shipmentID")]
    pub shipment_id: Option<ShipmentId>,
    /// `lines`.
    #[serde(rename = "orderItems")]
    pub order_items: Vec<LegacyLineAnswer>,
}

/// A line with the names that older clients read.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct LegacyLineAnswer {
    /// `lineId`.
    #[serde(rename = "orderItemID")]
    pub order_item_id: LineId,
    /// `productId`.
    #[serde(rename = "productID")]
    pub product_id: ProductId,
    /// Pieces.
    pub quantity: u32,
    /// Price of one piece.
    pub price: Money,
}

impl OrderAnswer {
    /// The order as `reader` may see it; `return_window` is how long after the last delivery it is completed.
    #[must_use]
    pub fn from_state(order: &Order, reader: Party, return_window: TimeDelta) -> Self {
        let waiting = order.waiting_for(return_window);
        let money = |amount: Decimal| Money::rounded(amount, order.currency);
        let for_shop = reader != Party::Customer;
        Self {
            order_id: order.id,
            order_number: order.number.clone(),
            customer_id: order.customer_id,
            order_date: order.placed_at,
            status: order.status(),
            payment_status: order.payment_status(),
            fulfilment_status: order.fulfilment_status(),
            currency: order.currency,
            subtotal: money(order.totals.subtotal),
            discount_total: money(order.totals.discount_total),
            shipping_total: money(order.totals.shipping_total),
            tax_total: money(order.totals.tax_total),
            total_amount: money(order.totals.total),
            paid_total: money(order.paid_total()),
            refunded_total: money(order.refunded_total()),
            lines: order.lines.iter().map(|line| LineAnswer::from_state(line, order.currency)).collect(),
            shipment_id: order.shipments.first().map(|shipment| shipment.shipment_id),
            expires_at: order.expires(),
            version: order.version,
            allowed_actions: order.allowed_actions(reader),
            waiting_for: waiting.map(|waiting| waiting.reason),
            waiting_until: waiting.and_then(|waiting| waiting.until),
            payment_method: order.payment_method,
            contact: order.contact.clone(),
            shipping_address: order.shipping_address.clone(),
            billing_address: order.billing_address.clone(),
            note: order.note.clone(),
            payments: order.payments.iter().map(|payment| PaymentAnswer::from_state(payment, order.currency)).collect(),
            shipments: order.shipments.iter().map(ShipmentAnswer::from_state).collect(),
            returns: order.returns.iter().map(ReturnAnswer::from_state).collect(),
            refunds: order.refunds.iter().map(|refund| RefundAnswer::from_state(refund, order.currency)).collect(),
            tags: order.tags.clone(),
            notes: for_shop.then(|| order.notes.iter().map(NoteAnswer::from_state).collect()),
            exceptions: for_shop.then(|| order.exceptions.iter().map(ExceptionAnswer::from_state).collect()),
            channel: order.channel.clone(),
            legal_entity: order.legal_entity.clone(),
            external_id: order.external_id.clone(),
            attributes: order.attributes.clone(),
            updated_at: order.updated_at,
        }
    }

    /// The same with the names that older clients read.
    #[must_use]
    pub fn into_legacy(self) -> LegacyOrderAnswer {
        let order_items = self.lines.iter().map(|line| LegacyLineAnswer {
            order_item_id: line.line_id,
            product_id: line.product_id,
            quantity: line.quantity,
            price: line.unit_price,
        });
        LegacyOrderAnswer {
            order_id: self.order_id,
            user_id: self.customer_id,
            shipment_id: self.shipment_id,
            order_items: order_items.collect(),
            order: self,
        }
    }
}

impl LineAnswer {
    /// A line whose amounts are in the order's currency.
    #[must_use]
    pub fn from_state(line: &Line, currency: Currency) -> Self {
        Self {
            line_id: line.line_id,
            product_id: line.product_id,
            sku: line.sku.clone(),
            name: line.name.clone(),
            quantity: line.quantity,
            unit_price: Money::rounded(line.unit_price, currency),
            line_total: Money::rounded(line.line_total(currency), currency),
            tax_rate: line.tax_rate,
            cancelled_quantity: line.cancelled,
            shipped_quantity: line.shipped,
            delivered_quantity: line.delivered,
            returned_quantity: line.returned,
            external_id: line.external_id.clone(),
            attributes: line.attributes.clone(),
        }
    }
}

impl PaymentAnswer {
    /// A payment whose amounts are in the order's currency.
    #[must_use]
    pub fn from_state(payment: &Payment, currency: Currency) -> Self {
        Self {
            payment_id: payment.payment_id.clone(),
            provider: payment.provider.clone(),
            method: payment.method,
            status: payment.status,
            amount: Money::rounded(payment.amount, currency),
            authorized_amount: Money::rounded(payment.authorized, currency),
            captured_amount: Money::rounded(payment.captured, currency),
            reason: payment.reason.clone(),
            updated_at: payment.updated_at,
        }
    }
}

impl ShipmentAnswer {
    /// A shipment.
    #[must_use]
    pub fn from_state(shipment: &Shipment) -> Self {
        Self {
            shipment_id: shipment.shipment_id,
            status: shipment.status,
            lines: shipment.lines.clone(),
            carrier: shipment.carrier.clone(),
            tracking_number: shipment.tracking_number.clone(),
            reason: shipment.reason.clone(),
            created_at: shipment.created_at,
            dispatched_at: shipment.dispatched_at,
            delivered_at: shipment.delivered_at,
            failed_at: shipment.failed_at,
        }
    }
}

impl ReturnAnswer {
    /// A return.
    #[must_use]
    pub fn from_state(found: &Return) -> Self {
        Self {
            return_id: found.return_id,
            status: found.status,
            lines: found.lines.clone(),
            reason: found.reason.clone(),
            restocked: found.restocked,
            requested_at: found.requested_at,
            closed_at: found.closed_at,
        }
    }
}

impl RefundAnswer {
    /// A refund whose amount is in the order's currency.
    #[must_use]
    pub fn from_state(refund: &Refund, currency: Currency) -> Self {
        Self {
            refund_id: refund.refund_id,
            status: refund.status,
            amount: Money::rounded(refund.amount, currency),
            cause: refund.cause,
            reason: refund.reason.clone(),
            payment_id: refund.payment_id.clone(),
            return_id: refund.return_id,
            requested_at: refund.requested_at,
            completed_at: refund.completed_at,
            failed_at: refund.failed_at,
        }
    }
}

impl NoteAnswer {
    /// A note.
    #[must_use]
    pub fn from_state(note: &Note) -> Self {
        Self { note_id: note.note_id, text: note.text.clone(), by: note.by, created_at: note.occurred_at }
    }
}

impl ExceptionAnswer {
    /// An exception.
    #[must_use]
    pub fn from_state(exception: &Exception) -> Self {
        Self {
            exception_id: exception.exception_id,
            kind: exception.kind.clone(),
            detail: exception.detail.clone(),
            raised_at: exception.raised_at,
            resolved_at: exception.resolved_at,
            resolution: exception.resolution.clone(),
        }
    }
}
