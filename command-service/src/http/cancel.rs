//! DELETE /api/orders/{id} and POST /api/orders/{id}/cancel

use super::run::{OnOrder, once, order_id};
use crate::{
    app::{App, party},
    input::Checks,
};
use axum::{extract::State, response::Response};
use order::{CancelLines, CancelOrder, Command, Party, Rejection};
use serde::{Deserialize, Serialize};
use service::CommandRequest;
use shared_events::{LineId, RefundId, order::LineQuantity};
use web::{IfMatch, OptionalJsonBody, PathParams, Problem, request_context::now};

const LONGEST_REASON: usize = 500;

/// Why, and what of it.
#[derive(Debug, Clone, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CancelBody {
    /// Why.
    reason: Option<String>,
    /// The lines to cancel; the whole order where missing.
    lines: Option<Vec<LineQuantityBody>>,
}

/// So many pieces of a line.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LineQuantityBody {
    /// The line.
    line_id: Option<String>,
    /// Pieces.
    quantity: Option<i64>,
}

/// DELETE: the whole order, without a reason.
pub async fn delete(
    State(app): State<App>,
    request: CommandRequest,
    if_match: IfMatch,
    params: PathParams,
) -> Result<Response, Problem> {
    run(app, request, if_match, &params, CancelBody::default()).await
}

/// POST: the whole order or lines of it.
pub async fn post(
    State(app): State<App>,
    request: CommandRequest,
    if_match: IfMatch,
    params: PathParams,
    OptionalJsonBody(body): OptionalJsonBody<CancelBody>,
) -> Result<Response, Problem> {
    run(app, request, if_match, &params, body).await
}

async fn run(
    app: App,
    request: CommandRequest,
    if_match: IfMatch,
    params: &PathParams,
    body: CancelBody,
) -> Result<Response, Problem> {
    let order_id = order_id(params)?;
    let lines = body.lines.as_deref().map(identify).transpose()?;
    let command = command(&body, lines.as_deref(), party(&request.caller));
    let wanted = OnOrder { order_id, command, if_match, command_id: None, sealing_key: None };
    Ok(Box::pin(once(app, request, &body, std::future::ready(Ok(wanted)))).await)
}

fn identify(lines: &[LineQuantityBody]) -> Result<Vec<(LineId, Option<i64>)>, Problem> {
    let mut named = Vec::with_capacity(lines.len());
    for (index, line) in lines.iter().enumerate() {
        let pointer = format!("/lines/{index}/lineId");
        let id = line.line_id.as_deref().ok_or_else(|| Problem::invalid_field(&pointer, "this field is required"))?;
        let id = LineId::parse(id).map_err(|error| {
            Problem::invalid_id(error.to_string()).with_error(&pointer, "INVALID_ID", error.to_string())
        })?;
        named.push((id, line.quantity));
    }
    Ok(named)
}

fn command(body: &CancelBody, lines: Option<&[(LineId, Option<i64>)]>, by: Party) -> Result<Command, Rejection> {
    let mut checks = Checks::default();
    let reason = checks.optional("/reason", body.reason.as_deref(), LONGEST_REASON);
    let mut wanted = Vec::new();
    for (index, (line_id, quantity)) in lines.unwrap_or_default().iter().enumerate() {
        let pointer = format!("/lines/{index}/quantity");
        match quantity.map(u32::try_from) {
            Some(Ok(quantity @ 1..)) => wanted.push(LineQuantity { line_id: *line_id, quantity }),
            Some(_) => checks.broken(pointer, "at least 1 piece"),
            None => checks.broken(pointer, "this field is required"),
        }
    }
    checks.finish()?;
    let (refund_id, now) = (RefundId::generate(), now());
    Ok(match lines {
        None => CancelOrder { by, reason, refund_id, now }.into(),
        Some(_) => CancelLines { lines: wanted, by, reason, refund_id, now }.into(),
    })
}
