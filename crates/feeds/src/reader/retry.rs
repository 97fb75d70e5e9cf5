//! Another try at parked streams, asked for by people. Only the holder of a partition lets its streams go.

use super::{
    lease::{Held, Identity},
    work::{Lane, ParkedStream, ParkedStreams},
};
use crate::{HandleError, feed::Feed};
use pg::Client;
use shared_events::RecordedEvent;
use std::sync::Arc;

/// How many waiting events of a stream are handled in one transaction.
const MOST_AT_ONCE: i64 = 200;

/// The parked streams in these partitions of one log.
pub(crate) async fn load(
    client: &Client,
    identity: Identity,
    log: &Arc<str>,
    partitions: &[i32],
) -> Result<ParkedStreams, HandleError> {
    const STREAMS: &str = include_str!("../sql/parked/streams.sql");
    let rows = client.query(STREAMS, &[&identity.reader, &identity.version, &&**log, &partitions]).await?;
    Ok(rows.iter().map(|row| (Arc::clone(log), row.get(1))).collect())
}

/// A stream in one of these partitions that is to be tried again, with the first events that wait for it.
pub(crate) async fn next(
    lane: &Lane,
    feed: &Feed,
    held: &[Held],
) -> Result<Option<(ParkedStream, Vec<RecordedEvent>)>, HandleError> {
    const NEXT: &str = include_str!("../sql/parked/next_retry.sql");
    const WAITING: &str = include_str!("../sql/parked/waiting_events.sql");
    let Some(log) = held.first().map(|held| Arc::clone(&held.log)) else { return Ok(None) };
    let partitions: Vec<i32> = held.iter().map(|held| held.partition).collect();
    let (reader, version) = (lane.identity.reader, lane.identity.version);
    let client = lane.pool.get().await?;
    let Some(row) = client.query_opt(NEXT, &[&reader, &version, &&*log, &partitions]).await? else {
        return Ok(None);
    };
    let (partition, stream_id): (i32, String) = (row.get("partition"), row.get("stream_id"));
    let Some(held) = held.iter().find(|held| held.partition == partition) else { return Ok(None) };
    let waiting = client.query(WAITING, &[&reader, &version, &&*log, &stream_id, &MOST_AT_ONCE]).await?;
    drop(client);
    let mut events = Vec::with_capacity(waiting.len());
    for row in &waiting {
        let position: i64 = row.get(0);
        let page = feed.read(partition, position - 1, 1).await.map_err(HandleError::retry)?;
        let event = page.events.into_iter().find(|event| event.position == position);
        events.push(event.ok_or_else(|| HandleError::retry(format!("position {position} is missing in the log")))?);
    }
    Ok(Some((ParkedStream { held: held.clone(), stream_id }, events)))
}
