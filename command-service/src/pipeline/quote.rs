//! Making a quote: the stages of an order up to its price, kept for a while.

use super::{
    price::{self, Basket, PricedBasket},
    validate::DraftItem,
};
use crate::{
    app::App,
    quotes::{Quote, Quoted},
    tables::Destination,
};
use order::pricing::Discount;
use shared_events::{Address, CartId, Currency, DEFAULT, OrderId, QuoteId, UserId, order::PaymentMethod};
use web::{Problem, request_context::now};

/// What is to be quoted.
#[derive(Debug, Clone)]
pub struct ToQuote {
    /// The order that it will become.
    pub order_id: OrderId,
    /// The cart that it is of, at this version.
    pub cart: Option<(CartId, i64)>,
    /// Whose it is.
    pub customer_id: Option<UserId>,
    /// What is in it.
    pub items: Vec<DraftItem>,
    /// In which currency.
    pub currency: Currency,
    /// The code of the shipping method; the usual one where missing.
    pub shipping_method: Option<String>,
    /// The discount that is granted.
    pub discount: Option<Discount>,
    /// How it is to be paid.
    pub payment_method: Option<PaymentMethod>,
    /// Where it goes.
    pub shipping_address: Option<Address>,
}

/// Prices it and keeps it.
///
/// # Errors
/// 422 for what cannot be sold so, 503 where the catalogue or the database is away.
pub async fn make(app: &App, wanted: ToQuote) -> Result<Quote, Problem> {
    let discount_code = wanted.discount.as_ref().map(|discount| discount.code.clone());
    let basket = Basket {
        items: &wanted.items,
        currency: wanted.currency,
        channel: DEFAULT,
        shipping_method: wanted.shipping_method.as_deref(),
        destination: &Destination::of(wanted.shipping_address.as_ref(), None),
        discount: wanted.discount,
    };
    let PricedBasket { priced, tax_classes } = price::run(app, basket).await?;
    let quote = Quote {
        quote_id: QuoteId::generate(),
        order_id: wanted.order_id,
        cart: wanted.cart,
        customer_id: wanted.customer_id,
        content: Quoted { priced, tax_classes, discount_code, payment_method: wanted.payment_method },
        shipping_address: wanted.shipping_address,
        expires_at: now() + app.config.quote_ttl,
    };
    app.quotes.keep(&quote).await?;
    Ok(quote)
}
