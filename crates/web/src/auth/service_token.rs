//! The token between our own services (`INTERNAL_SERVICE_TOKEN`).

use http::HeaderName;
use sha2::{Digest as _, Sha256};
use std::fmt;
use subtle::ConstantTimeEq as _;

/// The header that carries it.
pub const X_SERVICE_TOKEN: HeaderName = HeaderName::from_static("x-service-token");

/// The token between our own services: at least 16 visible characters. It is never printed.
#[derive(Clone)]
pub struct ServiceToken(String);

/// The token is too short, or has characters that no header can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a service token has at least 16 visible ASCII characters")]
pub struct ServiceTokenError;

impl ServiceToken {
    /// Takes a token that is long enough.
    ///
    /// # Errors
    /// [`ServiceTokenError`].
    pub fn parse(text: &str) -> Result<Self, ServiceTokenError> {
        if text.len() < 16 || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(ServiceTokenError);
        }
        Ok(Self(text.to_owned()))
    }

    /// Compares in constant time; the hashes hide the length as well.
    #[must_use]
    pub fn matches(&self, candidate: &[u8]) -> bool {
        Sha256::digest(self.0.as_bytes()).ct_eq(&Sha256::digest(candidate)).into()
    }

    /// The token itself, for the header of a call.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ServiceToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServiceToken(…)")
    }
}
