//! The events of an order, version 1. Amounts are exact decimals as text in the event's `currency`;
//! `occurredAt` is when it happened in the world, which for an import is long before it was recorded.
//! Personal fields are `Option`: without their key they read as none.

mod goods;
mod handling;
mod payments;
mod placing;

pub use goods::*;
pub use handling::*;
pub use payments::*;
pub use placing::*;

use crate::{Attributes, default_name, envelope::event_enum, ids::*};
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
