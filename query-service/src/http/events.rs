//! `GET /api/orders/{id}/events`: what happened to an order, oldest first, straight from its log.

use super::order::{OrderReference, visible};
use crate::{history::HistoryEvent, reads::Reads, viewer::Viewer};
use axum::{extract::State, response::Response};
use chrono::{DateTime, Utc};
use http::Uri;
use serde::Serialize;
use shared_events::{Actor, EventId};
use std::sync::Arc;
use utoipa::ToSchema;
use web::{Caller, Consistency, Cursor, List, PathParams, Problem, QueryParams, pagination::PageParams};

const CURSOR_VERSION: u8 = 4;

/// An event of an order.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventAnswer {
    /// Its id.
    event_id: EventId,
    /// Its place among the order's events, from 1.
    version: i64,
    /// Its place in the log's partition.
    position: i64,
    /// The partition.
    partition: i32,
    /// What happened: `OrderPlaced`.
    #[serde(rename = "type")]
    event_type: String,
    /// When it was recorded.
    recorded_at: DateTime<Utc>,
    /// Who did it; absent without the scope `events:read`.
    #[serde(skip_serializing_if = "Option::is_none")]
    actor: Option<Actor>,
    /// With which data; absent without the scope `events:read`.
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<serde_json::Value>,
}

impl From<HistoryEvent> for EventAnswer {
    fn from(event: HistoryEvent) -> Self {
        let (actor, payload) = event.inside.map_or((None, None), |inside| (Some(inside.actor), Some(inside.payload)));
        Self {
            event_id: event.event_id,
            version: event.version,
            position: event.position,
            partition: event.partition,
            event_type: event.event_type,
            recorded_at: event.recorded_at,
            actor,
            payload,
        }
    }
}

/// The route.
///
/// # Errors
/// 400, 404, 503.
pub async fn of_order(
    State(reads): State<Arc<Reads>>,
    caller: Caller,
    consistency: Consistency,
    path: PathParams,
    QueryParams(params): QueryParams<PageParams>,
    uri: Uri,
) -> Result<Response, Problem> {
    let viewer = Viewer::new(caller);
    let reference = OrderReference::Order(path.id("id")?);
    let after: i64 = params.after(CURSOR_VERSION)?.unwrap_or(0);
    let order = visible(&reads, &viewer, &consistency, &reference).await?;
    let wanted = usize::from(params.limit.get()) + 1;
    let mut events = reads.history.page(order.id, after, wanted, viewer.sees_events()).await?;
    // The log may be ahead of the table; both answers of one moment agree.
    events.retain(|event| event.version <= order.version);
    let answers = events.into_iter().map(EventAnswer::from).collect();
    Ok(List::<EventAnswer>::cut(answers, params.limit, |event| Cursor::encode(CURSOR_VERSION, &event.version))
        .respond(&uri))
}
