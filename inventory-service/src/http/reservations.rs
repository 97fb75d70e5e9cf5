//! Reservations, for the services that place and follow orders.

use super::answers::ReservationAnswer;
use super::items::{Item, demand};
use super::{App, problems, substance};
use crate::causes;
use crate::domain::reservation::decide::{Command, Rejection};
use crate::rows;
use crate::stock_writer::{Held, Hold, StockError};
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use service::{Answer, CommandRequest, problem_of};
use shared_events::{Metadata, OrderId};
use utoipa::ToSchema;
use web::{Code, ETag, JsonBody, OptionalJsonBody, PathParams, Problem};

const LONGEST_TTL_SECONDS: i64 = 24 * 60 * 60;
const LONGEST_REASON: usize = 500;

/// What to hold for an order that is about to be placed or changed.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReserveBody {
    /// The order, which need not exist yet.
    order_id: OrderId,
    /// Which of its demands this is; 1 if absent. One that is not newer than what is held changes nothing.
    #[schema(minimum = 1)]
    revision: Option<i32>,
    /// What to hold: all of it, or nothing.
    items: Vec<Item>,
    /// How long to wait for the order.
    #[schema(minimum = 1, maximum = 86400)]
    ttl_seconds: Option<i64>,
}

/// Which demand of an order a step is about.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StepBody {
    /// Only this demand; whatever is held if absent.
    #[schema(minimum = 1)]
    revision: Option<i32>,
    /// Why.
    reason: Option<String>,
}

/// `POST /api/inventory/reservations`.
pub async fn post(State(app): State<App>, request: CommandRequest, JsonBody(body): JsonBody<ReserveBody>) -> Response {
    let metadata = causes::request(&request.caller, &request.context);
    let substance = substance(&body);
    let idempotency = app.idempotency.clone();
    let work = move |_| async move { reserve(&app, &body, metadata).await.into() };
    idempotency.run(&request, &substance, Value::Null, work).await
}

/// `POST /api/inventory/reservations/{orderId}/attach`.
pub async fn attach(
    State(app): State<App>,
    request: CommandRequest,
    path: PathParams,
    OptionalJsonBody(body): OptionalJsonBody<StepBody>,
) -> Result<Response, Problem> {
    let command = Command::Attach { revision: body.parse()?.revision };
    step(app, request, &path, body, command).await
}

/// `POST /api/inventory/reservations/{orderId}/confirm`.
pub async fn confirm(
    State(app): State<App>,
    request: CommandRequest,
    path: PathParams,
    OptionalJsonBody(body): OptionalJsonBody<StepBody>,
) -> Result<Response, Problem> {
    let command = Command::Confirm { revision: body.parse()?.revision };
    step(app, request, &path, body, command).await
}

/// `POST /api/inventory/reservations/{orderId}/release`.
pub async fn release(
    State(app): State<App>,
    request: CommandRequest,
    path: PathParams,
    OptionalJsonBody(body): OptionalJsonBody<StepBody>,
) -> Result<Response, Problem> {
    let StepBody { revision, reason } = body.parse()?.clone();
    step(app, request, &path, body, Command::Release { revision, reason, keep_newer: None }).await
}

async fn step(
    app: App,
    request: CommandRequest,
    path: &PathParams,
    body: StepBody,
    command: Command,
) -> Result<Response, Problem> {
    let hold = Hold {
        order_id: path.id("orderId")?,
        steps: vec![command],
        order_version: None,
        command_id: causes::command_id(),
        metadata: causes::request(&request.caller, &request.context),
    };
    let substance = substance(&body);
    let idempotency = app.idempotency.clone();
    let work = move |_| async move {
        let held = app.writer.hold(hold).await.map_err(problems::stock);
        held.map(|held| answer(200, held)).into()
    };
    Ok(idempotency.run(&request, &substance, Value::Null, work).await)
}

async fn reserve(app: &App, body: &ReserveBody, metadata: Metadata) -> Result<Answer, Problem> {
    let demand = demand(&body.items)?;
    let revision = checked(body.revision)?.unwrap_or(1);
    let time_to_live = match body.ttl_seconds {
        None => app.reservation_ttl,
        Some(seconds @ 1..=LONGEST_TTL_SECONDS) => TimeDelta::seconds(seconds),
        Some(_) => {
            return Err(Problem::invalid_field("/ttlSeconds", format!("must be from 1 to {LONGEST_TTL_SECONDS}")));
        }
    };
    let hold = Hold {
        order_id: body.order_id,
        steps: vec![Command::Reserve { revision, demand, time_to_live }],
        order_version: None,
        command_id: causes::command_id(),
        metadata,
    };
    match app.writer.hold(hold).await {
        Ok(held) => {
            let (order_id, status) = (held.reservation.order_id, if held.is_new { 201 } else { 200 });
            Ok(answer(status, held).location(format_args!("/api/inventory/reservations/{order_id}")))
        }
        Err(StockError::Reservation(Rejection::UnknownProducts(unknown))) => {
            let problem = Problem::validation_failed("a product of these does not exist");
            let items = body.items.iter().enumerate().filter(|(_, item)| unknown.contains(&item.product_id));
            Err(items.fold(problem, |problem, (at, item)| {
                let detail = format!("there is no product {}", item.product_id);
                problem.with_error(format!("/items/{at}/productId"), Code::ValidationFailed.as_str(), detail)
            }))
        }
        Err(error) => Err(problems::stock(error)),
    }
}

/// `GET /api/inventory/reservations/{orderId}`.
pub async fn get(State(app): State<App>, path: PathParams) -> Result<(ETag, Json<ReservationAnswer>), Problem> {
    let order_id: OrderId = path.id("orderId")?;
    let client = app.pool.get().await.map_err(|error| problem_of(&error))?;
    let found = rows::reservation(&**client, order_id).await.map_err(|error| problem_of(&error))?;
    let (reservation, stock_versions) =
        found.ok_or_else(|| Problem::not_found(format!("nothing was ever reserved for {order_id}")))?;
    let answer = ReservationAnswer::from(Held { reservation, stock_versions, is_new: false });
    Ok((ETag(answer.version), Json(answer)))
}

fn answer(status: u16, held: Held) -> Answer {
    let reservation = ReservationAnswer::from(held);
    Answer::json(status, &reservation).etag(reservation.version).consistency(&reservation.consistency())
}

impl StepBody {
    fn parse(&self) -> Result<&Self, Problem> {
        checked(self.revision)?;
        if self.reason.as_ref().is_some_and(|reason| reason.chars().count() > LONGEST_REASON) {
            return Err(Problem::invalid_field("/reason", format!("must have at most {LONGEST_REASON} characters")));
        }
        Ok(self)
    }
}

fn checked(revision: Option<i32>) -> Result<Option<i32>, Problem> {
    match revision {
        Some(..=0) => Err(Problem::invalid_field("/revision", "must be 1 or more")),
        other => Ok(other),
    }
}
