//! What readers get: an invoice or credit note as JSON, amounts as money.

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde::Serialize;
use shared_events::{
    CreditNoteId, Currency, EventBody, InvoiceId, LineId, Money, OrderId, PayloadError, ProductId, RecordedEvent,
    UserId,
    address::Address,
    invoice::{self, InvoiceDocument, InvoiceEvent, TradeParty},
    order::PaymentMethod,
    sealed::{self, KeyRing},
};
use utoipa::ToSchema;

/// Which of the two documents it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Kind {
    /// It asks for money.
    Invoice,
    /// It takes an invoice back, or part of it.
    CreditNote,
}

impl Kind {
    /// As the read table keeps it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invoice => "INVOICE",
            Self::CreditNote => "CREDIT_NOTE",
        }
    }
}

/// An invoice or a credit note.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct InvoiceView {
    /// Its own id, `inv_…` or `crn_…`.
    pub invoice_id: String,
    /// Which of the two it is.
    pub kind: Kind,
    /// Its number, gapless in its series.
    pub number: String,
    /// The order it is for.
    pub order_id: OrderId,
    /// The order's number.
    pub order_number: String,
    /// The customer; none for a guest.
    pub customer_id: Option<UserId>,
    /// When it was issued.
    pub issued_at: DateTime<Utc>,
    /// By when it has to be paid, where it is on credit.
    pub due_on: Option<NaiveDate>,
    /// The currency of every amount.
    pub currency: Currency,
    /// Before discounts.
    pub subtotal: Money,
    /// What discounts took off.
    pub discount_total: Money,
    /// Shipping before discounts.
    pub shipping_total: Money,
    /// All tax.
    pub tax_total: Money,
    /// What is paid.
    pub total: Money,
    /// Whether unit prices contain tax.
    pub prices_include_tax: bool,
    /// What was sold.
    pub lines: Vec<LineView>,
    /// The tax per rate.
    pub taxes: Vec<TaxView>,
    /// The shop.
    pub seller: PartyView,
    /// The customer; none once the law lets it go.
    pub buyer: Option<PartyView>,
    /// How it is paid.
    pub payment_method: PaymentMethod,
    /// The provider's reference of the payment.
    pub payment_reference: Option<String>,
    /// On a credit note: the invoice it corrects.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub corrects_invoice_id: Option<InvoiceId>,
    /// On a credit note: that invoice's number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub corrects_invoice_number: Option<String>,
    /// Always 1: what was issued is never changed.
    pub version: i64,
}

/// One line.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LineView {
    /// The order's line; none for shipping.
    pub line_id: Option<LineId>,
    /// The product; none for shipping.
    pub product_id: Option<ProductId>,
    /// Its sku.
    pub sku: Option<String>,
    /// What it is.
    pub name: String,
    /// Pieces.
    pub quantity: u32,
    /// Price of one piece.
    pub unit_price: Money,
    /// What discounts took off.
    pub discount: Money,
    /// The tax rate as a fraction.
    #[schema(value_type = String)]
    pub tax_rate: Decimal,
    /// The tax in (or on) it.
    pub tax_amount: Money,
    /// What it adds to the total, tax included.
    pub line_total: Money,
}

/// The tax of one rate.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TaxView {
    /// The rate as a fraction.
    #[schema(value_type = String)]
    pub rate: Decimal,
    /// What is taxed.
    pub base: Money,
    /// The tax on it.
    pub tax: Money,
}

/// The shop or the customer.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PartyView {
    /// The person or company.
    pub name: String,
    /// Their address.
    pub address: Option<Address>,
    /// Their e-mail address.
    pub email: Option<String>,
    /// Their VAT identification number.
    pub vat_id: Option<String>,
}

impl InvoiceView {
    /// Reads a stored document.
    ///
    /// # Errors
    /// [`PayloadError`] when it is none of ours.
    pub fn open(recorded: &RecordedEvent, ring: &KeyRing) -> Result<Self, PayloadError> {
        let number = invoice::number(&recorded.stream_id, recorded.version);
        Ok(match sealed::open_event::<InvoiceEvent>(recorded, ring)? {
            InvoiceEvent::InvoiceIssued(issued) => {
                Self::of(&issued.invoice_id.to_string(), Kind::Invoice, number, issued.document)
            }
            InvoiceEvent::CreditNoteIssued(issued) => Self {
                corrects_invoice_id: Some(issued.invoice_id),
                corrects_invoice_number: Some(issued.invoice_number),
                ..Self::of(&issued.credit_note_id.to_string(), Kind::CreditNote, number, issued.document)
            },
        })
    }

    fn of(id: &str, kind: Kind, number: String, document: InvoiceDocument) -> Self {
        let currency = document.currency;
        let money = |amount| Money::rounded(amount, currency);
        let lines = document.lines.into_iter().map(|line| LineView {
            line_id: line.line_id,
            product_id: line.product_id,
            sku: line.sku,
            name: line.name,
            quantity: line.quantity,
            unit_price: money(line.unit_price),
            discount: money(line.discount),
            tax_rate: line.tax_rate,
            tax_amount: money(line.tax_amount),
            line_total: money(line.total),
        });
        let taxes = document.taxes.into_iter().map(|tax| TaxView {
            rate: tax.rate,
            base: money(tax.base),
            tax: money(tax.tax),
        });
        Self {
            invoice_id: id.to_owned(),
            kind,
            number,
            order_id: document.order_id,
            order_number: document.order_number,
            customer_id: document.customer_id,
            issued_at: document.occurred_at,
            due_on: document.due_on,
            currency,
            subtotal: money(document.totals.subtotal),
            discount_total: money(document.totals.discount_total),
            shipping_total: money(document.totals.shipping_total),
            tax_total: money(document.totals.tax_total),
            total: money(document.totals.total),
            prices_include_tax: document.prices_include_tax,
            lines: lines.collect(),
            taxes: taxes.collect(),
            seller: PartyView::of(document.seller),
            buyer: document.buyer.map(PartyView::of),
            payment_method: document.payment_method,
            payment_reference: document.payment_reference,
            corrects_invoice_id: None,
            corrects_invoice_number: None,
            version: 1,
        }
    }
}

impl PartyView {
    fn of(party: TradeParty) -> Self {
        Self { name: party.name, address: party.address, email: party.email, vat_id: party.vat_id }
    }
}

/// The id of the document that an event issued, and which of the two it is; none for a type of the future.
///
/// # Errors
/// [`PayloadError`] when its shape is newer than this build, or none of ours.
pub fn document_id(recorded: &RecordedEvent) -> Result<Option<(uuid::Uuid, Kind)>, PayloadError> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Ids {
        invoice_id: InvoiceId,
        credit_note_id: Option<CreditNoteId>,
    }
    if !InvoiceEvent::is_known(&recorded.event_type) {
        return Ok(None);
    }
    let ids: Ids = recorded.fields::<InvoiceEvent, _>()?;
    Ok(Some(match ids.credit_note_id {
        Some(id) => (id.as_uuid(), Kind::CreditNote),
        None => (ids.invoice_id.as_uuid(), Kind::Invoice),
    }))
}
