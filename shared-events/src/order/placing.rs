//! Placing and changing an order: what was bought, for whom, and how it is to be paid.

use super::{AppliedDiscount, OrderLine, Party, PaymentMethod, RefundOrder, ShippingCharge, Totals};
use crate::{
    Attributes,
    address::{Address, Contact},
    default_name,
    ids::{CartId, QuoteId, ShipmentId, UserId},
    money::Currency,
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

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
