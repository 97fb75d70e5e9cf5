//! The way to this service's tables: every statement is prepared once per connection, and fails in one way.

use pg::deadpool_postgres::GenericClient;
use std::error::Error as StdError;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

type Parameters<'a> = &'a [&'a (dyn ToSql + Sync)];

/// A statement that could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No connection could be had.
    #[error("no database connection could be had")]
    Checkout(#[from] pg::deadpool_postgres::PoolError),
    /// The statement failed.
    #[error("a statement failed")]
    Statement(#[from] tokio_postgres::Error),
    /// A row holds what no version of this service writes.
    #[error("a stored {what} can't be read")]
    Unreadable {
        /// What kind of value it is.
        what: &'static str,
    },
}

impl StoreError {
    /// Whether the database is merely away, so that trying later makes sense.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        let error: &(dyn StdError + 'static) = self;
        pg::is_unavailable(error)
    }
}

/// The rows of a statement.
pub(crate) async fn query(
    client: &impl GenericClient,
    sql: &str,
    parameters: Parameters<'_>,
) -> Result<Vec<Row>, StoreError> {
    let statement = client.prepare_cached(sql).await?;
    Ok(client.query(&statement, parameters).await?)
}

/// The one row of a statement, if there is one.
pub(crate) async fn query_opt(
    client: &impl GenericClient,
    sql: &str,
    parameters: Parameters<'_>,
) -> Result<Option<Row>, StoreError> {
    let statement = client.prepare_cached(sql).await?;
    Ok(client.query_opt(&statement, parameters).await?)
}

/// The one row of a statement that always has one.
pub(crate) async fn query_one(
    client: &impl GenericClient,
    sql: &str,
    parameters: Parameters<'_>,
) -> Result<Row, StoreError> {
    let statement = client.prepare_cached(sql).await?;
    Ok(client.query_one(&statement, parameters).await?)
}

/// How many rows a statement changed.
pub(crate) async fn execute(
    client: &impl GenericClient,
    sql: &str,
    parameters: Parameters<'_>,
) -> Result<u64, StoreError> {
    let statement = client.prepare_cached(sql).await?;
    Ok(client.execute(&statement, parameters).await?)
}
