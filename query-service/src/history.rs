//! The events of one order, as its log has them. They are read through the feed of whoever owns the log, opened
//! with the keys at hand; nothing of them is stored here.

use crate::read_error::ReadError;
use chrono::{DateTime, Utc};
use feeds::Subscription;
use order::OrderEvent;
use serde_json::Value;
use service::KeyClient;
use shared_events::{
    Actor, EventBody, EventId, OrderId, PayloadError, RecordedEvent,
    sealed::{key_ids, open_event},
};

const LOG: &str = "orders";

/// One event of an order.
#[derive(Debug, Clone)]
pub struct HistoryEvent {
    /// Its id.
    pub event_id: EventId,
    /// Its place in the order's stream.
    pub version: i64,
    /// Its place in the log's partition.
    pub position: i64,
    /// The partition.
    pub partition: i32,
    /// What happened.
    pub event_type: String,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
    /// Who did it, and with which data; for those who may see it.
    pub inside: Option<Inside>,
}

/// What not everyone may see of an event.
#[derive(Debug, Clone)]
pub struct Inside {
    /// Who did it.
    pub actor: Actor,
    /// Its data, personal fields in clear, null once erased.
    pub payload: Value,
}

/// Reads the events of orders.
#[derive(Clone)]
pub struct History {
    subscription: Subscription,
    keys: KeyClient,
}

impl History {
    /// Reads from the log of orders.
    #[must_use]
    pub const fn new(subscription: Subscription, keys: KeyClient) -> Self {
        Self { subscription, keys }
    }

    /// The log's name.
    #[must_use]
    pub const fn log() -> &'static str {
        LOG
    }

    /// At most `limit` events of an order after a version, oldest first; with actor and payload where `inside`.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn page(
        &self,
        order: OrderId,
        after: i64,
        limit: usize,
        inside: bool,
    ) -> Result<Vec<HistoryEvent>, ReadError> {
        let feed = self.subscription.feed().await;
        let events = feed
            .stream(&order.to_string(), after, limit)
            .await
            .map_err(|error| ReadError::Feed { log: LOG, source: error.into() })?;
        if !inside {
            return Ok(events.into_iter().map(|event| shown(event, None)).collect());
        }
        let ids: Vec<_> = events.iter().flat_map(key_ids::<OrderEvent>).collect();
        let ring = self.keys.ring(&ids).await.map_err(|error| ReadError::Keys(error.into()))?;
        events
            .into_iter()
            .map(|event| {
                let payload = if OrderEvent::is_known(&event.event_type) {
                    let shape = |source| PayloadError::Shape {
                        event_type: event.event_type.clone(),
                        schema_version: event.schema_version,
                        source,
                    };
                    open_event::<OrderEvent>(&event, &ring)?.to_json().map_err(shape)?
                } else {
                    // A type of the future may hold sealed fields; they stay sealed.
                    serde_json::from_slice(&event.payload).unwrap_or_default()
                };
                let actor = event.metadata.actor.clone();
                Ok(shown(event, Some(Inside { actor, payload })))
            })
            .collect()
    }
}

fn shown(event: RecordedEvent, inside: Option<Inside>) -> HistoryEvent {
    HistoryEvent {
        event_id: event.event_id,
        version: event.version,
        position: event.position,
        partition: event.partition,
        event_type: event.event_type,
        recorded_at: event.recorded_at,
        inside,
    }
}
