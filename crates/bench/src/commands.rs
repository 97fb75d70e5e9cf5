//! The commands that the figures of the log append: three events of about 600 bytes on a stream of their own, as an
//! order and its reactions would.

use bytes::Bytes;
use eventstore::{Append, Expected};
use shared_events::{Actor, EventId, Metadata, NewEvent, OrderId};
use uuid::Uuid;

const PAYLOAD_BYTES: usize = 600;
/// What a payload of JSON costs besides its text.
const FRAME: usize = r#"{"text":""}"#.len();

pub(crate) const STREAM_TYPE: &str = "Order";
pub(crate) const EVENT_TYPE: &str = "OrderPlaced";

/// JSON of the usual size.
pub(crate) fn payload() -> Bytes {
    let text = "an order has lines and addresses ".repeat(PAYLOAD_BYTES / 32);
    Bytes::from(format!(r#"{{"text":"{}"}}"#, &text[..PAYLOAD_BYTES - FRAME]))
}

/// Who and why, for all of them.
pub(crate) fn metadata() -> Metadata {
    Metadata {
        correlation_id: EventId::generate().as_uuid(),
        causation_id: None,
        actor: Actor { subject: "usr_01jd7z5n8qfx9v4k2m3p5r7t70".to_owned(), client: Some("bench".to_owned()) },
        traceparent: None,
        import: false,
    }
}

/// A command on a new stream.
pub(crate) fn command(payload: &Bytes, events: usize) -> Append {
    Append {
        stream_id: OrderId::generate().to_string(),
        stream_type: STREAM_TYPE,
        expected: Expected::Version(0),
        command_id: Some(command_id()),
        events: (0..events)
            .map(|_| NewEvent {
                event_id: EventId::generate(),
                event_type: EVENT_TYPE,
                schema_version: 1,
                payload: payload.clone(),
            })
            .collect(),
        metadata: metadata(),
        claim: None,
    }
}

/// An id as reactions derive them.
pub(crate) fn command_id() -> Uuid {
    EventId::generate().as_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_have_the_size_that_the_figures_name() {
        assert_eq!(payload().len(), PAYLOAD_BYTES);
        assert!(serde_json::from_slice::<serde_json::Value>(&payload()).is_ok());
    }
}
