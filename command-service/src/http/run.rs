//! Running a command on an order that exists, for a request: the same for every route but placing.

use super::resource::Resource;
use crate::{
    aggregate::OrderCommand,
    app::{App, confined_to, metadata},
    orders::{OrderError, Request},
    rejections::problem,
};
use axum::response::Response;
use eventstore::{AppendError, ExecuteError};
use order::{Command, Rejection};
use service::{CommandRequest, Outcome, idempotent::Attempt, problem_of, unavailable_or_internal};
use shared_events::{OrderId, sealed::SealingKey};
use uuid::Uuid;
use web::{IfMatch, Problem, etag};

/// A command on an order, as a request asks for it.
pub struct OnOrder {
    /// The order.
    pub order_id: OrderId,
    /// What is wanted, or what is wrong with it.
    pub command: Result<Command, Rejection>,
    /// What the answer is about.
    pub answers: Resource,
    /// The version that the caller saw.
    pub if_match: IfMatch,
    /// What makes a repeat a no-op, beyond the request's own key.
    pub command_id: Option<Uuid>,
    /// The key for personal data in the command.
    pub sealing_key: Option<SealingKey>,
}

/// Answers a request for a command on an order, once per Idempotency-Key. `wanted` is awaited only where the command is
/// really to be run: not for a repeat that is answered from before.
pub async fn once(
    app: App,
    request: CommandRequest,
    body: &impl serde::Serialize,
    wanted: impl Future<Output = Result<OnOrder, Problem>> + Send + 'static,
) -> Response {
    let fingerprint = fingerprint(body);
    let (idempotency, of) = (app.idempotency.clone(), request.clone());
    let work = async move |attempt: Attempt| match wanted.await {
        Ok(wanted) => Box::pin(on_order(&app, &of, &attempt, wanted)).await,
        Err(problem) => Outcome::Refused(problem),
    };
    Box::pin(idempotency.run(&request, &fingerprint, NOTHING_RESERVED, work)).await
}

/// Runs it and answers with the order, or with what it made.
async fn on_order(app: &App, request: &CommandRequest, attempt: &Attempt, wanted: OnOrder) -> Outcome {
    let confined_to = match confined_to(&request.caller) {
        Ok(confined_to) => confined_to,
        Err(problem) => return problem.into(),
    };
    let order_id = wanted.order_id;
    let to_execute = Request {
        order_id,
        command: OrderCommand { confined_to, command: wanted.command },
        expected_version: wanted.if_match.version(),
        command_id: wanted.command_id,
        metadata: metadata(request),
        sealing_key: wanted.sealing_key,
    };
    let answer = |order: &order::Order| wanted.answers.answer(app, order, request);
    match app.orders.execute(to_execute, |order| attempt.done(&answer(order))).await {
        Ok(order) => Outcome::Appended(answer(&order)),
        Err(ExecuteError::VersionMismatch { actual }) => match app.orders.load(order_id).await {
            Ok(Some(order)) if confined_to.is_none_or(|customer| order.customer_id == Some(customer)) => {
                etag::mismatch(actual).into()
            }
            Ok(_) => Problem::not_found("there is no such order").into(),
            Err(error) => refused(error),
        },
        Err(error) => refused(error),
    }
}

/// What a failed command is answered with.
pub fn refused(error: OrderError) -> Outcome {
    match error {
        ExecuteError::Rejected(rejection) => problem(rejection).into(),
        ExecuteError::VersionMismatch { actual } => etag::mismatch(actual).into(),
        ExecuteError::Append(AppendError::TooLarge { .. }) => {
            Problem::body_too_large("the order has become too large to be stored").into()
        }
        ExecuteError::Append(AppendError::Unknown | AppendError::ClaimLost) => {
            Outcome::Unknown(Problem::unavailable("it is not known whether this was done; repeat the same request"))
        }
        error => {
            let unavailable = error.is_unavailable();
            unavailable_or_internal(&error, unavailable).into()
        }
    }
}

/// The order that the path names.
///
/// # Errors
/// 400 for another kind of id.
pub fn order_id(params: &web::PathParams) -> Result<OrderId, Problem> {
    params.id("id")
}

/// The order as it stands, if it is there.
///
/// # Errors
/// 503 when the database is away.
pub async fn load(app: &App, order_id: OrderId) -> Result<Option<order::Order>, Problem> {
    let loaded = app.orders.load(order_id).await;
    loaded.map_err(|error| unavailable_or_internal(&error, error.is_unavailable()))
}

/// The key for an order's new personal data: its customer's, or its own for a guest.
///
/// # Errors
/// 404 for an order that is not there, 503 when the database is away.
pub async fn key_of(app: &App, order_id: OrderId) -> Result<SealingKey, Problem> {
    let order = load(app, order_id).await?.ok_or_else(|| Problem::not_found("there is no such order"))?;
    app.orders.keys().for_own_append(&crate::app::concerned(&order)).await.map_err(|error| problem_of(&error))
}

/// What two equal requests have in common.
pub fn fingerprint(body: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(body).unwrap_or_default()
}

/// No ids or numbers have to be the same in a second attempt.
const NOTHING_RESERVED: serde_json::Value = serde_json::Value::Null;
