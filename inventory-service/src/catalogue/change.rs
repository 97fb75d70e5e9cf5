//! Changing the catalogue: make a product, change it, archive it, set its price.

use super::read::{price_history, with_prices};
use super::{Catalogue, CatalogueError, Cause, Product, taken};
use crate::domain::price::Price;
use crate::rows::StockRow;
use chrono::{DateTime, Utc};
use eventstore::ClaimDone;
use pg::deadpool_postgres::Transaction;
use serde_json::Value;
use shared_events::inventory::{
    InventoryEvent, PriceSet, ProductArchived, ProductCreated, ProductDetails, ProductStatus, ProductUpdated,
};
use shared_events::{Metadata, Money, ProductId};

pub(super) const INSERT_PRODUCT: &str = include_str!("../sql/insert_product.sql");
const UPDATE_PRODUCT: &str = include_str!("../sql/update_product.sql");
const LOCK_PRODUCT: &str = include_str!("../sql/lock_product.sql");
const LOCK_STOCK: &str = include_str!("../sql/lock_stock.sql");
pub(super) const INSERT_PRICE: &str = include_str!("../sql/insert_price.sql");
pub(super) const INSERT_STOCK: &str =
    "insert into stock (product_id, backorder, low_stock_threshold) values ($1, $2, $3)";
const UPDATE_POLICY: &str = "update stock set backorder = $2, low_stock_threshold = $3 where product_id = $1";

/// A product that is to be made.
#[derive(Debug, Clone)]
pub struct NewProduct {
    /// Its id, made by the caller so that its answer can be stored with it.
    pub product_id: ProductId,
    /// What it is.
    pub details: ProductDetails,
    /// Its first price, from now on.
    pub price: Money,
    /// When.
    pub now: DateTime<Utc>,
}

/// What a product is to be from now on.
#[derive(Debug, Clone)]
pub struct ProductChange {
    /// The product.
    pub product_id: ProductId,
    /// What it is.
    pub details: ProductDetails,
    /// A new price from now on, unless it is the current one.
    pub price: Option<Money>,
    /// Whether it can be bought; as before if none.
    pub status: Option<ProductStatus>,
    /// The version that the caller saw, if they care.
    pub expected: Option<i64>,
}

/// A price that is to hold.
#[derive(Debug, Clone, Copy)]
pub struct NewPrice {
    /// The product.
    pub product_id: ProductId,
    /// The price of one piece.
    pub price: Money,
    /// From when on; now if none.
    pub valid_from: Option<DateTime<Utc>>,
}

impl NewProduct {
    /// The product as it will be.
    #[must_use]
    pub fn made(&self) -> Product {
        Product {
            product_id: self.product_id,
            details: self.details.clone(),
            status: ProductStatus::Active,
            version: 2,
            created_at: self.now,
            updated_at: self.now,
            prices: vec![self.price],
        }
    }
}

impl Catalogue {
    /// Makes a product with its first price and an empty shelf.
    ///
    /// # Errors
    /// [`CatalogueError::SkuTaken`] among others.
    pub async fn create(&self, new: NewProduct, cause: Cause) -> Result<Product, CatalogueError> {
        let product = new.made();
        let NewProduct { product_id, details, price, now } = new;
        let mut client = self.pool.get().await?;
        let tx = client.transaction().await?;
        let (backorder, threshold) = (details.backorder, details.low_stock_threshold);
        tx.execute(
            INSERT_PRODUCT,
            &[
                &product_id.as_uuid(),
                &details.sku,
                &details.name,
                &details.description,
                &details.tax_class,
                &details.channel,
                &details.legal_entity,
                &details.external_id,
                &attributes(&details),
                &backorder,
                &threshold,
                &status_text(ProductStatus::Active),
                &product.version,
                &now,
            ],
        )
        .await
        .map_err(|error| taken(error, &details.sku))?;
        insert_price(&tx, product_id, price, now).await?;
        tx.execute(INSERT_STOCK, &[&product_id.as_uuid(), &backorder, &threshold]).await?;
        let created = ProductCreated { product_id, product: details, occurred_at: now };
        let priced = PriceSet { product_id, price, valid_from: now, occurred_at: now };
        self.commit(tx, product_id, 0, &[created.into(), priced.into()], cause).await?;
        Ok(product)
    }

    /// Makes a product what somebody wants it to be; what is so already causes no event.
    ///
    /// # Errors
    /// [`CatalogueError`].
    pub async fn update(&self, change: ProductChange, cause: Cause) -> Result<Product, CatalogueError> {
        let ProductChange { product_id, details, price, status, expected } = change;
        let mut client = self.pool.get().await?;
        let tx = client.transaction().await?;
        let (before, now) = locked(&tx, product_id, expected).await?;
        let status = status.unwrap_or(before.status);
        let mut events: Vec<InventoryEvent> = Vec::new();
        if details != before.details || status != before.status {
            events.push(ProductUpdated { product_id, product: details.clone(), status, occurred_at: now }.into());
        }
        let price = price.filter(|price| before.price_in(price.currency()) != Some(*price));
        if let Some(price) = price {
            insert_price(&tx, product_id, price, now).await?;
            events.push(PriceSet { product_id, price, valid_from: now, occurred_at: now }.into());
        }
        if events.is_empty() {
            return Ok(before);
        }
        let policy = (details.backorder, details.low_stock_threshold);
        if policy != (before.details.backorder, before.details.low_stock_threshold) {
            set_policy(&tx, product_id, policy).await?;
        }
        let after = Product { details, status, ..advanced(&before, events.len(), now) };
        store(&tx, &after).await?;
        let after = with_new_price(after, price);
        self.commit(tx, product_id, before.version, &events, cause).await?;
        Ok(after)
    }

    /// Archives a product; one that is archived already stays as it is.
    ///
    /// # Errors
    /// [`CatalogueError`].
    pub async fn archive(
        &self,
        product_id: ProductId,
        expected: Option<i64>,
        cause: Cause,
    ) -> Result<Product, CatalogueError> {
        let mut client = self.pool.get().await?;
        let tx = client.transaction().await?;
        let (before, now) = locked(&tx, product_id, expected).await?;
        if before.status == ProductStatus::Archived {
            return Ok(before);
        }
        let after = Product { status: ProductStatus::Archived, ..advanced(&before, 1, now) };
        store(&tx, &after).await?;
        let archived = ProductArchived { product_id, occurred_at: now };
        self.commit(tx, product_id, before.version, &[archived.into()], cause).await?;
        Ok(after)
    }

    /// Sets a price from a moment on. Gives it with the time it holds, and the product's version; `claim` makes the
    /// request's stored answer of both.
    ///
    /// # Errors
    /// [`CatalogueError`].
    pub async fn set_price(
        &self,
        NewPrice { product_id, price, valid_from }: NewPrice,
        metadata: Metadata,
        claim: impl FnOnce(&Price, i64) -> Option<ClaimDone> + Send,
    ) -> Result<(Price, i64), CatalogueError> {
        let mut client = self.pool.get().await?;
        let tx = client.transaction().await?;
        let (before, now) = locked(&tx, product_id, None).await?;
        let valid_from = valid_from.unwrap_or(now);
        insert_price(&tx, product_id, price, valid_from).await?;
        let after = advanced(&before, 1, now);
        store(&tx, &after).await?;
        let history = price_history(&*tx, product_id).await?;
        let entry = history
            .into_iter()
            .find(|entry| entry.valid_from == valid_from && entry.price.currency() == price.currency())
            .unwrap_or(Price { price, valid_from, valid_to: None });
        let cause = Cause { metadata, claim: claim(&entry, after.version) };
        let set = PriceSet { product_id, price, valid_from, occurred_at: now };
        self.commit(tx, product_id, before.version, &[set.into()], cause).await?;
        Ok((entry, after.version))
    }
}

/// Locks a product's row and reads the database's clock under the lock.
async fn locked(
    tx: &Transaction<'_>,
    product_id: ProductId,
    expected: Option<i64>,
) -> Result<(Product, DateTime<Utc>), CatalogueError> {
    let rows = tx.query(LOCK_PRODUCT, &[&product_id.as_uuid()]).await?;
    let product = with_prices(tx, &rows).await?.pop().ok_or(CatalogueError::NotFound(product_id))?;
    if expected.is_some_and(|expected| expected != product.version) {
        return Err(CatalogueError::VersionMismatch { actual: product.version });
    }
    let now = tx.query_one("select clock_timestamp()", &[]).await?.get(0);
    Ok((product, now))
}

fn advanced(before: &Product, events: usize, now: DateTime<Utc>) -> Product {
    let events = i64::try_from(events).expect("a command has a handful of events");
    Product { version: before.version + events, updated_at: now, ..before.clone() }
}

fn with_new_price(mut product: Product, price: Option<Money>) -> Product {
    if let Some(price) = price {
        product.prices.retain(|other| other.currency() != price.currency());
        product.prices.push(price);
        product.prices.sort_by_key(Money::currency);
    }
    product
}

async fn insert_price(
    tx: &Transaction<'_>,
    product_id: ProductId,
    price: Money,
    valid_from: DateTime<Utc>,
) -> Result<(), CatalogueError> {
    let params: [&(dyn pg::tokio_postgres::types::ToSql + Sync); 4] =
        [&product_id.as_uuid(), &price.currency().code(), &valid_from, &price.amount()];
    tx.execute(INSERT_PRICE, &params).await?;
    Ok(())
}

async fn set_policy(
    tx: &Transaction<'_>,
    product_id: ProductId,
    (backorder, threshold): (bool, Option<i64>),
) -> Result<(), CatalogueError> {
    let rows = tx.query(LOCK_STOCK, &[&vec![product_id.as_uuid()]]).await?;
    let level = rows.first().map(StockRow::of).map(|row| row.level).unwrap_or_default();
    if !backorder && level.reserved > level.on_hand {
        return Err(CatalogueError::Oversold { on_hand: level.on_hand, reserved: level.reserved });
    }
    tx.execute(UPDATE_POLICY, &[&product_id.as_uuid(), &backorder, &threshold]).await?;
    Ok(())
}

async fn store(tx: &Transaction<'_>, product: &Product) -> Result<(), CatalogueError> {
    let Product { product_id, details, status, version, updated_at, .. } = product;
    tx.execute(
        UPDATE_PRODUCT,
        &[
            &product_id.as_uuid(),
            &details.sku,
            &details.name,
            &details.description,
            &details.tax_class,
            &details.channel,
            &details.legal_entity,
            &details.external_id,
            &attributes(details),
            &details.backorder,
            &details.low_stock_threshold,
            &status_text(*status),
            version,
            updated_at,
            // A list of plain structs, which serde_json cannot fail on.
            &serde_json::to_value(&details.images).unwrap_or_default(),
        ],
    )
    .await
    .map_err(|error| taken(error, &details.sku))?;
    Ok(())
}

pub(super) fn attributes(details: &ProductDetails) -> Value {
    details.attributes.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect()
}

pub(super) const fn status_text(status: ProductStatus) -> &'static str {
    match status {
        ProductStatus::Active => "ACTIVE",
        ProductStatus::Archived => "ARCHIVED",
    }
}
