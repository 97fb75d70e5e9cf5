//! `product_view`: products by id, by sku, and in pages.

use super::keyset::{Direction, Page, PageRequest, Place, Select, SortColumn};
use crate::read_error::ReadError;
use chrono::{DateTime, Utc};
use pg::{Pool, tokio_postgres::Row, tokio_postgres::types::Json};
use serde::{Deserialize, Serialize};
use shared_events::{
    Currency, Money, ProductId,
    inventory::{ProductDetails, ProductStatus},
};
use std::collections::{BTreeMap, HashMap};

const TABLE: &str = "product_view";
const BY_IDS: &str = "SELECT document FROM product_view WHERE product_id = ANY($1)";
const BY_SKU: &str = "SELECT document FROM product_view WHERE sku = $1 ORDER BY status, product_id LIMIT 1";
const BY_SKU_ORDER: SortColumn = SortColumn { name: "sku", sql_type: "text" };

/// A product as its events tell it; the row's document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Product {
    /// Its id.
    pub product_id: ProductId,
    /// What it is.
    pub details: ProductDetails,
    /// Whether it can be bought.
    pub status: ProductStatus,
    /// Every price it ever had, in the order they were set.
    pub prices: Vec<Price>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// How many events it has had.
    pub version: i64,
}

/// A price from some moment on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Price {
    /// The price of one piece.
    pub price: Money,
    /// From when on it holds.
    pub valid_from: DateTime<Utc>,
    /// When it was set.
    pub set_at: DateTime<Utc>,
}

impl Product {
    /// Its status as the table has it.
    #[must_use]
    pub const fn status_name(&self) -> &'static str {
        match self.status {
            ProductStatus::Active => "ACTIVE",
            ProductStatus::Archived => "ARCHIVED",
        }
    }

    /// The price in each currency at a moment: the one that began last, and of several that began together the one
    /// that was set last.
    #[must_use]
    pub fn prices_at(&self, moment: DateTime<Utc>) -> Vec<Money> {
        let mut current: BTreeMap<Currency, &Price> = BTreeMap::new();
        for price in self.prices.iter().filter(|price| price.valid_from <= moment) {
            let known = current.entry(price.price.currency()).or_insert(price);
            if price.valid_from >= known.valid_from {
                *known = price;
            }
        }
        current.values().map(|price| price.price).collect()
    }

    /// Where it stands in the list of products.
    #[must_use]
    pub fn place(&self) -> Place {
        Place {
            sorted_by: BY_SKU_ORDER.name.to_owned(),
            value: self.details.sku.clone(),
            id: self.product_id.as_uuid(),
        }
    }

    /// Reads a cursor of the list of products.
    ///
    /// # Errors
    /// 400 `INVALID_CURSOR`.
    pub fn parse_cursor(cursor: &str) -> Result<Place, web::Problem> {
        Place::parse(cursor, BY_SKU_ORDER.name)
    }
}

/// Which products are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProductFilter {
    /// Only those that can (or can no longer) be bought.
    pub status: Option<ProductStatus>,
    /// Only those whose name or sku holds these words.
    pub contains: Option<String>,
}

impl ProductFilter {
    fn select(&self) -> Select {
        let mut select = Select::default();
        match self.status {
            Some(ProductStatus::Active) => select.and_fixed("status = 'ACTIVE'"),
            Some(ProductStatus::Archived) => select.and_fixed("status = 'ARCHIVED'"),
            None => {}
        }
        if let Some(words) = &self.contains {
            let escaped = words.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
            select.and("(name || ' ' || sku) ILIKE $?", format!("%{escaped}%"));
        }
        select
    }
}

/// Reads `product_view`.
#[derive(Clone)]
pub struct Products {
    pool: Pool,
}

impl Products {
    /// Reads with these connections.
    #[must_use]
    pub const fn new(pool: Pool) -> Self {
        Self { pool }
    }

    /// The products with these ids, those that exist.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn by_ids(&self, ids: &[ProductId]) -> Result<HashMap<ProductId, Product>, ReadError> {
        let client = self.pool.get().await?;
        let statement = client.prepare_cached(BY_IDS).await.map_err(ReadError::statement(TABLE))?;
        let uuids: Vec<_> = ids.iter().map(ProductId::as_uuid).collect();
        let rows = client.query(&statement, &[&uuids]).await.map_err(ReadError::statement(TABLE))?;
        rows.iter().map(|row| document(row).map(|product| (product.product_id, product))).collect()
    }

    /// The product with this sku; of several (one that was renamed or archived and its successor) the active one.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn by_sku(&self, sku: &str) -> Result<Option<Product>, ReadError> {
        let client = self.pool.get().await?;
        let statement = client.prepare_cached(BY_SKU).await.map_err(ReadError::statement(TABLE))?;
        let row = client.query_opt(&statement, &[&sku]).await.map_err(ReadError::statement(TABLE))?;
        row.as_ref().map(document).transpose()
    }

    /// Part of the list of products, sorted by sku.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn page(&self, filter: &ProductFilter, request: &PageRequest) -> Result<Page<Product>, ReadError> {
        let mut select = filter.select();
        let rest = select.page(request, BY_SKU_ORDER, "product_id", Direction::Ascending);
        let client = self.pool.get().await?;
        let sql = format!("SELECT document FROM product_view{rest}");
        let statement = client.prepare_cached(&sql).await.map_err(ReadError::statement(TABLE))?;
        let rows = client.query(&statement, &select.parameters()).await.map_err(ReadError::statement(TABLE))?;
        Ok(Page::cut(rows.iter().map(document).collect::<Result<_, _>>()?, request))
    }

    /// How many products the filter lets through.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn count(&self, filter: &ProductFilter) -> Result<i64, ReadError> {
        let select = filter.select();
        let client = self.pool.get().await?;
        let sql = format!("SELECT count(*) FROM product_view{}", select.where_clause());
        let statement = client.prepare_cached(&sql).await.map_err(ReadError::statement(TABLE))?;
        let row = client.query_one(&statement, &select.parameters()).await.map_err(ReadError::statement(TABLE))?;
        row.try_get(0).map_err(ReadError::statement(TABLE))
    }
}

fn document(row: &Row) -> Result<Product, ReadError> {
    row.try_get::<_, Json<Product>>(0).map(|Json(product)| product).map_err(ReadError::statement(TABLE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_price_that_began_last_holds_and_future_ones_do_not_yet() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let price = |amount: &str, code: &str, from: &str| Price {
            price: Money::parse(amount, code).unwrap(),
            valid_from: at(from),
            set_at: at("2026-01-01T00:00:00Z"),
        };
        let product = Product {
            product_id: ProductId::generate(),
            details: serde_json::from_str(r#"{"sku":"A","name":"A","taxClass":"standard"}"#).unwrap(),
            status: ProductStatus::Active,
            prices: vec![
                price("3.00", "EUR", "2026-03-01T00:00:00Z"),
                price("1.00", "EUR", "2026-01-01T00:00:00Z"),
                price("2.00", "EUR", "2026-01-01T00:00:00Z"),
                price("9.00", "USD", "2026-01-01T00:00:00Z"),
            ],
            created_at: at("2026-01-01T00:00:00Z"),
            updated_at: at("2026-01-01T00:00:00Z"),
            version: 5,
        };
        let texts =
            |moment: &str| product.prices_at(at(moment)).iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        assert_eq!(texts("2025-12-31T00:00:00Z"), "");
        assert_eq!(texts("2026-02-01T00:00:00Z"), "2.00 EUR, 9.00 USD");
        assert_eq!(texts("2026-03-01T00:00:00Z"), "3.00 EUR, 9.00 USD");
    }
}
