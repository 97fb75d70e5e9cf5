//! Limits on how often a caller may ask: a bucket per caller that fills at a steady rate. The whole API has one with
//! much room; routes that can be used to guess have a tight one of their own. `OMS_RATE_LIMIT=off` opens all of them.

use crate::{SettingError, Settings};
use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue};
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::time::Instant;
use web::{Caller, CallerKind, Problem};

/// The headers of the IETF's draft on rate limits.
const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
/// More callers at a time than this are not remembered one by one.
const MOST_CALLERS: usize = 100_000;

/// How much a caller may do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quota {
    /// At once.
    pub burst: u32,
    /// In the long run.
    pub per_second: f64,
}

impl Quota {
    /// For one caller of the whole API: far above any client that behaves, and a bound on one that does not.
    pub const API: Self = Self { burst: 20_000, per_second: 10_000.0 };
}

/// What is left for a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// Requests that may be made now.
    pub remaining: u32,
    /// Seconds until the bucket is full again, or until the next request where none remain.
    pub reset_seconds: u64,
}

struct Bucket {
    tokens: f64,
    at: Instant,
}

/// Limits by caller. Clones share the buckets.
#[derive(Clone)]
pub struct RateLimiter {
    quota: Option<Quota>,
    buckets: Arc<Mutex<HashMap<String, Bucket>>>,
}

impl RateLimiter {
    /// A limiter with this quota for every caller.
    #[must_use]
    pub fn new(quota: Quota) -> Self {
        Self { quota: Some(quota), buckets: Arc::default() }
    }

    /// A limiter with this quota, unless `OMS_RATE_LIMIT` is off.
    ///
    /// # Errors
    /// [`SettingError`] when that is neither on nor off.
    pub fn from_settings(settings: &Settings, quota: Quota) -> Result<Self, SettingError> {
        Ok(if settings.switch("OMS_RATE_LIMIT", true)? { Self::new(quota) } else { Self::off() })
    }

    /// A limiter that lets everything pass.
    #[must_use]
    pub fn off() -> Self {
        Self { quota: None, buckets: Arc::default() }
    }

    /// Takes one request out of the caller's bucket.
    ///
    /// # Errors
    /// 429 `RATE_LIMITED` with Retry-After when it is empty.
    pub fn check(&self, caller: &str) -> Result<Option<Allowance>, Problem> {
        let Some(quota) = self.quota else { return Ok(None) };
        let (now, burst) = (Instant::now(), f64::from(quota.burst));
        let refilled = |bucket: &Bucket| {
            let elapsed = now.saturating_duration_since(bucket.at).as_secs_f64();
            (bucket.tokens + elapsed * quota.per_second).min(burst)
        };
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MOST_CALLERS && !buckets.contains_key(caller) {
            // A full bucket is as good as none; if all of them are in use, forgetting is the lesser evil.
            buckets.retain(|_, bucket| refilled(bucket) < burst);
            if buckets.len() >= MOST_CALLERS {
                buckets.clear();
            }
        }
        let bucket = buckets.entry(caller.to_owned()).or_insert(Bucket { tokens: burst, at: now });
        let tokens = refilled(bucket);
        bucket.at = now;
        if tokens < 1.0 {
            bucket.tokens = tokens;
            let wait = whole((1.0 - tokens) / quota.per_second).max(1);
            return Err(Problem::rate_limited("too many requests; wait before the next one").with_retry_after(wait));
        }
        bucket.tokens = tokens - 1.0;
        let remaining = u32::try_from(whole_below(bucket.tokens)).unwrap_or(u32::MAX);
        Ok(Some(Allowance { remaining, reset_seconds: whole((burst - bucket.tokens) / quota.per_second).max(1) }))
    }

    /// Puts one request back into the caller's bucket: it was no guess.
    pub fn give_back(&self, caller: &str) {
        let Some(quota) = self.quota else { return };
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bucket) = buckets.get_mut(caller) {
            bucket.tokens = (bucket.tokens + 1.0).min(f64::from(quota.burst));
        }
    }
}

impl std::fmt::Debug for RateLimiter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("RateLimiter").field(&self.quota).finish()
    }
}

/// Who a request is counted for: the subject and client of its token, else the address it comes from.
#[must_use]
pub fn caller_key(caller: Option<&Caller>, address: Option<IpAddr>) -> String {
    match (caller, address) {
        (Some(caller), _) => format!("{} {}", caller.client_id, caller.subject),
        (None, Some(address)) => address.to_string(),
        (None, None) => String::new(),
    }
}

/// Whether the path is one that must answer however busy everything else is.
pub(crate) fn is_for_operators(path: &str) -> bool {
    matches!(path, "/healthz" | "/readyz" | "/metrics")
}

/// The middleware for the whole API. Our own services are not counted.
pub(crate) async fn limit(State(limiter): State<RateLimiter>, request: Request, next: Next) -> Response {
    let caller = request.extensions().get::<Caller>();
    let internal = caller.is_some_and(|caller| caller.kind == CallerKind::Internal);
    if internal || is_for_operators(request.uri().path()) {
        return next.run(request).await;
    }
    let address = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let allowance = match limiter.check(&caller_key(caller, address)) {
        Ok(allowance) => allowance,
        Err(problem) => return problem.into_response(),
    };
    let mut response = next.run(request).await;
    if let (Some(allowance), Some(quota)) = (allowance, limiter.quota) {
        let window = whole(f64::from(quota.burst) / quota.per_second).max(1);
        let headers = response.headers_mut();
        for (name, text) in [
            (RATE_LIMIT, format!("\"api\";r={};t={}", allowance.remaining, allowance.reset_seconds)),
            (RATE_LIMIT_POLICY, format!("\"api\";q={};w={window}", quota.burst)),
        ] {
            if let Ok(value) = HeaderValue::from_str(&text) {
                headers.insert(name, value);
            }
        }
    }
    response
}

/// The next whole number. Quotas are small, so that nothing is lost.
fn whole(number: f64) -> u64 {
    whole_below(number.ceil())
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "never negative, and far below 2^53")]
fn whole_below(number: f64) -> u64 {
    number.max(0.0) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio::time::advance;

    #[tokio::test(start_paused = true)]
    async fn a_caller_gets_a_burst_and_then_the_steady_rate() {
        let limiter = RateLimiter::new(Quota { burst: 3, per_second: 0.5 });
        for remaining in [2, 1, 0] {
            assert_eq!(limiter.check("a").unwrap().unwrap().remaining, remaining);
        }
        let problem = limiter.check("a").unwrap_err();
        assert_eq!(problem.status(), 429);
        assert_eq!(problem.into_response().headers()["retry-after"], "2");
        assert!(limiter.check("b").is_ok());
        advance(Duration::from_secs(2)).await;
        assert!(limiter.check("a").is_ok());
        assert!(limiter.check("a").is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_no_guess_is_given_back() {
        let limiter = RateLimiter::new(Quota { burst: 1, per_second: 0.1 });
        for _ in 0..3 {
            assert!(limiter.check("a").is_ok());
            limiter.give_back("a");
        }
        assert!(limiter.check("a").is_ok());
        assert!(limiter.check("a").is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn idle_callers_are_forgotten_before_there_are_too_many() {
        let limiter = RateLimiter::new(Quota { burst: 1, per_second: 1.0 });
        for caller in 0..MOST_CALLERS {
            assert!(limiter.check(&caller.to_string()).is_ok());
        }
        advance(Duration::from_secs(2)).await;
        assert!(limiter.check("one more").is_ok());
        assert_eq!(limiter.buckets.lock().unwrap().len(), 1);
    }

    #[test]
    fn off_is_off() {
        let limiter = RateLimiter::off();
        assert!((0..10_000).all(|_| limiter.check("a").is_ok_and(|allowance| allowance.is_none())));
    }

    #[test]
    fn a_request_counts_for_its_subject_and_client_else_for_its_address() {
        let address = Some(IpAddr::from([127, 0, 0, 1]));
        assert_eq!(caller_key(Some(&Caller::internal()), address), "internal internal");
        assert_eq!(caller_key(None, address), "127.0.0.1");
    }
}
