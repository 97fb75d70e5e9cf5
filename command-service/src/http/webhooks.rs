//! The shop's webhook endpoints, and what was delivered to them.

use crate::notifications::TYPES;
use crate::webhooks::{
    AllowedAddresses, Attempted, Bell, Deliveries, Delivery, DeliveryPlace, Endpoint, EndpointChange, Endpoints,
    parse_url,
};
use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use http::{StatusCode, Uri, header};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use shared_events::{NotificationId, OrderId, WebhookDeliveryId, WebhookEndpointId};
use utoipa::ToSchema;
use web::pagination::PageParams;
use web::{Access, Cursor, Doc, ETag, JsonBody, List, PathParams, Problem, QueryParams, Routes, Scope};

const ADMIN: Access = Access::Scope(Scope::WebhooksAdmin);
const CURSOR_VERSION: u8 = 1;
const ALL: &str = "*";

/// What the routes work with.
#[derive(Clone)]
pub struct Webhooks {
    /// Where webhooks go.
    pub endpoints: Endpoints,
    /// What is delivered.
    pub deliveries: Deliveries,
    /// How far they may reach.
    pub allowed: AllowedAddresses,
    /// Wakes the worker.
    pub bell: Bell,
}

/// An endpoint to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewEndpoint {
    /// Where it is: https, to a public address.
    #[schema(example = "https://erp.example.org/hooks/oms")]
    url: String,
    /// The types it is told of, such as `order.placed`; `*` or nothing is all of them.
    #[serde(default)]
    events: Vec<String>,
}

/// What is to be changed of an endpoint; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ChangedEndpoint {
    /// Where it is.
    url: Option<String>,
    /// The types it is told of, at least one; `*` is all of them.
    events: Option<Vec<String>>,
    /// Whether it is told of anything.
    enabled: Option<bool>,
}

/// An endpoint. The secret is told once, in the answer that makes it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EndpointAnswer {
    endpoint_id: WebhookEndpointId,
    url: String,
    events: Vec<String>,
    /// `whsec_…`: what messages are signed with.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
    enabled: bool,
    /// Why it was disabled, where nobody asked for that.
    disabled_reason: Option<String>,
    /// Since when nothing succeeded; null while it works.
    failing_since: Option<DateTime<Utc>>,
    version: i32,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// A notification on its way to an endpoint.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryAnswer {
    delivery_id: WebhookDeliveryId,
    endpoint_id: WebhookEndpointId,
    /// The `webhook-id` of every attempt.
    notification_id: NotificationId,
    /// What it tells.
    #[serde(rename = "type")]
    notification_type: String,
    order_id: OrderId,
    /// PENDING, DELIVERED, or DEAD once it was tried often enough.
    status: String,
    /// What the last attempt was answered; null where no answer came.
    status_code: Option<i32>,
    /// How long the last attempt took.
    duration_ms: Option<i32>,
    /// Why the last attempt failed.
    error: Option<String>,
    /// Every attempt, oldest first.
    attempts: Vec<Attempted>,
    /// When the next attempt is due.
    next_attempt_at: Option<DateTime<Utc>>,
    /// The body as it is sent.
    #[schema(value_type = Object)]
    payload: Box<RawValue>,
    created_at: DateTime<Utc>,
    completed_at: Option<DateTime<Utc>>,
}

/// The routes.
pub fn routes(webhooks: Webhooks) -> Routes<()> {
    const ENDPOINTS: &str = "/api/webhook-endpoints";
    const ENDPOINT: &str = "/api/webhook-endpoints/{endpointId}";
    Routes::new("command")
        .get(
            ENDPOINTS,
            ADMIN,
            Doc::new("Where webhooks go, oldest first")
                .query::<PageParams>()
                .answers_list::<EndpointAnswer>()
                .problems(&[400, 503]),
            list,
        )
        .post(
            ENDPOINTS,
            ADMIN,
            Doc::new("Have the shop's system called on changes of orders")
                .description("The secret is in this answer alone. Messages are signed as Standard Webhooks has it.")
                .body::<NewEndpoint>()
                .answers::<EndpointAnswer>(201)
                .problems(&[400, 413, 415, 422, 503]),
            create,
        )
        .get(
            ENDPOINT,
            ADMIN,
            Doc::new("A webhook endpoint").answers::<EndpointAnswer>(200).problems(&[400, 404, 503]),
            one,
        )
        .put(
            ENDPOINT,
            ADMIN,
            Doc::new("Change a webhook endpoint, or enable it again")
                .body::<ChangedEndpoint>()
                .answers::<EndpointAnswer>(200)
                .problems(&[400, 404, 413, 415, 422, 503]),
            change,
        )
        .delete(
            ENDPOINT,
            ADMIN,
            Doc::new("Take a webhook endpoint away").answers_empty(204).problems(&[400, 404, 503]),
            delete,
        )
        .get(
            "/api/webhook-endpoints/{endpointId}/deliveries",
            ADMIN,
            Doc::new("What was, or is to be, delivered, newest first")
                .query::<PageParams>()
                .answers_list::<DeliveryAnswer>()
                .problems(&[400, 404, 503]),
            deliveries,
        )
        .post(
            "/api/webhook-endpoints/{endpointId}/deliveries/{deliveryId}/redeliver",
            ADMIN,
            Doc::new("Deliver again, whatever became of it").answers::<DeliveryAnswer>(202).problems(&[400, 404, 503]),
            redeliver,
        )
        .with_state(webhooks)
}

async fn create(State(webhooks): State<Webhooks>, JsonBody(body): JsonBody<NewEndpoint>) -> Result<Response, Problem> {
    let url = checked_url(&body.url, &webhooks)?;
    let events = checked_events(&body.events)?;
    let (endpoint, secret) = webhooks.endpoints.create(&url, &events).await?;
    let location = format!("/api/webhook-endpoints/{}", endpoint.endpoint_id);
    let etag = ETag(i64::from(endpoint.version));
    let answer = EndpointAnswer { secret: Some(secret.to_text()), ..endpoint.into() };
    let headers = [(header::LOCATION, location), (header::CACHE_CONTROL, "no-store".to_owned())];
    Ok((StatusCode::CREATED, etag, headers, Json(answer)).into_response())
}

async fn list(
    State(webhooks): State<Webhooks>,
    QueryParams(params): QueryParams<PageParams>,
    uri: Uri,
) -> Result<Response, Problem> {
    let after = params.after::<WebhookEndpointId>(CURSOR_VERSION)?;
    let found = webhooks.endpoints.page(after, params.limit.plus_one()).await?;
    let items = found.into_iter().map(EndpointAnswer::from).collect();
    Ok(List::cut(items, params.limit, |last: &EndpointAnswer| Cursor::encode(CURSOR_VERSION, &last.endpoint_id))
        .respond(&uri))
}

async fn one(State(webhooks): State<Webhooks>, path: PathParams) -> Result<Response, Problem> {
    let endpoint = webhooks.endpoints.by_id(path.id("endpointId")?).await?.ok_or_else(no_endpoint)?;
    Ok(answer(endpoint))
}

async fn change(
    State(webhooks): State<Webhooks>,
    path: PathParams,
    JsonBody(body): JsonBody<ChangedEndpoint>,
) -> Result<Response, Problem> {
    let id = path.id("endpointId")?;
    webhooks.endpoints.by_id(id).await?.ok_or_else(no_endpoint)?;
    let url = body.url.as_deref().map(|url| checked_url(url, &webhooks)).transpose()?;
    let events = body.events.as_deref().map(changed_events).transpose()?;
    let change = EndpointChange { url, events, enabled: body.enabled };
    let endpoint = webhooks.endpoints.change(id, &change).await?.ok_or_else(no_endpoint)?;
    webhooks.bell.ring();
    Ok(answer(endpoint))
}

async fn delete(State(webhooks): State<Webhooks>, path: PathParams) -> Result<StatusCode, Problem> {
    let gone = webhooks.endpoints.delete(path.id("endpointId")?).await?;
    if gone { Ok(StatusCode::NO_CONTENT) } else { Err(no_endpoint()) }
}

async fn deliveries(
    State(webhooks): State<Webhooks>,
    path: PathParams,
    QueryParams(params): QueryParams<PageParams>,
    uri: Uri,
) -> Result<Response, Problem> {
    let id = path.id("endpointId")?;
    let after = params.after::<DeliveryPlace>(CURSOR_VERSION)?;
    webhooks.endpoints.by_id(id).await?.ok_or_else(no_endpoint)?;
    let found = webhooks.deliveries.page(id, after, params.limit.plus_one()).await?;
    let items = found.into_iter().map(DeliveryAnswer::from).collect();
    let place = |last: &DeliveryAnswer| {
        let place = DeliveryPlace { created_at: last.created_at, delivery_id: last.delivery_id.as_uuid() };
        Cursor::encode(CURSOR_VERSION, &place)
    };
    Ok(List::cut(items, params.limit, place).respond(&uri))
}

async fn redeliver(State(webhooks): State<Webhooks>, path: PathParams) -> Result<Response, Problem> {
    let (endpoint, delivery) = (path.id("endpointId")?, path.id("deliveryId")?);
    let missing = || Problem::not_found("there is no such delivery");
    if !webhooks.deliveries.again(endpoint, delivery).await? {
        return Err(missing());
    }
    webhooks.bell.ring();
    let delivery = webhooks.deliveries.by_id(endpoint, delivery).await?.ok_or_else(missing)?;
    Ok((StatusCode::ACCEPTED, Json(DeliveryAnswer::from(delivery))).into_response())
}

fn answer(endpoint: Endpoint) -> Response {
    (ETag(i64::from(endpoint.version)), Json(EndpointAnswer::from(endpoint))).into_response()
}

fn no_endpoint() -> Problem {
    Problem::not_found("there is no such webhook endpoint")
}

fn checked_url(url: &str, webhooks: &Webhooks) -> Result<String, Problem> {
    parse_url(url, webhooks.allowed).map_err(|detail| Problem::invalid_field("/url", detail))
}

/// As [`checked_events`], but at least one: who takes all types away does not mean all of them.
fn changed_events(events: &[String]) -> Result<Vec<String>, Problem> {
    if events.is_empty() {
        let detail = "must name at least one type, or `*`; `enabled: false` is for none";
        return Err(Problem::invalid_field("/events", detail));
    }
    checked_events(events)
}

/// The types as they are stored. Those of topics (`oms.order.placed.v1`) are taken too, and `order.*` for `*`.
fn checked_events(events: &[String]) -> Result<Vec<String>, Problem> {
    let mut checked = Vec::with_capacity(events.len());
    for (index, event) in events.iter().enumerate() {
        let plain = event.strip_prefix("oms.").and_then(|event| event.strip_suffix(".v1")).unwrap_or(event);
        let known = TYPES.iter().find(|known| **known == plain);
        let known = known.copied().or_else(|| matches!(plain, ALL | "order.*").then_some(ALL));
        let Some(known) = known else {
            let detail = format!("expected `*` or one of {}", TYPES.join(", "));
            return Err(Problem::invalid_field(format!("/events/{index}"), detail));
        };
        checked.push(known.to_owned());
    }
    if checked.is_empty() {
        checked.push(ALL.to_owned());
    }
    checked.sort();
    checked.dedup();
    Ok(checked)
}

impl From<Endpoint> for EndpointAnswer {
    fn from(endpoint: Endpoint) -> Self {
        Self {
            endpoint_id: endpoint.endpoint_id,
            url: endpoint.url,
            events: endpoint.events,
            secret: None,
            enabled: endpoint.enabled,
            disabled_reason: endpoint.disabled_reason,
            failing_since: endpoint.failing_since,
            version: endpoint.version,
            created_at: endpoint.created_at,
            updated_at: endpoint.updated_at,
        }
    }
}

impl From<Delivery> for DeliveryAnswer {
    fn from(delivery: Delivery) -> Self {
        let last = delivery.attempts.last().cloned();
        Self {
            delivery_id: delivery.delivery_id,
            endpoint_id: delivery.endpoint_id,
            notification_id: delivery.notification_id,
            notification_type: delivery.notification_type,
            order_id: delivery.order_id,
            status: delivery.state,
            status_code: last.as_ref().and_then(|last| last.status_code),
            duration_ms: last.as_ref().map(|last| last.duration_ms),
            error: last.and_then(|last| last.error),
            attempts: delivery.attempts,
            next_attempt_at: delivery.next_attempt_at,
            payload: delivery.body,
            created_at: delivery.created_at,
            completed_at: delivery.completed_at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_taken_in_both_spellings_and_nothing_else_is() {
        let of = |events: &[&str]| checked_events(&events.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(of(&[]).unwrap(), ["*"]);
        assert_eq!(
            of(&["order.shipped", "oms.order.placed.v1", "order.placed"]).unwrap(),
            ["order.placed", "order.shipped"]
        );
        assert_eq!(of(&["order.*"]).unwrap(), ["*"]);
        assert_eq!(changed_events(&[]).unwrap_err().errors()[0].pointer, "/events");
        assert_eq!(changed_events(&["order.placed".to_owned()]).unwrap(), ["order.placed"]);
        assert_eq!(of(&["order.placed", "order.sung"]).unwrap_err().errors()[0].pointer, "/events/1");
    }
}
