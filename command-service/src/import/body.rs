//! One line of an import, as it is written.

use crate::input::{AddressInput, ContactInput};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use shared_events::{Attributes, money::MoneyInput};
use utoipa::ToSchema;

/// An order of another system, with what became of it there.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ImportOrderBody {
    /// The name of the other system: ids are derived from it and from the ids there.
    pub source: Option<String>,
    /// The order's id there.
    pub external_id: Option<String>,
    /// What people call it; the external id where missing. None of the form of our own numbers.
    pub order_number: Option<String>,
    /// When it was placed.
    pub placed_at: Option<DateTime<Utc>>,
    /// The customer by an id of ours.
    pub customer_id: Option<String>,
    /// The customer by the other system's key: the id is derived from it.
    pub customer_key: Option<String>,
    /// ISO 4217.
    pub currency: Option<String>,
    /// card, bank_transfer, paypal, invoice, cash_on_delivery or other.
    pub payment_method: Option<String>,
    /// What was bought.
    pub items: Option<Vec<ImportedItemBody>>,
    /// Pieces that were cancelled before anything left.
    pub cancellations: Option<Vec<CancellationBody>>,
    /// The payments that were captured and kept.
    pub payments: Option<Vec<ImportedPaymentBody>>,
    /// When all that was not cancelled left.
    pub dispatched_at: Option<DateTime<Utc>>,
    /// When it arrived.
    pub delivered_at: Option<DateTime<Utc>>,
    /// Who carried it.
    pub carrier: Option<String>,
    /// The carrier's number for it.
    pub tracking_number: Option<String>,
    /// What came back.
    pub returns: Option<Vec<ReturnBody>>,
    /// When nothing more was to be expected of it.
    pub completed_at: Option<DateTime<Utc>>,
    /// The invoice that the other system issued; then none of ours is.
    pub foreign_invoice_number: Option<String>,
    /// How the customer is reached.
    pub contact: Option<ContactInput>,
    /// Where it went.
    pub shipping_address: Option<AddressInput>,
    /// Who got the bill, where that is another address.
    pub billing_address: Option<AddressInput>,
    /// What the customer said.
    pub note: Option<String>,
    /// Where it was sold.
    pub channel: Option<String>,
    /// What the shop wants to remember about it.
    pub attributes: Option<Attributes>,
}

/// One line of the order, as it was sold there.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ImportedItemBody {
    /// The product here.
    pub product_id: Option<String>,
    /// Its sku then.
    pub sku: Option<String>,
    /// Its name then.
    pub name: Option<String>,
    /// 1 to 9,999 pieces.
    pub quantity: Option<i64>,
    /// What one piece cost, tax included; 0 or more.
    pub unit_price: Option<MoneyInput>,
    /// The line's id there.
    pub external_id: Option<String>,
}

/// Pieces of a line.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PiecesBody {
    /// The place of the line in `items`, from 0.
    pub item: usize,
    /// How many.
    pub quantity: u32,
}

/// A cancellation.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CancellationBody {
    /// When.
    pub at: DateTime<Utc>,
    /// Why.
    pub reason: Option<String>,
    /// What.
    pub pieces: Vec<PiecesBody>,
}

/// A return.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReturnBody {
    /// Its id there.
    pub external_id: String,
    /// When it was there.
    pub at: DateTime<Utc>,
    /// Why.
    pub reason: Option<String>,
    /// What.
    pub pieces: Vec<PiecesBody>,
}

/// A payment.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ImportedPaymentBody {
    /// The provider's own reference.
    pub payment_id: String,
    /// Which provider.
    pub provider: Option<String>,
    /// The method; the order's where missing.
    pub method: Option<String>,
    /// How much.
    pub amount: MoneyInput,
    /// When.
    pub at: DateTime<Utc>,
}
