//! `GET /api/orders/{id}/status`: where an order stands, without everything else.

use super::order::{OrderReference, visible};
use crate::{reads::Reads, viewer::Viewer};
use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use http::Uri;
use order::{Action, FulfilmentStatus, OrderStatus, PaymentStatus, WaitingReason};
use serde::Serialize;
use shared_events::OrderId;
use std::sync::Arc;
use utoipa::ToSchema;
use web::{Caller, Consistency, ETag, PathParams, Problem};

/// Where an order stands.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StatusAnswer {
    /// Its id.
    order_id: OrderId,
    /// What people call it.
    order_number: String,
    /// Where it stands, in one word.
    #[schema(value_type = String, example = "CONFIRMED")]
    status: OrderStatus,
    /// Where its money stands.
    #[schema(value_type = String, example = "PAID")]
    payment_status: PaymentStatus,
    /// Where its goods stand.
    #[schema(value_type = String, example = "UNFULFILLED")]
    fulfilment_status: FulfilmentStatus,
    /// What the caller may do next.
    #[schema(value_type = Vec<String>)]
    allowed_actions: Vec<Action>,
    /// Why it stands where it stands; null where nothing more is to happen.
    #[schema(value_type = Option<String>, example = "PAYMENT")]
    waiting_for: Option<WaitingReason>,
    /// Until when it waits for that; null without a deadline.
    waiting_until: Option<DateTime<Utc>>,
    /// When it expires unless it is paid by then.
    expires_at: Option<DateTime<Utc>>,
    /// When something last happened to it.
    updated_at: DateTime<Utc>,
    /// How many events it has had.
    version: i64,
}

/// The route. Under `/api` it takes ids only, elsewhere numbers too.
///
/// # Errors
/// 400, 404, 503.
pub async fn by_id(
    State(reads): State<Arc<Reads>>,
    caller: Caller,
    consistency: Consistency,
    path: PathParams,
    uri: Uri,
) -> Result<Response, Problem> {
    let viewer = Viewer::new(caller);
    let reference = if uri.path().starts_with("/api/") {
        OrderReference::Order(path.id("id")?)
    } else {
        OrderReference::parse(path.get("id"))?
    };
    let order = visible(&reads, &viewer, &consistency, &reference).await?;
    let waiting = order.waiting_for(reads.return_window);
    let answer = StatusAnswer {
        order_id: order.id,
        order_number: order.number.clone(),
        status: order.status(),
        payment_status: order.payment_status(),
        fulfilment_status: order.fulfilment_status(),
        allowed_actions: order.allowed_actions(viewer.party()),
        waiting_for: waiting.map(|waiting| waiting.reason),
        waiting_until: waiting.and_then(|waiting| waiting.until),
        expires_at: order.expires_at,
        updated_at: order.updated_at,
        version: order.version,
    };
    Ok((ETag(order.version), Json(answer)).into_response())
}
