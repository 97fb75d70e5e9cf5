//! The JSON of the feed routes, for the service that answers them and for [`super::HttpFeed`] that asks.
//!
//! `GET /internal/feeds/{log}?known=&wait=` is [`HeadsBody`]; `GET /internal/feeds/{log}/{partition}?after=&limit=&wait=`
//! is [`PageBody`]; `GET /internal/feeds/{log}/streams/{streamId}?after=&limit=` is [`StreamBody`]. `wait` is a
//! duration such as `20s` or `500ms`, none where it is absent.

use super::{FeedPage, Heads, POLL};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use eventstore::{EventLog, ReadError};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use shared_events::{EventId, Metadata, RecordedEvent};
use std::time::Duration;
use tokio::{
    sync::watch,
    time::{Instant, sleep_until, timeout_at},
};
use uuid::Uuid;

/// The longest that a request for heads may wait for news.
pub const LONGEST_WAIT: Duration = Duration::from_secs(20);
/// The most events in one answer.
pub const LARGEST_PAGE: usize = 1_000;

/// An event on the wire.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EventBody {
    partition: i32,
    position: i64,
    stream_id: String,
    stream_type: String,
    version: i64,
    event_id: EventId,
    #[serde(default)]
    command_id: Option<Uuid>,
    r#type: String,
    schema_version: i16,
    payload: Box<RawValue>,
    metadata: Metadata,
    recorded_at: DateTime<Utc>,
}

/// A page of a partition on the wire.
#[derive(Debug, Serialize, Deserialize)]
pub struct PageBody {
    /// In position order, without gaps.
    pub events: Vec<EventBody>,
    /// The partition's last position.
    pub head: i64,
    /// Which history this belongs to.
    pub epoch: Uuid,
}

/// Events of a stream on the wire.
#[derive(Debug, Serialize, Deserialize)]
pub struct StreamBody {
    /// In version order, without gaps.
    pub events: Vec<EventBody>,
}

/// The heads of a log on the wire.
#[derive(Debug, Serialize, Deserialize)]
pub struct HeadsBody {
    /// The last position by partition.
    pub heads: Vec<i64>,
    /// Which history the positions belong to.
    pub epoch: Uuid,
}

impl EventBody {
    /// The event as it goes out.
    ///
    /// # Errors
    /// If a stored payload is no JSON, which the log never lets in.
    pub fn from_event(event: RecordedEvent) -> Result<Self, serde_json::Error> {
        Ok(Self {
            partition: event.partition,
            position: event.position,
            stream_id: event.stream_id,
            stream_type: event.stream_type,
            version: event.version,
            event_id: event.event_id,
            command_id: event.command_id,
            r#type: event.event_type,
            schema_version: event.schema_version,
            payload: serde_json::from_slice(&event.payload)?,
            metadata: event.metadata,
            recorded_at: event.recorded_at,
        })
    }

    /// The event as it came in; its payload has the very bytes that were stored.
    #[must_use]
    pub fn into_event(self) -> RecordedEvent {
        RecordedEvent {
            partition: self.partition,
            position: self.position,
            stream_id: self.stream_id,
            stream_type: self.stream_type,
            version: self.version,
            event_id: self.event_id,
            command_id: self.command_id,
            event_type: self.r#type,
            schema_version: self.schema_version,
            payload: Bytes::from(String::from(Box::<str>::from(self.payload))),
            metadata: self.metadata,
            recorded_at: self.recorded_at,
        }
    }
}

impl PageBody {
    pub(crate) fn into_page(self) -> FeedPage {
        FeedPage { events: into_events(self.events), head: self.head, epoch: self.epoch }
    }
}

pub(crate) fn into_events(events: Vec<EventBody>) -> Vec<RecordedEvent> {
    events.into_iter().map(EventBody::into_event).collect()
}

impl From<Heads> for HeadsBody {
    fn from(heads: Heads) -> Self {
        Self { heads: heads.positions, epoch: heads.epoch }
    }
}

/// Why a feed route cannot answer.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The log cannot be read.
    #[error("the log cannot be read")]
    Read(#[from] ReadError),
    /// A stored payload is no JSON.
    #[error("a stored payload is no JSON")]
    Payload(#[from] serde_json::Error),
}

/// Answers `GET /internal/feeds/{log}/{partition}`. With `wait`, an empty page waits for the next event that long.
///
/// # Errors
/// If the log cannot be read.
pub async fn serve_page(
    log: &EventLog,
    partition: i32,
    after: i64,
    limit: usize,
    wait: Duration,
) -> Result<PageBody, ServeError> {
    let deadline = Instant::now() + wait.min(LONGEST_WAIT);
    let mut wake = log.subscribe();
    loop {
        wake.mark_unchanged();
        let page = log.read_partition(partition, after, limit.clamp(1, LARGEST_PAGE)).await?;
        if page.events.is_empty() && news_before(deadline, &mut wake).await {
            continue;
        }
        let events = page.events.into_iter().map(EventBody::from_event).collect::<Result<_, _>>()?;
        return Ok(PageBody { events, head: page.head, epoch: page.epoch });
    }
}

/// Answers `GET /internal/feeds/{log}/streams/{streamId}`.
///
/// # Errors
/// If the log cannot be read.
pub async fn serve_stream(log: &EventLog, stream_id: &str, after: i64, limit: usize) -> Result<StreamBody, ServeError> {
    let events = log.read_stream(stream_id, after, limit.clamp(1, LARGEST_PAGE)).await?;
    Ok(StreamBody { events: events.into_iter().map(EventBody::from_event).collect::<Result<_, _>>()? })
}

/// Answers `GET /internal/feeds/{log}`. `known` is the sum of the heads that the caller knows: while it is that, the
/// answer waits.
///
/// # Errors
/// If the log cannot be read.
pub async fn serve_heads(log: &EventLog, known: Option<i64>, wait: Duration) -> Result<HeadsBody, ServeError> {
    let deadline = Instant::now() + wait.min(LONGEST_WAIT);
    let mut wake = log.subscribe();
    loop {
        wake.mark_unchanged();
        let heads = log.heads().await?;
        if known == Some(heads.positions.iter().sum()) && news_before(deadline, &mut wake).await {
            continue;
        }
        return Ok(HeadsBody { heads: heads.positions, epoch: heads.epoch });
    }
}

/// Waits for the bell, or until it is time to look without it; false once the time is up.
async fn news_before(deadline: Instant, wake: &mut watch::Receiver<u64>) -> bool {
    if Instant::now() >= deadline {
        return false;
    }
    let look = deadline.min(Instant::now() + POLL);
    // A log that is closing rings no more; what is left is to look.
    if let Ok(Err(_closed)) = timeout_at(look, wake.changed()).await {
        sleep_until(look).await;
    }
    true
}
