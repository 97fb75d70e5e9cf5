//! A quote as clients read it.

use super::Quote;
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::Serialize;
use shared_events::{
    CartId, Currency, LineId, Money, ProductId, QuoteId, UserId,
    order::{OrderLine, PaymentMethod},
};
use utoipa::ToSchema;

/// Quotes never change, so all have the same version.
const VERSION: i64 = 1;

/// A basket with prices that hold until `expiresAt`.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct QuoteAnswer {
    /// Its id.
    quote_id: QuoteId,
    /// The cart that it is of.
    cart_id: Option<CartId>,
    /// Whose it is; null for a guest's.
    customer_id: Option<UserId>,
    /// The one currency.
    currency: Currency,
    /// What is in it.
    lines: Vec<QuoteLineAnswer>,
    /// Sum of quantity × unit price, before discounts.
    subtotal: Money,
    /// Sum of all discounts.
    discount_total: Money,
    /// Shipping before discounts.
    shipping_total: Money,
    /// Sum of all tax, contained in the total where prices include tax.
    tax_total: Money,
    /// What the customer pays.
    total: Money,
    /// Whether unit prices contain tax.
    prices_include_tax: bool,
    /// The shipping method.
    shipping_method: Option<String>,
    /// The discount's code.
    discount_code: Option<String>,
    /// How it is to be paid, where that was said.
    payment_method: Option<PaymentMethod>,
    /// Until when the prices hold.
    expires_at: DateTime<Utc>,
    /// Always 1: a quote never changes.
    version: i64,
}

/// A line of a quote.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct QuoteLineAnswer {
    /// Its id, on the order too.
    line_id: LineId,
    /// The product.
    product_id: ProductId,
    /// Its sku now.
    sku: String,
    /// Its name now.
    name: String,
    /// Pieces.
    quantity: u32,
    /// Price of one piece.
    unit_price: Money,
    /// Quantity × unit price, before discounts.
    line_total: Money,
    /// Its share of the discounts.
    discount: Money,
    /// The tax rate as a fraction.
    #[schema(value_type = String, example = "0.19")]
    tax_rate: Decimal,
    /// The tax in (or on) this line after discount.
    tax_amount: Money,
}

impl From<&Quote> for QuoteAnswer {
    fn from(quote: &Quote) -> Self {
        let priced = &quote.content.priced;
        let money = |amount| Money::rounded(amount, priced.currency);
        Self {
            quote_id: quote.quote_id,
            cart_id: quote.cart.map(|(cart_id, _)| cart_id),
            customer_id: quote.customer_id,
            currency: priced.currency,
            lines: priced.lines.iter().map(|line| line_answer(line, priced.currency)).collect(),
            subtotal: money(priced.totals.subtotal),
            discount_total: money(priced.totals.discount_total),
            shipping_total: money(priced.totals.shipping_total),
            tax_total: money(priced.totals.tax_total),
            total: money(priced.totals.total),
            prices_include_tax: priced.prices_include_tax,
            shipping_method: priced.shipping.method.clone(),
            discount_code: quote.content.discount_code.clone(),
            payment_method: quote.content.payment_method,
            expires_at: quote.expires_at,
            version: VERSION,
        }
    }
}

fn line_answer(line: &OrderLine, currency: Currency) -> QuoteLineAnswer {
    let money = |amount| Money::rounded(amount, currency);
    QuoteLineAnswer {
        line_id: line.line_id,
        product_id: line.product_id,
        sku: line.sku.clone(),
        name: line.name.clone(),
        quantity: line.quantity,
        unit_price: Money::rounded(line.unit_price, currency),
        line_total: money(line.unit_price.saturating_mul(Decimal::from(line.quantity))),
        discount: money(line.discount),
        tax_rate: line.tax_rate,
        tax_amount: money(line.tax_amount),
    }
}
