//! The events of a log, stream by stream, as rows come in: nothing is held but the stream that is being read.

use anyhow::Context;
use bytes::Bytes;
use futures_util::stream::Fuse;
use futures_util::{StreamExt, TryStreamExt};
use pg::tokio_postgres::{Client, Row, RowStream};
use shared_events::{Actor, EventId, KeyId, Metadata, RecordedEvent};
use std::collections::BTreeSet;
use std::pin::Pin;
use uuid::Uuid;

/// A key's id as it stands in a sealed field, with the quote before it.
const QUOTED_KEY: &str = "\"key_";
const KEY_LENGTH: usize = 30;
/// The index gives the order; sorting whole payloads would not fit into memory.
const NO_SORT: &str = "set local enable_sort = off; set local enable_seqscan = off";

/// An event, and whether its metadata could be read.
pub struct Stored {
    /// The event; with empty metadata where that can't be read.
    pub event: RecordedEvent,
    /// What is wrong with its metadata.
    pub unreadable: Option<String>,
}

/// The events of one partition in order of stream and version.
pub struct Streams {
    /// Fused: after its last row the driver would say that the connection is closed.
    rows: Pin<Box<Fuse<RowStream>>>,
    next: Option<Stored>,
}

impl Streams {
    /// Begins to read a partition of the log on the connection's search path. The connection is busy until the end.
    pub async fn of(client: &Client, partition: i32) -> anyhow::Result<Self> {
        client.batch_execute(NO_SORT).await?;
        let rows = client
            .query_raw(include_str!("sql/stream_events.sql"), [&partition])
            .await
            .context("the log cannot be read")?;
        let mut streams = Self { rows: Box::pin(rows.fuse()), next: None };
        streams.next = streams.fetch().await?;
        Ok(streams)
    }

    /// The next event.
    pub async fn next(&mut self) -> anyhow::Result<Option<Stored>> {
        let next = self.fetch().await?;
        Ok(std::mem::replace(&mut self.next, next))
    }

    /// All events of the next stream.
    pub async fn next_stream(&mut self) -> anyhow::Result<Option<Vec<Stored>>> {
        let Some(first) = self.next().await? else { return Ok(None) };
        let mut stream = vec![first];
        while self.next.as_ref().is_some_and(|next| next.event.stream_id == stream[0].event.stream_id) {
            stream.extend(self.next().await?);
        }
        Ok(Some(stream))
    }

    async fn fetch(&mut self) -> anyhow::Result<Option<Stored>> {
        let row = self.rows.try_next().await.context("the log cannot be read on")?;
        Ok(row.as_ref().map(stored))
    }
}

/// A row with the columns of an event.
pub fn stored(row: &Row) -> Stored {
    let metadata: &[u8] = row.get("metadata");
    let (metadata, unreadable) = match serde_json::from_slice(metadata) {
        Ok(metadata) => (metadata, None),
        Err(error) => (nobody(), Some(error.to_string())),
    };
    let event = RecordedEvent {
        partition: row.get("partition"),
        position: row.get("position"),
        stream_id: row.get("stream_id"),
        stream_type: row.get("stream_type"),
        version: row.get("version"),
        event_id: EventId::from_uuid(row.get("event_id")),
        command_id: row.get("command_id"),
        event_type: row.get("type"),
        schema_version: row.get("schema_version"),
        payload: Bytes::copy_from_slice(row.get("payload")),
        metadata,
        recorded_at: row.get("recorded_at"),
    };
    Stored { event, unreadable }
}

fn nobody() -> Metadata {
    Metadata {
        correlation_id: Uuid::nil(),
        causation_id: None,
        actor: Actor { subject: "unknown".to_owned(), client: None },
        traceparent: None,
        import: false,
    }
}

/// Everything in a payload that looks like the id of a key: cheaper than reading it twice, and one too many does no
/// harm.
pub fn key_ids(payload: &[u8], into: &mut BTreeSet<Uuid>) {
    let Ok(text) = std::str::from_utf8(payload) else { return };
    for (at, _) in text.match_indices(QUOTED_KEY) {
        let id = text.get(at + 1..at + 1 + KEY_LENGTH).and_then(|id| KeyId::parse(id).ok());
        into.extend(id.map(|id| id.as_uuid()));
    }
}
