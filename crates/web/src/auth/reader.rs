//! How an access token is read: one reading for the verifiers of all services and for the issuer itself.
//!
//! The header is what the issuer writes and nothing more: `typ`, `alg` and `kid`, each once. So whatever else JOSE lets a
//! sender put there (a key, the URL of one, a compression, an extension that changes how the rest is read) is refused
//! before anything of it is looked at (RFC 8725 §3).

use super::AccessTokenClaims;
use crate::{Problem, request_context};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;

/// Longer tokens are refused unread.
const LONGEST_TOKEN: usize = 8 * 1024;
/// How far ahead the issuer's clock may be, in seconds.
const AHEAD_SECONDS: i64 = 5;

/// Reads access tokens (RFC 9068, ES256) of one issuer for one audience.
#[derive(Debug, Clone)]
pub struct AccessTokenReader {
    validation: Validation,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    typ: Option<String>,
    alg: Option<String>,
    kid: Option<String>,
}

impl AccessTokenReader {
    /// Tokens of that issuer for that audience, which are read for so many seconds after they have expired.
    #[must_use]
    pub fn new(issuer: &str, audience: &str, leeway_seconds: u64) -> Self {
        let mut validation = Validation::new(Algorithm::ES256);
        validation.set_issuer(&[issuer]);
        validation.set_audience(&[audience]);
        // Claims that are absent are not checked unless they are required.
        validation.set_required_spec_claims(&["iss", "aud", "exp", "sub"]);
        validation.leeway = leeway_seconds;
        validation.validate_nbf = true;
        Self { validation }
    }

    /// The name of the key that the token says it is signed with. Nothing of the token is proven by it.
    ///
    /// # Errors
    /// 401 `INVALID_TOKEN` when it is no access token in form.
    pub fn key_id(&self, token: &str) -> Result<String, Problem> {
        if token.len() > LONGEST_TOKEN {
            return Err(Problem::invalid_token("the access token is too long"));
        }
        let no_jwt = || Problem::invalid_token("the access token is no JSON Web Token");
        let parts: Vec<&str> = token.splitn(4, '.').collect();
        let [header, _, _] = parts[..] else { return Err(no_jwt()) };
        let header = URL_SAFE_NO_PAD.decode(header).map_err(|_| no_jwt())?;
        let header: Header = serde_json::from_slice(&header).map_err(|error| {
            if error.is_data() {
                Problem::invalid_token("the access token's header is not typ, alg and kid, each once")
            } else {
                no_jwt()
            }
        })?;
        let access_token = header.typ.as_deref().is_some_and(|typ| {
            let typ = typ.strip_prefix("application/").unwrap_or(typ);
            typ.eq_ignore_ascii_case("at+jwt")
        });
        if header.alg.as_deref() != Some("ES256") || !access_token {
            return Err(Problem::invalid_token("the token is no ES256 access token (typ at+jwt)"));
        }
        header.kid.ok_or_else(|| Problem::invalid_token("the access token names no key (kid)"))
    }

    /// What a token says that was signed with that key, is of this issuer and for this audience, and is good now.
    ///
    /// # Errors
    /// 401 `INVALID_TOKEN`, with the reason as its detail.
    pub fn claims(&self, token: &str, key: &DecodingKey) -> Result<AccessTokenClaims, Problem> {
        let decoded = jsonwebtoken::decode::<AccessTokenClaims>(token, key, &self.validation)
            .map_err(|error| Problem::invalid_token(reason(&error)))?;
        if decoded.claims.iat > request_context::now().timestamp().saturating_add(AHEAD_SECONDS) {
            return Err(Problem::invalid_token("the access token is not valid yet"));
        }
        Ok(decoded.claims)
    }
}

fn reason(error: &jsonwebtoken::errors::Error) -> &'static str {
    use jsonwebtoken::errors::ErrorKind;
    match error.kind() {
        ErrorKind::ExpiredSignature => "the access token has expired",
        ErrorKind::ImmatureSignature => "the access token is not valid yet",
        ErrorKind::InvalidIssuer => "the access token is of another issuer",
        ErrorKind::InvalidAudience => "the access token is for another audience",
        ErrorKind::InvalidSignature => "the access token's signature is not valid",
        _ => "the access token is not valid",
    }
}
