//! What is refused before it gets near the database, and how a command's metadata is written.

use super::{Append, AppendError, Expected, MAX_EVENT_BYTES, MAX_EVENTS_PER_COMMAND};
use bytes::Bytes;
use serde::Deserialize;

/// Checks a command and gives the stored form of its metadata: for its first event, and for the others.
pub(super) fn check(append: &Append) -> Result<[Bytes; 2], AppendError> {
    if append.events.is_empty() {
        return Err(AppendError::Invalid("it has no events"));
    }
    if append.events.len() > MAX_EVENTS_PER_COMMAND {
        return Err(AppendError::TooLarge { size: append.events.len(), unit: "events" });
    }
    if append.stream_id.is_empty() || append.stream_id.len() > 255 || append.stream_id.contains('\0') {
        return Err(AppendError::Invalid("its stream id is empty, too long or holds U+0000"));
    }
    if matches!(append.expected, Expected::Version(version) if version < 0) {
        return Err(AppendError::Invalid("it expects a version below 0"));
    }
    for event in &append.events {
        if event.payload.len() > MAX_EVENT_BYTES {
            return Err(AppendError::TooLarge { size: event.payload.len(), unit: "bytes" });
        }
        if holds_nul(&event.payload) {
            return Err(AppendError::Invalid("an event holds U+0000"));
        }
    }
    let others = serde_json::to_vec(&append.metadata).map_err(|_| AppendError::Invalid("its metadata is not JSON"))?;
    if holds_nul(&others) {
        return Err(AppendError::Invalid("its metadata holds U+0000"));
    }
    let first = first_metadata(&others, append.events.len());
    Ok([first, Bytes::from(others)])
}

/// The first event of a command with several says how many there are, so that a repeat finds the whole result.
fn first_metadata(others: &[u8], events: usize) -> Bytes {
    if events == 1 {
        return Bytes::copy_from_slice(others);
    }
    let mut first = others.strip_suffix(b"}").unwrap_or(others).to_vec();
    first.extend_from_slice(format!(",\"commandEvents\":{events}}}").as_bytes());
    Bytes::from(first)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CommandEvents {
    #[serde(default = "one")]
    command_events: i64,
}

const fn one() -> i64 {
    1
}

/// How far behind a command's first event its last one stands, from the first event's stored metadata.
pub(super) fn commands_end(metadata: &[u8]) -> i64 {
    serde_json::from_slice(metadata).map_or(0, |CommandEvents { command_events }| command_events - 1)
}

/// Whether JSON text holds U+0000, which jsonb can't: as a byte, or as an escape that is not itself escaped.
fn holds_nul(json: &[u8]) -> bool {
    let mut rest = json;
    while let Some(at) = memchr::memchr2(b'\\', 0, rest) {
        if rest[at] == 0 || rest[at + 1..].starts_with(b"u0000") {
            return true;
        }
        rest = rest.get(at + 2..).unwrap_or_default();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::{commands_end, first_metadata, holds_nul};

    #[test]
    fn u0000_is_found_and_an_escaped_backslash_before_u0000_is_not_one() {
        assert!(holds_nul(br#"{"a":"x\u0000"}"#));
        assert!(holds_nul(b"\0"));
        assert!(holds_nul(br#""\\\u0000""#));
        assert!(!holds_nul(br#"{"a":"\\u0000","b":"\n\u0001"}"#));
        assert!(!holds_nul(br"\"));
    }

    #[test]
    fn the_first_event_of_a_command_says_how_many_there_are() {
        assert_eq!(&first_metadata(br#"{"a":1}"#, 3)[..], br#"{"a":1,"commandEvents":3}"#);
        assert_eq!(commands_end(&first_metadata(br#"{"a":1}"#, 3)), 2);
        assert_eq!(commands_end(&first_metadata(br#"{"a":1}"#, 1)), 0);
    }
}
