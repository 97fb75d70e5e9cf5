//! ID tokens (OpenID Connect Core §2): who logged in and when, for the client that asked. They have another `typ` and
//! another audience than access tokens, so that neither passes for the other.

use crate::access_token::AccessTokens;
use crate::keys::KeyError;
use crate::sessions::LiveSession;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, Header, Validation};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// How long an ID token is good: it is read once, by the client that gets it.
const LIFETIME_SECONDS: i64 = 10 * 60;
const TYPE: &str = "JWT";

/// The claims of an ID token.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct IdTokenClaims {
    pub(crate) iss: String,
    /// The user.
    pub(crate) sub: String,
    /// The client.
    pub(crate) aud: String,
    pub(crate) exp: i64,
    pub(crate) iat: i64,
    /// When the user proved who they are.
    pub(crate) auth_time: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) nonce: Option<String>,
    /// The session, to be ended by logging out.
    pub(crate) sid: String,
    /// Half of the access token's hash (OpenID Connect Core §3.1.3.6).
    pub(crate) at_hash: String,
}

/// The ID token of a session that a browser's login began; `None` for any other.
///
/// # Errors
/// [`KeyError`] when it can't be signed.
pub(crate) async fn issue(
    tokens: &AccessTokens,
    session: &LiveSession,
    nonce: Option<String>,
    access_token: &str,
) -> Result<Option<String>, KeyError> {
    let Some(authenticated_at) = session.authenticated_at else { return Ok(None) };
    let iat = web::request_context::now().timestamp();
    let hash = Sha256::digest(access_token.as_bytes());
    let claims = IdTokenClaims {
        iss: tokens.issuer().to_owned(),
        sub: session.user.id.to_string(),
        aud: session.client_id.clone(),
        exp: iat + LIFETIME_SECONDS,
        iat,
        auth_time: authenticated_at.timestamp(),
        nonce,
        sid: session.id.to_string(),
        at_hash: URL_SAFE_NO_PAD.encode(&hash[..16]),
    };
    let keys = tokens.keys().current().await;
    let mut header = Header::new(Algorithm::ES256);
    header.typ = Some(TYPE.to_owned());
    header.kid = Some(keys.signing.kid.clone());
    jsonwebtoken::encode(&header, &claims, &keys.signing.key).map(Some).map_err(KeyError::Unusable)
}

/// Reads an ID token of ours that a client sends back as a hint, expired or not, as long as its key is published.
pub(crate) async fn read_hint(tokens: &AccessTokens, token: &str) -> Option<IdTokenClaims> {
    let header = jsonwebtoken::decode_header(token).ok()?;
    if header.alg != Algorithm::ES256 || header.typ.as_deref() != Some(TYPE) || header.crit.is_some() {
        return None;
    }
    let mut validation = Validation::new(Algorithm::ES256);
    validation.set_issuer(&[tokens.issuer()]);
    validation.set_required_spec_claims(&["iss", "aud", "sub"]);
    validation.validate_aud = false;
    validation.validate_exp = false;
    let keys = tokens.keys().current().await;
    let key = keys.verifying.get(header.kid.as_deref()?)?;
    jsonwebtoken::decode::<IdTokenClaims>(token, key, &validation).ok().map(|token| token.claims)
}
