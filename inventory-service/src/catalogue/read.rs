//! Reading the catalogue: what is there now, with the prices that hold now by the database's clock.

use super::{Catalogue, CatalogueError, uuids};
use crate::domain::price::{Price, history};
use chrono::{DateTime, Utc};
use futures_util::future::join;
use pg::deadpool_postgres::GenericClient as Prepares;
use pg::tokio_postgres::{GenericClient, Row, types::ToSql};
use rust_decimal::Decimal;
use serde::de::DeserializeOwned;
use serde_json::Value;
use shared_events::inventory::{ProductDetails, ProductStatus};
use shared_events::{Currency, Money, MoneyError, ProductId};
use std::collections::BTreeMap;
use uuid::Uuid;

const SELECT_PRODUCTS: &str = include_str!("../sql/select_products.sql");
const SELECT_BY_SKU: &str = include_str!("../sql/select_products_by_sku.sql");
const LIST_PRODUCTS: &str = include_str!("../sql/list_products.sql");
const LIST_WITH_SKU: &str = include_str!("../sql/list_products_with_sku.sql");
const CURRENT_PRICES: &str = include_str!("../sql/current_prices.sql");
const PRICES: &str = "select currency, amount, valid_from from price where product_id = $1";

/// A product with the prices that hold now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// Its id.
    pub product_id: ProductId,
    /// What it is.
    pub details: ProductDetails,
    /// Whether it can be bought.
    pub status: ProductStatus,
    /// The version of its stream.
    pub version: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// Its current price in each currency.
    pub prices: Vec<Money>,
}

impl Product {
    /// Its current price in a currency.
    #[must_use]
    pub fn price_in(&self, currency: Currency) -> Option<Money> {
        self.prices.iter().copied().find(|price| price.currency() == currency)
    }
}

/// Which products a list is to have.
#[derive(Debug, Clone, Default)]
pub struct ProductFilter {
    /// After this one.
    pub after: Option<ProductId>,
    /// With exactly this sku.
    pub sku: Option<String>,
    /// With this text in name, sku or description.
    pub text: Option<String>,
    /// At most so many.
    pub limit: i64,
}

impl Catalogue {
    /// A product.
    ///
    /// # Errors
    /// [`CatalogueError::NotFound`] among others.
    pub async fn product(&self, product_id: ProductId) -> Result<Product, CatalogueError> {
        self.products(&[product_id]).await?.pop().ok_or(CatalogueError::NotFound(product_id))
    }

    /// Those of these products that exist, ascending by id.
    ///
    /// # Errors
    /// [`CatalogueError`].
    pub async fn products(&self, product_ids: &[ProductId]) -> Result<Vec<Product>, CatalogueError> {
        let client = self.pool.get().await?;
        let (statement, ids) = (client.prepare_cached(SELECT_PRODUCTS).await?, uuids(product_ids));
        let params: [&(dyn ToSql + Sync); 1] = [&ids];
        // One round trip.
        let (rows, prices) = join(client.query(&statement, &params), current_prices(&client, &ids)).await;
        priced(&rows?, prices?)
    }

    /// Those of these skus that exist, ascending by id.
    ///
    /// # Errors
    /// [`CatalogueError`].
    pub async fn by_sku(&self, skus: &[&str]) -> Result<Vec<Product>, CatalogueError> {
        let client = self.pool.get().await?;
        let statement = client.prepare_cached(SELECT_BY_SKU).await?;
        let rows = client.query(&statement, &[&skus]).await?;
        with_prices(&client, &rows).await
    }

    /// Active products, ascending by id.
    ///
    /// # Errors
    /// [`CatalogueError`].
    pub async fn list(&self, filter: &ProductFilter) -> Result<Vec<Product>, CatalogueError> {
        let client = self.pool.get().await?;
        let after = filter.after.map(|product| product.as_uuid());
        let pattern = filter.text.as_deref().map(containing);
        let rows = match &filter.sku {
            Some(sku) => {
                let statement = client.prepare_cached(LIST_WITH_SKU).await?;
                client.query(&statement, &[&after, &pattern, &filter.limit, sku]).await?
            }
            None => {
                let statement = client.prepare_cached(LIST_PRODUCTS).await?;
                client.query(&statement, &[&after, &pattern, &filter.limit]).await?
            }
        };
        with_prices(&client, &rows).await
    }

    /// Every price that a product ever had or will have, oldest first.
    ///
    /// # Errors
    /// [`CatalogueError::NotFound`] among others.
    pub async fn prices(&self, product_id: ProductId) -> Result<Vec<Price>, CatalogueError> {
        let client = self.pool.get().await?;
        let found = client.query_opt("select 1 from product where id = $1", &[&product_id.as_uuid()]).await?;
        if found.is_none() {
            return Err(CatalogueError::NotFound(product_id));
        }
        price_history(&**client, product_id).await
    }
}

/// The history of a product's prices.
pub(super) async fn price_history(
    client: &impl GenericClient,
    product_id: ProductId,
) -> Result<Vec<Price>, CatalogueError> {
    let rows = client.query(PRICES, &[&product_id.as_uuid()]).await?;
    let set = rows.iter().map(|row| Ok((money(product_id, row.get(0), row.get(1))?, row.get(2))));
    Ok(history(set.collect::<Result<Vec<_>, CatalogueError>>()?))
}

/// Reads products and adds the prices that hold now.
pub(super) async fn with_prices(client: &impl Prepares, rows: &[Row]) -> Result<Vec<Product>, CatalogueError> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.get(0)).collect();
    priced(rows, current_prices(client, &ids).await?)
}

type Prices = BTreeMap<ProductId, Vec<Money>>;

async fn current_prices(client: &impl Prepares, products: &Vec<Uuid>) -> Result<Prices, CatalogueError> {
    let statement = client.prepare_cached(CURRENT_PRICES).await?;
    let mut prices = Prices::new();
    for row in client.query(&statement, &[products]).await? {
        let product_id = ProductId::from_uuid(row.get(0));
        prices.entry(product_id).or_default().push(money(product_id, row.get(1), row.get(2))?);
    }
    Ok(prices)
}

fn priced(rows: &[Row], mut prices: Prices) -> Result<Vec<Product>, CatalogueError> {
    let mut products = rows.iter().map(product).collect::<Result<Vec<_>, _>>()?;
    for product in &mut products {
        product.prices = prices.remove(&product.product_id).unwrap_or_default();
    }
    Ok(products)
}

fn product(row: &Row) -> Result<Product, CatalogueError> {
    let product_id = ProductId::from_uuid(row.get(0));
    let attributes = stored_json(product_id, "attributes", row.get(8))?;
    let status: &str = row.get(11);
    Ok(Product {
        product_id,
        details: ProductDetails {
            sku: row.get(1),
            name: row.get(2),
            description: row.get(3),
            tax_class: row.get(4),
            channel: row.get(5),
            legal_entity: row.get(6),
            external_id: row.get(7),
            attributes,
            backorder: row.get(9),
            low_stock_threshold: row.get(10),
            images: stored_json(product_id, "images", row.get(15))?,
        },
        status: if status == "ACTIVE" { ProductStatus::Active } else { ProductStatus::Archived },
        version: row.get(12),
        created_at: row.get(13),
        updated_at: row.get(14),
        prices: Vec::new(),
    })
}

fn stored_json<T: DeserializeOwned>(
    product_id: ProductId,
    column: &'static str,
    stored: Value,
) -> Result<T, CatalogueError> {
    serde_json::from_value(stored).map_err(|source| CatalogueError::Stored {
        product_id,
        column,
        source: Box::new(source),
    })
}

fn money(product_id: ProductId, currency: &str, amount: Decimal) -> Result<Money, CatalogueError> {
    let stored = |source: MoneyError| CatalogueError::Stored { product_id, column: "price", source: Box::new(source) };
    Ok(Money::rounded(amount, Currency::parse(currency).map_err(stored)?))
}

/// The pattern of texts that contain this one.
fn containing(text: &str) -> String {
    format!("%{}%", text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_"))
}
