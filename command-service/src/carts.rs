//! Carts: what somebody is about to buy. A row with a version and an end; prices are asked for whenever it is read. A
//! cart knows the id of the order it will become, so that it becomes one order only.

use crate::rows::{PATIENCE, RowsError};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use shared_events::{CartId, Currency, OrderId, ProductId, UserId};
use tokio::time::timeout;
use tokio_postgres::{Row, types::Json};
use uuid::Uuid;
use web::request_context::now;

const OPEN: &str = include_str!("carts/open.sql");
const OPEN_OF: &str = include_str!("carts/open_of.sql");
const FIND: &str = include_str!("carts/find.sql");
const SAVE: &str = include_str!("carts/save.sql");
const MERGED: &str = include_str!("carts/merged.sql");

/// How far a cart got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CartStatus {
    /// It can be changed and ordered.
    Open,
    /// It became an order, or somebody said so.
    CheckedOut,
    /// Its lines are in another cart.
    Merged,
}

impl CartStatus {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "OPEN",
            Self::CheckedOut => "CHECKED_OUT",
            Self::Merged => "MERGED",
        }
    }

    fn parse(name: &str) -> Self {
        [Self::Open, Self::CheckedOut].into_iter().find(|status| status.as_str() == name).unwrap_or(Self::Merged)
    }
}

/// A product in a cart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CartLine {
    /// The product; once per cart.
    pub product_id: ProductId,
    /// Pieces.
    pub quantity: u32,
}

/// A cart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cart {
    /// Its id.
    pub cart_id: CartId,
    /// Whose it is; none for a guest's.
    pub customer_id: Option<UserId>,
    /// The currency it is priced in.
    pub currency: Currency,
    /// What is in it, in the order in which it came.
    pub lines: Vec<CartLine>,
    /// The order it will become.
    pub order_id: OrderId,
    /// How far it got.
    pub status: CartStatus,
    /// The cart that took its lines.
    pub merged_into: Option<CartId>,
    /// Whether that order exists.
    pub is_ordered: bool,
    /// Counts its changes.
    pub version: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// When it is deleted unless it changes before.
    pub expires_at: DateTime<Utc>,
}

impl Cart {
    /// Sets how many pieces of a product are wanted; none takes it out.
    pub fn put(&mut self, product_id: ProductId, quantity: u32) {
        match self.lines.iter_mut().find(|line| line.product_id == product_id) {
            Some(line) => line.quantity = quantity,
            None => self.lines.push(CartLine { product_id, quantity }),
        }
        self.lines.retain(|line| line.quantity > 0);
    }

    /// Takes over what another cart has: pieces of the same product are summed, up to `most_pieces`.
    pub fn take_over(&mut self, other: &[CartLine], most_pieces: u32) {
        for line in other {
            let own = self.lines.iter().find(|own| own.product_id == line.product_id).map_or(0, |own| own.quantity);
            self.put(line.product_id, own.saturating_add(line.quantity).min(most_pieces));
        }
    }

    fn of(row: &Row) -> Result<Self, RowsError> {
        let Json(lines): Json<Vec<CartLine>> = row.try_get("lines")?;
        let currency: serde_json::Value = row.try_get::<_, String>("currency")?.into();
        let id = |name: &str| row.try_get::<_, Option<Uuid>>(name);
        Ok(Self {
            cart_id: CartId::from_uuid(row.try_get("cart_id")?),
            customer_id: id("customer_id")?.map(UserId::from_uuid),
            currency: serde_json::from_value(currency)?,
            lines,
            order_id: OrderId::from_uuid(row.try_get("order_id")?),
            status: CartStatus::parse(row.try_get("status")?),
            merged_into: id("merged_into")?.map(CartId::from_uuid),
            is_ordered: row.try_get::<_, Option<DateTime<Utc>>>("ordered_at")?.is_some(),
            version: row.try_get("version")?,
            created_at: row.try_get("created_at")?,
            updated_at: row.try_get("updated_at")?,
            expires_at: row.try_get("expires_at")?,
        })
    }
}

/// The carts of this service. Cheap to clone.
#[derive(Clone)]
pub struct Carts {
    /// Where the rows are.
    pub pool: pg::Pool,
    /// How long a cart is kept after its last change.
    pub time_to_live: TimeDelta,
}

impl Carts {
    /// A new cart. A customer who has an open one gets that.
    ///
    /// # Errors
    /// [`RowsError`] when the database is away.
    pub async fn open(&self, customer_id: Option<UserId>, currency: Currency) -> Result<Cart, RowsError> {
        let customer = customer_id.map(|id| id.as_uuid());
        let (cart_id, order_id) = (CartId::generate().as_uuid(), OrderId::generate().as_uuid());
        let expires_at = now() + self.time_to_live;
        let mut client = self.pool.get().await?;
        let opened = timeout(PATIENCE, async {
            let transaction = client.transaction().await?;
            transaction
                .execute(
                    "DELETE FROM cart WHERE customer_id = $1 AND status = 'OPEN' AND expires_at <= now()",
                    &[&customer],
                )
                .await?;
            let arguments: &[&(dyn tokio_postgres::types::ToSql + Sync)] =
                &[&cart_id, &customer, &currency.code(), &order_id, &expires_at];
            let row = transaction.query_one(OPEN, arguments).await?;
            transaction.commit().await?;
            Ok::<_, tokio_postgres::Error>(row)
        })
        .await;
        Cart::of(&pg::in_time(client, opened)??)
    }

    /// The cart of that id, unless it is over.
    ///
    /// # Errors
    /// [`RowsError`] when the database is away.
    pub async fn find(&self, cart_id: CartId) -> Result<Option<Cart>, RowsError> {
        self.read(FIND, cart_id.as_uuid()).await
    }

    /// The customer's open cart.
    ///
    /// # Errors
    /// [`RowsError`] when the database is away.
    pub async fn open_of(&self, customer_id: UserId) -> Result<Option<Cart>, RowsError> {
        self.read(OPEN_OF, customer_id.as_uuid()).await
    }

    async fn read(&self, statement: &str, id: Uuid) -> Result<Option<Cart>, RowsError> {
        let client = self.pool.get().await?;
        let read = timeout(PATIENCE, async {
            let statement = client.prepare_cached(statement).await?;
            client.query_opt(&statement, &[&id]).await
        })
        .await;
        pg::in_time(client, read)??.as_ref().map(Cart::of).transpose()
    }

    /// Writes a changed cart, if it still has the version that it was read at. None where somebody was faster.
    ///
    /// # Errors
    /// [`RowsError`] when the database is away.
    pub async fn save(&self, cart: &Cart) -> Result<Option<Cart>, RowsError> {
        let expires_at = now() + self.time_to_live;
        let client = self.pool.get().await?;
        let customer = cart.customer_id.map(|id| id.as_uuid());
        let saved = timeout(PATIENCE, async {
            let statement = client.prepare_cached(SAVE).await?;
            let status = cart.status.as_str();
            client
                .query_opt(
                    &statement,
                    &[
                        &cart.cart_id.as_uuid(),
                        &cart.version,
                        &customer,
                        &cart.currency.code(),
                        &Json(&cart.lines),
                        &status,
                        &expires_at,
                    ],
                )
                .await
        })
        .await;
        pg::in_time(client, saved)??.as_ref().map(Cart::of).transpose()
    }

    /// Writes a cart that took over a guest's, if both still have the versions that they were read at.
    ///
    /// # Errors
    /// [`RowsError`] when the database is away.
    pub async fn save_merged(&self, guest: &Cart, own: &Cart) -> Result<Option<Cart>, RowsError> {
        let expires_at = now() + self.time_to_live;
        let customer = own.customer_id.map(|id| id.as_uuid());
        let mut client = self.pool.get().await?;
        let merged = timeout(PATIENCE, async {
            let transaction = client.transaction().await?;
            let gone = transaction
                .execute(MERGED, &[&guest.cart_id.as_uuid(), &guest.version, &own.cart_id.as_uuid()])
                .await?;
            let lines = Json(&own.lines);
            let saved = transaction
                .query_opt(
                    SAVE,
                    &[
                        &own.cart_id.as_uuid(),
                        &own.version,
                        &customer,
                        &own.currency.code(),
                        &lines,
                        &own.status.as_str(),
                        &expires_at,
                    ],
                )
                .await?;
            if gone == 0 || saved.is_none() {
                return Ok(None);
            }
            transaction.commit().await?;
            Ok::<_, tokio_postgres::Error>(saved)
        })
        .await;
        pg::in_time(client, merged)??.as_ref().map(Cart::of).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_customer_has_one_open_cart_and_a_stale_change_is_not_written() {
        let database = test_support::database().await;
        let pool = crate::open_schema(&database).await.unwrap();
        let carts = Carts { pool, time_to_live: TimeDelta::days(30) };
        let customer = UserId::generate();
        let cart = carts.open(Some(customer), Currency::EUR).await.unwrap();
        assert_eq!(carts.open(Some(customer), Currency::EUR).await.unwrap().cart_id, cart.cart_id);
        assert_ne!(carts.open(None, Currency::EUR).await.unwrap().cart_id, cart.cart_id);

        let mut changed = cart.clone();
        changed.put(ProductId::generate(), 2);
        let saved = carts.save(&changed).await.unwrap().unwrap();
        assert_eq!((saved.version, saved.lines.len()), (2, 1));
        assert_eq!(carts.save(&changed).await.unwrap(), None, "it was read before the other change");
        assert_eq!(carts.open_of(customer).await.unwrap().unwrap(), saved);
    }

    #[tokio::test]
    async fn a_cart_whose_time_is_over_makes_room_for_a_new_one() {
        let database = test_support::database().await;
        let pool = crate::open_schema(&database).await.unwrap();
        let carts = Carts { pool, time_to_live: TimeDelta::zero() };
        let customer = UserId::generate();
        let old = carts.open(Some(customer), Currency::EUR).await.unwrap();
        assert_eq!(carts.find(old.cart_id).await.unwrap(), None);
        assert_eq!(carts.open_of(customer).await.unwrap(), None);
        assert_ne!(carts.open(Some(customer), Currency::EUR).await.unwrap().cart_id, old.cart_id);
    }

    #[tokio::test]
    async fn merging_sums_pieces_and_leaves_the_guests_cart_behind() {
        let database = test_support::database().await;
        let pool = crate::open_schema(&database).await.unwrap();
        let carts = Carts { pool, time_to_live: TimeDelta::days(30) };
        let (mug, cup) = (ProductId::generate(), ProductId::generate());
        let guest = carts.open(None, Currency::EUR).await.unwrap();
        let mut own = carts.open(Some(UserId::generate()), Currency::EUR).await.unwrap();
        own.put(mug, 9_998);
        own.take_over(&[CartLine { product_id: mug, quantity: 2 }, CartLine { product_id: cup, quantity: 1 }], 9_999);
        assert_eq!(own.lines.iter().map(|line| line.quantity).collect::<Vec<_>>(), [9_999, 1]);
        let merged = carts.save_merged(&guest, &own).await.unwrap().unwrap();
        assert_eq!((merged.cart_id, merged.lines.len()), (own.cart_id, 2));
        let left = carts.find(guest.cart_id).await.unwrap().unwrap();
        assert_eq!((left.status, left.merged_into), (CartStatus::Merged, Some(own.cart_id)));
        assert_eq!(carts.save_merged(&guest, &merged).await.unwrap(), None, "the guest's cart is no longer open");
    }
}
