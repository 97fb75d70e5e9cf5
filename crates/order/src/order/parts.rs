//! The parts of an order: its lines, payments, shipments, returns, refunds, exceptions and notes.

use crate::amounts::portion;
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use shared_events::{
    Attributes, Currency, ExceptionId, LineId, NoteId, ProductId, RefundId, ReturnId, ShipmentId,
    order::{ComponentAmount, LineQuantity, Party, PaymentMethod, RefundCause},
};

/// A line: what was bought, and where its pieces are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    /// Its id.
    pub line_id: LineId,
    /// What was bought.
    pub product_id: ProductId,
    /// The product's sku then.
    pub sku: String,
    /// The product's name then.
    pub name: String,
    /// Pieces as the order stands: without those cancelled one by one; a cancelled order keeps them.
    pub quantity: u32,
    /// Pieces that were ordered.
    pub ordered: u32,
    /// Pieces that will not be delivered.
    pub cancelled: u32,
    /// Pieces that have left.
    pub shipped: u32,
    /// Pieces that arrived.
    pub delivered: u32,
    /// Pieces that came back.
    pub returned: u32,
    /// Price of one piece.
    pub unit_price: Decimal,
    /// The share of the order's discounts of all ordered pieces.
    pub discount: Decimal,
    /// The tax rate as a fraction.
    pub tax_rate: Decimal,
    /// The tax in (or on) all ordered pieces after discount.
    pub tax_amount: Decimal,
    /// Its sales channel.
    pub channel: String,
    /// Who sells it.
    pub legal_entity: String,
    /// Its id in another system.
    pub external_id: Option<String>,
    /// What the shop remembers about it.
    pub attributes: Attributes,
}

/// A payment, by the provider's own reference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Payment {
    /// The provider's own reference.
    pub payment_id: String,
    /// Which provider.
    pub provider: Option<String>,
    /// The method that was used, where known.
    pub method: Option<PaymentMethod>,
    /// How far it got.
    pub status: PaymentState,
    /// What it is about: held, captured, tried or given back.
    pub amount: Decimal,
    /// What the provider holds now.
    pub authorized: Decimal,
    /// What was captured.
    pub captured: Decimal,
    /// The provider's reason, where it failed or was voided.
    pub reason: Option<String>,
    /// When money was first held.
    pub authorized_at: Option<DateTime<Utc>>,
    /// When something last happened to it.
    pub updated_at: DateTime<Utc>,
}

/// How far a payment got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PaymentState {
    /// The provider holds the money.
    Authorized,
    /// The money is here.
    Completed,
    /// It did not come.
    Failed,
    /// It is held no longer.
    Voided,
}

/// A parcel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Shipment {
    /// Its id.
    pub shipment_id: ShipmentId,
    /// How far it got.
    pub status: ShipmentStatus,
    /// What is in it; until the planned one is filled, everything that is in no other shipment.
    pub lines: Vec<LineQuantity>,
    /// Whether somebody decided what is in it.
    pub filled: bool,
    /// The carrier.
    pub carrier: Option<String>,
    /// The carrier's number for it.
    pub tracking_number: Option<String>,
    /// The stock location it leaves from.
    pub location: String,
    /// Where the carrier left it.
    pub delivered_to: Option<String>,
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

/// How far a shipment got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ShipmentStatus {
    /// Not dispatched yet.
    Planned,
    /// On its way.
    Dispatched,
    /// Arrived.
    Delivered,
    /// Could not be delivered, or never left.
    Failed,
    /// Came back to the shop undelivered.
    Returned,
    /// Nothing is left to put in it.
    Cancelled,
}

/// Pieces that come back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Return {
    /// Its id.
    pub return_id: ReturnId,
    /// How far it got.
    pub status: ReturnStatus,
    /// What is to come back, and once received what came.
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

/// How far a return got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ReturnStatus {
    /// It is to come.
    Requested,
    /// It came.
    Received,
    /// It is not taken back.
    Rejected,
}

/// Money that goes back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Refund {
    /// Its id.
    pub refund_id: RefundId,
    /// How far it got.
    pub status: RefundStatus,
    /// How much.
    pub amount: Decimal,
    /// Of which lines and shipping; the rest is of what exceeded the order.
    pub components: Vec<ComponentAmount>,
    /// What made it necessary.
    pub cause: RefundCause,
    /// Why, in words; the provider's reason where it failed.
    pub reason: Option<String>,
    /// The payment it goes back to, where that is settled.
    pub payment_id: Option<String>,
    /// The return it is for.
    pub return_id: Option<ReturnId>,
    /// The provider's own reference.
    pub provider_reference: Option<String>,
    /// When it was asked for.
    pub requested_at: DateTime<Utc>,
    /// When it was completed.
    pub completed_at: Option<DateTime<Utc>>,
    /// When it failed.
    pub failed_at: Option<DateTime<Utc>>,
}

/// How far a refund got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RefundStatus {
    /// The provider is to carry it out.
    Requested,
    /// The money went back.
    Completed,
    /// It could not be sent back.
    Failed,
}

/// Something that a person has to look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Exception {
    /// Its id.
    pub exception_id: ExceptionId,
    /// What kind.
    pub kind: String,
    /// What happened, in words.
    pub detail: Option<String>,
    /// The shipment it is about.
    pub shipment_id: Option<ShipmentId>,
    /// The payment it is about.
    pub payment_id: Option<String>,
    /// The refund it is about.
    pub refund_id: Option<RefundId>,
    /// When it was raised.
    pub raised_at: DateTime<Utc>,
    /// When somebody dealt with it; none while it is open.
    pub resolved_at: Option<DateTime<Utc>>,
    /// What was done.
    pub resolution: Option<String>,
}

/// Words on an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Note {
    /// Its id.
    pub note_id: NoteId,
    /// The words; none once erased.
    pub text: Option<String>,
    /// Who wrote it.
    pub by: Party,
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// Why an order waits for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Hold {
    /// Why.
    pub reason: String,
    /// Since when.
    pub since: DateTime<Utc>,
}

/// How an order came to be cancelled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cancellation {
    /// Why.
    pub reason: Option<String>,
    /// Who asked for it.
    pub by: Party,
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// The stock that is held for an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reservation {
    /// The revision that holds what the order needs now.
    pub revision: i32,
    /// Whether it is held.
    pub state: ReservationState,
}

/// Whether stock is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ReservationState {
    /// Held until paid or given up.
    Held,
    /// Held for a covered order.
    Firm,
    /// Given up.
    Released,
}

/// Something that happened, for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Milestone {
    /// What happened.
    #[serde(rename = "type")]
    pub milestone_type: MilestoneType,
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// What can happen to an order, for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "each says itself what happened")]
pub enum MilestoneType {
    Placed,
    Amended,
    PaymentAuthorized,
    Paid,
    PaymentFailed,
    Confirmed,
    OnHold,
    Resumed,
    Processing,
    Shipped,
    Delivered,
    DeliveryFailed,
    LineCancelled,
    Cancelled,
    Expired,
    ReturnRequested,
    Returned,
    Refunded,
    Completed,
}

impl Line {
    /// Pieces that are still to be dispatched.
    #[must_use]
    pub const fn open(&self) -> u32 {
        self.ordered.saturating_sub(self.cancelled).saturating_sub(self.shipped)
    }

    /// Pieces that were, or will be, delivered.
    #[must_use]
    pub const fn live(&self) -> u32 {
        self.ordered.saturating_sub(self.cancelled)
    }

    /// What its pieces cost before discount, as the order stands.
    #[must_use]
    pub fn line_total(&self, currency: Currency) -> Decimal {
        self.price_of(self.quantity, currency)
    }

    /// What so many of its pieces cost before discount.
    pub(crate) fn price_of(&self, pieces: u32, currency: Currency) -> Decimal {
        currency.round(self.unit_price.saturating_mul(Decimal::from(pieces)))
    }

    /// The discount on so many of its pieces.
    #[must_use]
    pub fn discount_of(&self, pieces: u32, currency: Currency) -> Decimal {
        portion(self.discount, pieces, self.ordered, currency).min(self.price_of(pieces, currency))
    }

    /// The tax in (or on) so many of its pieces.
    #[must_use]
    pub fn tax_of(&self, pieces: u32, currency: Currency) -> Decimal {
        portion(self.tax_amount, pieces, self.ordered, currency)
    }
}
