//! What holds for every event by itself and within its stream: where it stands, its version, its size, its shape.

use super::check::Check;
use super::streams::Stored;
use eventstore::append::MAX_EVENT_BYTES;
use eventstore::partition_of;
use shared_events::sealed::{KeyRing, open_event};
use shared_events::{EventBody, PayloadError, RecordedEvent};
use std::collections::BTreeMap;
use std::time::Instant;

/// The checks of one log that look at every event.
pub struct EventChecks {
    partitions: i32,
    placed: Check,
    versions: Check,
    shapes: Check,
    unknown: BTreeMap<String, u64>,
    last: Option<(String, i64)>,
}

impl EventChecks {
    /// For a log of so many partitions.
    pub fn of(log: &str, partitions: i32) -> Self {
        Self {
            partitions,
            placed: Check::new(format!("{log}.partitions"), "streams"),
            versions: Check::new(format!("{log}.versions"), "streams"),
            shapes: Check::new(format!("{log}.events"), "events"),
            unknown: BTreeMap::new(),
            last: None,
        }
    }

    /// Looks at the next event in order of stream and version, and answers it opened if nothing is wrong with it.
    /// An event of a type that this build does not know is no event to fold, and nothing wrong.
    pub fn look<E: EventBody>(&mut self, stored: &Stored, ring: &KeyRing) -> Looked<E> {
        let event = &stored.event;
        let in_order = self.in_order(event);
        self.shapes.saw(1);
        if event.payload.len() > MAX_EVENT_BYTES {
            self.shapes.wrong(|| format!("{} has {} bytes", named(event), event.payload.len()));
        }
        if let Some(error) = &stored.unreadable {
            self.shapes.wrong(|| format!("{}: its metadata: {error}", named(event)));
        }
        if !E::is_known(&event.event_type) {
            *self.unknown.entry(event.event_type.clone()).or_default() += 1;
            return if in_order { Looked::Unknown } else { Looked::Wrong };
        }
        match open_event::<E>(event, ring) {
            Ok(opened) if in_order => Looked::Opened(Box::new(opened)),
            Ok(_) => Looked::Wrong,
            Err(error) => {
                self.shapes.wrong(|| format!("{}: {}", named(event), chain(&error)));
                Looked::Wrong
            }
        }
    }

    /// Whether its version follows the one before it in its stream.
    fn in_order(&mut self, event: &RecordedEvent) -> bool {
        let before = self.last.as_ref().filter(|(stream, _)| *stream == event.stream_id).map(|(_, version)| *version);
        if before.is_none() {
            self.placed.saw(1);
            self.versions.saw(1);
            let home = partition_of(&event.stream_id, self.partitions);
            if home != event.partition {
                self.placed.wrong(|| {
                    format!("{} is in partition {} and belongs into {home}", event.stream_id, event.partition)
                });
            }
        }
        let expected = before.unwrap_or(0) + 1;
        let in_order = event.version == expected;
        if !in_order {
            let found = event.version;
            self.versions.wrong(|| format!("{} has version {found} where version {expected} is due", event.stream_id));
        }
        match &mut self.last {
            Some((stream, version)) if *stream == event.stream_id => *version = event.version,
            last => *last = Some((event.stream_id.clone(), event.version)),
        }
        in_order
    }

    /// The checks, done.
    pub fn done(mut self, since: Instant) -> [Check; 3] {
        for (event_type, count) in &self.unknown {
            self.shapes.note(format!("{count} events of the type {event_type}, which this build does not know"));
        }
        [self.placed.done(since), self.versions.done(since), self.shapes.done(since)]
    }
}

/// What became of looking at an event.
pub enum Looked<E> {
    /// It is this.
    Opened(Box<E>),
    /// It is of a type that this build does not know; only its version counts.
    Unknown,
    /// It can't be folded, and that has been told.
    Wrong,
}

/// An event for people.
pub fn named(event: &RecordedEvent) -> String {
    format!(
        "{}@{} {} v{} at {}/{}",
        event.stream_id, event.version, event.event_type, event.schema_version, event.partition, event.position
    )
}

fn chain(error: &PayloadError) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}
