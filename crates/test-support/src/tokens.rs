//! An authorization server's signature without the server: access tokens as RFC 9068 has them, and the key set that
//! verifies them.

use crate::Genuine;
use chrono::{DateTime, Duration, Utc};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use p256::SecretKey;
use p256::pkcs8::EncodePrivateKey;
use rand::Rng;
use serde_json::{Map, Value, json};
use uuid::Uuid;

const KEY_ID: &str = "test-key";

/// An issuer with an ES256 key of its own.
pub struct TestTokens {
    key: EncodingKey,
    pkcs8: Vec<u8>,
    jwks: Value,
    issuer: String,
    audience: String,
}

impl Default for TestTokens {
    fn default() -> Self {
        Self::new()
    }
}

impl TestTokens {
    /// The issuer `http://127.0.0.1:8080` for the audience `oms`, with a new key.
    #[must_use]
    pub fn new() -> Self {
        Self::issued_by("http://127.0.0.1:8080", "oms")
    }

    /// An issuer of that name for that audience, with a new key.
    #[must_use]
    pub fn issued_by(issuer: &str, audience: &str) -> Self {
        let der = new_secret_key().to_pkcs8_der().expect("a P-256 key has a PKCS#8 form");
        let key = EncodingKey::from_ec_der(der.as_bytes());
        let mut jwk = Jwk::from_encoding_key(&key, Algorithm::ES256).expect("a P-256 key has a JWK form");
        jwk.common.key_id = Some(KEY_ID.to_owned());
        let jwks = json!({ "keys": [jwk] });
        Self { key, pkcs8: der.as_bytes().to_vec(), jwks, issuer: issuer.to_owned(), audience: audience.to_owned() }
    }

    /// The `iss` of every token.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The `aud` of every token.
    #[must_use]
    pub fn audience(&self) -> &str {
        &self.audience
    }

    /// The key set that verifies the tokens.
    #[must_use]
    pub fn jwks(&self) -> &Value {
        &self.jwks
    }

    /// A token of that subject and role with those scopes, to be altered and then signed.
    #[must_use]
    pub fn token(&self, subject: &str, role: &str, scopes: &[&str]) -> TestToken<'_> {
        let now = now();
        let claims = json!({
            "iss": self.issuer,
            "aud": self.audience,
            "sub": subject,
            "client_id": "storefront",
            "role": role,
            "scope": scopes.join(" "),
            "iat": now.timestamp(),
            "exp": (now + Duration::minutes(10)).timestamp(),
            "jti": new_uuid().to_string(),
        });
        let Value::Object(claims) = claims else { unreachable!("the literal above is an object") };
        TestToken { tokens: self, token_type: "at+jwt".to_owned(), claims }
    }

    /// A token of a staff user who may do everything, to be forged in every way.
    #[must_use]
    pub fn genuine(&self) -> Genuine {
        let scopes = ["orders:read", "orders:admin", "inventory:read", "invoices:read"];
        let token = self.token("usr_01h455vb4pex5vsknk084sn02q", "staff", &scopes);
        let claims = Value::Object(token.claim("sid", new_uuid().to_string()).claims);
        Genuine { kid: KEY_ID.to_owned(), key: self.pkcs8.clone(), claims }
    }

    /// A signed token of a customer, with the scopes that a login gives.
    #[must_use]
    pub fn customer(&self, user_id: &str) -> String {
        let scopes = ["orders:read", "orders:write", "inventory:read", "invoices:read", "openid", "profile", "email"];
        self.token(user_id, "customer", &scopes).claim("sid", new_uuid().to_string()).sign()
    }

    /// A signed token of a staff user with those scopes.
    #[must_use]
    pub fn staff(&self, user_id: &str, scopes: &[&str]) -> String {
        self.token(user_id, "staff", scopes).claim("sid", new_uuid().to_string()).sign()
    }

    /// A signed token of a client that acts for itself.
    #[must_use]
    pub fn client(&self, client_id: &str, scopes: &[&str]) -> String {
        self.token(client_id, "service", scopes).claim("client_id", client_id).sign()
    }
}

/// A token not yet signed.
pub struct TestToken<'a> {
    tokens: &'a TestTokens,
    token_type: String,
    claims: Map<String, Value>,
}

impl TestToken<'_> {
    /// Sets a claim, or takes it away with `null`.
    #[must_use]
    pub fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        let value = value.into();
        if value.is_null() {
            self.claims.remove(name);
        } else {
            self.claims.insert(name.to_owned(), value);
        }
        self
    }

    /// Sets the header's `typ`.
    #[must_use]
    pub fn token_type(mut self, token_type: &str) -> Self {
        token_type.clone_into(&mut self.token_type);
        self
    }

    /// Lets the token have expired an hour ago.
    #[must_use]
    pub fn expired(self) -> Self {
        let expiry = (now() - Duration::hours(1)).timestamp();
        self.claim("exp", expiry)
    }

    /// The signed token, as it stands after `Bearer`.
    #[must_use]
    pub fn sign(self) -> String {
        let header =
            Header { typ: Some(self.token_type), kid: Some(KEY_ID.to_owned()), ..Header::new(Algorithm::ES256) };
        jsonwebtoken::encode(&header, &self.claims, &self.tokens.key).expect("claims are JSON and the key fits ES256")
    }
}

fn new_secret_key() -> SecretKey {
    loop {
        let mut bytes = [0_u8; 32];
        rand::rng().fill_bytes(&mut bytes);
        // One candidate in 2³² is not below the curve's order.
        if let Ok(key) = SecretKey::from_slice(&bytes) {
            return key;
        }
    }
}

fn new_uuid() -> Uuid {
    Uuid::from_bytes(rand::random())
}

#[expect(
    clippy::disallowed_methods,
    reason = "tokens are issued at the real time; the verifier compares with its own clock"
)]
fn now() -> DateTime<Utc> {
    Utc::now()
}
