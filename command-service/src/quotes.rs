//! Quotes: a basket with prices that hold for a while. A quote knows the id of the order it will become, and shares it
//! with its cart and with the quotes that took its place, so that they become one order together.

mod answer;

pub use answer::QuoteAnswer;

use crate::rows::{PATIENCE, RowsError};
use chrono::{DateTime, Utc};
use order::pricing::Priced;
use serde::{Deserialize, Serialize};
use shared_events::{Address, CartId, OrderId, QuoteId, UserId, order::PaymentMethod};
use tokio::time::timeout;
use tokio_postgres::types::Json;
use uuid::Uuid;

const KEEP: &str = include_str!("quotes/keep.sql");
const FIND: &str = include_str!("quotes/find.sql");

/// A quote.
#[derive(Debug, Clone, PartialEq)]
pub struct Quote {
    /// Its id.
    pub quote_id: QuoteId,
    /// The order it will become.
    pub order_id: OrderId,
    /// The cart that it is of, at this version.
    pub cart: Option<(CartId, i64)>,
    /// Whose it is; none for a guest's.
    pub customer_id: Option<UserId>,
    /// What it says.
    pub content: Quoted,
    /// Where it goes; gone once it is ordered.
    pub shipping_address: Option<Address>,
    /// Until when its prices hold.
    pub expires_at: DateTime<Utc>,
}

/// What a quote says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Quoted {
    /// The parts with their prices.
    pub priced: Priced,
    /// The tax class of each line.
    pub tax_classes: Vec<String>,
    /// Which of the discounts was asked for.
    pub discount_code: Option<String>,
    /// How it is to be paid, where that was said.
    pub payment_method: Option<PaymentMethod>,
}

/// The quotes of this service. Cheap to clone.
#[derive(Clone)]
pub struct Quotes {
    /// Where the rows are.
    pub pool: pg::Pool,
}

impl Quotes {
    /// Keeps a quote.
    ///
    /// # Errors
    /// [`RowsError`] when the database is away.
    pub async fn keep(&self, quote: &Quote) -> Result<(), RowsError> {
        let client = self.pool.get().await?;
        let (cart_id, cart_version) = quote.cart.map(|(id, version)| (id.as_uuid(), version)).unzip();
        let kept = timeout(PATIENCE, async {
            let statement = client.prepare_cached(KEEP).await?;
            client
                .execute(
                    &statement,
                    &[
                        &quote.quote_id.as_uuid(),
                        &quote.order_id.as_uuid(),
                        &cart_id,
                        &cart_version,
                        &quote.customer_id.map(|id| id.as_uuid()),
                        &Json(&quote.content),
                        &quote.shipping_address.as_ref().map(Json),
                        &quote.expires_at,
                    ],
                )
                .await
        })
        .await;
        pg::in_time(client, kept)??;
        Ok(())
    }

    /// The quote of that id, expired or not.
    ///
    /// # Errors
    /// [`RowsError`] when the database is away.
    pub async fn find(&self, quote_id: QuoteId) -> Result<Option<Quote>, RowsError> {
        let client = self.pool.get().await?;
        let found = timeout(PATIENCE, async {
            let statement = client.prepare_cached(FIND).await?;
            client.query_opt(&statement, &[&quote_id.as_uuid()]).await
        })
        .await;
        let Some(row) = pg::in_time(client, found)?? else { return Ok(None) };
        let cart_id: Option<Uuid> = row.try_get("cart_id")?;
        let cart_version: Option<i64> = row.try_get("cart_version")?;
        let customer_id: Option<Uuid> = row.try_get("customer_id")?;
        let Json(content) = row.try_get("content")?;
        let address: Option<Json<Address>> = row.try_get("shipping_address")?;
        Ok(Some(Quote {
            quote_id,
            order_id: OrderId::from_uuid(row.try_get("order_id")?),
            cart: cart_id.map(CartId::from_uuid).zip(cart_version),
            customer_id: customer_id.map(UserId::from_uuid),
            content,
            shipping_address: address.map(|Json(address)| address),
            expires_at: row.try_get("expires_at")?,
        }))
    }
}
