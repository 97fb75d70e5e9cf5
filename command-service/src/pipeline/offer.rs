//! What an order is offered for: today's prices, or those of a quote that still holds. A quote that does not is refused
//! with a fresh one, so that nobody pays what they have not seen.

use super::{
    price::{self, Basket},
    quote::{self, ToQuote},
    source::{Source, items_of},
    validate::{Draft, DraftItem},
};
use crate::{
    app::App,
    carts::{Cart, CartStatus},
    discounts::{StoredDiscount, user_of},
    inventory::CatalogueProduct,
    quotes::{Quote, QuoteAnswer},
    rows::RowsError,
    tables::Destination,
};
use order::{
    FieldError, Rejection,
    pricing::{Discount, Priced},
};
use rust_decimal::Decimal;
use service::PeerError;
use shared_events::{Currency, ProductId, order::OrderLine};
use std::collections::HashMap;
use web::{Problem, request_context::now};

/// What an order costs, and the discount that it uses.
#[derive(Debug, Clone)]
pub struct Offer {
    /// The parts and the sums.
    pub priced: Priced,
    /// The discount, unless the shop has taken it away since it was quoted.
    pub discount: Option<StoredDiscount>,
}

/// Finds out what an order costs.
///
/// # Errors
/// 422 for what cannot be sold so, 409 `QUOTE_EXPIRED` with a fresh quote, 404 for the quote of a cart that was merged.
pub async fn run(app: &App, source: &Source, draft: &Draft) -> Result<Offer, Problem> {
    if let Source::Quote(quote, cart) = source {
        return quoted(app, quote, cart.as_deref(), draft).await;
    }
    let user = user_of(draft.customer_id, draft.contact.as_ref());
    let found = discount(app, draft.discount_code.as_deref(), draft.currency, user.as_deref()).await?;
    let (granted, discount) = found.unzip();
    whose(discount.as_ref(), user.as_deref())?;
    let basket = Basket {
        items: &draft.items,
        currency: draft.currency,
        channel: &draft.channel,
        shipping_method: draft.shipping_method.as_deref(),
        destination: &Destination::of(draft.shipping_address.as_ref(), draft.billing_address.as_ref()),
        discount: granted,
    };
    Ok(Offer { priced: price::run(app, basket).await?.priced, discount })
}

/// The discount of that code, where it is granted now.
///
/// # Errors
/// 422 at `/discountCode`, 503 where the database is away.
pub async fn discount(
    app: &App,
    code: Option<&str>,
    currency: Currency,
    user: Option<&str>,
) -> Result<Option<(Discount, StoredDiscount)>, Problem> {
    let Some(code) = code else { return Ok(None) };
    let granted = granted(app, code, currency, user).await?;
    granted.map(Some).map_err(|detail| Problem::invalid_field("/discountCode", detail))
}

/// The discount of that code and what it grants now, or why it grants nothing.
async fn granted(
    app: &App,
    code: &str,
    currency: Currency,
    user: Option<&str>,
) -> Result<Result<(Discount, StoredDiscount), String>, RowsError> {
    let Some(stored) = app.discounts.find_for(code, user).await? else {
        return Ok(Err("there is no such discount".to_owned()));
    };
    Ok(stored.granted(currency, now()).map(|granted| (granted, stored)))
}

/// A discount that is limited per customer needs somebody whose use it is. A fresh quote would not help.
fn whose(discount: Option<&StoredDiscount>, user: Option<&str>) -> Result<(), Problem> {
    match discount {
        Some(StoredDiscount { terms, .. }) if terms.limit_per_customer.is_some() && user.is_none() => {
            let detail = format!("the discount {} is limited per customer and the order names none", terms.code);
            Err(Problem::invalid_field("/discountCode", detail))
        }
        _ => Ok(()),
    }
}

async fn quoted(app: &App, quote: &Quote, cart: Option<&Cart>, draft: &Draft) -> Result<Offer, Problem> {
    if cart.is_some_and(|cart| cart.status == CartStatus::Merged) {
        return Err(Problem::not_found("there is no such quote any more: its cart was merged into another"));
    }
    if let Some(reason) = changed(app, quote, cart, draft) {
        return Err(expired(app, quote, cart, draft, reason).await?);
    }
    let priced = quote.content.priced.clone();
    let mut ids: Vec<ProductId> = priced.lines.iter().map(|line| line.product_id).collect();
    ids.sort_unstable();
    ids.dedup();
    let products = app.inventory.products(&ids, priced.currency).await.map_err(PeerError::into_problem)?;
    still_sold(&ids, &products).map_err(crate::rejections::problem)?;
    let discount = match &quote.content.discount_code {
        Some(code) => app.discounts.find_for(code, None).await?,
        None => None,
    };
    whose(discount.as_ref(), user_of(draft.customer_id, draft.contact.as_ref()).as_deref())?;
    Ok(Offer { priced, discount })
}

/// A quote keeps prices, not products: each has to be there and sold.
fn still_sold(wanted: &[ProductId], products: &[CatalogueProduct]) -> Result<(), Rejection> {
    let products: HashMap<_, _> = products.iter().map(|product| (product.product_id, product)).collect();
    let sold = |wanted: &ProductId| match products.get(wanted) {
        Some(product) => product.still_sold(),
        None => Err(format!("there is no product {wanted}")),
    };
    let details = wanted.iter().filter_map(|wanted| sold(wanted).err());
    let errors: Vec<FieldError> = details.map(|detail| FieldError::new("/quoteId", detail)).collect();
    if errors.is_empty() { Ok(()) } else { Err(Rejection::Invalid(errors)) }
}

/// Why a quote does not hold for this order.
fn changed(app: &App, quote: &Quote, cart: Option<&Cart>, draft: &Draft) -> Option<&'static str> {
    let quoted = &quote.content;
    let other_code =
        |code: &String| quoted.discount_code.as_ref().is_none_or(|quoted| !quoted.eq_ignore_ascii_case(code));
    let to = Destination::of(draft.shipping_address.as_ref(), None);
    if now() >= quote.expires_at {
        Some("the quote has expired")
    } else if cart.is_some_and(|cart| quote.cart.is_some_and(|(_, version)| version != cart.version)) {
        Some("the cart has changed since it was quoted")
    } else if draft.discount_code.as_ref().is_some_and(other_code) {
        Some("the quote is without this discount")
    } else if draft.shipping_method.is_some() && draft.shipping_method != quoted.priced.shipping.method {
        Some("the quote is for another shipping method")
    } else if to != Destination::of(quote.shipping_address.as_ref(), None) && costs_otherwise(app, quote, &to) {
        Some("the address changes the tax or the shipping of the quote")
    } else {
        None
    }
}

/// Whether tax or shipping are others there than what was quoted.
fn costs_otherwise(app: &App, quote: &Quote, to: &Destination) -> bool {
    let (tables, priced) = (app.tables.now(), &quote.content.priced);
    let Ok(shipping) = tables.shipping(priced.shipping.method.as_deref(), to, priced.currency) else { return true };
    let goods = priced.totals.subtotal + priced.shipping.discount - priced.totals.discount_total;
    let is_free = shipping.free_from.is_some_and(|from| goods >= from);
    let shipping_amount = priced.currency.round(if is_free { Decimal::ZERO } else { shipping.amount });
    let mut lines = priced.lines.iter().zip(&quote.content.tax_classes);
    shipping_amount != priced.shipping.amount
        || tables.tax_rate(to, &shipping.tax_class) != priced.shipping.tax_rate
        || lines.any(|(line, tax_class)| tables.tax_rate(to, tax_class) != line.tax_rate)
}

/// 409 with a quote as it would be now. A discount that is granted no longer is not in it.
///
/// # Errors
/// 422 where it can't be sold any more, or where the order itself asks for a discount that is not granted.
pub async fn expired(
    app: &App,
    quote: &Quote,
    cart: Option<&Cart>,
    draft: &Draft,
    reason: &str,
) -> Result<Problem, Problem> {
    let quoted = &quote.content;
    let currency = quoted.priced.currency;
    let user = user_of(draft.customer_id, draft.contact.as_ref());
    let discount = match (&draft.discount_code, &quoted.discount_code) {
        (Some(code), _) => discount(app, Some(code), currency, user.as_deref()).await?,
        (None, Some(code)) => granted(app, code, currency, user.as_deref()).await?.ok(),
        (None, None) => None,
    };
    let cart = cart.filter(|cart| cart.status == CartStatus::Open);
    let again = |line: &OrderLine| DraftItem {
        product_id: line.product_id,
        quantity: line.quantity,
        pointer: "/quoteId".to_owned(),
    };
    let items = cart.map_or_else(|| quoted.priced.lines.iter().map(again).collect(), items_of);
    let fresh = ToQuote {
        order_id: quote.order_id,
        cart: cart.map(|cart| (cart.cart_id, cart.version)).or(quote.cart),
        customer_id: draft.customer_id,
        items,
        currency,
        shipping_method: draft.shipping_method.clone().or_else(|| quoted.priced.shipping.method.clone()),
        discount: discount.map(|(granted, _)| granted),
        payment_method: Some(draft.payment_method),
        shipping_address: draft.shipping_address.clone(),
    };
    let fresh = QuoteAnswer::from(&quote::make(app, fresh).await?);
    let fresh = serde_json::to_value(fresh).unwrap_or_default();
    Ok(Problem::quote_expired(format!("{reason}; see `quote` for a fresh one")).with_extension("quote", fresh))
}

#[cfg(test)]
mod tests;
