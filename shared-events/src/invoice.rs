//! The events of invoices, version 1. A series is a stream (`INV-2026`), an invoice's number its event's
//! version in it: gapless by the log's own invariant. The buyer is sealed under a key of its own that
//! outlives the erasure of the customer for as long as the law wants the invoice kept.

use crate::{
    Attributes,
    address::Address,
    default_name,
    envelope::event_enum,
    ids::{CreditNoteId, EventId, InvoiceId, LineId, OrderId, ProductId, RefundId, UserId},
    money::Currency,
    order::{PaymentMethod, Totals},
};
use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// What kind of stream a series of numbers is.
pub const STREAM_TYPE: &str = "InvoiceSeries";

event_enum! {
    /// Everything that can happen in a series.
    InvoiceEvent, domain = "invoice", entity = "Invoice", {
        /// An invoice was issued.
        InvoiceIssued v 1 personal ["/buyer"],
        /// A credit note was issued.
        CreditNoteIssued v 1 personal ["/buyer"],
    }
}

/// The number people see, from the series and the event's version in it: `INV-2026-000001`.
#[must_use]
pub fn number(series: &str, version: i64) -> String {
    format!("{series}-{version:06}")
}

/// Who sells or buys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TradeParty {
    /// The person or company.
    pub name: String,
    /// Their address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
    /// Their e-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Their VAT identification number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vat_id: Option<String>,
    /// Their entry in a register of companies or their national tax number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registration: Option<String>,
}

/// One line of an invoice or credit note; amounts are positive on both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InvoiceLine {
    /// The order's line; none for shipping and for amounts without a line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line_id: Option<LineId>,
    /// The product.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product_id: Option<ProductId>,
    /// Its sku then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sku: Option<String>,
    /// What it is.
    pub name: String,
    /// Pieces.
    pub quantity: u32,
    /// Price of one piece.
    pub unit_price: Decimal,
    /// What discounts took off.
    #[serde(default)]
    pub discount: Decimal,
    /// The tax rate as a fraction.
    pub tax_rate: Decimal,
    /// The tax in (or on) this line.
    pub tax_amount: Decimal,
    /// What the line adds to the total, tax included.
    pub total: Decimal,
}

/// The tax of all lines of one rate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TaxSubtotal {
    /// The rate as a fraction.
    pub rate: Decimal,
    /// The category of EN 16931 (UNCL 5305): `S`, `Z`, `E`, `AE`, `K`, `G`, `O`.
    pub category: String,
    /// What is taxed.
    pub base: Decimal,
    /// The tax on it.
    pub tax: Decimal,
}

/// What invoices and credit notes have in common. Immutable. The number is not in it: it is the event's
/// version in its series ([`number`]), which only the append knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InvoiceDocument {
    /// The order it is for.
    pub order_id: OrderId,
    /// The order's number.
    pub order_number: String,
    /// The order's version that it shows.
    pub order_version: i64,
    /// The order's event that caused it.
    pub cause_event_id: EventId,
    /// The customer; none for a guest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<UserId>,
    /// Where it was sold.
    #[serde(default = "default_name")]
    pub channel: String,
    /// Who sold it.
    #[serde(default = "default_name")]
    pub legal_entity: String,
    /// The currency of every amount.
    pub currency: Currency,
    /// Whether unit prices contain tax.
    pub prices_include_tax: bool,
    /// What was sold; shipping is a line without product.
    pub lines: Vec<InvoiceLine>,
    /// The sums.
    pub totals: Totals,
    /// The tax per rate.
    pub taxes: Vec<TaxSubtotal>,
    /// The shop.
    pub seller: TradeParty,
    /// The customer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buyer: Option<TradeParty>,
    /// How it is paid.
    pub payment_method: PaymentMethod,
    /// The provider's reference of the payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_reference: Option<String>,
    /// By when it has to be paid, where it is on credit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_on: Option<NaiveDate>,
    /// When the goods were delivered or are expected, where that is another day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supplied_on: Option<NaiveDate>,
    /// What the shop wants to remember about it.
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub attributes: Attributes,
    /// When it was issued.
    pub occurred_at: DateTime<Utc>,
}

/// An invoice was issued.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InvoiceIssued {
    /// Its id.
    pub invoice_id: InvoiceId,
    /// What it says.
    #[serde(flatten)]
    pub document: InvoiceDocument,
}

/// A credit note was issued.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreditNoteIssued {
    /// Its id.
    pub credit_note_id: CreditNoteId,
    /// The invoice it corrects.
    pub invoice_id: InvoiceId,
    /// That invoice's number.
    pub invoice_number: String,
    /// The refund it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refund_id: Option<RefundId>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What it says.
    #[serde(flatten)]
    pub document: InvoiceDocument,
}
