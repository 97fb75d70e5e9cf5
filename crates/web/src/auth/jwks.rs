//! The issuer's public keys: fetched when they are needed, kept, and asked for again when a token names a key that
//! is not known, at most once per 30 seconds.

use crate::Problem;
use futures_util::future::BoxFuture;
use jsonwebtoken::DecodingKey;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, JwkSet, KeyAlgorithm, PublicKeyUse};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, RwLock};
use tokio::time::Instant;

/// An unknown key makes us ask at most this often.
const ASK_AGAIN: Duration = Duration::from_secs(30);
/// While no keys are there at all, a failed fetch is repeated at most this often.
const RETRY: Duration = Duration::from_millis(500);
/// Keys that were withdrawn are forgotten after this long.
const KEEP: Duration = Duration::from_secs(300);

/// Why no keys could be had.
#[derive(Debug, thiserror::Error)]
#[error("the issuer's keys could not be fetched: {0}")]
pub struct JwksError(pub String);

/// Fetches the key set; service supplies it.
pub type FetchJwks = Arc<dyn Fn() -> BoxFuture<'static, Result<JwkSet, JwksError>> + Send + Sync>;

/// Where the keys come from.
#[derive(Clone)]
pub enum JwksSource {
    /// A set that never changes: for tests.
    Static(JwkSet),
    /// Asked for when needed.
    Fetch(FetchJwks),
}

impl std::fmt::Debug for JwksSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Static(_) => "JwksSource::Static",
            Self::Fetch(_) => "JwksSource::Fetch",
        })
    }
}

#[derive(Default)]
struct Cached {
    keys: HashMap<String, Arc<DecodingKey>>,
    fetched_at: Option<Instant>,
}

#[derive(Default)]
struct Asked {
    at: Option<Instant>,
}

/// The keys as they are known.
pub(super) struct Keys {
    source: JwksSource,
    cached: RwLock<Cached>,
    asked: Mutex<Asked>,
}

impl Keys {
    pub(super) fn new(source: JwksSource) -> Self {
        let cached = match &source {
            JwksSource::Static(set) => Cached { keys: usable(set), fetched_at: None },
            JwksSource::Fetch(_) => Cached::default(),
        };
        Self { source, cached: RwLock::new(cached), asked: Mutex::new(Asked::default()) }
    }

    /// The key of that id.
    pub(super) async fn find(&self, kid: &str) -> Result<Arc<DecodingKey>, Problem> {
        let unknown = || Problem::invalid_token("the access token is signed with a key that is not known");
        let JwksSource::Fetch(fetch) = &self.source else {
            return self.cached.read().await.keys.get(kid).cloned().ok_or_else(unknown);
        };
        if let Some(key) = self.fresh(kid).await {
            return Ok(key);
        }
        // One caller fetches, the others wait here and find what it brought.
        let mut asked = self.asked.lock().await;
        if let Some(key) = self.fresh(kid).await {
            return Ok(key);
        }
        let (none, stale) = {
            let cached = self.cached.read().await;
            let stale = cached.fetched_at.is_some_and(|at| at.elapsed() > KEEP);
            (cached.fetched_at.is_none(), stale)
        };
        let wait = if none { RETRY } else { ASK_AGAIN };
        if asked.at.is_none_or(|at| at.elapsed() >= wait) {
            asked.at = Some(Instant::now());
            match fetch().await {
                Ok(set) => {
                    let fetched_at = Some(Instant::now());
                    *self.cached.write().await = Cached { keys: usable(&set), fetched_at };
                }
                Err(error) => tracing::warn!(%error, stale, "keys not fetched; going on with those that are known"),
            }
        }
        drop(asked);
        let cached = self.cached.read().await;
        if cached.fetched_at.is_none() {
            return Err(Problem::unavailable("tokens cannot be verified right now: the issuer does not answer"));
        }
        cached.keys.get(kid).cloned().ok_or_else(unknown)
    }

    async fn fresh(&self, kid: &str) -> Option<Arc<DecodingKey>> {
        let cached = self.cached.read().await;
        let fresh = cached.fetched_at.is_some_and(|at| at.elapsed() <= KEEP);
        fresh.then(|| cached.keys.get(kid).cloned()).flatten()
    }
}

/// The P-256 signature keys of a set, by id. Anything else is not for us.
fn usable(set: &JwkSet) -> HashMap<String, Arc<DecodingKey>> {
    let mut keys = HashMap::new();
    for jwk in &set.keys {
        let p256 =
            matches!(&jwk.algorithm, AlgorithmParameters::EllipticCurve(curve) if curve.curve == EllipticCurve::P256);
        let es256 = jwk.common.key_algorithm.is_none_or(|algorithm| algorithm == KeyAlgorithm::ES256);
        let signs = jwk.common.public_key_use.as_ref().is_none_or(|usage| *usage == PublicKeyUse::Signature);
        if let (true, Some(kid)) = (p256 && es256 && signs, &jwk.common.key_id)
            && let Ok(key) = DecodingKey::from_jwk(jwk)
        {
            keys.insert(kid.clone(), Arc::new(key));
        }
    }
    keys
}
