//! POST /api/orders/{id}/payment/{authorized|completed|failed|voided}: facts as providers report them. The provider's reference makes a
//! repeat of the same report a no-op for ever, with or without an Idempotency-Key.

use super::{
    resource::Resource,
    run::{OnOrder, load, once, order_id},
};
use crate::{app::App, input::Checks, payments::facts::stock_back, pipeline::validate::payment_method};
use axum::{extract::State, response::Response};
use order::{AuthorizePayment, Command, CompletePayment, FailPayment, PaymentMethod, Rejection, VoidPayment};
use serde::{Deserialize, Serialize};
use service::CommandRequest;
use shared_events::{ExceptionId, Money, OrderId, RefundId, money::MoneyInput};
use uuid::Uuid;
use web::{IfMatch, JsonBody, PathParams, Problem, etag, request_context::now};

const LONGEST_REFERENCE: usize = 200;
const LONGEST_REASON: usize = 500;

/// A payment as its provider reports it.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PaymentBody {
    /// The provider's own reference: 1 to 200 visible ASCII characters.
    payment_id: Option<String>,
    /// How much, in the order's currency.
    amount: Option<MoneyInput>,
    /// The method that was used; the order's own where missing.
    method: Option<String>,
    /// The provider's reason; `final` on a failure: no further attempt will come.
    reason: Option<String>,
}

/// What was reported, valid in itself.
struct Report {
    payment_id: String,
    amount: Money,
    method: Option<PaymentMethod>,
    reason: Option<String>,
}

/// POST …/payment/completed
pub async fn completed(
    State(app): State<App>,
    request: CommandRequest,
    if_match: IfMatch,
    params: PathParams,
    JsonBody(body): JsonBody<PaymentBody>,
) -> Result<Response, Problem> {
    let order_id = order_id(&params)?;
    let (report, of) = (report(&body), app.clone());
    let wanted = async move {
        let reservation_revision = match &report {
            Ok(report) => reacquire(&of, order_id, report, &if_match).await?,
            Err(_) => None,
        };
        let command_id = report.as_ref().ok().map(|report| command_id(order_id, "completed", &report.payment_id));
        let command = report.map(|report| {
            Command::from(CompletePayment {
                payment_id: report.payment_id,
                provider: None,
                method: report.method,
                amount: report.amount,
                reservation_revision,
                refund_id: RefundId::generate(),
                exception_id: ExceptionId::generate(),
                now: now(),
            })
        });
        Ok(OnOrder { order_id, command, answers: Resource::Order, if_match, command_id, sealing_key: None })
    };
    Ok(Box::pin(once(app, request, &body, wanted)).await)
}

/// POST …/payment/authorized
pub async fn authorized(
    State(app): State<App>,
    request: CommandRequest,
    if_match: IfMatch,
    params: PathParams,
    JsonBody(body): JsonBody<PaymentBody>,
) -> Result<Response, Problem> {
    let windows = app.config.payment_windows();
    fact(app, request, if_match, &params, body, "authorized", move |report| {
        Command::from(AuthorizePayment {
            payment_id: report.payment_id,
            provider: None,
            method: report.method,
            amount: report.amount,
            windows,
            exception_id: ExceptionId::generate(),
            now: now(),
        })
    })
    .await
}

/// POST …/payment/failed
pub async fn failed(
    State(app): State<App>,
    request: CommandRequest,
    if_match: IfMatch,
    params: PathParams,
    JsonBody(body): JsonBody<PaymentBody>,
) -> Result<Response, Problem> {
    fact(app, request, if_match, &params, body, "failed", |report| {
        Command::from(FailPayment {
            payment_id: report.payment_id,
            provider: None,
            method: report.method,
            amount: report.amount,
            reason: report.reason,
            now: now(),
        })
    })
    .await
}

/// POST …/payment/voided
pub async fn voided(
    State(app): State<App>,
    request: CommandRequest,
    if_match: IfMatch,
    params: PathParams,
    JsonBody(body): JsonBody<PaymentBody>,
) -> Result<Response, Problem> {
    fact(app, request, if_match, &params, body, "voided", |report| {
        let Report { payment_id, amount, reason, .. } = report;
        Command::from(VoidPayment { payment_id, amount, reason, now: now() })
    })
    .await
}

/// A report that asks nothing of other services.
async fn fact(
    app: App,
    request: CommandRequest,
    if_match: IfMatch,
    params: &PathParams,
    body: PaymentBody,
    step: &'static str,
    command: impl FnOnce(Report) -> Command,
) -> Result<Response, Problem> {
    let order_id = order_id(params)?;
    let report = report(&body);
    let command_id = report.as_ref().ok().map(|report| command_id(order_id, step, &report.payment_id));
    let command = report.map(command);
    let wanted = OnOrder { order_id, command, answers: Resource::Order, if_match, command_id, sealing_key: None };
    Ok(Box::pin(once(app, request, &body, std::future::ready(Ok(wanted)))).await)
}

fn report(body: &PaymentBody) -> Result<Report, Rejection> {
    let mut checks = Checks::default();
    let payment_id = body.payment_id.as_deref().filter(|id| {
        let visible = (1..=LONGEST_REFERENCE).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic());
        if !visible {
            checks.broken("/paymentId", format!("1 to {LONGEST_REFERENCE} visible ASCII characters"));
        }
        visible
    });
    if body.payment_id.is_none() {
        checks.broken("/paymentId", "this field is required");
    }
    let amount = match &body.amount {
        Some(amount) => checks.value("/amount", amount.parse()),
        None => {
            checks.broken("/amount", "this field is required");
            None
        }
    };
    let method = payment_method(body.method.as_deref(), "/method", &mut checks);
    let reason = checks.optional("/reason", body.reason.as_deref(), LONGEST_REASON);
    checks.finish()?;
    match (payment_id, amount) {
        (Some(payment_id), Some(amount)) => Ok(Report { payment_id: payment_id.to_owned(), amount, method, reason }),
        _ => Err(Rejection::invalid("", "the payment could not be read")),
    }
}

/// Money that covers an order whose stock was given up: the stock is reserved anew, if it is still there. None
/// where that is not called for, because the same was reported before or for a version that is no more, or too late.
async fn reacquire(app: &App, order_id: OrderId, report: &Report, if_match: &IfMatch) -> Result<Option<i32>, Problem> {
    let order = load(app, order_id).await?;
    let Some(order) = order.filter(|order| order.wants_stock_back(&report.payment_id, report.amount)) else {
        return Ok(None);
    };
    if if_match.version().is_some_and(|expected| expected != order.version) {
        return Err(etag::mismatch(order.version));
    }
    stock_back(&app.inventory, &order).await.map_err(service::PeerError::into_problem)
}

/// The same report of the same payment has the same id, for ever.
fn command_id(order_id: OrderId, step: &str, payment_id: &str) -> Uuid {
    Uuid::new_v5(&order_id.as_uuid(), format!("payment/{step}/{payment_id}").as_bytes())
}
