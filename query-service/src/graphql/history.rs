//! What happened to an order: for people (timeline), and as the log has it (history).

use super::date_time::DateTime;
use super::{
    enums::MilestoneType,
    error::{FromRead as _, bad_input},
    paging::{PageInfo, size},
    query::{reads, viewer},
};
use crate::history::HistoryEvent;
use crate::read_models::keyset::Page;
use async_graphql::{Context, ID, Json, Result, SimpleObject};
use order::Order;
use web::Cursor;

const TIMELINE_CURSOR: u8 = 2;
const HISTORY_CURSOR: u8 = 3;

/// What happened to an order, for people.
#[derive(SimpleObject)]
pub struct TimelineConnection {
    /// How many entries there are in all.
    total_count: i64,
    /// Where this page stands.
    page_info: PageInfo,
    /// The entries of this page.
    edges: Vec<TimelineEdge>,
    /// The entries without their cursors.
    nodes: Vec<Milestone>,
}

/// An entry with its cursor.
#[derive(SimpleObject)]
pub struct TimelineEdge {
    /// Where it stands.
    cursor: String,
    /// The entry.
    node: Milestone,
}

/// Something that happened to an order.
#[derive(Debug, Clone, Copy, SimpleObject)]
pub struct Milestone {
    /// What happened.
    #[graphql(name = "type")]
    milestone_type: MilestoneType,
    /// When.
    occurred_at: DateTime,
}

impl TimelineConnection {
    /// Part of an order's timeline.
    ///
    /// # Errors
    /// `BAD_USER_INPUT`.
    pub fn of(order: &Order, first: Option<i32>, after: Option<&str>) -> Result<Self> {
        let limit = size(first, "first")?;
        let start: usize = place(TIMELINE_CURSOR, after)?.unwrap_or(0);
        let cursor = |index: &usize| Cursor::encode(TIMELINE_CURSOR, &(index + 1));
        let node = |index: usize| Milestone {
            milestone_type: order.timeline[index].milestone_type.into(),
            occurred_at: order.timeline[index].occurred_at.into(),
        };
        let end = start.saturating_add(limit).min(order.timeline.len());
        let page = Page { rows: (start..end).collect(), has_next: end < order.timeline.len(), has_previous: start > 0 };
        Ok(Self {
            total_count: i64::try_from(order.timeline.len()).unwrap_or(i64::MAX),
            page_info: PageInfo::of(&page, cursor),
            edges: page.rows.iter().map(|index| TimelineEdge { cursor: cursor(index), node: node(*index) }).collect(),
            nodes: page.rows.iter().map(|index| node(*index)).collect(),
        })
    }
}

/// The events of an order.
#[derive(SimpleObject)]
pub struct HistoryConnection {
    /// How many events there are in all.
    total_count: i64,
    /// Where this page stands.
    page_info: PageInfo,
    /// The events of this page.
    edges: Vec<HistoryEdge>,
    /// The events without their cursors.
    nodes: Vec<OrderEvent>,
}

/// An event with its cursor.
#[derive(SimpleObject)]
pub struct HistoryEdge {
    /// Where it stands.
    cursor: String,
    /// The event.
    node: OrderEvent,
}

/// An event as the log has it.
#[derive(Debug, Clone, SimpleObject)]
pub struct OrderEvent {
    /// Its id: `evt_…`.
    id: ID,
    /// Its place in the log's partition.
    position: i64,
    /// Its place among the order's events, from 1.
    version: i64,
    /// What happened: `OrderPlaced`.
    #[graphql(name = "type")]
    event_type: String,
    /// When it was recorded.
    recorded_at: DateTime,
    /// Who did it: a user's or client's id, or `internal`. Null without the scope `events:read`.
    actor: Option<String>,
    /// With which data; personal fields are null once erased. Null without the scope `events:read`.
    payload: Option<Json<serde_json::Value>>,
}

impl From<HistoryEvent> for OrderEvent {
    fn from(event: HistoryEvent) -> Self {
        let (actor, payload) =
            event.inside.map_or((None, None), |inside| (Some(inside.actor.subject), Some(Json(inside.payload))));
        Self {
            id: event.event_id.into(),
            position: event.position,
            version: event.version,
            event_type: event.event_type,
            recorded_at: event.recorded_at.into(),
            actor,
            payload,
        }
    }
}

impl HistoryConnection {
    /// Part of an order's history, up to the version that is shown.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for wrong arguments, `UNAVAILABLE` when the log can't be read.
    pub async fn of(context: &Context<'_>, order: &Order, first: Option<i32>, after: Option<&str>) -> Result<Self> {
        let limit = size(first, "first")?;
        let start: i64 = place(HISTORY_CURSOR, after)?.unwrap_or(0);
        let inside = viewer(context)?.sees_events();
        let mut events = reads(context)?.history.page(order.id, start, limit.max(1), inside).await.coded()?;
        events.truncate(limit);
        events.retain(|event| event.version <= order.version);
        let last = events.last().map_or(start, |event| event.version);
        let cursor = |event: &HistoryEvent| Cursor::encode(HISTORY_CURSOR, &event.version);
        let page = Page { rows: events, has_next: last < order.version, has_previous: start > 0 };
        let nodes: Vec<OrderEvent> = page.rows.iter().cloned().map(OrderEvent::from).collect();
        let edges = page.rows.iter().map(cursor).zip(nodes.iter().cloned());
        Ok(Self {
            total_count: order.version,
            page_info: PageInfo::of(&page, cursor),
            edges: edges.map(|(cursor, node)| HistoryEdge { cursor, node }).collect(),
            nodes,
        })
    }
}

fn place<T: serde::de::DeserializeOwned>(version: u8, cursor: Option<&str>) -> Result<Option<T>> {
    cursor
        .map(|cursor| Cursor::decode(version, cursor))
        .transpose()
        .map_err(|_| bad_input("the cursor is not one that this list has given"))
}
