//! Who is calling: verifies bearer tokens (RFC 9068 access tokens, ES256) and the service token, and puts the
//! caller into the request. An invalid token is 401 on every route, public ones too; whether a caller is needed is
//! the route table's business.

mod claims;
mod jwks;
mod reader;
mod revocations;
mod service_token;
mod verified;

pub use claims::AccessTokenClaims;
pub use jwks::{FetchJwks, JwksError, JwksSource};
pub use reader::AccessTokenReader;
pub use revocations::{Revocation, RevocationKind, RevocationPage, Revocations};
pub use service_token::{ServiceToken, ServiceTokenError, X_SERVICE_TOKEN};

use crate::{Caller, Problem};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, header};
use jwks::Keys;
use std::sync::Arc;
use verified::Verified;

/// How far the clocks of issuer and verifier may be apart, in seconds.
const LEEWAY_SECONDS: u64 = 5;

/// What a verifier insists on.
#[derive(Debug, Clone)]
pub struct VerifierConfig {
    /// The issuer (`iss`): the public URL.
    pub issuer: String,
    /// The audience (`aud`).
    pub audience: String,
    /// The token between our own services; none means that any is refused.
    pub service_token: Option<ServiceToken>,
}

/// Verifies tokens. Clones share keys and revocations.
#[derive(Clone)]
pub struct TokenVerifier(Arc<Inner>);

struct Inner {
    reader: AccessTokenReader,
    service_token: Option<ServiceToken>,
    keys: Keys,
    verified: Verified,
    revocations: Revocations,
}

impl TokenVerifier {
    /// A verifier that takes its keys from that source.
    #[must_use]
    pub fn new(config: VerifierConfig, source: JwksSource) -> Self {
        Self(Arc::new(Inner {
            reader: AccessTokenReader::new(&config.issuer, &config.audience, LEEWAY_SECONDS),
            service_token: config.service_token,
            keys: Keys::new(source),
            verified: Verified::default(),
            revocations: Revocations::default(),
        }))
    }

    /// What has been revoked before its time; the service keeps it up to date.
    #[must_use]
    pub fn revocations(&self) -> &Revocations {
        &self.0.revocations
    }

    /// Verifies an access token.
    ///
    /// # Errors
    /// 401 `INVALID_TOKEN`; 503 when no keys could be had yet.
    pub async fn verify(&self, token: &str) -> Result<Caller, Problem> {
        let kid = self.0.reader.key_id(token)?;
        let key = self.0.keys.find(&kid).await?;
        let claims = match self.0.verified.find(token, &key) {
            Some(claims) => claims,
            None => {
                let claims = self.0.reader.claims(token, &key)?;
                self.0.verified.keep(token, &key, claims)
            }
        };
        if self.0.revocations.is_revoked(&claims) {
            return Err(Problem::invalid_token("the access token has been revoked"));
        }
        Ok(AccessTokenClaims::clone(&claims).into_caller())
    }

    /// Compares a service token, in constant time.
    ///
    /// # Errors
    /// 401 `INVALID_TOKEN` when it is another, or none is configured.
    pub fn verify_service_token(&self, candidate: &[u8]) -> Result<Caller, Problem> {
        match &self.0.service_token {
            Some(expected) if expected.matches(candidate) => Ok(Caller::internal()),
            _ => Err(Problem::invalid_token("the service token is not valid")),
        }
    }

    /// The caller that the headers name, if they name one. A scheme other than Bearer names none: OAuth's own
    /// endpoints authenticate clients by Basic.
    ///
    /// # Errors
    /// 401 for anything that is invalid.
    pub async fn caller(&self, headers: &HeaderMap) -> Result<Option<Caller>, Problem> {
        let mut service_tokens = headers.get_all(X_SERVICE_TOKEN).iter();
        let service = match (service_tokens.next(), service_tokens.next()) {
            (None, _) => None,
            (Some(token), None) => Some(self.verify_service_token(token.as_bytes())?),
            (Some(_), Some(_)) => return Err(Problem::invalid_token("X-Service-Token is there twice")),
        };
        let mut authorizations = headers.get_all(header::AUTHORIZATION).iter();
        let bearer = match (authorizations.next(), authorizations.next()) {
            (None, _) => None,
            (Some(value), None) => match bearer_token(value.as_bytes())? {
                Some(token) => Some(self.verify(token).await?),
                None => None,
            },
            (Some(_), Some(_)) => return Err(Problem::invalid_token("Authorization is there twice")),
        };
        Ok(service.or(bearer))
    }
}

impl std::fmt::Debug for TokenVerifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenVerifier")
    }
}

/// The middleware that authenticates every request. A caller that is there already was put there by an in-process
/// peer and is kept.
pub async fn authenticate(State(verifier): State<TokenVerifier>, mut request: Request, next: Next) -> Response {
    if request.extensions().get::<Caller>().is_none() {
        match verifier.caller(request.headers()).await {
            Ok(Some(caller)) => {
                request.extensions_mut().insert(caller);
            }
            Ok(None) => {}
            Err(problem) => return problem.into_response(),
        }
    }
    next.run(request).await
}

/// The token behind `Bearer`, none for other schemes.
fn bearer_token(value: &[u8]) -> Result<Option<&str>, Problem> {
    let malformed = || Problem::invalid_token("Authorization takes `Bearer <access token>`");
    let text = std::str::from_utf8(value).map_err(|_| malformed())?.trim();
    let (scheme, token) = text.split_once(' ').unwrap_or((text, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Ok(None);
    }
    let token = token.trim();
    if token.is_empty() { Err(malformed()) } else { Ok(Some(token)) }
}
