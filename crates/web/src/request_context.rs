//! What belongs to one request: its id, its trace and the moment. This is the only ambient clock of the system;
//! timers and leases use the database's.

use crate::Problem;
use axum::extract::{FromRequestParts, Request};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, SubsecRound, Utc};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue};
use std::convert::Infallible;
use tracing::Instrument as _;
use uuid::Uuid;

/// The header that names a request, honoured and returned.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The W3C trace context, honoured and returned.
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// The present moment, in microseconds as Postgres keeps it.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the one ambient clock")]
pub fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(6)
}

tokio::task_local! {
    static CURRENT: RequestContext;
}

/// What belongs to one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestContext {
    /// The caller's `X-Request-Id`, or one of ours.
    pub request_id: String,
    /// The 32 hexadecimal digits of the trace.
    pub trace_id: String,
    /// The W3C trace context to hand on.
    pub traceparent: String,
}

impl RequestContext {
    /// A context of its own: for work that no request caused.
    #[must_use]
    pub fn new() -> Self {
        Self::from_headers(&HeaderMap::new())
    }

    /// Takes over what the headers carry and makes up what is missing or malformed.
    #[must_use]
    pub fn from_headers(headers: &HeaderMap) -> Self {
        let (trace_id, flags) = headers
            .get(TRACEPARENT)
            .and_then(|value| value.to_str().ok())
            .and_then(parse_traceparent)
            .unwrap_or_else(|| (hex(rand::random::<u128>().max(1), 32), "01".to_owned()));
        let traceparent = format!("00-{trace_id}-{}-{flags}", hex(u128::from(rand::random::<u64>().max(1)), 16));
        let request_id = headers
            .get(X_REQUEST_ID)
            .and_then(|value| value.to_str().ok())
            .filter(|text| (1..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()))
            .map_or_else(|| hex(rand::random::<u128>(), 32), ToOwned::to_owned);
        Self { request_id, trace_id, traceparent }
    }

    /// The context of the request that this task serves, if it serves one: calls to other services carry it on.
    #[must_use]
    pub fn current() -> Option<Self> {
        CURRENT.try_with(Clone::clone).ok()
    }

    /// Runs a task of its own within this context.
    pub async fn scope<T>(self, work: impl Future<Output = T>) -> T {
        CURRENT.scope(self, work).await
    }

    /// The trace as a UUID, for the metadata of events.
    #[must_use]
    pub fn correlation_id(&self) -> Uuid {
        Uuid::try_parse(&self.trace_id).unwrap_or(Uuid::nil())
    }
}

impl Default for RequestContext {
    fn default() -> Self {
        Self::new()
    }
}

/// `00-<32 hex>-<16 hex>-<2 hex>`, lower case, ids not zero.
fn parse_traceparent(text: &str) -> Option<(String, String)> {
    let mut parts = text.split('-');
    let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let is_hex = |part: &str, length: usize| {
        part.len() == length && part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let nonzero = |part: &str| part.bytes().any(|byte| byte != b'0');
    let well_formed = is_hex(version, 2) && is_hex(trace, 32) && is_hex(span, 16) && is_hex(flags, 2);
    let known = version != "ff" && (version != "00" || parts.next().is_none());
    (well_formed && known && nonzero(trace) && nonzero(span)).then(|| (trace.to_owned(), flags.to_owned()))
}

fn hex(value: u128, width: usize) -> String {
    format!("{value:0width$x}")
}

impl<S: Sync> FromRequestParts<S> for RequestContext {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        if let Some(context) = parts.extensions.get::<Self>() {
            return Ok(context.clone());
        }
        let context = Self::from_headers(&parts.headers);
        parts.extensions.insert(context.clone());
        Ok(context)
    }
}

/// The middleware that gives every request its context, returns its id and trace, and completes problems with
/// `instance` and `traceId`. It goes around everything else.
pub async fn provide(mut request: Request, next: Next) -> Response {
    let context = RequestContext::from_headers(request.headers());
    let instance = request.uri().path().to_owned();
    request.extensions_mut().insert(context.clone());
    // Whatever is logged while the request is served names its trace, which is what callers can quote.
    let span = tracing::info_span!("request", trace.id = context.trace_id, method = %request.method(), path = instance);
    let mut response = context.clone().scope(next.run(request)).instrument(span).await;
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        let complete = problem.at(&instance, &context.trace_id).into_response();
        let (parts, body) = complete.into_parts();
        // Headers that layers in between have added stay; the length of the body is a new one.
        let mut headers = std::mem::take(response.headers_mut());
        headers.remove(http::header::CONTENT_LENGTH);
        for (name, value) in &parts.headers {
            headers.insert(name.clone(), value.clone());
        }
        response = Response::from_parts(parts, body);
        *response.headers_mut() = headers;
    }
    let headers = response.headers_mut();
    for (name, text) in [(X_REQUEST_ID, &context.request_id), (TRACEPARENT, &context.traceparent)] {
        if let Ok(value) = HeaderValue::from_str(text) {
            headers.insert(name, value);
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context(traceparent: &str, request_id: &str) -> RequestContext {
        let mut headers = HeaderMap::new();
        headers.insert(TRACEPARENT, traceparent.parse().unwrap());
        headers.insert(X_REQUEST_ID, request_id.parse().unwrap());
        RequestContext::from_headers(&headers)
    }

    #[test]
    fn a_valid_trace_and_request_id_are_honoured() {
        let context = context("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00", "order-17");
        assert_eq!(context.request_id, "order-17");
        assert_eq!(context.trace_id, "4bf92f3577b34da6a3ce929d0e0e4736");
        assert!(context.traceparent.starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-"));
        assert!(context.traceparent.ends_with("-00"));
        assert_eq!(context.correlation_id().simple().to_string(), context.trace_id);
    }

    #[test]
    fn malformed_ones_are_replaced() {
        for traceparent in [
            "",
            "00-0-0-0",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
        ] {
            let context = context(traceparent, "has a space");
            assert_eq!(context.trace_id.len(), 32);
            assert!(!context.trace_id.starts_with("4bf92f35"), "{traceparent}");
            assert!(!context.request_id.contains(' '));
        }
    }
}
