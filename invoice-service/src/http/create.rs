//! POST /api/invoices

use crate::{
    app::App,
    issuing::{IssueError, Issued},
    view::InvoiceView,
};
use axum::{extract::State, response::Response};
use feeds::Target;
use serde::{Deserialize, Serialize};
use service::{Answer, CommandRequest, Outcome, unavailable_or_internal};
use shared_events::{OrderId, invoice::InvoiceEvent, sealed::key_ids};
use std::time::Duration;
use web::{Consistency, JsonBody, Problem};

const PATIENCE: Duration = Duration::from_secs(5);

/// Which order.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateBody {
    /// The order.
    order_id: String,
}

/// The invoice of an order: issued now, or the one that is there.
pub async fn post(
    State(app): State<App>,
    request: CommandRequest,
    JsonBody(body): JsonBody<CreateBody>,
) -> Result<Response, Problem> {
    let order_id = OrderId::parse(&body.order_id).map_err(|error| {
        Problem::invalid_id(error.to_string()).with_error("/orderId", "INVALID_ID", error.to_string())
    })?;
    let idempotency = app.idempotency.clone();
    let work = async move |_| Outcome::from(Box::pin(answer(&app, order_id)).await);
    let fingerprint = order_id.to_string();
    Ok(Box::pin(idempotency.run(&request, fingerprint.as_bytes(), serde_json::Value::Null, work)).await)
}

async fn answer(app: &App, order_id: OrderId) -> Result<Answer, Problem> {
    let Issued { recorded, created } = app.issuing.issue_for(order_id).await.map_err(problem)?;
    let target = Target { log: crate::LOG.to_owned(), partition: recorded.partition, position: recorded.position };
    app.table.wait_until(&[target], PATIENCE).await.map_err(|error| {
        tracing::warn!(%error, "an invoice was issued and is not readable yet");
        Problem::read_timeout("the invoice is issued, but not readable yet; ask again")
    })?;
    let ring = app
        .keys
        .ring(&key_ids::<InvoiceEvent>(&recorded))
        .await
        .map_err(|error| unavailable_or_internal(&error, true))?;
    let view = InvoiceView::open(&recorded, &ring).map_err(|error| unavailable_or_internal(&error, false))?;
    let answer = Answer::json(if created { 201 } else { 200 }, &view)
        .location(format_args!("/api/invoices/{}", view.invoice_id))
        .etag(view.version)
        .consistency(&Consistency::of(&view.invoice_id, view.version));
    Ok(answer.concerning(order_id))
}

fn problem(error: IssueError) -> Problem {
    match error {
        IssueError::NoOrder => Problem::not_found("there is no such order"),
        IssueError::NotCovered | IssueError::InvoicedElsewhere(_) => Problem::not_invoiceable(error.to_string()),
        error => {
            let unavailable = error.is_unavailable();
            unavailable_or_internal(&error, unavailable)
        }
    }
}
