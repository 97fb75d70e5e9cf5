//! `Invoice`: an invoice or credit note, as it was issued.

use super::date_time::DateTime;
use super::{
    customer::Customer,
    enums::InvoiceKind,
    error::FromRead as _,
    loaders::Batches,
    money::{Money, PostalAddress},
    order::Order,
    query::{loader, viewer},
};
use crate::{read_models::invoices, viewer::Viewer};
use async_graphql::{Context, ID, Object, Result, SimpleObject};
use chrono::NaiveDate;
use rust_decimal::Decimal;
use shared_events::{CreditNoteId, Currency, InvoiceId, invoice::TradeParty};
use std::sync::Arc;
use web::Scope;

/// An invoice or credit note.
pub struct Invoice(pub Arc<invoices::Invoice>);

impl Invoice {
    /// The document, if the caller may see it.
    #[must_use]
    pub fn visible(viewer: &Viewer, invoice: invoices::Invoice) -> Option<Self> {
        viewer.sees_customer(invoice.document.customer_id).then(|| Self(Arc::new(invoice)))
    }

    fn money(&self, amount: Decimal) -> Money {
        shared_events::Money::rounded(amount, self.0.document.currency).into()
    }
}

/// An invoice or credit note. It never changes.
#[Object]
impl Invoice {
    /// Its id: `inv_…`, of a credit note `crn_…`.
    pub(super) async fn id(&self) -> ID {
        match self.0.kind {
            invoices::InvoiceKind::Invoice => InvoiceId::from_uuid(self.0.document_id).into(),
            invoices::InvoiceKind::CreditNote => CreditNoteId::from_uuid(self.0.document_id).into(),
        }
    }

    /// Which of the two it is.
    async fn kind(&self) -> InvoiceKind {
        self.0.kind.into()
    }

    /// Its number: `INV-2026-000001`.
    async fn number(&self) -> &str {
        &self.0.number
    }

    /// The order's id.
    async fn order_id(&self) -> ID {
        self.0.document.order_id.into()
    }

    /// The order's number.
    async fn order_number(&self) -> &str {
        &self.0.document.order_number
    }

    /// The order. Needs the scope `orders:read`.
    #[graphql(complexity = "2 + child_complexity")]
    async fn order(&self, context: &Context<'_>) -> Result<Option<Order>> {
        let viewer = viewer(context)?;
        viewer.require(Scope::OrdersRead).coded()?;
        let order = loader::<Batches>(context)?.load_one(self.0.document.order_id).await.coded()?;
        Ok(order.filter(|order| viewer.sees(order)).map(Order))
    }

    /// The customer; null for a guest.
    async fn customer(&self) -> Option<Customer> {
        self.0.document.customer_id.map(Customer::new)
    }

    /// When it was issued.
    async fn issued_at(&self) -> DateTime {
        self.0.document.occurred_at.into()
    }

    /// By when it has to be paid, where it is on credit.
    async fn due_on(&self) -> Option<String> {
        self.0.document.due_on.as_ref().map(NaiveDate::to_string)
    }

    /// The currency of all its amounts.
    async fn currency(&self) -> &'static str {
        self.0.document.currency.code()
    }

    /// Sum of all lines, before discount.
    async fn subtotal(&self) -> Money {
        self.money(self.0.document.totals.subtotal)
    }

    /// Sum of all discounts.
    async fn discount_total(&self) -> Money {
        self.money(self.0.document.totals.discount_total)
    }

    /// Shipping, before discount.
    async fn shipping_total(&self) -> Money {
        self.money(self.0.document.totals.shipping_total)
    }

    /// Sum of all tax.
    async fn tax_total(&self) -> Money {
        self.money(self.0.document.totals.tax_total)
    }

    /// What is to be paid, or given back.
    async fn total(&self) -> Money {
        self.money(self.0.document.totals.total)
    }

    /// What was sold.
    async fn lines(&self) -> Vec<InvoiceLine> {
        let currency = self.0.document.currency;
        self.0.document.lines.iter().map(|line| InvoiceLine::of(line, currency)).collect()
    }

    /// The shop.
    async fn seller(&self) -> InvoiceParty {
        self.0.document.seller.clone().into()
    }

    /// The customer as the invoice names them.
    async fn buyer(&self) -> Option<InvoiceParty> {
        self.0.document.buyer.clone().map(InvoiceParty::from)
    }

    /// The id of the invoice that a credit note corrects.
    async fn corrects_id(&self) -> Option<ID> {
        self.0.corrects.map(ID::from)
    }

    /// Why a credit note was issued.
    async fn reason(&self) -> Option<&str> {
        self.0.reason.as_deref()
    }

    /// Always 1: it never changes.
    async fn version(&self) -> i64 {
        1
    }
}

/// A line of an invoice.
#[derive(Debug, Clone, SimpleObject)]
pub struct InvoiceLine {
    /// The order's line; null for shipping.
    line_id: Option<ID>,
    /// The product.
    product_id: Option<ID>,
    /// Its sku then.
    sku: Option<String>,
    /// What it is.
    name: String,
    /// Pieces.
    quantity: u32,
    /// Price of one piece.
    unit_price: Money,
    /// What discounts took off.
    discount: Money,
    /// The tax rate as a fraction.
    tax_rate: String,
    /// The tax in (or on) this line.
    tax_amount: Money,
    /// What the line adds to the total.
    total: Money,
}

impl InvoiceLine {
    fn of(line: &shared_events::invoice::InvoiceLine, currency: Currency) -> Self {
        let money = |amount: Decimal| Money::from(shared_events::Money::rounded(amount, currency));
        Self {
            line_id: line.line_id.map(ID::from),
            product_id: line.product_id.map(ID::from),
            sku: line.sku.clone(),
            name: line.name.clone(),
            quantity: line.quantity,
            unit_price: money(line.unit_price),
            discount: money(line.discount),
            tax_rate: line.tax_rate.to_string(),
            tax_amount: money(line.tax_amount),
            total: money(line.total),
        }
    }
}

/// Who sells or buys.
#[derive(Debug, Clone, SimpleObject)]
pub struct InvoiceParty {
    /// The person or company.
    name: String,
    /// Their address.
    address: Option<PostalAddress>,
    /// Their e-mail address.
    email: Option<String>,
    /// Their VAT identification number.
    vat_id: Option<String>,
}

impl From<TradeParty> for InvoiceParty {
    fn from(party: TradeParty) -> Self {
        Self {
            name: party.name,
            address: party.address.map(PostalAddress::from),
            email: party.email,
            vat_id: party.vat_id,
        }
    }
}
