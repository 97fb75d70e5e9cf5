//! `stock_view`: the stock of products, summed over their locations.

use crate::read_error::ReadError;
use chrono::{DateTime, Utc};
use pg::Pool;
use shared_events::ProductId;
use std::collections::HashMap;

const TABLE: &str = "stock_view";
const BY_PRODUCTS: &str = "SELECT product_id, location, on_hand, reserved, stock_version, updated_at
    FROM stock_view WHERE product_id = ANY($1) ORDER BY product_id, location";

/// The stock of a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stock {
    /// The product.
    pub product_id: ProductId,
    /// At each location, sorted by its name; at least one.
    pub locations: Vec<StockLevel>,
}

/// The stock of a product at one location.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockLevel {
    /// The location.
    pub location: String,
    /// Pieces on the shelf.
    pub on_hand: i64,
    /// Pieces of those that are promised.
    pub reserved: i64,
    /// The stock version of this level.
    pub version: i64,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl Stock {
    /// Pieces on all shelves.
    #[must_use]
    pub fn on_hand(&self) -> i64 {
        self.locations.iter().map(|level| level.on_hand).sum()
    }

    /// Pieces of those that are promised.
    #[must_use]
    pub fn reserved(&self) -> i64 {
        self.locations.iter().map(|level| level.reserved).sum()
    }

    /// The newest stock version.
    #[must_use]
    pub fn version(&self) -> i64 {
        self.locations.iter().map(|level| level.version).max().unwrap_or_default()
    }
}

/// Reads `stock_view`.
#[derive(Clone)]
pub struct Stocks {
    pool: Pool,
}

impl Stocks {
    /// Reads with these connections.
    #[must_use]
    pub const fn new(pool: Pool) -> Self {
        Self { pool }
    }

    /// The stock of these products, where there ever was any.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn by_products(&self, ids: &[ProductId]) -> Result<HashMap<ProductId, Stock>, ReadError> {
        let client = self.pool.get().await?;
        let statement = client.prepare_cached(BY_PRODUCTS).await.map_err(ReadError::statement(TABLE))?;
        let uuids: Vec<_> = ids.iter().map(ProductId::as_uuid).collect();
        let rows = client.query(&statement, &[&uuids]).await.map_err(ReadError::statement(TABLE))?;
        let mut stocks: HashMap<ProductId, Stock> = HashMap::new();
        for row in &rows {
            let read = || -> Result<(ProductId, StockLevel), pg::tokio_postgres::Error> {
                let level = StockLevel {
                    location: row.try_get(1)?,
                    on_hand: row.try_get(2)?,
                    reserved: row.try_get(3)?,
                    version: row.try_get(4)?,
                    updated_at: row.try_get(5)?,
                };
                Ok((ProductId::from_uuid(row.try_get(0)?), level))
            };
            let (product_id, level) = read().map_err(ReadError::statement(TABLE))?;
            stocks.entry(product_id).or_insert(Stock { product_id, locations: Vec::new() }).locations.push(level);
        }
        Ok(stocks)
    }
}
