//! Access tokens: JWTs per RFC 9068, signed with ES256, good for ten minutes. This is the one place that writes them,
//! and the place where this service reads its own.

use crate::keys::{KeyError, Keys};
use crate::sessions::LiveSession;
use jsonwebtoken::{Algorithm, Header};
use shared_events::SessionId;
use std::sync::Arc;
use web::auth::AccessTokenReader;
use web::{AccessTokenClaims, CallerKind, Scope, Scopes};

/// How long an access token is good.
pub const LIFETIME_SECONDS: i64 = 10 * 60;
/// The audience of every token: the services of this system.
pub const AUDIENCE: &str = "oms";
/// The `typ` of the header, so that no other JWT of ours passes for an access token.
pub const TYPE: &str = "at+jwt";

/// Signs and reads the tokens of one issuer.
#[derive(Clone)]
pub struct AccessTokens {
    keys: Arc<Keys>,
    issuer: String,
    reader: AccessTokenReader,
}

impl AccessTokens {
    /// Tokens of that issuer.
    #[must_use]
    pub fn new(keys: Arc<Keys>, issuer: String) -> Self {
        let reader = AccessTokenReader::new(&issuer, AUDIENCE, 0);
        Self { keys, issuer, reader }
    }

    /// The keys that sign.
    #[must_use]
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// The issuer's URL.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// A token for the user of a session.
    ///
    /// # Errors
    /// [`KeyError`] when it can't be signed.
    pub(crate) async fn for_session(&self, session: &LiveSession, scopes: Scopes) -> Result<String, KeyError> {
        let user = &session.user;
        let mut claims = self.claims(user.id.to_string(), session.client_id.clone(), scopes, user.role.kind());
        claims.sid = Some(session.id.to_string());
        claims.email = scopes.contains(Scope::Email).then(|| user.email.clone());
        if scopes.contains(Scope::Profile) {
            claims.name.clone_from(&user.name);
            claims.phone_number.clone_from(&user.phone);
        }
        self.sign(&claims).await
    }

    /// A token for a client that acts for itself.
    ///
    /// # Errors
    /// [`KeyError`] when it can't be signed.
    pub(crate) async fn for_client(&self, client_id: &str, scopes: Scopes) -> Result<String, KeyError> {
        self.sign(&self.claims(client_id.to_owned(), client_id.to_owned(), scopes, CallerKind::Client)).await
    }

    /// Reads a token of ours; `None` unless it is one and still good. Revocation is for the caller to look up.
    pub async fn read(&self, token: &str) -> Option<AccessTokenClaims> {
        let kid = self.reader.key_id(token).ok()?;
        let keys = self.keys.current().await;
        let claims = self.reader.claims(token, keys.verifying.get(&kid)?).ok()?;
        (claims.role != CallerKind::Internal).then_some(claims)
    }

    fn claims(&self, sub: String, client_id: String, scopes: Scopes, role: CallerKind) -> AccessTokenClaims {
        let iat = web::request_context::now().timestamp();
        AccessTokenClaims {
            iss: self.issuer.clone(),
            aud: AUDIENCE.to_owned(),
            sub,
            client_id,
            scope: scopes.to_string(),
            iat,
            exp: iat + LIFETIME_SECONDS,
            jti: random_id(),
            sid: None,
            role,
            email: None,
            name: None,
            phone_number: None,
        }
    }

    async fn sign(&self, claims: &AccessTokenClaims) -> Result<String, KeyError> {
        let keys = self.keys.current().await;
        let mut header = Header::new(Algorithm::ES256);
        header.typ = Some(TYPE.to_owned());
        header.kid = Some(keys.signing.kid.clone());
        jsonwebtoken::encode(&header, claims, &keys.signing.key).map_err(KeyError::Unusable)
    }
}

fn random_id() -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(rand::random::<[u8; 16]>())
}

/// The session of a token, where it has one.
pub(crate) fn session(claims: &AccessTokenClaims) -> Option<SessionId> {
    claims.sid.as_deref().and_then(|sid| SessionId::parse(sid).ok())
}
