//! The one router of a process: the services' routes merged, the routes that every process has, and the layers around
//! them. And the listener that serves it until the process stops.

mod layers;

use crate::health::{Readiness, readiness};
use crate::{Lifecycle, Quota, RateLimiter, ReadyCheck, SettingError, Settings, docs, metrics, rate_limit};
use axum::Router;
use axum::extract::State;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::serve::ListenerExt as _;
use bytes::Bytes;
use http::{HeaderValue, header};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tower_http::catch_panic::CatchPanicLayer;
use web::auth::{TokenVerifier, authenticate};
use web::{Access, Doc, Problem, Routes, request_context};

/// How the router behaves.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// Origins that browsers may call from; `*` is not one.
    pub cors_origins: Vec<HeaderValue>,
    /// More requests at once than this are refused.
    pub max_concurrent_requests: usize,
    /// How often one caller may ask.
    pub rate_limiter: RateLimiter,
    /// Whether `/metrics` is on the main listener.
    pub metrics: bool,
    /// Whether clients reach us by TLS only.
    pub https: bool,
}

impl ServerConfig {
    /// Reads the settings. `/metrics` is on the main listener when that is loopback and no other is named for it.
    ///
    /// # Errors
    /// [`SettingError`] when one of them is wrong.
    pub fn from_settings(settings: &Settings, listen: SocketAddr, public_url: &str) -> Result<Self, SettingError> {
        let mut cors_origins = Vec::new();
        for origin in settings.list("OMS_CORS_ORIGINS") {
            let valid = origin.parse::<http::Uri>().ok().filter(|uri| {
                matches!(uri.scheme_str(), Some("http" | "https"))
                    && matches!(uri.path(), "" | "/")
                    && uri.query().is_none()
            });
            match valid.and_then(|_| HeaderValue::from_str(origin.trim_end_matches('/')).ok()) {
                Some(origin) => cors_origins.push(origin),
                None => return Err(SettingError::wrong("OMS_CORS_ORIGINS", &origin, "expected scheme, host and port")),
            }
        }
        Ok(Self {
            cors_origins,
            rate_limiter: RateLimiter::from_settings(settings, Quota::API)?,
            max_concurrent_requests: settings.parse("OMS_MAX_CONCURRENT_REQUESTS", 512)?,
            metrics: listen.ip().is_loopback() && settings.optional("OMS_ADMIN_LISTEN").is_none(),
            https: public_url.starts_with("https:"),
        })
    }
}

/// How long connections are still accepted after the stop has begun.
const LAST_ANSWERS: Duration = Duration::from_millis(500);

/// What every process answers about itself.
#[derive(Clone)]
struct About {
    checks: Arc<[ReadyCheck]>,
    lifecycle: Lifecycle,
    document: Bytes,
}

/// Merges the tables of the services into the one router.
pub fn assemble(
    tables: Vec<Routes<()>>,
    checks: Vec<ReadyCheck>,
    verifier: TokenVerifier,
    lifecycle: &Lifecycle,
    config: &ServerConfig,
) -> Router {
    let mut specs: Vec<_> = tables.iter().flat_map(|table| table.specs().iter().cloned()).collect();
    specs.extend(about_routes(config.metrics).specs().iter().cloned());
    let document = serde_json::to_vec(&web::openapi("oms", &specs)).unwrap_or_default().into();
    let about = About { checks: checks.into(), lifecycle: lifecycle.clone(), document };

    let mut router = about_routes(config.metrics).with_state(about).into_router().merge(docs::routes().into_router());
    for table in tables {
        router = router.merge(table.into_router());
    }
    let places = Arc::new(Semaphore::new(config.max_concurrent_requests));
    let router = router
        .fallback(|| async { Problem::not_found("there is nothing at this path") })
        .method_not_allowed_fallback(|| async { Problem::method_not_allowed("this path does not take this method") })
        .layer(from_fn(layers::time_out))
        .layer(from_fn_with_state(config.rate_limiter.clone(), rate_limit::limit))
        .layer(from_fn_with_state(verifier, authenticate))
        .layer(from_fn_with_state(places, layers::shed))
        .layer(from_fn(metrics::observe))
        .layer(CatchPanicLayer::custom(layers::panicked));
    let router = match layers::cors(&config.cors_origins) {
        Some(cors) => router.layer(cors),
        None => router,
    };
    router.layer(from_fn_with_state(config.https, layers::secure)).layer(from_fn(request_context::provide))
}

/// What stands on a listener of its own when the main one is not loopback.
pub fn admin_router(checks: Vec<ReadyCheck>, lifecycle: &Lifecycle) -> Router {
    let about = About { checks: checks.into(), lifecycle: lifecycle.clone(), document: Bytes::new() };
    about_routes(true).with_state(about).into_router().layer(from_fn(request_context::provide))
}

/// Serves until the process stops, then finishes what is running, for `patience` at most.
///
/// # Errors
/// When the listener breaks.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    lifecycle: &Lifecycle,
    patience: Duration,
) -> std::io::Result<()> {
    let draining = lifecycle.draining().clone();
    // Small answers must not wait for more to send.
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps Nagle's algorithm");
        }
    });
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    // The listener stays open for a moment, so that whoever asks /readyz hears that no more requests are wanted.
    let closing = draining.clone();
    let serving = axum::serve(listener, service).with_graceful_shutdown(async move {
        closing.cancelled().await;
        tokio::time::sleep(LAST_ANSWERS).await;
    });
    let too_late = async {
        draining.cancelled().await;
        tokio::time::sleep(patience).await;
    };
    tokio::select! {
        done = serving => done,
        () = too_late => {
            tracing::warn!("some connections did not end in time and are cut");
            Ok(())
        }
    }
}

fn about_routes(with_metrics: bool) -> Routes<About> {
    let json = || Doc::new("This document").answers_raw(200, "application/json");
    let table = Routes::new("process")
        .get("/healthz", Access::Public, Doc::new("Whether the process lives").answers_raw(200, "text/plain"), healthz)
        .get("/readyz", Access::Public, Doc::new("Whether it should get requests").answers::<Readiness>(200), readyz)
        .get("/openapi.json", Access::Public, json(), document);
    if !with_metrics {
        return table;
    }
    let doc = Doc::new("Metrics for Prometheus").answers_raw(200, "text/plain");
    table.get("/metrics", Access::Public, doc, metrics::render)
}

async fn healthz() -> &'static str {
    "ok"
}

async fn readyz(State(about): State<About>) -> Response {
    readiness(&about.checks, &about.lifecycle).await
}

async fn document(State(about): State<About>) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], about.document).into_response()
}

#[cfg(test)]
mod tests;
