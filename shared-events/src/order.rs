//! The events of an order, version 1. Amounts are exact decimals as text in the event's `currency`;
//! `occurredAt` is when it happened in the world, which for an import is long before it was recorded.
//! Personal fields are `Option`: without their key they read as none.

use crate::{
    Attributes,
    address::{Address, Contact},
    default_name,
    envelope::event_enum,
    ids::*,
    money::Currency,
};
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// What kind of stream an order is.
pub const STREAM_TYPE: &str = "Order";

event_enum! {
    /// Everything that can happen to an order.
    OrderEvent, domain = "order", entity = "Order", {
        /// The order exists; its prices and discounts are frozen here.
        OrderPlaced v 1 personal ["/contact", "/shippingAddress", "/billingAddress", "/note"],
        /// Its lines, addresses, contact or note were changed.
        OrderAmended v 1 personal ["/contact", "/shippingAddress", "/billingAddress", "/note"],
        /// A provider holds money for it.
        PaymentAuthorized v 1 personal [],
        /// Money was captured.
        PaymentCompleted v 1 personal [],
        /// An attempt to pay failed.
        PaymentFailed v 1 personal [],
        /// An authorisation was given back.
        PaymentVoided v 1 personal [],
        /// The reservation holds the order's lines.
        StockConfirmed v 1 personal [],
        /// The reservation was given up.
        StockReleased v 1 personal [],
        /// Payment covers the total, or credit was confirmed.
        OrderConfirmed v 1 personal [],
        /// It waits for a person.
        OrderHeld v 1 personal [],
        /// It goes on.
        OrderResumed v 1 personal [],
        /// Picking and packing began.
        ProcessingStarted v 1 personal [],
        /// Goods were assigned to a shipment.
        ShipmentCreated v 1 personal [],
        /// The carrier has them.
        ShipmentDispatched v 1 personal [],
        /// The customer has them.
        ShipmentDelivered v 1 personal [],
        /// They could not be delivered, or came back.
        ShipmentFailed v 1 personal [],
        /// Part of one line will not be delivered.
        LineCancelled v 1 personal [],
        /// Nothing more of it will be delivered.
        OrderCancelled v 1 personal [],
        /// It was not paid in time.
        OrderExpired v 1 personal [],
        /// The customer wants to send something back.
        ReturnRequested v 1 personal [],
        /// It came back.
        ReturnReceived v 1 personal [],
        /// It will not be taken back.
        ReturnRejected v 1 personal [],
        /// Money is to go back to the customer.
        RefundRequested v 1 personal [],
        /// The money went back.
        RefundCompleted v 1 personal [],
        /// The money could not be sent back.
        RefundFailed v 1 personal [],
        /// Delivered, and the return window is over.
        OrderCompleted v 1 personal [],
        /// Somebody wrote something on it.
        NoteAdded v 1 personal ["/text"],
        /// Its set of tags is now this one.
        TagsChanged v 1 personal [],
        /// Something happened that a person has to look at.
        ExceptionRaised v 1 personal [],
        /// Somebody looked at it.
        ExceptionResolved v 1 personal [],
        /// The customer's key is gone; personal fields read as null everywhere.
        PersonalDataErased v 1 personal [],
    }
}

/// How an order is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PaymentMethod {
    /// Credit or debit card.
    Card,
    /// Transfer by the customer's bank.
    BankTransfer,
    /// PayPal.
    Paypal,
    /// On credit, against an invoice with terms.
    Invoice,
    /// On credit, collected by the carrier.
    CashOnDelivery,
    /// Anything else.
    Other,
}

impl PaymentMethod {
    /// Every method.
    pub const ALL: [Self; 6] =
        [Self::Card, Self::BankTransfer, Self::Paypal, Self::Invoice, Self::CashOnDelivery, Self::Other];

    /// Its name in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Card => "card",
            Self::BankTransfer => "bank_transfer",
            Self::Paypal => "paypal",
            Self::Invoice => "invoice",
            Self::CashOnDelivery => "cash_on_delivery",
            Self::Other => "other",
        }
    }

    /// Reads its name in JSON.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str() == name)
    }

    /// Whether an order so paid is covered from the start: the shop gives credit.
    #[must_use]
    pub const fn is_credit(self) -> bool {
        matches!(self, Self::Invoice | Self::CashOnDelivery)
    }
}

/// One product on an order, as it was bought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderLine {
    /// Its id, kept through amendments.
    pub line_id: LineId,
    /// What was bought.
    pub product_id: ProductId,
    /// The product's sku then.
    pub sku: String,
    /// The product's name then.
    pub name: String,
    /// Pieces, at least 1.
    pub quantity: u32,
    /// Price of one piece; with tax where the order's prices include it.
    pub unit_price: Decimal,
    /// This line's frozen share of the order's discounts, at least 0.
    #[serde(default)]
    pub discount: Decimal,
    /// The tax rate as a fraction: 0.19.
    #[serde(default)]
    pub tax_rate: Decimal,
    /// The tax in (or on) this line after discount.
    #[serde(default)]
    pub tax_amount: Decimal,
    /// The sales channel of this line.
    #[serde(default = "default_name")]
    pub channel: String,
    /// Who sells this line.
    #[serde(default = "default_name")]
    pub legal_entity: String,
    /// Its id in another system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// What the shop wants to remember about it.
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub attributes: Attributes,
}

/// What shipping costs, and its share of discounts and tax.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ShippingCharge {
    /// Code of the shipping method.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Its price before discount.
    pub amount: Decimal,
    /// Its frozen share of the order's discounts.
    #[serde(default)]
    pub discount: Decimal,
    /// The tax rate as a fraction.
    #[serde(default)]
    pub tax_rate: Decimal,
    /// The tax in (or on) it after discount.
    #[serde(default)]
    pub tax_amount: Decimal,
}

/// A discount that was granted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AppliedDiscount {
    /// The code that was given.
    pub code: String,
    /// `PERCENTAGE`, `FIXED` or `FREE_SHIPPING`.
    pub kind: String,
    /// The discount's value then: percent or amount.
    pub value: Decimal,
    /// What it took off this order.
    pub amount: Decimal,
}

/// The sums of an order. `total` is what the customer pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Totals {
    /// Sum of quantity × unit price, before discounts.
    pub subtotal: Decimal,
    /// Sum of all discounts.
    pub discount_total: Decimal,
    /// Shipping before discounts.
    pub shipping_total: Decimal,
    /// Sum of all tax, contained in the total where prices include tax.
    pub tax_total: Decimal,
    /// What the customer pays.
    pub total: Decimal,
}

/// A number of pieces of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LineQuantity {
    /// The line.
    pub line_id: LineId,
    /// How many pieces of it.
    pub quantity: u32,
}

/// Part of a sum of money: of a line, or of shipping where no line is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ComponentAmount {
    /// The line; none means shipping.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line_id: Option<LineId>,
    /// The amount.
    pub amount: Decimal,
}

/// Who asked for something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Party {
    /// The customer.
    Customer,
    /// A member of the shop's staff, or a client of the shop.
    Staff,
    /// One of our own services: a timer or a reaction.
    System,
}

/// Why money goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RefundCause {
    /// Staff decided so.
    Requested,
    /// The order, or lines of it, were cancelled.
    Cancellation,
    /// The total fell.
    Amendment,
    /// Money came for an order that was over already.
    LateCapture,
    /// For a received return.
    Return,
}

/// A refund that is to be carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RefundOrder {
    /// Its id.
    pub refund_id: RefundId,
    /// How much in all.
    pub amount: Decimal,
    /// Of which lines and shipping; sums up to the amount.
    pub components: Vec<ComponentAmount>,
}

/// The order exists; its prices and discounts are frozen here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderPlaced {
    /// What people call it: `R-000123456`, or an imported order's own number.
    pub order_number: String,
    /// The customer; none for a guest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<UserId>,
    /// Where it was sold.
    #[serde(default = "default_name")]
    pub channel: String,
    /// Who sold it.
    #[serde(default = "default_name")]
    pub legal_entity: String,
    /// Its id in another system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// What the shop wants to remember about it.
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub attributes: Attributes,
    /// The cart it came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cart_id: Option<CartId>,
    /// The quote it came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quote_id: Option<QuoteId>,
    /// The currency of every amount of the order, for ever.
    pub currency: Currency,
    /// Whether unit prices contain tax.
    pub prices_include_tax: bool,
    /// What was bought.
    pub lines: Vec<OrderLine>,
    /// What shipping costs.
    pub shipping: ShippingCharge,
    /// The discounts that were granted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub discounts: Vec<AppliedDiscount>,
    /// The sums.
    pub totals: Totals,
    /// How it is to be paid.
    pub payment_method: PaymentMethod,
    /// How the customer is reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<Contact>,
    /// Where it goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping_address: Option<Address>,
    /// Who gets the bill, where that is another address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub billing_address: Option<Address>,
    /// What the customer wrote with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The first shipment, planned for everything.
    pub shipment_id: ShipmentId,
    /// The reservation's revision that holds the stock; none where an import reserved nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reservation_revision: Option<i32>,
    /// When it expires unless covered; none where it is covered from the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
    /// The invoice that another system issued for it; then none of ours is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub foreign_invoice_number: Option<String>,
    /// When it was placed.
    pub occurred_at: DateTime<Utc>,
}

/// Its lines, addresses, contact or note were changed. Absent parts stay as they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderAmended {
    /// All lines from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lines: Option<Vec<OrderLine>>,
    /// Shipping from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping: Option<ShippingCharge>,
    /// The discounts from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discounts: Option<Vec<AppliedDiscount>>,
    /// The sums from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub totals: Option<Totals>,
    /// The contact from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<Contact>,
    /// The shipping address from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping_address: Option<Address>,
    /// The billing address from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub billing_address: Option<Address>,
    /// The customer's note from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The reservation's revision that holds the new lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reservation_revision: Option<i32>,
    /// What goes back because the total of a paid order fell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refund: Option<RefundOrder>,
    /// When it expires from now on, where a rise left it uncovered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
    /// Who changed it.
    pub by: Party,
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// A provider holds money for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PaymentAuthorized {
    /// The provider's own reference.
    pub payment_id: String,
    /// Which provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// The method that was used.
    pub method: PaymentMethod,
    /// How much is held.
    pub amount: Decimal,
    /// In which currency.
    pub currency: Currency,
    /// When the order expires from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// Money was captured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PaymentCompleted {
    /// The provider's own reference.
    pub payment_id: String,
    /// Which provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// The method that was used.
    pub method: PaymentMethod,
    /// How much was captured.
    pub amount: Decimal,
    /// In which currency.
    pub currency: Currency,
    /// For which lines and shipping; what exceeds the order is not in it.
    #[serde(default)]
    pub components: Vec<ComponentAmount>,
    /// Set where the order had expired and its stock was reserved anew: it is expired no longer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reservation_revision: Option<i32>,
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// An attempt to pay failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PaymentFailed {
    /// The provider's own reference.
    pub payment_id: String,
    /// Which provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// The method that was tried.
    pub method: PaymentMethod,
    /// How much was tried.
    pub amount: Decimal,
    /// In which currency.
    pub currency: Currency,
    /// The provider's reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// No further attempt will come: the stock is released at once.
    #[serde(default, rename = "final")]
    pub is_final: bool,
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// An authorisation was given back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PaymentVoided {
    /// The provider's own reference.
    pub payment_id: String,
    /// How much is held no longer.
    pub amount: Decimal,
    /// In which currency.
    pub currency: Currency,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// The reservation holds the order's lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StockConfirmed {
    /// The reservation's revision.
    pub reservation_revision: i32,
    /// Whether it is held for a covered order, so that only a cancellation gives it up.
    pub firm: bool,
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// The reservation was given up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StockReleased {
    /// The reservation's revision.
    pub reservation_revision: i32,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// Payment covers the total, or credit was confirmed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderConfirmed {
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// It waits for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderHeld {
    /// Why.
    pub reason: String,
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// It goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderResumed {
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// Picking and packing began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProcessingStarted {
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// Goods were assigned to a shipment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ShipmentCreated {
    /// Its id; the first shipment's where that is filled.
    pub shipment_id: ShipmentId,
    /// What is in it.
    pub lines: Vec<LineQuantity>,
    /// The carrier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carrier: Option<String>,
    /// The carrier's number for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracking_number: Option<String>,
    /// The stock location it leaves from.
    #[serde(default = "default_name")]
    pub location: String,
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// The carrier has them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ShipmentDispatched {
    /// The shipment.
    pub shipment_id: ShipmentId,
    /// What is in it.
    pub lines: Vec<LineQuantity>,
    /// The carrier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carrier: Option<String>,
    /// The carrier's number for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracking_number: Option<String>,
    /// The stock location it left from.
    #[serde(default = "default_name")]
    pub location: String,
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// The customer has them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ShipmentDelivered {
    /// The shipment.
    pub shipment_id: ShipmentId,
    /// Where the carrier left it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// They could not be delivered, or came back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ShipmentFailed {
    /// The shipment.
    pub shipment_id: ShipmentId,
    /// The carrier's reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Whether the goods came back to the shop.
    #[serde(default)]
    pub returned_to_sender: bool,
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// Part of one line will not be delivered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LineCancelled {
    /// The line.
    pub line_id: LineId,
    /// How many pieces of it.
    pub quantity: u32,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The reservation's revision that holds what is left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reservation_revision: Option<i32>,
    /// Who asked for it.
    pub by: Party,
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// Nothing more of it will be delivered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderCancelled {
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Everything that was still to be dispatched.
    pub lines: Vec<LineQuantity>,
    /// Who asked for it.
    pub by: Party,
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// It was not paid in time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderExpired {
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// The customer wants to send something back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReturnRequested {
    /// Its id.
    pub return_id: ReturnId,
    /// What is to come back.
    pub lines: Vec<LineQuantity>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who asked for it.
    pub by: Party,
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// It came back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReturnReceived {
    /// The return.
    pub return_id: ReturnId,
    /// What came back.
    pub lines: Vec<LineQuantity>,
    /// Whether it goes back into stock.
    pub restock: bool,
    /// The stock location it came to.
    #[serde(default = "default_name")]
    pub location: String,
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// It will not be taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReturnRejected {
    /// The return.
    pub return_id: ReturnId,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// Money is to go back to the customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RefundRequested {
    /// Its id.
    pub refund_id: RefundId,
    /// How much in all.
    pub amount: Decimal,
    /// In which currency.
    pub currency: Currency,
    /// Of which lines and shipping; what exceeds the order is not in it.
    pub components: Vec<ComponentAmount>,
    /// What made it necessary.
    pub cause: RefundCause,
    /// Why, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The payment it goes back to, where that is settled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_id: Option<String>,
    /// The return it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub return_id: Option<ReturnId>,
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// The money went back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RefundCompleted {
    /// The refund.
    pub refund_id: RefundId,
    /// The provider's own reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_reference: Option<String>,
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// The money could not be sent back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RefundFailed {
    /// The refund.
    pub refund_id: RefundId,
    /// The provider's reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// Delivered, and the return window is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderCompleted {
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// Somebody wrote something on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NoteAdded {
    /// Its id.
    pub note_id: NoteId,
    /// The words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Who wrote it.
    pub by: Party,
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// Its set of tags is now this one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TagsChanged {
    /// All tags from now on, sorted.
    pub tags: Vec<String>,
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// Something happened that a person has to look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExceptionRaised {
    /// Its id.
    pub exception_id: ExceptionId,
    /// What kind, such as `DISPATCHED_AFTER_CANCELLATION`.
    pub kind: String,
    /// What happened, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The shipment it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipment_id: Option<ShipmentId>,
    /// The payment it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_id: Option<String>,
    /// The refund it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refund_id: Option<RefundId>,
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// Somebody looked at it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExceptionResolved {
    /// The exception.
    pub exception_id: ExceptionId,
    /// What was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// The customer's key is gone; personal fields read as null everywhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PersonalDataErased {
    /// When.
    pub occurred_at: DateTime<Utc>,
}
