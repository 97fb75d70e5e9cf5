//! The verifier of this process: its keys come from auth-service, and so do the revocations, which it follows.

use crate::{Peer, SettingError, Settings, Worker};
use futures_util::FutureExt as _;
use std::sync::Arc;
use std::time::Duration;
use web::auth::{FetchJwks, JwksError, JwksSource, RevocationPage, ServiceToken, TokenVerifier, VerifierConfig};

/// The audience of every access token.
const AUDIENCE: &str = "oms";
const LONG_POLL_SECONDS: u64 = 20;
const DEADLINE: Duration = Duration::from_secs(LONG_POLL_SECONDS + 5);
const PAUSE: Duration = Duration::from_secs(1);

/// The token between our own services, if one is set.
pub(crate) fn service_token(settings: &Settings) -> Result<Option<ServiceToken>, SettingError> {
    let Some(text) = settings.optional("INTERNAL_SERVICE_TOKEN") else { return Ok(None) };
    let token = ServiceToken::parse(&text);
    token.map(Some).map_err(|error| SettingError::wrong("INTERNAL_SERVICE_TOKEN", &text, error))
}

/// A verifier of tokens that the public URL has issued.
pub(crate) fn verifier(settings: &Settings, issuer: &str, auth: &Peer) -> Result<TokenVerifier, SettingError> {
    let auth = auth.clone();
    let fetch: FetchJwks = Arc::new(move || {
        let auth = auth.clone();
        let fetched = async move { auth.get("/.well-known/jwks.json").await };
        fetched.map(|set| set.map_err(|error| JwksError(error.to_string()))).boxed()
    });
    verifier_of(settings, issuer, JwksSource::Fetch(fetch))
}

/// A verifier with keys from anywhere.
pub(crate) fn verifier_of(settings: &Settings, issuer: &str, keys: JwksSource) -> Result<TokenVerifier, SettingError> {
    let config = VerifierConfig {
        issuer: issuer.to_owned(),
        audience: AUDIENCE.to_owned(),
        service_token: service_token(settings)?,
    };
    Ok(TokenVerifier::new(config, keys))
}

/// Follows auth-service's revocations, so that a revoked token is refused here within a moment.
pub(crate) fn follow_revocations(verifier: TokenVerifier, auth: Peer) -> Worker {
    Worker::once("revocations", move |stop| async move {
        stop.run_until_cancelled(follow(&verifier, &auth)).await;
    })
}

async fn follow(verifier: &TokenVerifier, auth: &Peer) {
    let mut after = 0;
    let mut known_to_fail = false;
    loop {
        let path = format!("/internal/revocations?after={after}&wait={LONG_POLL_SECONDS}");
        match auth.get_within::<RevocationPage>(&path, DEADLINE).await {
            Ok(page) => {
                known_to_fail = false;
                // A head behind us: the list was restored from a backup, and is read again from its beginning.
                after = if page.head < after { 0 } else { page.revocations.last().map_or(after, |last| last.position) };
                verifier.revocations().add(page.revocations);
            }
            Err(error) => {
                if !known_to_fail {
                    tracing::warn!(%error, "the revocations cannot be followed; trying again");
                    known_to_fail = true;
                }
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}
