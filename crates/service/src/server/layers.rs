//! The layers around all routes, each of a few lines.

use crate::lifecycle::panic_text;
use crate::rate_limit::is_for_operators;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, Method, header};
use std::any::Any;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tower_http::cors::CorsLayer;
use web::consistency::OMS_CONSISTENCY;
use web::idempotency_key::{IDEMPOTENCY_KEY, IDEMPOTENCY_REPLAYED};
use web::request_context::{TRACEPARENT, X_REQUEST_ID};
use web::{Caller, Problem};

/// Longer than the longest long poll.
const LONGEST_REQUEST: Duration = Duration::from_secs(90);
const A_DAY: Duration = Duration::from_secs(86_400);

/// Nothing but what the answer itself brings: pages of our own set their own policy.
const POLICY: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
const FIXED: [(HeaderName, HeaderValue); 3] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
];

/// Sets the security headers that the answer does not set itself.
pub(super) async fn secure(State(https): State<bool>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in FIXED {
        headers.insert(name, value);
    }
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(POLICY);
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if https {
        let a_year = HeaderValue::from_static("max-age=31536000");
        headers.entry(header::STRICT_TRANSPORT_SECURITY).or_insert(a_year);
    }
    response
}

/// Refuses what is too much at once, before it costs anything. What operators and our own services need gets through.
pub(super) async fn shed(State(places): State<Arc<Semaphore>>, request: Request, next: Next) -> Response {
    // A call from a service of this process is part of a request that has its place already.
    let nested = request.extensions().get::<Caller>().is_some();
    let path = request.uri().path();
    if nested || path.starts_with("/internal/") || is_for_operators(path) {
        return next.run(request).await;
    }
    match places.try_acquire() {
        Ok(_place) => next.run(request).await,
        Err(_full) => Problem::overloaded("too many requests at once; try again in a moment").into_response(),
    }
}

/// Gives a request up that takes far too long.
pub(super) async fn time_out(request: Request, next: Next) -> Response {
    match tokio::time::timeout(LONGEST_REQUEST, next.run(request)).await {
        Ok(response) => response,
        Err(_too_late) => Problem::unavailable("the request took too long").into_response(),
    }
}

/// A panic is a bug of ours: the log has it, the caller reads a 500.
#[expect(clippy::needless_pass_by_value, reason = "the layer's signature")]
pub(super) fn panicked(panic: Box<dyn Any + Send>) -> Response {
    tracing::error!(panic = panic_text(&*panic), "a request panicked");
    Problem::internal_error("something went wrong here; it has been logged under this trace").into_response()
}

/// CORS for the allowed origins; nothing without any. Tokens go in headers, so no credentials of the browser's.
pub(super) fn cors(origins: &[HeaderValue]) -> Option<CorsLayer> {
    if origins.is_empty() {
        return None;
    }
    let layer = CorsLayer::new()
        .allow_origin(origins.to_vec())
        .allow_methods([Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::DELETE])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            header::ACCEPT,
            header::IF_MATCH,
            IDEMPOTENCY_KEY,
            OMS_CONSISTENCY,
            X_REQUEST_ID,
            TRACEPARENT,
        ])
        .expose_headers([
            header::ETAG,
            header::LOCATION,
            header::LINK,
            header::RETRY_AFTER,
            header::WWW_AUTHENTICATE,
            OMS_CONSISTENCY,
            IDEMPOTENCY_REPLAYED,
            HeaderName::from_static("ratelimit"),
            X_REQUEST_ID,
            TRACEPARENT,
        ])
        .max_age(A_DAY);
    Some(layer)
}
