//! Reading a log: by stream in order of version, by partition in order of position.

use crate::{Appended, EventLog};
use bytes::Bytes;
use deadpool_postgres::{Object, PoolError};
use futures_util::{TryStreamExt, future::join, pin_mut};
use shared_events::{EventId, RecordedEvent};
use std::time::Duration;
use tokio::time::{error::Elapsed, timeout};
use tokio_postgres::{Client, Error, Row, types::ToSql};
use uuid::Uuid;

const READ_STREAM: &str = include_str!("sql/read_stream.sql");
const READ_PARTITION: &str = include_str!("sql/read_partition.sql");
const READ_NEWS: &str = include_str!("sql/read_news.sql");
const HEAD: &str = "select h.position, m.epoch from log_head h, log_meta m where h.partition = $1";
const HEADS: &str = "select h.position, m.epoch from log_head h, log_meta m order by h.partition";
const FIRST_RESULT: &str = "select position, version, recorded_at, metadata from events
    where partition = $1 and stream_id = $2 and command_id = $3";
const STREAM_VERSION: &str =
    "select version from events where partition = $1 and stream_id = $2 order by version desc limit 1";

const PATIENCE: Duration = Duration::from_secs(5);
/// A page ends early once it holds this much.
const PAGE_BYTES: usize = 8 * 1024 * 1024;

/// Events of one partition, in order of position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The events after the position asked for, without a gap. Possibly fewer than the limit where they are large:
    /// what is after them is asked for next.
    pub events: Vec<RecordedEvent>,
    /// The partition's last position; never before the last event of the page.
    pub head: i64,
    /// The log's epoch.
    pub epoch: Uuid,
}

/// The last position of every partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heads {
    /// By partition, from 0.
    pub positions: Vec<i64>,
    /// The log's epoch.
    pub epoch: Uuid,
}

/// What came after the heads that were known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// By partition, in order of position, each partition's without a gap after its known head. Possibly not all of
    /// them.
    pub events: Vec<RecordedEvent>,
    /// The heads now; never before an event of the news.
    pub heads: Heads,
}

/// Why the log could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// No connection.
    #[error("no connection to the log could be had")]
    Connection(#[source] PoolError),
    /// The statement failed.
    #[error("the log could not be read")]
    Statement(#[source] Error),
    /// The answer did not come in time.
    #[error("the log did not answer in time")]
    TimedOut,
    /// The log has no such partition.
    #[error("the log has no partition {0}")]
    NoPartition(i32),
    /// The stored metadata is not ours.
    #[error("the metadata of position {position} in partition {partition} can't be read")]
    Metadata {
        /// The partition.
        partition: i32,
        /// The position.
        position: i64,
        /// What serde says.
        #[source]
        source: serde_json::Error,
    },
}

impl ReadError {
    /// Whether the database is merely away.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::TimedOut) || pg::is_unavailable(self)
    }
}

impl EventLog {
    /// At most `limit` events of a stream after a version, oldest first; none for a stream that does not exist.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn read_stream(
        &self,
        stream_id: &str,
        after_version: i64,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, ReadError> {
        let partition = self.partition_of(stream_id);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let client = self.client().await?;
        let done = timeout(PATIENCE, async {
            let statement = client.prepare_cached(READ_STREAM).await?;
            Ok(events(&client, &statement, &[&partition, &stream_id, &after_version, &limit]).await)
        })
        .await;
        let events = in_time(client, done)??;
        if let Some(last) = events.last() {
            self.seen().note(stream_id, last.version);
        }
        Ok(events)
    }

    /// The version of a stream; 0 if it does not exist.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn stream_version(&self, stream_id: &str) -> Result<i64, ReadError> {
        let partition = self.partition_of(stream_id);
        let client = self.client().await?;
        let done = timeout(PATIENCE, async {
            let statement = client.prepare_cached(STREAM_VERSION).await?;
            client.query_opt(&statement, &[&partition, &stream_id]).await
        })
        .await;
        let version = in_time(client, done)?.map_or(0, |row| row.get(0));
        self.seen().note(stream_id, version);
        Ok(version)
    }

    /// What a command with this id appended to a stream, however long ago; marked as a duplicate.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn first_result(&self, stream_id: &str, command_id: Uuid) -> Result<Option<Appended>, ReadError> {
        let partition = self.partition_of(stream_id);
        let client = self.client().await?;
        let done = timeout(PATIENCE, async {
            let statement = client.prepare_cached(FIRST_RESULT).await?;
            client.query_opt(&statement, &[&partition, &stream_id, &command_id]).await
        })
        .await;
        let row = in_time(client, done)?;
        Ok(row.map(|row| Appended::first_result(partition, row.get(0), row.get(1), row.get(2), row.get(3))))
    }

    /// At most `limit` events of a partition after a position, with the partition's head and the log's epoch.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn read_partition(&self, partition: i32, after: i64, limit: usize) -> Result<Page, ReadError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let client = self.client().await?;
        let done = timeout(PATIENCE, async {
            let page = client.prepare_cached(READ_PARTITION).await?;
            let head = client.prepare_cached(HEAD).await?;
            // The head is read after the events, so it is never behind them.
            Ok(join(events(&client, &page, &[&partition, &after, &limit]), client.query_opt(&head, &[&partition]))
                .await)
        })
        .await;
        let (events, head) = in_time(client, done)?;
        let (events, head) = (events?, head.map_err(ReadError::Statement)?.ok_or(ReadError::NoPartition(partition))?);
        Ok(Page { events, head: head.get(0), epoch: head.get(1) })
    }

    /// The last position of every partition, in one statement.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn heads(&self) -> Result<Heads, ReadError> {
        let client = self.client().await?;
        let done = timeout(PATIENCE, async {
            let statement = client.prepare_cached(HEADS).await?;
            client.query(&statement, &[]).await
        })
        .await;
        Ok(self.heads_in(&in_time(client, done)?))
    }

    /// The heads, and at most `limit` events of each partition after the heads that are known, in one round trip.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn news(&self, known: &[i64], limit: usize) -> Result<News, ReadError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let client = self.client().await?;
        let done = timeout(PATIENCE, async {
            let news = client.prepare_cached(READ_NEWS).await?;
            let heads = client.prepare_cached(HEADS).await?;
            // The heads are read after the events, so they are never behind them.
            Ok(join(events(&client, &news, &[&known, &limit]), client.query(&heads, &[])).await)
        })
        .await;
        let (events, heads) = in_time(client, done)?;
        Ok(News { events: events?, heads: self.heads_in(&heads.map_err(ReadError::Statement)?) })
    }

    fn heads_in(&self, rows: &[Row]) -> Heads {
        let epoch = rows.first().map_or_else(|| self.epoch(), |row| row.get(1));
        Heads { positions: rows.iter().map(|row| row.get(0)).collect(), epoch }
    }

    async fn client(&self) -> Result<Object, ReadError> {
        self.pool().get().await.map_err(ReadError::Connection)
    }
}

/// The outcome of what was run on a connection. One that did not answer in time is closed, not given back.
fn in_time<T>(client: Object, done: Result<Result<T, Error>, Elapsed>) -> Result<T, ReadError> {
    let Ok(done) = done else {
        drop(Object::take(client));
        return Err(ReadError::TimedOut);
    };
    done.map_err(ReadError::Statement)
}

/// Whether a page ended because of its bytes.
pub(crate) fn is_full(events: &[RecordedEvent]) -> bool {
    events.iter().map(|event| event.payload.len()).sum::<usize>() >= PAGE_BYTES
}

async fn events(
    client: &Client,
    statement: &tokio_postgres::Statement,
    params: &[&(dyn ToSql + Sync)],
) -> Result<Vec<RecordedEvent>, ReadError> {
    let rows = client.query_raw(statement, params.iter().copied()).await.map_err(ReadError::Statement)?;
    pin_mut!(rows);
    let mut events = Vec::new();
    let mut bytes = 0;
    while let Some(row) = rows.try_next().await.map_err(ReadError::Statement)? {
        let event = recorded(&row)?;
        bytes += event.payload.len();
        events.push(event);
        if bytes >= PAGE_BYTES {
            break;
        }
    }
    Ok(events)
}

fn recorded(row: &Row) -> Result<RecordedEvent, ReadError> {
    let (partition, position) = (row.get(0), row.get(1));
    Ok(RecordedEvent {
        partition,
        position,
        stream_id: row.get(2),
        stream_type: row.get(3),
        version: row.get(4),
        event_id: EventId::from_uuid(row.get(5)),
        command_id: row.get(6),
        event_type: row.get(7),
        schema_version: row.get(8),
        payload: Bytes::copy_from_slice(row.get(9)),
        metadata: serde_json::from_slice(row.get(10)).map_err(|source| ReadError::Metadata {
            partition,
            position,
            source,
        })?,
        recorded_at: row.get(11),
    })
}
