//! What projectors and reactions have in common for the runner: they take what was fetched and say how far they got.

use super::lease::{Held, Identity, Step};
use crate::{HandleError, Page, StartFrom};
use pg::{Pool, deadpool_postgres::Transaction};
use shared_events::RecordedEvent;
use std::{collections::HashSet, sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

/// With this many parked streams, another one stops the reader.
pub(crate) const MOST_PARKED_STREAMS: i64 = 100;

/// The handler of a reader, seen by the runner.
pub(crate) trait Work: Send + Sync + 'static {
    /// The reader's name.
    fn name(&self) -> &'static str;
    /// The reader's version.
    fn version(&self) -> i32;
    /// Where it begins the first time.
    fn start_from(&self) -> StartFrom;
    /// How long after the beginning of a small round the next one begins.
    fn pace(&self) -> Duration;
    /// Whether a round handles all it is given, so that it is worth while to read what comes after it meanwhile.
    fn handles_whole_pages(&self) -> bool;
    /// Handles what was fetched and moves the checkpoints.
    fn round(
        &self,
        lane: &Lane,
        fetched: Vec<Fetched>,
        parked: &ParkedStreams,
    ) -> impl Future<Output = Result<Outcome, RoundError>> + Send;
    /// Handles events of a parked stream again, as far as that goes.
    fn again(
        &self,
        lane: &Lane,
        stream: &ParkedStream,
        events: Vec<RecordedEvent>,
    ) -> impl Future<Output = Result<Again, RoundError>> + Send;
}

/// What every round needs.
#[derive(Clone)]
pub(crate) struct Lane {
    pub(crate) identity: Identity,
    pub(crate) pool: Pool,
    pub(crate) stop: CancellationToken,
}

/// Events of one held partition, those of parked streams included.
pub(crate) struct Fetched {
    pub(crate) held: Held,
    pub(crate) events: Vec<RecordedEvent>,
}

/// Log and stream id of the parked streams in the partitions this instance holds.
pub(crate) type ParkedStreams = HashSet<(Arc<str>, String)>;

/// A parked stream that is to be tried again.
pub(crate) struct ParkedStream {
    pub(crate) held: Held,
    pub(crate) stream_id: String,
}

/// What a round came to.
#[derive(Default)]
pub(crate) struct Outcome {
    pub(crate) moved: Vec<Step>,
    pub(crate) parked: Vec<(Arc<str>, String)>,
    /// Partitions where an event has to be tried again later.
    pub(crate) waiting: Vec<(Arc<str>, i32, HandleError)>,
}

/// What another try at a parked stream came to.
pub(crate) enum Again {
    /// Nothing of it waits any more.
    Released,
    /// More of it waits.
    More,
    /// It was refused again.
    Refused,
}

/// Why a round came to nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RoundError {
    /// Another instance holds one of the partitions, or moved its checkpoint.
    #[error("the lease was lost")]
    Lost,
    /// Too many streams are parked.
    #[error("more than {MOST_PARKED_STREAMS} streams are parked")]
    TooManyParked,
    /// The handler or the database failed.
    #[error(transparent)]
    Handle(#[from] HandleError),
}

impl From<pg::tokio_postgres::Error> for RoundError {
    fn from(error: pg::tokio_postgres::Error) -> Self {
        Self::Handle(HandleError::retry(error))
    }
}

/// An event that waits behind its parked stream.
pub(crate) struct Behind {
    pub(crate) log: Arc<str>,
    pub(crate) partition: i32,
    pub(crate) position: i64,
    pub(crate) stream_id: String,
}

impl Behind {
    pub(crate) fn of(log: &Arc<str>, event: &RecordedEvent) -> Self {
        Self {
            log: Arc::clone(log),
            partition: event.partition,
            position: event.position,
            stream_id: event.stream_id.clone(),
        }
    }
}

/// Lets an event wait behind its parked stream.
pub(crate) async fn park_event(
    transaction: &Transaction<'_>,
    identity: Identity,
    event: &Behind,
) -> Result<(), RoundError> {
    const PARK: &str = include_str!("../sql/parked/park_event.sql");
    let statement = transaction.prepare_cached(PARK).await?;
    transaction
        .execute(
            &statement,
            &[&identity.reader, &identity.version, &&*event.log, &event.partition, &event.position, &event.stream_id],
        )
        .await?;
    Ok(())
}

/// Parks a stream with the event that was refused.
pub(crate) async fn park_stream(
    transaction: &Transaction<'_>,
    identity: Identity,
    event: &Behind,
    error: &HandleError,
) -> Result<(), RoundError> {
    const PARK: &str = include_str!("../sql/parked/park_stream.sql");
    const COUNT: &str = "SELECT count(*) FROM parked_stream WHERE reader = $1 AND reader_version = $2";
    let parked: i64 = transaction.query_one(COUNT, &[&identity.reader, &identity.version]).await?.get(0);
    if parked >= MOST_PARKED_STREAMS {
        return Err(RoundError::TooManyParked);
    }
    let error = error.chain();
    tracing::error!(
        reader = identity.reader,
        log = &*event.log,
        partition = event.partition,
        position = event.position,
        stream.id = event.stream_id,
        error,
        "an event was refused: its stream is parked"
    );
    transaction
        .execute(PARK, &[&identity.reader, &identity.version, &&*event.log, &event.partition, &event.stream_id, &error])
        .await?;
    park_event(transaction, identity, event).await
}

/// Notes how another try at a parked stream went, under the fence of its partition.
pub(crate) async fn settle(
    transaction: &Transaction<'_>,
    identity: Identity,
    stream: &ParkedStream,
    handled: &[i64],
    refused: Option<&HandleError>,
) -> Result<Again, RoundError> {
    const HANDLED: &str = include_str!("../sql/parked/handled.sql");
    const REFUSED: &str = include_str!("../sql/parked/refused_again.sql");
    const RELEASE: &str = include_str!("../sql/parked/release.sql");
    super::lease::advance(transaction, identity, &[stream.held.stay()]).await?;
    let log = &*stream.held.log;
    transaction
        .execute(HANDLED, &[&identity.reader, &identity.version, &log, &stream.held.partition, &handled])
        .await?;
    if let Some(refused) = refused {
        let error = refused.chain();
        transaction.execute(REFUSED, &[&identity.reader, &identity.version, &log, &stream.stream_id, &error]).await?;
        return Ok(Again::Refused);
    }
    let released =
        transaction.execute(RELEASE, &[&identity.reader, &identity.version, &log, &stream.stream_id]).await?;
    Ok(if released == 0 { Again::More } else { Again::Released })
}

/// One event as the page that a projector gets when events are tried alone.
pub(crate) fn alone(log: &Arc<str>, event: RecordedEvent) -> Page {
    Page { log: Arc::clone(log), partition: event.partition, events: vec![event] }
}
