//! Where the lists are kept, and how a process comes to know of a change that another one made.

use super::{ShippingMethod, Tables, TaxRate, rates::TaxRates};
use crate::rows::{PATIENCE, RowsError};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};
use tokio::time::{sleep, timeout};
use tokio_postgres::types::Json;
use tokio_util::sync::CancellationToken;

const READ: &str = include_str!("read.sql");
const REPLACE: &str = include_str!("replace.sql");
/// How soon a change that another process made holds here too.
const EVERY: Duration = Duration::from_secs(2);

/// One of the lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableName {
    /// The shipping methods.
    ShippingMethods,
    /// The tax rates.
    TaxRates,
}

impl TableName {
    const fn as_str(self) -> &'static str {
        match self {
            Self::ShippingMethods => "shipping-methods",
            Self::TaxRates => "tax-rates",
        }
    }
}

/// The lists, in memory and in the database. Cheap to clone.
#[derive(Clone)]
pub struct PriceTables {
    pool: pg::Pool,
    now: Arc<RwLock<Arc<Tables>>>,
}

impl PriceTables {
    /// Reads them for the first time.
    ///
    /// # Errors
    /// [`RowsError`] when the database is away.
    pub async fn open(pool: pg::Pool) -> Result<Self, RowsError> {
        let tables = Self { pool, now: Arc::default() };
        tables.refresh().await?;
        Ok(tables)
    }

    /// As they are now.
    #[must_use]
    pub fn now(&self) -> Arc<Tables> {
        Arc::clone(&self.now.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Replaces a list as a whole and answers its new version; none where it no longer has the `expected` one.
    ///
    /// # Errors
    /// [`RowsError`] when the database is away.
    pub async fn replace(
        &self,
        name: TableName,
        list: &(impl Serialize + Sync),
        expected: Option<i64>,
    ) -> Result<Option<i64>, RowsError> {
        let content = serde_json::to_value(list)?;
        let client = self.pool.get().await?;
        let replaced = timeout(PATIENCE, client.query_opt(REPLACE, &[&name.as_str(), &content, &expected])).await;
        let replaced = pg::in_time(client, replaced)??;
        self.refresh().await?;
        replaced.map(|row| row.try_get(0)).transpose().map_err(RowsError::from)
    }

    /// Reads what has changed since.
    ///
    /// # Errors
    /// [`RowsError`] when the database is away.
    pub async fn refresh(&self) -> Result<(), RowsError> {
        let known = self.now();
        let client = self.pool.get().await?;
        let read = timeout(PATIENCE, async {
            let statement = client.prepare_cached(READ).await?;
            let (methods, rates) = (TableName::ShippingMethods.as_str(), TableName::TaxRates.as_str());
            client.query(&statement, &[&methods, &known.methods_version, &rates, &known.rates_version]).await
        })
        .await;
        let rows = pg::in_time(client, read)??;
        if rows.is_empty() {
            return Ok(());
        }
        let mut tables = Tables::clone(&known);
        for row in rows {
            let version = row.try_get("version")?;
            if row.try_get::<_, &str>("name")? == TableName::ShippingMethods.as_str() {
                tables.methods = content::<ShippingMethod>(&row)?;
                tables.methods_version = version;
            } else {
                tables.rates = TaxRates::new(content::<TaxRate>(&row)?);
                tables.rates_version = version;
            }
        }
        let mut now = self.now.write().unwrap_or_else(PoisonError::into_inner);
        // Whoever read later may have been here earlier.
        if now.methods_version <= tables.methods_version && now.rates_version <= tables.rates_version {
            *now = Arc::new(tables);
        }
        Ok(())
    }

    /// Looks for changes until `stop` is cancelled.
    pub async fn follow(self, stop: CancellationToken) {
        while stop.run_until_cancelled(sleep(EVERY)).await.is_some() {
            if let Err(error) = self.refresh().await {
                tracing::warn!(%error, "shipping methods and tax rates could not be read; the ones from before hold");
            }
        }
    }
}

fn content<T: DeserializeOwned>(row: &tokio_postgres::Row) -> Result<Vec<T>, RowsError> {
    let Json(content) = row.try_get("content")?;
    Ok(content)
}
