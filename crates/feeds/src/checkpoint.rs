//! The checkpoints of a schema's readers, for people and for switching from one reader version to the next.

use chrono::{DateTime, Utc};
use pg::{PgError, Pool, tokio_postgres::Transaction};
use std::{collections::HashMap, time::Duration};
use tokio::time::{Instant, sleep};
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
    /// The instance that holds it now.
    pub holder: Option<Uuid>,
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
        holder: row.get("holder"),
        stopped: row.get("stopped"),
        moved_at: row.get("moved_at"),
    };
    Ok(rows.iter().map(checkpoint).collect())
}

/// How many events a version is behind another, over all partitions.
///
/// # Errors
/// If the database is away.
pub async fn distance(pool: &Pool, reader: &str, ahead: i32, behind: i32) -> Result<i64, PgError> {
    const DISTANCE: &str = include_str!("sql/checkpoint/distance.sql");
    let client = pool.get().await?;
    let row = client.query_one(DISTANCE, &[&reader, &ahead, &behind]).await.map_err(failed("compare checkpoints"))?;
    Ok(row.get(0))
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

/// How often the new version is looked at while the old one is held.
const LOOK: Duration = Duration::from_millis(10);

/// Where a version is in one partition.
struct Place {
    position: i64,
    epoch: Uuid,
    stands_still: bool,
}

/// Holds the old version where it is, waits for the new one to be nowhere behind it, holds that too, and checks that
/// it has nothing parked. The caller flips its pointer in the same transaction. Where the old version stands still, or
/// belongs to a history that the log no longer has, there is nothing to be behind of.
///
/// The old version's reads get no newer meanwhile, so `patience` is short.
///
/// # Errors
/// [`NotReady`].
pub async fn may_replace(
    transaction: &Transaction<'_>,
    reader: &str,
    old_version: i32,
    new_version: i32,
    patience: Duration,
) -> Result<(), NotReady> {
    const PARKED: &str = "SELECT count(*) FROM parked_stream WHERE reader = $1 AND reader_version = $2";
    const LOCK: &str = include_str!("sql/checkpoint/lock_version.sql");
    const SEE: &str = include_str!("sql/checkpoint/see_version.sql");
    let deadline = Instant::now() + patience;
    let old = places(transaction, LOCK, reader, old_version).await?;
    let behind = loop {
        let behind = behind(&old, &places(transaction, SEE, reader, new_version).await?);
        if behind == 0 || Instant::now() >= deadline {
            break behind;
        }
        sleep(LOOK).await;
    };
    if behind > 0 {
        return Err(NotReady::Behind { partitions: behind });
    }
    places(transaction, LOCK, reader, new_version).await?;
    let parked = transaction.query_one(PARKED, &[&reader, &new_version]).await.map_err(NotReady::Database)?;
    match parked.get(0) {
        0_i64 => Ok(()),
        streams => Err(NotReady::Parked { streams }),
    }
}

fn behind(old: &HashMap<(String, i32), Place>, new: &HashMap<(String, i32), Place>) -> usize {
    let is_behind = |place: &(String, i32), old: &Place| match new.get(place) {
        None => true,
        Some(new) => !old.stands_still && new.epoch == old.epoch && new.position < old.position,
    };
    old.iter().filter(|(place, old)| is_behind(place, old)).count()
}

async fn places(
    transaction: &Transaction<'_>,
    statement: &str,
    reader: &str,
    version: i32,
) -> Result<HashMap<(String, i32), Place>, NotReady> {
    let rows = transaction.query(statement, &[&reader, &version]).await.map_err(NotReady::Database)?;
    let place = |row: &pg::tokio_postgres::Row| Place {
        position: row.get("position"),
        epoch: row.get("epoch"),
        stands_still: row.get("stands_still"),
    };
    Ok(rows.iter().map(|row| ((row.get("log"), row.get("partition")), place(row))).collect())
}

/// Forgets a version that nobody runs any more: its checkpoints, its members and what it had parked.
///
/// # Errors
/// If the database refuses.
pub async fn forget(transaction: &Transaction<'_>, reader: &str, version: i32) -> Result<(), PgError> {
    for table in ["reader_checkpoint", "reader_member", "parked_stream"] {
        let forget = format!("DELETE FROM {table} WHERE reader = $1 AND reader_version = $2");
        transaction.execute(&forget, &[&reader, &version]).await.map_err(failed("forget a reader's version"))?;
    }
    Ok(())
}

fn failed(action: &'static str) -> impl FnOnce(pg::tokio_postgres::Error) -> PgError {
    move |source| PgError::Statement { action, source }
}
