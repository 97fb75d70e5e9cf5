//! Who and what causes a change, as events' metadata has it.

use shared_events::{Actor, EventId, Metadata, RecordedEvent};
use uuid::Uuid;
use web::{Caller, RequestContext};

/// A request by a caller.
#[must_use]
pub fn request(caller: &Caller, context: &RequestContext) -> Metadata {
    Metadata {
        correlation_id: context.correlation_id(),
        causation_id: None,
        actor: Actor { subject: caller.subject.clone(), client: Some(caller.client_id.clone()) },
        traceparent: Some(context.traceparent.clone()),
        import: false,
    }
}

/// An event of another log.
#[must_use]
pub fn event(event: &RecordedEvent) -> Metadata {
    Metadata {
        correlation_id: event.metadata.correlation_id,
        causation_id: Some(event.event_id),
        actor: Actor::internal(),
        traceparent: event.metadata.traceparent.clone(),
        import: event.metadata.import,
    }
}

/// A timer of ours.
#[must_use]
pub fn ourselves() -> Metadata {
    Metadata {
        correlation_id: command_id(),
        causation_id: None,
        actor: Actor::internal(),
        traceparent: None,
        import: false,
    }
}

/// An id for a command that is given once.
#[must_use]
pub fn command_id() -> Uuid {
    EventId::generate().as_uuid()
}
