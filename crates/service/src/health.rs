//! Whether the process lives (`/healthz`) and whether it should get requests (`/readyz`): dependencies by name, 503
//! only for what the service cannot work without, and from the beginning of a stop on.

use crate::Lifecycle;
use axum::Json;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, join_all};
use http::StatusCode;
use serde::Serialize;
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use utoipa::ToSchema;

/// A check that takes longer counts as down.
const PATIENCE: Duration = Duration::from_secs(2);

/// How a dependency is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// It works.
    Ok,
    /// It lags, or something beside the service's own is away; the service goes on.
    Degraded(String),
    /// The service cannot work without it: its own database, migrations, the first catch-up.
    Down(String),
}

/// A dependency that `/readyz` looks at.
#[derive(Clone)]
pub struct ReadyCheck {
    name: String,
    check: Arc<dyn Fn() -> BoxFuture<'static, Health> + Send + Sync>,
}

impl ReadyCheck {
    /// A check under a name, such as `orders.database`.
    pub fn new<F>(name: impl Into<String>, check: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Health> + Send + 'static,
    {
        Self { name: name.into(), check: Arc::new(move || check().boxed()) }
    }

    /// Whether the pool's database answers.
    pub fn database(name: impl Into<String>, pool: pg::Pool) -> Self {
        Self::new(name, move || {
            let pool = pool.clone();
            async move {
                let asked = async {
                    let client = pool.get().await.map_err(|error| error.to_string())?;
                    client.simple_query("select 1").await.map_err(|error| error.to_string())
                };
                match asked.await {
                    Ok(_) => Health::Ok,
                    Err(error) => {
                        tracing::warn!(error, "the database does not answer the readiness check");
                        Health::Down("the database does not answer".to_owned())
                    }
                }
            }
        })
    }

    /// Whether what is read from follows its logs: down until it has first caught up, degraded while it fails, stands
    /// still or has parked streams.
    pub fn projection(name: impl Into<String>, reader: feeds::ReaderHandle) -> Self {
        Self::new(name, move || {
            let first = (!reader.caught_up()).then(|| Health::Down("the first catch-up is not over".to_owned()));
            std::future::ready(first.unwrap_or_else(|| Health::following(&reader)))
        })
    }

    /// Whether effects follow their causes: degraded while it fails, stands still or has parked streams. The service
    /// answers all the same.
    pub fn reaction(name: impl Into<String>, reader: feeds::ReaderHandle) -> Self {
        Self::new(name, move || std::future::ready(Health::following(&reader)))
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl std::fmt::Debug for ReadyCheck {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("ReadyCheck").field(&self.name).finish()
    }
}

impl Health {
    /// How a reader that has caught up follows its logs: degraded while it fails, stands still or has parked streams.
    #[must_use]
    pub fn following(reader: &feeds::ReaderHandle) -> Self {
        let status = reader.status();
        if let Some(reason) = status.stopped() {
            return Self::Degraded(format!("a partition stands still: {reason}"));
        }
        if status.failing.is_some() {
            return Self::Degraded("failing; see the log".to_owned());
        }
        if status.parked > 0 {
            return Self::Degraded(format!("{} streams are parked", status.parked));
        }
        Self::Ok
    }
}

/// What `/readyz` answers.
#[derive(Debug, Serialize, ToSchema)]
pub struct Readiness {
    /// The worst of all: `ok`, `degraded`, `down`; `draining` once the process stops.
    status: &'static str,
    /// Every dependency by name.
    checks: BTreeMap<String, CheckResult>,
}

/// How one dependency is.
#[derive(Debug, Serialize, ToSchema)]
pub struct CheckResult {
    /// `ok`, `degraded` or `down`.
    status: &'static str,
    /// What is wrong with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

/// Looks at all of them at once.
pub(crate) async fn readiness(checks: &[ReadyCheck], lifecycle: &Lifecycle) -> Response {
    let looks = checks.iter().map(|check| async move {
        let health = tokio::time::timeout(PATIENCE, (check.check)()).await;
        (check.name.clone(), health.unwrap_or_else(|_| Health::Down("no answer in time".to_owned())))
    });
    let mut results: BTreeMap<String, Health> = join_all(looks).await.into_iter().collect();
    for name in lifecycle.failing().keys() {
        results.insert(format!("worker.{name}"), Health::Degraded("failing; see the log".to_owned()));
    }
    let draining = lifecycle.draining().is_cancelled();
    let down = results.values().any(|health| matches!(health, Health::Down(_)));
    let degraded = results.values().any(|health| matches!(health, Health::Degraded(_)));
    let status = match (draining, down, degraded) {
        (true, ..) => "draining",
        (_, true, _) => "down",
        (_, _, true) => "degraded",
        _ => "ok",
    };
    let checks = results
        .into_iter()
        .map(|(name, health)| {
            let (status, detail) = match health {
                Health::Ok => ("ok", None),
                Health::Degraded(detail) => ("degraded", Some(detail)),
                Health::Down(detail) => ("down", Some(detail)),
            };
            (name, CheckResult { status, detail })
        })
        .collect();
    let code = if draining || down { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    (code, Json(Readiness { status, checks })).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt as _;
    use serde_json::{Value, json};

    fn check(name: &str, health: &Health) -> ReadyCheck {
        let health = health.clone();
        ReadyCheck::new(name, move || std::future::ready(health.clone()))
    }

    async fn look(checks: &[ReadyCheck], lifecycle: &Lifecycle) -> (u16, Value) {
        let response = readiness(checks, lifecycle).await;
        let status = response.status().as_u16();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&bytes).unwrap())
    }

    #[tokio::test]
    async fn a_degraded_service_still_gets_requests_and_one_that_is_down_does_not() {
        let lifecycle = Lifecycle::new();
        let lag = check("lag", &Health::Degraded("behind by 12 s".to_owned()));
        let down = check("database", &Health::Down("away".to_owned()));
        assert_eq!(look(&[check("database", &Health::Ok)], &lifecycle).await.0, 200);
        let (status, body) = look(&[check("database", &Health::Ok), lag.clone()], &lifecycle).await;
        assert_eq!(status, 200);
        assert_eq!(
            body,
            json!({"status": "degraded", "checks": {
                "database": {"status": "ok"},
                "lag": {"status": "degraded", "detail": "behind by 12 s"},
            }})
        );
        let (status, body) = look(&[down, lag], &lifecycle).await;
        assert_eq!((status, &body["status"]), (503, &json!("down")));
    }

    #[tokio::test]
    async fn from_the_beginning_of_a_stop_on_it_is_not_ready() {
        let lifecycle = Lifecycle::new();
        lifecycle.begin_drain();
        let (status, body) = look(&[check("database", &Health::Ok)], &lifecycle).await;
        assert_eq!((status, &body["status"]), (503, &json!("draining")));
    }

    #[tokio::test(start_paused = true)]
    async fn a_check_that_hangs_counts_as_down() {
        let hanging = ReadyCheck::new("database", std::future::pending);
        assert_eq!(look(&[hanging], &Lifecycle::new()).await.0, 503);
    }
}
