//! What is known about an order: facts only. Everything that people see beyond them (statuses, what is
//! allowed, what is awaited) is derived, by one function each, so that nothing can disagree.

use crate::{amounts::portion, ledger::Ledger};
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use shared_events::{
    Address, Attributes, CartId, Contact, Currency, DEFAULT, ExceptionId, LineId, NoteId, OrderId, ProductId, QuoteId,
    RefundId, ReturnId, ShipmentId, UserId,
    order::{
        AppliedDiscount, ComponentAmount, LineQuantity, Party, PaymentMethod, RefundCause, ShippingCharge, Totals,
    },
};

/// An order: the fold of its events. As JSON it is also the read side's document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Order {
    /// Its id, which is its stream.
    pub id: OrderId,
    /// How many events it has had; 0 is no order yet.
    pub version: i64,
    /// What people call it.
    pub number: String,
    /// The customer; none for a guest.
    pub customer_id: Option<UserId>,
    /// Where it was sold.
    pub channel: String,
    /// Who sold it.
    pub legal_entity: String,
    /// Its id in another system.
    pub external_id: Option<String>,
    /// What the shop remembers about it.
    pub attributes: Attributes,
    /// The cart it came from.
    pub cart_id: Option<CartId>,
    /// The quote it came from.
    pub quote_id: Option<QuoteId>,
    /// The currency of all its amounts.
    pub currency: Currency,
    /// Whether unit prices contain tax.
    pub prices_include_tax: bool,
    /// What was bought.
    pub lines: Vec<Line>,
    /// What shipping costs.
    pub shipping: ShippingCharge,
    /// The discounts that were granted.
    pub discounts: Vec<AppliedDiscount>,
    /// The sums as the order stands: without lines cancelled one by one; a cancelled order keeps them.
    pub totals: Totals,
    /// How it is to be paid.
    pub payment_method: PaymentMethod,
    /// How the customer is reached.
    pub contact: Option<Contact>,
    /// Where it goes.
    pub shipping_address: Option<Address>,
    /// Who gets the bill, where that is another address.
    pub billing_address: Option<Address>,
    /// What the customer wrote with it.
    pub note: Option<String>,
    /// The invoice that another system issued for it; then none of ours is.
    pub foreign_invoice_number: Option<String>,
    /// Every payment that was heard of, in that order.
    pub payments: Vec<Payment>,
    /// Captured and refunded money by line and shipping.
    pub ledger: Ledger,
    /// All shipments; the first was planned with the order.
    pub shipments: Vec<Shipment>,
    /// All returns.
    pub returns: Vec<Return>,
    /// All refunds.
    pub refunds: Vec<Refund>,
    /// What a person has, or had, to look at.
    pub exceptions: Vec<Exception>,
    /// What was written on it.
    pub notes: Vec<Note>,
    /// Its tags, sorted.
    pub tags: Vec<String>,
    /// The stock that is held for it; none where nothing was ever reserved.
    pub reservation: Option<Reservation>,
    /// What happened, for people, ascending.
    pub timeline: Vec<Milestone>,
    /// When it was placed.
    pub placed_at: DateTime<Utc>,
    /// When something last happened to it.
    pub updated_at: DateTime<Utc>,
    /// When it expires unless covered by then.
    pub expires_at: Option<DateTime<Utc>>,
    /// When payment first covered the total.
    pub confirmed_at: Option<DateTime<Utc>>,
    /// When processing began.
    pub processing_at: Option<DateTime<Utc>>,
    /// Why it waits for a person, while it does.
    pub hold: Option<Hold>,
    /// Its cancellation.
    pub cancellation: Option<Cancellation>,
    /// When it expired.
    pub expired_at: Option<DateTime<Utc>>,
    /// When it was completed.
    pub completed_at: Option<DateTime<Utc>>,
    /// When its personal data was erased.
    pub erased_at: Option<DateTime<Utc>>,
}

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

impl Default for Order {
    fn default() -> Self {
        Self::of(OrderId::from_uuid(uuid::Uuid::nil()))
    }
}

impl Order {
    /// The order of this id before its first event.
    #[must_use]
    pub fn of(id: OrderId) -> Self {
        Self {
            id,
            version: 0,
            number: String::new(),
            customer_id: None,
            channel: DEFAULT.to_owned(),
            legal_entity: DEFAULT.to_owned(),
            external_id: None,
            attributes: Attributes::new(),
            cart_id: None,
            quote_id: None,
            currency: Currency::EUR,
            prices_include_tax: true,
            lines: Vec::new(),
            shipping: ShippingCharge::default(),
            discounts: Vec::new(),
            totals: Totals::default(),
            payment_method: PaymentMethod::Other,
            contact: None,
            shipping_address: None,
            billing_address: None,
            note: None,
            foreign_invoice_number: None,
            payments: Vec::new(),
            ledger: Ledger::default(),
            shipments: Vec::new(),
            returns: Vec::new(),
            refunds: Vec::new(),
            exceptions: Vec::new(),
            notes: Vec::new(),
            tags: Vec::new(),
            reservation: None,
            timeline: Vec::new(),
            placed_at: DateTime::UNIX_EPOCH,
            updated_at: DateTime::UNIX_EPOCH,
            expires_at: None,
            confirmed_at: None,
            processing_at: None,
            hold: None,
            cancellation: None,
            expired_at: None,
            completed_at: None,
            erased_at: None,
        }
    }

    /// Whether it was placed.
    #[must_use]
    pub const fn exists(&self) -> bool {
        self.version > 0
    }

    /// Whether it was cancelled or expired: nothing more of it is to be delivered.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        self.cancellation.is_some() || self.expired_at.is_some()
    }

    /// The line with this id.
    #[must_use]
    pub fn line(&self, id: LineId) -> Option<&Line> {
        self.lines.iter().find(|line| line.line_id == id)
    }

    /// The shipment with this id.
    #[must_use]
    pub fn shipment(&self, id: ShipmentId) -> Option<&Shipment> {
        self.shipments.iter().find(|shipment| shipment.shipment_id == id)
    }

    /// The payment with this reference.
    #[must_use]
    pub fn payment(&self, id: &str) -> Option<&Payment> {
        self.payments.iter().find(|payment| payment.payment_id == id)
    }

    /// The refund with this id.
    #[must_use]
    pub fn refund(&self, id: RefundId) -> Option<&Refund> {
        self.refunds.iter().find(|refund| refund.refund_id == id)
    }

    /// The return with this id.
    #[must_use]
    pub fn find_return(&self, id: ReturnId) -> Option<&Return> {
        self.returns.iter().find(|found| found.return_id == id)
    }

    /// Whether anything ever left.
    #[must_use]
    pub fn was_dispatched(&self) -> bool {
        self.shipments.iter().any(|shipment| shipment.dispatched_at.is_some())
    }

    /// Pieces of a line that no undispatched shipment holds by somebody's decision.
    pub(crate) fn unassigned(&self, line: &Line) -> u32 {
        let assigned = self
            .shipments
            .iter()
            .filter(|shipment| shipment.status == ShipmentStatus::Planned && shipment.filled)
            .flat_map(|shipment| &shipment.lines)
            .filter(|part| part.line_id == line.line_id)
            .fold(0_u32, |sum, part| sum.saturating_add(part.quantity));
        line.open().saturating_sub(assigned)
    }

    /// Every piece that is still to be dispatched.
    #[must_use]
    pub fn open_lines(&self) -> Vec<LineQuantity> {
        let open = self.lines.iter().map(|line| LineQuantity { line_id: line.line_id, quantity: line.open() });
        open.filter(|part| part.quantity > 0).collect()
    }
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
