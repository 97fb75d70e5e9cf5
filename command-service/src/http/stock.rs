//! POST /api/orders/{id}/inventory/{reserve|release|confirm}: the steps of an order's stock, one by one. The order decides,
//! as it does when its events ask for the same; inventory-service carries it out and its reservation is the answer.

use super::run::{fingerprint, order_id, refused};
use crate::{
    aggregate::OrderCommand,
    app::{App, concerned, confined_to, metadata},
    input::Checks,
    inventory::{Demand, ReserveError, Reserved},
    orders::Request,
};
use axum::{extract::State, response::Response};
use order::{Command, ConfirmStock, Order, ReleaseStock, ReserveStock};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use service::{Answer, CommandRequest, Outcome, PeerError};
use shared_events::OrderId;
use utoipa::ToSchema;
use web::{Consistency, OptionalJsonBody, PathParams, Problem, request_context::now};

const LONGEST_REASON: usize = 500;
/// An answer names the stock of at most so many products.
const MOST_STOCKS: usize = 20;

/// Why.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StockBody {
    /// Why, at most 500 characters.
    reason: Option<String>,
}

#[derive(Debug, Clone, Copy)]
enum StockStep {
    Reserve,
    Release,
    Confirm,
}

/// POST …/inventory/reserve: hold what is still to be dispatched, where it was given up.
pub async fn reserve(
    State(app): State<App>,
    request: CommandRequest,
    params: PathParams,
    OptionalJsonBody(body): OptionalJsonBody<StockBody>,
) -> Result<Response, Problem> {
    run(app, request, &params, body, StockStep::Reserve).await
}

/// POST …/inventory/release: give up what is held for an order that is not covered.
pub async fn release(
    State(app): State<App>,
    request: CommandRequest,
    params: PathParams,
    OptionalJsonBody(body): OptionalJsonBody<StockBody>,
) -> Result<Response, Problem> {
    run(app, request, &params, body, StockStep::Release).await
}

/// POST …/inventory/confirm: hold it firmly, because the order is covered.
pub async fn confirm(
    State(app): State<App>,
    request: CommandRequest,
    params: PathParams,
    OptionalJsonBody(body): OptionalJsonBody<StockBody>,
) -> Result<Response, Problem> {
    run(app, request, &params, body, StockStep::Confirm).await
}

async fn run(
    app: App,
    request: CommandRequest,
    params: &PathParams,
    body: StockBody,
    step: StockStep,
) -> Result<Response, Problem> {
    let order_id = order_id(params)?;
    let fingerprint = fingerprint(&body);
    let (idempotency, of) = (app.idempotency.clone(), request.clone());
    let work =
        async move |_| Box::pin(carry_out(&app, &of, order_id, &body, step)).await.unwrap_or_else(|failed| failed);
    Ok(Box::pin(idempotency.run(&request, &fingerprint, Value::Null, work)).await)
}

/// Each step can be repeated at any point, so its answer need not be stored together with the order's event.
async fn carry_out(
    app: &App,
    request: &CommandRequest,
    order_id: OrderId,
    body: &StockBody,
    step: StockStep,
) -> Result<Outcome, Outcome> {
    let mut checks = Checks::default();
    let reason = checks.optional("/reason", body.reason.as_deref(), LONGEST_REASON);
    let valid = checks.finish();
    let order = match app.orders.load(order_id).await {
        Ok(order) => order.ok_or_else(|| Problem::not_found("there is no such order"))?,
        Err(error) => return Err(refused(error)),
    };
    valid.map_err(crate::rejections::problem)?;
    let command = match step {
        StockStep::Reserve => hold_again(app, &order).await?,
        StockStep::Release => Command::from(ReleaseStock { reason: reason.clone(), now: now() }),
        StockStep::Confirm => ConfirmStock { reservation_revision: order.reservation_revision(), now: now() }.into(),
    };
    let to_execute = Request {
        order_id,
        command: OrderCommand { confined_to: confined_to(&request.caller)?, command: Ok(command) },
        expected_version: None,
        command_id: None,
        metadata: metadata(request),
        sealing_key: None,
    };
    let order = app.orders.execute(to_execute, |_| None).await.map_err(refused)?;
    let told = match step {
        StockStep::Reserve => app.inventory.attach(order_id).await,
        StockStep::Release => app.inventory.release_demand(order_id, order.reservation_revision(), reason).await,
        StockStep::Confirm => app.inventory.confirm(order_id).await,
    };
    if let Err(error) = told {
        tracing::debug!(order.id = %order_id, %error, "the reservation will follow the order's event");
    }
    let reservation = app.inventory.reservation(order_id).await.map_err(PeerError::into_problem)?;
    Ok(Outcome::Answered(answer(&order, &reservation)))
}

/// What was given up is reserved anew, under another revision; what is held stays as it is.
async fn hold_again(app: &App, order: &Order) -> Result<Command, Problem> {
    let held = order.reservation.is_some() && !order.stock_was_released();
    let demand = order.open_quantities();
    let mut revision = order.reservation_revision();
    if !held && !order.is_over() && !demand.is_empty() {
        revision = app.inventory.next_revision(order.id, revision).await.map_err(PeerError::into_problem)?;
        let demand: Vec<Demand> =
            demand.into_iter().map(|(product_id, quantity)| Demand { product_id, quantity: quantity.into() }).collect();
        let reserved = app.inventory.reserve(order.id, revision, &demand).await.map_err(shortage)?;
        if !reserved.holds(revision, &demand) {
            return Err(shortage(ReserveError::GivenUp));
        }
    }
    Ok(ReserveStock { reservation_revision: revision, now: now() }.into())
}

/// Why an order does not get the stock that it needs.
pub fn shortage(error: ReserveError) -> Problem {
    match error {
        ReserveError::Short(unavailable) => {
            Problem::insufficient_stock("there is not enough stock for this order; nothing was reserved")
                .with_extension("unavailable", unavailable)
        }
        ReserveError::GivenUp => Problem::unavailable("the stock was given up meanwhile; try again"),
        ReserveError::Peer(error) => error.into_problem(),
    }
}

fn answer(order: &Order, reservation: &Reserved) -> Answer {
    let stocks = reservation.lines.iter().take(MOST_STOCKS);
    let streams = stocks.fold(Consistency::of(order.id, order.version), |streams, line| {
        streams.and(line.product_id.stock(), line.stock_version)
    });
    Answer::json(200, reservation).consistency(&streams).concerning(concerned(order))
}
