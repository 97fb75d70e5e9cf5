//! Where stock lies: places of the shop's own, each with a code that events name it by. There is always `default`.

use chrono::{DateTime, Utc};
use pg::Pool;
use pg::deadpool_postgres::PoolError;
use pg::tokio_postgres::{self, Row};

const INSERT: &str = "insert into location (code, name) values ($1, $2) on conflict do nothing";
const SELECT: &str = "select code, name, created_at from location where code = $1";
const LIST: &str =
    "select code, name, created_at from location where code > coalesce($1::text, '') order by code limit $2";
const KNOWN: &str = "select code from location where code = any ($1::text[])";

/// A place where stock lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// What events and callers name it by.
    pub code: String,
    /// What people call it.
    pub name: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// Why locations can't be read or made.
#[derive(Debug, thiserror::Error)]
pub enum LocationError {
    /// There is another with that code.
    #[error("another location has the code {0}")]
    CodeTaken(String),
    /// No connection.
    #[error("no database connection could be had")]
    Connection(#[from] PoolError),
    /// A statement failed.
    #[error("a statement on the locations failed")]
    Statement(#[from] tokio_postgres::Error),
}

/// The locations of one shop.
#[derive(Debug, Clone)]
pub struct Locations {
    pool: Pool,
}

impl Locations {
    /// The locations in the pool's schema.
    #[must_use]
    pub const fn new(pool: Pool) -> Self {
        Self { pool }
    }

    /// Makes one. One with that code and name is the one that was to be made: a repeat.
    ///
    /// # Errors
    /// [`LocationError::CodeTaken`] among others.
    pub async fn create(&self, code: &str, name: &str) -> Result<Location, LocationError> {
        let client = self.pool.get().await?;
        client.execute(INSERT, &[&code, &name]).await?;
        let location = read(&client.query_one(SELECT, &[&code]).await?);
        if location.name == name { Ok(location) } else { Err(LocationError::CodeTaken(code.to_owned())) }
    }

    /// Those after a code, ascending.
    ///
    /// # Errors
    /// [`LocationError`].
    pub async fn after(&self, code: Option<&str>, limit: i64) -> Result<Vec<Location>, LocationError> {
        let client = self.pool.get().await?;
        Ok(client.query(LIST, &[&code, &limit]).await?.iter().map(read).collect())
    }

    /// Which of these codes exist.
    ///
    /// # Errors
    /// [`LocationError`].
    pub async fn known(&self, codes: &[&str]) -> Result<Vec<String>, LocationError> {
        let client = self.pool.get().await?;
        Ok(client.query(KNOWN, &[&codes]).await?.iter().map(|row| row.get(0)).collect())
    }
}

fn read(row: &Row) -> Location {
    Location { code: row.get(0), name: row.get(1), created_at: row.get(2) }
}
