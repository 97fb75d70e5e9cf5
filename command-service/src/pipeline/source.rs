//! What an order is made of: items in the request, a cart, or a quote. It is looked up before anything is checked, and
//! somebody else's is not there. A cart and a quote know which order they become.

use super::validate::{DraftItem, Identified};
use crate::{
    app::{App, confined_to},
    carts::{Cart, CartStatus},
    quotes::Quote,
};
use shared_events::{CartId, OrderId, QuoteId, UserId};
use web::{Caller, Problem};

/// Where the items come from.
#[derive(Debug, Clone)]
pub enum Source {
    /// The request names them.
    Items,
    /// A cart.
    Cart(Box<Cart>),
    /// A quote, and the cart it is of, if there is one.
    Quote(Box<Quote>, Option<Box<Cart>>),
}

/// Finds it for an order.
///
/// # Errors
/// 404 for a cart or quote that is not there or not the caller's, or of another customer than the one that is named.
pub async fn find(app: &App, identified: &Identified, caller: &Caller) -> Result<Source, Problem> {
    let customer = identified.customer_id;
    if let Some(quote_id) = identified.quote_id {
        let quote = quote(app, quote_id, caller, customer).await?;
        let cart = match quote.cart {
            Some((cart_id, _)) => app.carts.find(cart_id).await?.map(Box::new),
            None => None,
        };
        return Ok(Source::Quote(Box::new(quote), cart));
    }
    match identified.cart_id {
        Some(cart_id) => Ok(Source::Cart(Box::new(cart(app, cart_id, caller, customer).await?))),
        None => Ok(Source::Items),
    }
}

/// The cart of that id, if it is there for the caller, and that customer's or a guest's where one is named.
///
/// # Errors
/// 404.
pub async fn cart(app: &App, id: CartId, caller: &Caller, customer: Option<UserId>) -> Result<Cart, Problem> {
    let cart = app.carts.find(id).await?.filter(|cart| cart.status != CartStatus::Merged);
    let cart = cart.filter(|cart| is_for(cart.customer_id, customer));
    let confined_to = confined_to(caller)?;
    let cart = cart.filter(|cart| confined_to.is_none() || cart.customer_id == confined_to);
    cart.ok_or_else(|| Problem::not_found("there is no such cart"))
}

async fn quote(app: &App, id: QuoteId, caller: &Caller, customer: Option<UserId>) -> Result<Quote, Problem> {
    let quote = app.quotes.find(id).await?.filter(|quote| is_for(quote.customer_id, customer));
    let confined_to = confined_to(caller)?;
    let quote = quote.filter(|quote| confined_to.is_none() || quote.customer_id == confined_to);
    quote.ok_or_else(|| Problem::not_found("there is no such quote"))
}

/// What is a guest's may become anybody's.
fn is_for(owner: Option<UserId>, customer: Option<UserId>) -> bool {
    owner.is_none() || customer.is_none() || owner == customer
}

impl Source {
    /// The order it becomes, where that is fixed already.
    #[must_use]
    pub fn order_id(&self) -> Option<OrderId> {
        match self {
            Self::Items => None,
            Self::Cart(cart) => Some(cart.order_id),
            Self::Quote(quote, _) => Some(quote.order_id),
        }
    }

    /// Whose it is.
    #[must_use]
    pub fn customer_id(&self) -> Option<UserId> {
        match self {
            Self::Items => None,
            Self::Cart(cart) => cart.customer_id,
            Self::Quote(quote, _) => quote.customer_id,
        }
    }

    /// The cart it is, or is of.
    #[must_use]
    pub fn cart_id(&self) -> Option<CartId> {
        match self {
            Self::Items => None,
            Self::Cart(cart) => Some(cart.cart_id),
            Self::Quote(quote, _) => quote.cart.map(|(cart_id, _)| cart_id),
        }
    }

    /// The quote it is.
    #[must_use]
    pub fn quote_id(&self) -> Option<QuoteId> {
        match self {
            Self::Quote(quote, _) => Some(quote.quote_id),
            Self::Items | Self::Cart(_) => None,
        }
    }

    /// Whether its cart was checked out.
    #[must_use]
    pub fn is_checked_out(&self) -> bool {
        match self {
            Self::Items => false,
            Self::Cart(cart) => cart.status == CartStatus::CheckedOut,
            Self::Quote(_, cart) => cart.as_ref().is_some_and(|cart| cart.status == CartStatus::CheckedOut),
        }
    }
}

/// What is in a cart, as a draft has it.
#[must_use]
pub fn items_of(cart: &Cart) -> Vec<DraftItem> {
    let item = |line: &crate::carts::CartLine| DraftItem {
        product_id: line.product_id,
        quantity: line.quantity,
        pointer: "/cartId".to_owned(),
    };
    cart.lines.iter().map(item).collect()
}
