//! POST /api/webhooks/payments/{provider}: what providers tell. The signature is verified over the bytes as they came,
//! before anything is read of them. What is believed is answered with 202, whatever can be made of it: what no order
//! can take is kept for a person, and only what cannot be recorded now is to be told again.

use crate::{
    app::App,
    payments::{
        ProviderName,
        facts::NotRecorded,
        notice::{Notice, of_generic, of_stripe},
        provider::{SeenPayment, Stage},
    },
};
use axum::{Json, body::Body, extract::State, http::StatusCode};
use bytes::Bytes;
use feeds::HandleError;
use http::HeaderMap;
use order::PaymentState;
use serde::Serialize;
use service::unavailable_or_internal;
use shared_events::OrderId;
use utoipa::ToSchema;
use uuid::Uuid;
use web::{PathParams, Problem, json_body::read_limited, request_context::now};

const LARGEST_BODY: usize = 1024 * 1024;

/// That it came.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct Received {
    /// Always true.
    received: bool,
}

/// A webhook that is believed.
struct Believed {
    from: ProviderName,
    id: String,
    body: Bytes,
}

/// Takes it.
pub async fn post(
    State(app): State<App>,
    params: PathParams,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Received>), Problem> {
    let from = ProviderName::parse(params.get("provider"));
    let from = from.ok_or_else(|| Problem::not_found("there is no such payment provider"))?;
    let body = read_limited(body, LARGEST_BODY).await?;
    let id = app.config.payments.believe(from, &headers, &body, now());
    let id = id.map_err(|error| Problem::unauthenticated(error.to_string()))?;
    let believed = Believed { from, id, body };
    apply(&app, &believed).await.map_err(|error| {
        tracing::warn!(
            provider = from.as_str(),
            webhook.id = believed.id,
            error = error.chain(),
            "a webhook has to wait"
        );
        unavailable_or_internal(&error, true)
    })?;
    Ok((StatusCode::ACCEPTED, Json(Received { received: true })))
}

async fn apply(app: &App, believed: &Believed) -> Result<(), HandleError> {
    let Believed { from, id, body } = believed;
    let notice = match from {
        ProviderName::Stripe => of_stripe(body),
        ProviderName::Simulated | ProviderName::Generic => of_generic(body),
    };
    let provider = from.as_str();
    let recorded = match notice {
        Ok(Notice::Other) => Ok(()),
        Ok(Notice::Payment(order_id, told)) => {
            let recording = async {
                let seen = as_it_is(app, provider, order_id, told).await?;
                app.facts.payment(order_id, provider, &seen, command_id(order_id, provider, id)).await
            };
            recording.await
        }
        Ok(Notice::Refund { order_id, refund_id, number, seen }) => {
            app.refunds.hear(provider, order_id, (refund_id, number), &seen).await
        }
        Err(unreadable) => Err(NotRecorded::Refused(unreadable.to_string())),
    };
    match recorded {
        Ok(()) => Ok(()),
        Err(NotRecorded::Refused(reason)) => Ok(app.dead_letters.keep(provider, id, &reason, body).await?),
        Err(NotRecorded::Later(error)) => Err(error),
    }
}

/// What is told, unless it is that a payment failed which the order knows as held: webhooks come late and out of order, so
/// the provider is asked how it stands.
async fn as_it_is(app: &App, provider: &str, order_id: OrderId, told: SeenPayment) -> Result<SeenPayment, NotRecorded> {
    if !matches!(told.stage, Stage::Failed { .. }) {
        return Ok(told);
    }
    let order = app.facts.load(order_id).await?;
    let known = order.as_ref().and_then(|order| order.payment(&told.payment_id));
    if known.is_none_or(|payment| payment.status != PaymentState::Authorized) {
        return Ok(told);
    }
    match app.payments.as_ref().filter(|work| work.provider.name() == provider) {
        Some(work) => work.hear(order_id, told).await,
        None => Err(NotRecorded::Refused("the payment is held, and its provider cannot be asked here".to_owned())),
    }
}

/// The same webhook has the same id, for ever.
fn command_id(order_id: OrderId, provider: &str, webhook_id: &str) -> Uuid {
    Uuid::new_v5(&order_id.as_uuid(), format!("webhook/{provider}/{webhook_id}").as_bytes())
}
