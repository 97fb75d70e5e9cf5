//! POST /api/webhooks/shipping/{carrier}: what carriers report. Believed where the carrier's secret has signed it; a
//! report that was believed is 202 whether or not it can be used, because sending it again would not help.

use crate::tracking::{Received, Tracking, TrackingEvent};
use axum::{Json, body::Body, extract::State};
use http::{HeaderMap, StatusCode};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::ToSchema;
use web::json_body::{LARGEST_BODY, read_limited};
use web::request_context::now;
use web::standard_webhooks::{WebhookSecret, verify};
use web::{Access, Doc, PathParams, Problem, Routes};

/// The secrets of each carrier, by its name in lower case; two while one replaces the other.
pub type CarrierSecrets = BTreeMap<String, Vec<WebhookSecret>>;

/// What the route works with.
#[derive(Clone)]
pub struct Carriers {
    /// Who receives.
    pub tracking: Tracking,
    /// Who is believed.
    pub secrets: Arc<CarrierSecrets>,
}

/// What became of a report.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReceivedAnswer {
    /// APPLIED; UNCHANGED for repeats and late ones; SET_ASIDE for what cannot be used, such as an unknown shipment.
    outcome: &'static str,
}

/// The route.
pub fn routes(carriers: Carriers) -> Routes<()> {
    let doc = Doc::new("What a carrier reports of a shipment")
        .description("Signed as Standard Webhooks has it, within five minutes.")
        .header("webhook-id", "The id of the message.")
        .header("webhook-timestamp", "When it was sent, in seconds since 1970.")
        .header("webhook-signature", "`v1,` and the signature in Base64; several with a space between.")
        .body::<TrackingEvent>()
        .answers::<ReceivedAnswer>(202)
        .problems(&[400, 401, 413, 503]);
    Routes::new("command").post("/api/webhooks/shipping/{carrier}", Access::Public, doc, report).with_state(carriers)
}

async fn report(
    State(carriers): State<Carriers>,
    path: PathParams,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<ReceivedAnswer>), Problem> {
    let body = read_limited(body, LARGEST_BODY).await?;
    let carrier = path.get("carrier").to_lowercase();
    // A carrier without a secret is believed in nothing, like a wrong signature.
    let secrets = carriers.secrets.get(&carrier).map(Vec::as_slice).unwrap_or_default();
    verify(secrets, &headers, &body, now()).map_err(|error| {
        tracing::warn!(carrier = %carrier.chars().take(50).collect::<String>(), %error, "a carrier's report was not believed");
        Problem::unauthenticated("the signature is missing, too old or wrong")
    })?;
    let source = format!("webhook/{carrier}");
    let received = carriers.tracking.receive(&source, Some(&carrier), &body).await.map_err(|error| {
        tracing::warn!(error = error.chain(), "a carrier's report could not be taken");
        Problem::unavailable("the report could not be taken right now; send it again")
    })?;
    let outcome = match received {
        Received::Applied => "APPLIED",
        Received::Unchanged => "UNCHANGED",
        Received::SetAside => "SET_ASIDE",
    };
    Ok((StatusCode::ACCEPTED, Json(ReceivedAnswer { outcome })))
}
