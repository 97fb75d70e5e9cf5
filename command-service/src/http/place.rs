//! POST /api/orders and its aliases: runs the pipeline and says what came of it.

use super::run::{fingerprint, refused};
use crate::{
    app::{App, concerned, metadata, party, short_spelling},
    inventory::{ReserveError, Reserved},
    pipeline::{
        append::{self, PlaceError, Placed},
        decide::{self, Decided, FIRST_REVISION},
        price::{self, PriceError},
        profile, reserve,
        validate::{self, Identified, PlaceOrderBody},
    },
    rejections,
};
use axum::{extract::State, response::Response};
use eventstore::{AppendError, ExecuteError};
use order::{Order, view::OrderAnswer};
use serde::{Deserialize, Serialize};
use service::{Answer, CommandRequest, Outcome, idempotent::Attempt, problem_of, unavailable_or_internal};
use shared_events::OrderId;
use web::{Consistency, JsonBody, Problem};

/// An answer names the stock of at most so many products.
const MOST_STOCKS: usize = 20;

/// What every attempt of the same request uses.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Names {
    order_id: OrderId,
    order_number: String,
}

/// Places an order.
pub async fn place(
    State(app): State<App>,
    request: CommandRequest,
    JsonBody(body): JsonBody<PlaceOrderBody>,
) -> Result<Response, Problem> {
    let identified = validate::identify(&body, &request.caller)?;
    let order_number = app.numbers.next().await.map_err(|error| problem_of(&error))?;
    let names = serde_json::json!(Names { order_id: OrderId::generate(), order_number });
    let fingerprint = fingerprint(&body);
    let (idempotency, of) = (app.idempotency.clone(), request.clone());
    let work = async move |attempt: Attempt| {
        let outcome = Box::pin(run(&app, &of, &attempt, body, identified)).await;
        outcome.unwrap_or_else(Outcome::Refused)
    };
    Ok(Box::pin(idempotency.run(&request, &fingerprint, names, work)).await)
}

/// The stages after the request's own.
async fn run(
    app: &App,
    request: &CommandRequest,
    attempt: &Attempt,
    body: PlaceOrderBody,
    identified: Identified,
) -> Result<Outcome, Problem> {
    let Names { order_id, order_number } = attempt.reserved()?;
    let draft = validate::validate(body, identified, app.config.currency).map_err(rejections::problem)?;
    let priced = price::run(&draft, &app.inventory).await.map_err(|error| match error {
        PriceError::Rejected(rejection) => rejections::problem(rejection),
        PriceError::Catalogue(error) => error.into_problem(),
    })?;
    let contact = match draft.customer_id {
        Some(customer) if draft.contact.is_none() => profile::contact(app, &request.caller, customer).await,
        _ => None,
    };
    let Decided { events, order } = decide::run(order_id, order_number, draft, contact, priced.clone(), &app.config)
        .map_err(rejections::problem)?;
    // Before the stock is held, so that nothing is held where this fails.
    let key = app.orders.keys().for_own_append(&concerned(&order)).await.map_err(|error| problem_of(&error))?;
    let reserved = reserve::run(order_id, FIRST_REVISION, &priced.lines, &app.inventory).await.map_err(shortage)?;

    let answer = answer(app, request, &order, Some(&reserved));
    let placed = append::run(app, &order, &events, &key, metadata(request), attempt.done(&answer)).await;
    Ok(match placed {
        Ok(Placed::Now) => {
            attach(app, request, order_id);
            Outcome::Appended(answer)
        }
        Ok(Placed::Before(order)) => Outcome::Answered(self::answer(app, request, &order, None)),
        Err(error) => failed(app, order_id, error).await,
    })
}

/// 409 with every line that is short.
fn shortage(error: ReserveError) -> Problem {
    match error {
        ReserveError::Short(unavailable) => {
            Problem::insufficient_stock("there is not enough stock for this order; nothing was reserved")
                .with_extension("unavailable", unavailable)
        }
        ReserveError::GivenUp => Problem::unavailable("an earlier attempt at this order ran out of time; try again"),
        ReserveError::Peer(error) => error.into_problem(),
    }
}

/// Tells inventory-service that the order exists, and keeps nobody waiting for it: the feed tells it too.
fn attach(app: &App, request: &CommandRequest, order_id: OrderId) {
    let (inventory, context) = (app.inventory.clone(), request.context.clone());
    let told = async move {
        if let Err(error) = inventory.attach(order_id).await {
            tracing::debug!(order.id = %order_id, %error, "the reservation will be attached by the feed");
        }
    };
    app.lifecycle.spawn("attach", move |_stop| context.scope(told));
}

/// What is left of an order that is not in the log. Its stock is given back where that is certain, and only there.
async fn failed(app: &App, order_id: OrderId, error: PlaceError) -> Outcome {
    let certain = match &error {
        PlaceError::Payload(_) => true,
        PlaceError::Append(error) => !matches!(error, AppendError::Unknown | AppendError::ClaimLost),
        PlaceError::Load(_) => false,
    };
    if certain && let Err(error) = app.inventory.release(order_id).await {
        tracing::debug!(order.id = %order_id, %error, "the reservation will run out by itself");
    }
    match error {
        PlaceError::Append(error) => refused(ExecuteError::Append(error)),
        PlaceError::Load(error) => refused(error),
        PlaceError::Payload(error) => unavailable_or_internal(&error, false).into(),
    }
}

fn answer(app: &App, request: &CommandRequest, order: &Order, reserved: Option<&Reserved>) -> Answer {
    let view = OrderAnswer::from_state(order, party(&request.caller), app.config.return_window);
    let answer =
        if short_spelling(request) { Answer::json(201, &view.into_legacy()) } else { Answer::json(201, &view) };
    let stocks = reserved.map(|reserved| reserved.lines.as_slice()).unwrap_or_default();
    let streams = stocks.iter().take(MOST_STOCKS).fold(Consistency::of(order.id, order.version), |streams, line| {
        streams.and(line.product_id.stock(), line.stock_version)
    });
    answer
        .location(format_args!("/api/orders/{}", order.id))
        .etag(order.version)
        .consistency(&streams)
        .concerning(concerned(order))
}
