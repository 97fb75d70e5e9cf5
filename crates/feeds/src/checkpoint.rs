//! The checkpoints of a schema's readers, for people and for switching from one reader version to the next.

use chrono::{DateTime, Utc};
use pg::{PgError, Pool, tokio_postgres::Transaction};
use std::collections::HashMap;
use uuid::Uuid;

/// One row: how far a reader is in one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The reader.
    pub reader: String,
    /// Its version.
    pub reader_version: i32,
    /// The log.
    pub log: String,
    /// The history it belongs to.
    pub epoch: Uuid,
    /// The partition.
    pub partition: i32,
    /// The last position handled.
    pub position: i64,
    /// Whether an instance holds it now.
    pub held: bool,
    /// Why it stands still, if it does.
    pub stopped: Option<String>,
    /// When it moved last.
    pub moved_at: DateTime<Utc>,
}

/// Every checkpoint of the schema.
///
/// # Errors
/// If the database is away.
pub async fn list(pool: &Pool) -> Result<Vec<Checkpoint>, PgError> {
    let client = pool.get().await?;
    let rows = client.query(include_str!("sql/checkpoint/list.sql"), &[]).await.map_err(failed("list checkpoints"))?;
    let checkpoint = |row: &pg::tokio_postgres::Row| Checkpoint {
        reader: row.get("reader"),
        reader_version: row.get("reader_version"),
        log: row.get("log"),
        epoch: row.get("epoch"),
        partition: row.get("partition"),
        position: row.get("position"),
        held: row.get("held"),
        stopped: row.get("stopped"),
        moved_at: row.get("moved_at"),
    };
    Ok(rows.iter().map(checkpoint).collect())
}

/// Why a reader version cannot take the place of another yet.
#[derive(Debug, thiserror::Error)]
pub enum NotReady {
    /// It is behind the other one.
    #[error("the new version is behind in {partitions} partitions")]
    Behind {
        /// In how many partitions.
        partitions: usize,
    },
    /// It has parked streams.
    #[error("{streams} streams are parked")]
    Parked {
        /// How many.
        streams: i64,
    },
    /// The database refused.
    #[error("the checkpoints cannot be compared")]
    Database(#[source] pg::tokio_postgres::Error),
}

/// Locks the checkpoints of both versions and checks that the new one is nowhere behind and has nothing parked. The
/// caller flips its pointer in the same transaction.
///
/// # Errors
/// [`NotReady`].
pub async fn may_replace(
    transaction: &Transaction<'_>,
    reader: &str,
    old_version: i32,
    new_version: i32,
) -> Result<(), NotReady> {
    const PARKED: &str = "SELECT count(*) FROM parked_stream WHERE reader = $1 AND reader_version = $2";
    let old = locked(transaction, reader, old_version).await?;
    let new = locked(transaction, reader, new_version).await?;
    let behind = old.iter().filter(|(place, position)| new.get(*place).is_none_or(|new| new < position)).count();
    if behind > 0 {
        return Err(NotReady::Behind { partitions: behind });
    }
    let parked = transaction.query_one(PARKED, &[&reader, &new_version]).await.map_err(NotReady::Database)?;
    match parked.get(0) {
        0_i64 => Ok(()),
        streams => Err(NotReady::Parked { streams }),
    }
}

async fn locked(
    transaction: &Transaction<'_>,
    reader: &str,
    version: i32,
) -> Result<HashMap<(String, i32), i64>, NotReady> {
    const LOCK: &str = include_str!("sql/checkpoint/lock_version.sql");
    let rows = transaction.query(LOCK, &[&reader, &version]).await.map_err(NotReady::Database)?;
    Ok(rows.iter().map(|row| ((row.get(0), row.get(1)), row.get(2))).collect())
}

fn failed(action: &'static str) -> impl FnOnce(pg::tokio_postgres::Error) -> PgError {
    move |source| PgError::Statement { action, source }
}
