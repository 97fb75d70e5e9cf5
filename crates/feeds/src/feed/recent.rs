//! The last events of a log in this process's memory. The one look at the heads brings them along, and every reader
//! that keeps up takes them from here: a commit is read once, not once for each reader. Who is further behind reads the
//! log.

use shared_events::RecordedEvent;
use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};
use uuid::Uuid;

/// The most events of a partition that are kept.
pub(crate) const KEPT_EVENTS: usize = 256;
/// The most bytes of payload of a partition that are kept, but for its last event, which always is.
const KEPT_BYTES: usize = 512 * 1024;

/// The last events of a log.
#[derive(Debug, Default)]
pub(crate) struct Recent(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    /// Which history they are of.
    epoch: Uuid,
    partitions: Vec<Partition>,
}

/// Events without a gap between them.
#[derive(Debug, Default)]
struct Partition {
    events: VecDeque<RecordedEvent>,
    bytes: usize,
}

impl Recent {
    /// Takes in events that were just read, each partition's in order of position. Those of another epoch replace all.
    pub(crate) fn take_in(&self, epoch: Uuid, events: Vec<RecordedEvent>) {
        let mut kept = self.locked();
        if kept.epoch != epoch {
            *kept = Kept { epoch, partitions: Vec::new() };
        }
        for event in events {
            let Ok(index) = usize::try_from(event.partition) else { continue };
            if kept.partitions.len() <= index {
                kept.partitions.resize_with(index + 1, Partition::default);
            }
            kept.partitions[index].push(event);
        }
    }

    /// The events of a partition after a position, up to another, where they are known; none where the log has to be
    /// asked.
    pub(crate) fn between(&self, epoch: Uuid, partition: i32, after: i64, upto: i64) -> Option<Vec<RecordedEvent>> {
        let kept = self.locked();
        let events = &kept.partitions.get(usize::try_from(partition).ok()?)?.events;
        let first = events.front().filter(|first| kept.epoch == epoch && first.position <= after + 1)?.position;
        let (known, wanted) = (usize::try_from(after + 1 - first).ok()?, usize::try_from(upto - after).ok()?);
        let news: Vec<RecordedEvent> = events.iter().skip(known).take(wanted).cloned().collect();
        (!news.is_empty()).then_some(news)
    }

    fn locked(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Partition {
    fn push(&mut self, event: RecordedEvent) {
        if self.events.back().is_some_and(|last| last.position + 1 != event.position) {
            *self = Self::default();
        }
        self.bytes += event.payload.len();
        self.events.push_back(event);
        while self.events.len() > KEPT_EVENTS || (self.bytes > KEPT_BYTES && self.events.len() > 1) {
            let dropped = self.events.pop_front().map_or(0, |event| event.payload.len());
            self.bytes -= dropped;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use chrono::DateTime;
    use shared_events::{Actor, EventId, Metadata};

    fn event(partition: i32, position: i64, bytes: usize) -> RecordedEvent {
        RecordedEvent {
            partition,
            position,
            stream_id: "stream".to_owned(),
            stream_type: "Test".to_owned(),
            version: position,
            event_id: EventId::generate(),
            command_id: None,
            event_type: "Happened".to_owned(),
            schema_version: 1,
            payload: Bytes::from(vec![b' '; bytes]),
            metadata: Metadata {
                correlation_id: Uuid::nil(),
                causation_id: None,
                actor: Actor::internal(),
                traceparent: None,
                import: false,
            },
            recorded_at: DateTime::UNIX_EPOCH,
        }
    }

    fn positions(recent: &Recent, epoch: Uuid, partition: i32, after: i64, upto: i64) -> Option<Vec<i64>> {
        let events = recent.between(epoch, partition, after, upto)?;
        Some(events.iter().map(|event| event.position).collect())
    }

    #[test]
    fn only_what_follows_without_a_gap_is_answered() {
        let recent = Recent::default();
        let epoch = Uuid::from_u128(1);
        recent.take_in(epoch, (5..=9).map(|position| event(1, position, 10)).collect());
        assert_eq!(positions(&recent, epoch, 1, 6, 8), Some(vec![7, 8]));
        assert_eq!(positions(&recent, epoch, 1, 4, 100), Some(vec![5, 6, 7, 8, 9]));
        assert_eq!(positions(&recent, epoch, 1, 3, 100), None, "position 4 is not known");
        assert_eq!(positions(&recent, epoch, 1, 9, 100), None, "there is nothing after it yet");
        assert_eq!(positions(&recent, epoch, 0, 0, 100), None);

        recent.take_in(epoch, vec![event(1, 12, 10)]);
        assert_eq!(positions(&recent, epoch, 1, 8, 100), None, "there is a gap now");
        assert_eq!(positions(&recent, epoch, 1, 11, 100), Some(vec![12]));
    }

    #[test]
    fn another_history_forgets_the_one_before() {
        let recent = Recent::default();
        let (before, after) = (Uuid::from_u128(1), Uuid::from_u128(2));
        recent.take_in(before, vec![event(0, 1, 10)]);
        assert_eq!(positions(&recent, after, 0, 0, 100), None);
        recent.take_in(after, Vec::new());
        assert_eq!(positions(&recent, before, 0, 0, 100), None);
    }

    #[test]
    fn what_is_kept_has_a_bound_on_events_and_on_bytes() {
        let recent = Recent::default();
        let epoch = Uuid::nil();
        let many = i64::try_from(KEPT_EVENTS).unwrap() + 5;
        recent.take_in(epoch, (1..=many).map(|position| event(0, position, 10)).collect());
        assert_eq!(positions(&recent, epoch, 0, 4, 9), None);
        assert_eq!(positions(&recent, epoch, 0, 5, 6), Some(vec![6]));

        recent.take_in(epoch, vec![event(0, many + 1, 2 * KEPT_BYTES)]);
        assert_eq!(positions(&recent, epoch, 0, many - 1, many + 9), None);
        assert_eq!(positions(&recent, epoch, 0, many, many + 9), Some(vec![many + 1]));
    }
}
