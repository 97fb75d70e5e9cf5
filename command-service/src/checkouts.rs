//! What follows from an order for what it came from: its cart is checked out, its quotes are used up, its discounts are
//! counted. Told by the pipeline at once and by the log for certain; doing it twice changes nothing.

use crate::rows::{PATIENCE, RowsError};
use order::Order;
use shared_events::{CartId, OrderId};
use tokio::time::timeout;
use tokio_postgres::{Error, Transaction};

const CART: &str = include_str!("checkouts/cart.sql");
const QUOTES: &str = include_str!("checkouts/quotes.sql");
const DISCOUNT: &str = include_str!("checkouts/discount.sql");

/// An order that exists, and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkout {
    /// The order.
    pub order_id: OrderId,
    /// Its number, under which its discounts were claimed.
    pub order_number: String,
    /// Who the customer is, for discounts that nobody had to claim.
    pub customer: Option<String>,
    /// The cart it was.
    pub cart_id: Option<CartId>,
    /// Whether it was quoted.
    pub is_quoted: bool,
    /// The codes of its discounts.
    pub codes: Vec<String>,
}

impl Checkout {
    /// What an order tells of where it came from.
    #[must_use]
    pub fn of(order: &Order) -> Self {
        Self {
            order_id: order.id,
            order_number: order.number.clone(),
            customer: order.customer_id.map(|id| id.to_string()),
            cart_id: order.cart_id,
            is_quoted: order.quote_id.is_some(),
            codes: order.discounts.iter().map(|discount| discount.code.clone()).collect(),
        }
    }

    /// Whether anything follows from it.
    #[must_use]
    pub const fn matters(&self) -> bool {
        self.cart_id.is_some() || self.is_quoted || !self.codes.is_empty()
    }
}

/// Does what follows, in the caller's transaction.
///
/// # Errors
/// If a statement fails.
pub async fn settle(transaction: &Transaction<'_>, checkout: &Checkout) -> Result<(), Error> {
    let order_id = checkout.order_id.as_uuid();
    if let Some(cart_id) = checkout.cart_id {
        transaction.execute(CART, &[&cart_id.as_uuid()]).await?;
    }
    if checkout.cart_id.is_some() || checkout.is_quoted {
        transaction.execute(QUOTES, &[&order_id]).await?;
    }
    for code in &checkout.codes {
        transaction.execute(DISCOUNT, &[&code, &checkout.order_number, &order_id, &checkout.customer]).await?;
    }
    Ok(())
}

/// Does what follows, in a transaction of its own.
///
/// # Errors
/// [`RowsError`] when the database is away.
pub async fn settle_now(pool: &pg::Pool, checkout: &Checkout) -> Result<(), RowsError> {
    let mut client = pool.get().await?;
    let settled = timeout(PATIENCE, async {
        let transaction = client.transaction().await?;
        settle(&transaction, checkout).await?;
        transaction.commit().await
    })
    .await;
    pg::in_time(client, settled)??;
    Ok(())
}
