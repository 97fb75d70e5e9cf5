//! Streams with an event that a reader's handler refuses. Later events of the stream wait behind it, by their place in
//! the log; other streams go on. People look at them, have them tried again, or skip the event that was refused.

use chrono::{DateTime, Utc};
use pg::{PgError, Pool, tokio_postgres::Row};

/// A parked stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parked {
    /// The reader that refused its event.
    pub reader: String,
    /// The reader's version.
    pub reader_version: i32,
    /// The log.
    pub log: String,
    /// The stream's partition.
    pub partition: i32,
    /// The stream.
    pub stream_id: String,
    /// What the handler said last.
    pub error: String,
    /// How often it was tried.
    pub attempts: i32,
    /// Whether it is about to be tried again.
    pub retry_requested: bool,
    /// Since when.
    pub parked_at: DateTime<Utc>,
    /// The position of the event that was refused; none if it was skipped and nothing waits behind it.
    pub first_position: Option<i64>,
    /// How many events wait, the refused one included.
    pub events: i64,
}

/// The parked streams of one reader, or of all in the schema.
///
/// # Errors
/// If the database is away.
pub async fn list(pool: &Pool, reader: Option<&str>) -> Result<Vec<Parked>, PgError> {
    let client = pool.get().await?;
    let rows =
        client.query(include_str!("sql/parked/list.sql"), &[&reader]).await.map_err(failed("list parked streams"))?;
    Ok(rows.iter().map(parked).collect())
}

/// Has a parked stream tried again by whoever runs the reader, within seconds. False if it is not parked.
///
/// # Errors
/// If the database is away.
pub async fn retry(pool: &Pool, reader: &str, log: &str, stream_id: &str) -> Result<bool, PgError> {
    const RETRY: &str = include_str!("sql/parked/request_retry.sql");
    let client = pool.get().await?;
    let asked = client.execute(RETRY, &[&reader, &log, &stream_id]).await.map_err(failed("ask for a retry"))?;
    Ok(asked > 0)
}

/// Gives up the event that was refused and has those behind it tried. False if the stream is not parked.
///
/// # Errors
/// If the database is away.
pub async fn skip(pool: &Pool, reader: &str, log: &str, stream_id: &str) -> Result<bool, PgError> {
    const SKIP: &str = include_str!("sql/parked/skip_first.sql");
    const RETRY: &str = include_str!("sql/parked/request_retry.sql");
    let mut client = pool.get().await?;
    let transaction = client.transaction().await.map_err(failed("begin"))?;
    // The stream first: whoever tries it again right now has its row, so nothing is skipped that was just handled.
    let asked = transaction.execute(RETRY, &[&reader, &log, &stream_id]).await.map_err(failed("ask for a retry"))?;
    transaction.execute(SKIP, &[&reader, &log, &stream_id]).await.map_err(failed("skip an event"))?;
    transaction.commit().await.map_err(failed("commit a skip"))?;
    Ok(asked > 0)
}

/// Whether a reader has parked this stream.
///
/// # Errors
/// If the database is away.
pub async fn is_parked(
    pool: &Pool,
    reader: &str,
    reader_version: i32,
    log: &str,
    stream_id: &str,
) -> Result<bool, PgError> {
    const IS_PARKED: &str = include_str!("sql/parked/is_parked.sql");
    let client = pool.get().await?;
    let row = client
        .query_one(IS_PARKED, &[&reader, &reader_version, &log, &stream_id])
        .await
        .map_err(failed("look for a parked stream"))?;
    Ok(row.get(0))
}

fn parked(row: &Row) -> Parked {
    Parked {
        reader: row.get("reader"),
        reader_version: row.get("reader_version"),
        log: row.get("log"),
        partition: row.get("partition"),
        stream_id: row.get("stream_id"),
        error: row.get("error"),
        attempts: row.get("attempts"),
        retry_requested: row.get("retry_requested"),
        parked_at: row.get("parked_at"),
        first_position: row.get(9),
        events: row.get(10),
    }
}

fn failed(action: &'static str) -> impl FnOnce(pg::tokio_postgres::Error) -> PgError {
    move |source| PgError::Statement { action, source }
}
