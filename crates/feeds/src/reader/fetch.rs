//! From a feed to a page that may be handled: nothing missing, and of the history that the checkpoint belongs to.

use super::lease::Held;
use crate::feed::{Feed, FeedError, Heads};
use shared_events::RecordedEvent;

/// What reading a partition came to.
pub(crate) enum Read {
    /// Events after the checkpoint, without a gap.
    Events(Vec<RecordedEvent>),
    /// Nothing to handle yet.
    Nothing,
    /// The partition must not go on; people have to look.
    Stop(String),
}

/// Whether a checkpoint fits the log it is of.
pub(crate) enum Fit {
    /// It does.
    Fits,
    /// The log has another epoch but the same history up to the checkpoint.
    Adopt,
    /// The partition must not go on; people have to look.
    Stop(String),
}

/// Reads on from a checkpoint, up to the head that was seen.
pub(crate) async fn read(feed: &Feed, held: &Held, head: i64, limit: usize) -> Result<Read, FeedError> {
    let missing = usize::try_from(head - held.position).unwrap_or_default();
    let page = feed.read(held.partition, held.position, limit.min(missing)).await?;
    if page.epoch != held.epoch {
        return Ok(Read::Nothing);
    }
    let mut expected = held.position;
    for event in &page.events {
        expected += 1;
        if event.position != expected {
            return Ok(Read::Stop(format!(
                "position {expected} is missing: the log goes from {} to {}",
                expected - 1,
                event.position
            )));
        }
    }
    if page.events.is_empty() {
        return Ok(Read::Stop(format!("position {} is missing, though the log's head is {head}", expected + 1)));
    }
    Ok(Read::Events(page.events))
}

/// Compares a checkpoint with the log's epoch and head as they were seen.
pub(crate) async fn fits(feed: &Feed, held: &Held, heads: &Heads) -> Result<Fit, FeedError> {
    let head = usize::try_from(held.partition).ok().and_then(|index| heads.positions.get(index)).copied();
    let Some(head) = head else {
        return Ok(Fit::Stop(format!("the log has no partition {} any more: rebuild the reader", held.partition)));
    };
    let same_epoch = heads.epoch == held.epoch;
    if (same_epoch && head >= held.position) || held.position == 0 {
        return Ok(if same_epoch { Fit::Fits } else { Fit::Adopt });
    }
    let page = feed.read(held.partition, held.position - 1, 1).await?;
    let Some(event) = page.events.first() else {
        return Ok(Fit::Stop(format!(
            "the log ends at {} and the checkpoint is at {}: events were lost, rebuild the reader",
            page.head, held.position
        )));
    };
    if Some(event.event_id.as_uuid()) != held.event_id {
        return Ok(Fit::Stop(format!(
            "the log has another history (epoch {}) and differs at position {}: rebuild the reader",
            page.epoch, held.position
        )));
    }
    // With the checkpoint's own epoch, the head that was seen was merely old.
    Ok(if page.epoch == held.epoch { Fit::Fits } else { Fit::Adopt })
}
