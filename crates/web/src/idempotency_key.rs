//! `Idempotency-Key`: what makes a repeated POST the same request. The rows behind it belong to the services.

use crate::Problem;
use axum::extract::FromRequestParts;
use http::request::Parts;
use http::{HeaderMap, HeaderName};

/// The header of the request.
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// The header of an answer that was given before.
pub const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// The key of a request, if it carries one: 1 to 255 visible ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IdempotencyKey(pub Option<String>);

impl IdempotencyKey {
    /// Reads the header.
    ///
    /// # Errors
    /// 400 `INVALID_PARAMETER` when it is empty, too long, not visible ASCII or there twice.
    pub fn from_headers(headers: &HeaderMap) -> Result<Self, Problem> {
        let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
        let Some(first) = values.next() else { return Ok(Self(None)) };
        let visible = !first.is_empty() && first.len() <= 255 && first.as_bytes().iter().all(u8::is_ascii_graphic);
        match first.to_str() {
            Ok(text) if visible && values.next().is_none() => Ok(Self(Some(text.to_owned()))),
            _ => {
                Err(Problem::invalid_parameter("Idempotency-Key takes one value of 1 to 255 visible ASCII characters"))
            }
        }
    }
}

impl<S: Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Self::from_headers(&parts.headers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_one_to_255_visible_characters() {
        let read = |bytes: &[u8]| {
            let mut headers = HeaderMap::new();
            headers.insert(IDEMPOTENCY_KEY, http::HeaderValue::from_bytes(bytes).unwrap());
            IdempotencyKey::from_headers(&headers)
        };
        assert_eq!(read(b"k-1").unwrap().0.as_deref(), Some("k-1"));
        assert!(read(&[b'x'; 255]).is_ok());
        for wrong in [&b""[..], &[b'x'; 256], b"a b", "schl\u{fc}ssel".as_bytes(), b"a\tb"] {
            assert_eq!(read(wrong).unwrap_err().status(), 400);
        }
        assert_eq!(IdempotencyKey::from_headers(&HeaderMap::new()).unwrap().0, None);
    }

    #[test]
    fn two_keys_are_refused() {
        let mut headers = HeaderMap::new();
        headers.append(IDEMPOTENCY_KEY, "a".parse().unwrap());
        headers.append(IDEMPOTENCY_KEY, "b".parse().unwrap());
        assert!(IdempotencyKey::from_headers(&headers).is_err());
    }
}
