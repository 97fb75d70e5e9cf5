//! `GET /api/tracking/order/{orderNumber}`: where an order stands, for somebody without an account who knows its number
//! and its phone or e-mail. It tells no name, address or price, and not whether a number exists: whatever is wrong, the
//! answer is the same 404 after the same time.

mod proof;

use super::order::{OrderReference, visible};
use crate::{generations::Live, viewer::Viewer};
use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use http::{HeaderValue, header};
use order::{FulfilmentStatus, Milestone, MilestoneType, Order, OrderStatus, Shipment, ShipmentStatus};
use serde::{Deserialize, Serialize};
use service::{Quota, RateLimiter, SettingError, Settings};
use shared_events::{OrderId, ShipmentId};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};
use utoipa::{IntoParams, ToSchema};
use web::{Caller, ClientAddress, Consistency, PathParams, Problem, QueryParams, Scope};

/// No 404 comes sooner: longer than any lookup takes that is not waiting for the database.
const NOT_BEFORE: Duration = Duration::from_millis(120);
/// A person who looks again and again, or an office that does.
const PER_ADDRESS: Quota = Quota { burst: 30, per_second: 1.0 };
/// Wrong proofs for one number, wherever they come from: 17,000 a day.
const PER_NUMBER: Quota = Quota { burst: 10, per_second: 0.2 };

/// How often may be guessed. Clones share what was counted.
#[derive(Debug, Clone)]
pub struct GuessLimits {
    per_address: RateLimiter,
    per_number: RateLimiter,
}

impl GuessLimits {
    /// The limits, unless `OMS_RATE_LIMIT` is off.
    ///
    /// # Errors
    /// [`SettingError`] when that is neither on nor off.
    pub fn from_settings(settings: &Settings) -> Result<Self, SettingError> {
        Ok(Self {
            per_address: RateLimiter::from_settings(settings, PER_ADDRESS)?,
            per_number: RateLimiter::from_settings(settings, PER_NUMBER)?,
        })
    }
}

/// What the route works with.
#[derive(Clone)]
pub struct Tracking {
    /// The tables.
    pub live: Live,
    /// What bounds guessing.
    pub guesses: GuessLimits,
}

/// What shows that the order is the caller's.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Proof {
    /// The phone number of the order's contact or shipping address, however it is written.
    phone: Option<String>,
    /// The e-mail address of the order's contact.
    email: Option<String>,
}

/// Where an order stands, without anything about its customer or its prices.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TrackingAnswer {
    /// Its id.
    order_id: OrderId,
    /// What people call it.
    order_number: String,
    /// Where it stands, in one word.
    #[schema(value_type = String, example = "SHIPPED")]
    status: OrderStatus,
    /// Where its goods stand.
    #[schema(value_type = String, example = "SHIPPED")]
    fulfilment_status: FulfilmentStatus,
    /// When it was placed.
    placed_at: DateTime<Utc>,
    /// What happened to it, oldest first.
    milestones: Vec<MilestoneAnswer>,
    /// Its parcels.
    shipments: Vec<TrackedShipment>,
    /// When something last happened to it.
    updated_at: DateTime<Utc>,
    /// How many events it has had.
    version: i64,
}

/// Something that happened to an order.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MilestoneAnswer {
    /// What: PLACED, CONFIRMED, PROCESSING, SHIPPED, DELIVERED, DELIVERY_FAILED, CANCELLED, EXPIRED, RETURNED, COMPLETED.
    #[serde(rename = "type")]
    #[schema(value_type = String, example = "SHIPPED")]
    milestone_type: MilestoneType,
    /// When.
    occurred_at: DateTime<Utc>,
}

/// A parcel.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TrackedShipment {
    /// Its id.
    shipment_id: ShipmentId,
    /// How far it got.
    #[schema(value_type = String, example = "DISPATCHED")]
    status: ShipmentStatus,
    /// The carrier.
    carrier: Option<String>,
    /// The carrier's number for it.
    tracking_number: Option<String>,
    /// What happened to it, oldest first.
    events: Vec<ShipmentEvent>,
}

/// Something that happened to a parcel.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ShipmentEvent {
    /// What: CREATED, DISPATCHED, DELIVERED, FAILED.
    #[serde(rename = "type")]
    #[schema(value_type = String, example = "DISPATCHED")]
    event_type: &'static str,
    /// When.
    occurred_at: DateTime<Utc>,
}

/// The route.
///
/// # Errors
/// 404 for whatever is wrong, 429, 503.
pub async fn by_number(
    State(Tracking { live, guesses }): State<Tracking>,
    caller: Option<Caller>,
    address: ClientAddress,
    consistency: Consistency,
    path: PathParams,
    QueryParams(proof): QueryParams<Proof>,
) -> Result<Response, Problem> {
    let began = Instant::now();
    let number = path.get("orderNumber");
    let reads = live.reads();
    let viewer = caller.filter(|caller| caller.has(Scope::OrdersRead)).map(Viewer::new);
    let reference = OrderReference::Number(number.to_owned());
    let mut found = None;
    if let Some(viewer) = viewer {
        found = found_or_none(visible(&reads, &viewer, &consistency, &reference).await)?;
    }
    if found.is_none() {
        guesses.per_address.check(&address.key())?;
        guesses.per_number.check(number)?;
        let internal = Viewer::new(Caller::internal());
        let order = found_or_none(visible(&reads, &internal, &consistency, &reference).await)?;
        found = order.filter(|order| proof.is_of(order));
        if found.is_some() {
            guesses.per_number.give_back(number);
        }
    }
    let Some(order) = found else {
        sleep_until(began + NOT_BEFORE).await;
        return Err(Problem::not_found("there is no such order, or the proof is not its own"));
    };
    let uncached = [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    Ok((uncached, Json(TrackingAnswer::of(&order))).into_response())
}

fn found_or_none<T>(found: Result<T, Problem>) -> Result<Option<T>, Problem> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(problem) if problem.status() == 404 => Ok(None),
        Err(problem) => Err(problem),
    }
}

impl TrackingAnswer {
    fn of(order: &Order) -> Self {
        Self {
            order_id: order.id,
            order_number: order.number.clone(),
            status: order.status(),
            fulfilment_status: order.fulfilment_status(),
            placed_at: order.placed_at,
            milestones: order.timeline.iter().filter(|milestone| is_told(milestone)).map(MilestoneAnswer::of).collect(),
            shipments: order.shipments.iter().map(TrackedShipment::of).collect(),
            updated_at: order.updated_at,
            version: order.version,
        }
    }
}

/// Whether it is about the goods: money and the shop's own business are not told.
const fn is_told(milestone: &Milestone) -> bool {
    match milestone.milestone_type {
        MilestoneType::Placed
        | MilestoneType::Confirmed
        | MilestoneType::Processing
        | MilestoneType::Shipped
        | MilestoneType::Delivered
        | MilestoneType::DeliveryFailed
        | MilestoneType::Cancelled
        | MilestoneType::Expired
        | MilestoneType::Returned
        | MilestoneType::Completed => true,
        MilestoneType::Amended
        | MilestoneType::PaymentAuthorized
        | MilestoneType::Paid
        | MilestoneType::PaymentFailed
        | MilestoneType::OnHold
        | MilestoneType::Resumed
        | MilestoneType::LineCancelled
        | MilestoneType::ReturnRequested
        | MilestoneType::Refunded => false,
    }
}

impl MilestoneAnswer {
    const fn of(milestone: &Milestone) -> Self {
        Self { milestone_type: milestone.milestone_type, occurred_at: milestone.occurred_at }
    }
}

impl TrackedShipment {
    fn of(shipment: &Shipment) -> Self {
        let times = [
            ("CREATED", Some(shipment.created_at)),
            ("DISPATCHED", shipment.dispatched_at),
            ("DELIVERED", shipment.delivered_at),
            ("FAILED", shipment.failed_at),
        ];
        let happened =
            |(event_type, at): (_, Option<_>)| at.map(|occurred_at| ShipmentEvent { event_type, occurred_at });
        let mut events: Vec<_> = times.into_iter().filter_map(happened).collect();
        events.sort_by_key(|event| event.occurred_at);
        Self {
            shipment_id: shipment.shipment_id,
            status: shipment.status,
            carrier: shipment.carrier.clone(),
            tracking_number: shipment.tracking_number.clone(),
            events,
        }
    }
}
