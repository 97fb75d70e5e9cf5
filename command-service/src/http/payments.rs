//! POST /api/orders/{id}/payments: a payment for what is missing, started with the provider that is configured. What
//! becomes of it comes by webhook, or by looking; the customer goes on with what is answered.

use super::run::{fingerprint, load, order_id};
use crate::{
    app::{App, concerned, confined_to},
    input::Checks,
    payments::{
        provider::{NewPayment, ProviderError, Stage, Started},
        simulated::WISHES,
        work::PaymentWork,
    },
    pipeline::validate::payment_method,
    rejections,
};
use axum::{extract::State, response::Response};
use order::{CapturePolicy, Order};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use service::{Answer, CommandRequest, Outcome, idempotent::Attempt, unavailable_or_internal};
use shared_events::{Money, OrderId, PaymentId, money::MoneyInput};
use utoipa::ToSchema;
use web::{Consistency, OptionalJsonBody, PathParams, Problem};

const LONGEST_URL: usize = 2_000;

/// The payment that is wanted.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StartPaymentBody {
    /// How much, in the order's currency; all that is missing where it is absent.
    amount: Option<MoneyInput>,
    /// The method; the order's own where it is absent.
    method: Option<String>,
    /// Where the customer comes back to, an http or https URL.
    return_url: Option<String>,
    /// For the simulated provider alone: `completes`, `fails`, `delays`, `repeats`, `refund-fails` or `refund-delays`.
    simulate: Option<String>,
}

/// A payment that was started.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StartedPayment {
    /// The provider's own reference.
    payment_id: String,
    /// The provider.
    provider: &'static str,
    /// `REQUIRES_ACTION`, `AUTHORIZED`, `COMPLETED`, `FAILED` or `VOIDED`.
    status: &'static str,
    /// How much.
    amount: Money,
    /// What the provider's own front end needs to go on.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<String>,
    /// Where the customer has to go.
    #[serde(skip_serializing_if = "Option::is_none")]
    redirect_url: Option<String>,
    /// The order.
    order_id: OrderId,
    /// The order's version.
    version: i64,
}

#[derive(Serialize, Deserialize)]
struct Ids {
    attempt: PaymentId,
}

/// Starts it.
pub async fn start(
    State(app): State<App>,
    request: CommandRequest,
    params: PathParams,
    OptionalJsonBody(body): OptionalJsonBody<StartPaymentBody>,
) -> Result<Response, Problem> {
    let order_id = order_id(&params)?;
    let ids = serde_json::json!(Ids { attempt: PaymentId::generate() });
    let fingerprint = fingerprint(&body);
    let (idempotency, of) = (app.idempotency.clone(), request.clone());
    let work = async move |attempt: Attempt| Outcome::from(Box::pin(run(&app, &of, &attempt, order_id, body)).await);
    Ok(Box::pin(idempotency.run(&request, &fingerprint, ids, work)).await)
}

async fn run(
    app: &App,
    request: &CommandRequest,
    attempt: &Attempt,
    order_id: OrderId,
    body: StartPaymentBody,
) -> Result<Answer, Problem> {
    let Ids { attempt } = attempt.reserved()?;
    let confined_to = confined_to(&request.caller)?;
    let order = load(app, order_id).await?;
    let order = order.filter(|order| confined_to.is_none_or(|customer| order.customer_id == Some(customer)));
    let order = order.ok_or_else(|| Problem::not_found("there is no such order"))?;
    let Some(work) = &app.payments else {
        return Err(Problem::not_found("no payment provider is configured here; payments are reported by services"));
    };
    let payment = wanted(&order, work, attempt, body)?;
    work.watch(&payment).await.map_err(|error| unavailable_or_internal(&error, true))?;
    let Started { seen, client_secret, redirect_url } =
        work.provider.authorise(&payment).await.map_err(|error| match error {
            ProviderError::Refused { .. } => {
                tracing::warn!(order.id = %order_id, %error, "a payment was not started");
                Problem::illegal_transition("the payment provider does not take this payment")
            }
            ProviderError::Unavailable { .. } => {
                tracing::warn!(order.id = %order_id, %error, "a payment could not be started");
                Problem::unavailable("the payment provider does not answer right now")
            }
        })?;
    work.started(&payment, &seen).await.map_err(|error| unavailable_or_internal(&error, true))?;
    let order = load(app, order_id).await?.unwrap_or(order);
    let status = match seen.stage {
        Stage::Open => "REQUIRES_ACTION",
        Stage::Authorized(_) => "AUTHORIZED",
        Stage::Completed(_) => "COMPLETED",
        Stage::Failed { .. } => "FAILED",
        Stage::Voided => "VOIDED",
    };
    let started = StartedPayment {
        payment_id: seen.payment_id,
        provider: work.provider.name(),
        status,
        amount: payment.amount,
        client_secret,
        redirect_url,
        order_id,
        version: order.version,
    };
    Ok(Answer::json(201, &started)
        .etag(order.version)
        .consistency(&Consistency::of(order.id, order.version))
        .concerning(concerned(&order)))
}

/// The payment, if it is one that the order waits for: 422 before 409.
fn wanted(
    order: &Order,
    work: &PaymentWork,
    attempt: PaymentId,
    body: StartPaymentBody,
) -> Result<NewPayment, Problem> {
    let mut checks = Checks::default();
    let missing = Money::rounded(order.outstanding(), order.currency);
    let amount = body.amount.as_ref().and_then(|amount| checks.value("/amount", amount.parse()));
    if let Some(amount) = amount {
        if amount.currency() != order.currency {
            checks.broken("/amount/currency", format!("the order is in {}", order.currency));
        }
        if amount.amount() <= Decimal::ZERO {
            checks.broken("/amount/amount", "must be above 0");
        }
    }
    let method = payment_method(body.method.as_deref(), "/method", &mut checks);
    let return_url = checks.optional("/returnUrl", body.return_url.as_deref(), LONGEST_URL);
    if return_url.as_deref().is_some_and(|url| !url.starts_with("https://") && !url.starts_with("http://")) {
        checks.broken("/returnUrl", "an http or https URL");
    }
    if body.simulate.as_deref().is_some_and(|wish| !WISHES.contains(&wish)) {
        checks.broken("/simulate", format!("one of {}", WISHES.join(", ")));
    }
    if body.simulate.is_some() && work.provider.name() != crate::payments::simulated::NAME {
        checks.broken("/simulate", "only where the provider is simulated");
    }
    checks.finish().map_err(rejections::problem)?;
    let amount = amount.unwrap_or(missing);
    if order.is_over() || missing.amount() <= Decimal::ZERO || amount.amount() > missing.amount() {
        let detail = format!("the order waits for {} {}", missing.amount(), missing.currency());
        return Err(Problem::illegal_transition(detail));
    }
    Ok(NewPayment {
        attempt: attempt.as_uuid(),
        order_id: order.id,
        order_number: order.number.clone(),
        amount,
        method: method.unwrap_or(order.payment_method),
        // What a person is to look at first is held, and captured once the order goes on.
        capture: work.capture == CapturePolicy::Confirm && amount == missing && order.hold.is_none(),
        return_url,
        simulate: body.simulate,
    })
}
