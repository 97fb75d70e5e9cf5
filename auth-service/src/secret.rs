//! Texts that must never be printed, and the random secrets handed out to clients and users. What is stored of the
//! latter is their SHA-256: they hold 256 random bits, so nothing slower is needed.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};
use std::fmt;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// What refresh tokens begin with, so that scanners for leaked secrets know them.
const REFRESH_TOKEN_PREFIX: &str = "oms_rt_";
/// What authorization codes begin with.
const AUTHORIZATION_CODE_PREFIX: &str = "oms_ac_";
/// What generated client secrets begin with.
const CLIENT_SECRET_PREFIX: &str = "oms_cs_";

/// A password, a client secret or a token: wiped when dropped, never shown by `Debug`.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes a text into custody.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The text itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// A new client secret: 256 random bits.
    #[must_use]
    pub fn new_client_secret() -> Self {
        Self::encoded(CLIENT_SECRET_PREFIX, &rand::random::<[u8; 32]>())
    }

    /// A new refresh token: 256 random bits.
    #[must_use]
    pub fn new_refresh_token() -> Self {
        Self::encoded(REFRESH_TOKEN_PREFIX, &rand::random::<[u8; 32]>())
    }

    /// A new authorization code: 256 random bits.
    #[must_use]
    pub fn new_authorization_code() -> Self {
        Self::encoded(AUTHORIZATION_CODE_PREFIX, &rand::random::<[u8; 32]>())
    }

    /// A new code to be mailed: 256 random bits.
    #[must_use]
    pub fn new_mailed_code() -> Self {
        Self::encoded("", &rand::random::<[u8; 32]>())
    }

    /// A new cookie: 256 random bits.
    #[must_use]
    pub fn new_cookie() -> Self {
        Self::encoded("", &rand::random::<[u8; 32]>())
    }

    /// A secret for one purpose that follows from this one and does not betray it.
    #[must_use]
    pub fn derived(&self, purpose: &str) -> Self {
        Self::encoded("", &self.mac(purpose.as_bytes()))
    }

    /// The refresh token that follows this one, given the salt its row keeps. The same two inputs always give the same
    /// successor, and the database alone can't compute it.
    #[must_use]
    pub fn successor(&self, salt: &[u8]) -> Self {
        Self::encoded(REFRESH_TOKEN_PREFIX, &self.mac(salt))
    }

    /// What is stored in its place.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0.as_bytes()).into()
    }

    /// Whether this is the secret with that stored hash; takes equally long either way.
    #[must_use]
    pub fn matches(&self, stored_hash: &[u8]) -> bool {
        self.hash().ct_eq(stored_hash).into()
    }

    fn mac(&self, message: &[u8]) -> [u8; 32] {
        let mut mac = <Hmac<Sha256>>::new_from_slice(self.0.as_bytes()).expect("HMAC takes keys of any length");
        mac.update(message);
        mac.finalize().into_bytes().into()
    }

    fn encoded(prefix: &str, bytes: &[u8]) -> Self {
        Self::new(format!("{prefix}{}", URL_SAFE_NO_PAD.encode(bytes)))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

/// Serialised only where a secret is handed out: in the answer that issues it.
impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.expose())
    }
}

impl utoipa::PartialSchema for Secret {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .format(Some(utoipa::openapi::schema::SchemaFormat::KnownFormat(
                utoipa::openapi::schema::KnownFormat::Password,
            )))
            .into()
    }
}

impl utoipa::ToSchema for Secret {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_printed() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "[secret]");
    }

    #[test]
    fn a_token_and_a_salt_have_one_successor_and_another_salt_gives_another() {
        let token = Secret::new_refresh_token();
        assert_eq!(token.successor(b"salt").expose(), token.successor(b"salt").expose());
        assert_ne!(token.successor(b"salt").expose(), token.successor(b"other").expose());
        assert_ne!(token.expose(), token.successor(b"salt").expose());
    }

    #[test]
    fn a_secret_matches_its_own_hash_only() {
        let secret = Secret::new_client_secret();
        assert!(secret.matches(&secret.hash()));
        assert!(!secret.matches(&Secret::new_client_secret().hash()));
        assert!(!secret.matches(b"short"));
    }
}
