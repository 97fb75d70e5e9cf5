//! Signatures of webhooks as Standard Webhooks has them: HMAC-SHA256 over id, time and body under a secret that is written
//! `whsec_` and Base64. Signs what the shop sends and verifies what carriers and payment providers send.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _, digest::CtOutput};
use http::{HeaderMap, HeaderName};
use sha2::Sha256;
use std::fmt;

/// The id of the message, the same for every attempt to deliver it.
pub const WEBHOOK_ID: HeaderName = HeaderName::from_static("webhook-id");
/// Seconds since 1970 at which this attempt was made.
pub const WEBHOOK_TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
/// `v1,` and the signature in Base64; several with a space between.
pub const WEBHOOK_SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");

/// A message that is older, or from further in the future, is refused: it may be a replay.
pub const WINDOW: TimeDelta = TimeDelta::minutes(5);

/// A header with more signatures than this is refused: nobody has so many secrets live at once.
pub const MOST_SIGNATURES: usize = 10;

const PREFIX: &str = "whsec_";
const FRESH_BYTES: usize = 32;
/// Shorter ones can be guessed.
const FEWEST_BYTES: usize = 24;
const MOST_BYTES: usize = 64;

/// A secret of a webhook. It is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookSecret(Vec<u8>);

/// The text is no secret of a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a webhook secret is `whsec_` and {FEWEST_BYTES} to {MOST_BYTES} bytes in Base64")]
pub struct WebhookSecretError;

/// Why a message is not believed. A caller is told only that it is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// One of the headers is missing or malformed, or holds more than [`MOST_SIGNATURES`].
    #[error("a header of the signature is missing or malformed")]
    Header,
    /// It was signed too long ago, or in the future.
    #[error("the signature is not of these five minutes")]
    Time,
    /// No secret makes such a signature.
    #[error("the signature does not match")]
    Mismatch,
}

impl WebhookSecret {
    /// A new random secret.
    #[must_use]
    pub fn generate() -> Self {
        Self(rand::random::<[u8; FRESH_BYTES]>().to_vec())
    }

    /// Reads the text form, with or without its prefix.
    ///
    /// # Errors
    /// [`WebhookSecretError`] when it is no Base64 of 24 to 64 bytes.
    pub fn parse(text: &str) -> Result<Self, WebhookSecretError> {
        let text = text.trim();
        let bytes = STANDARD.decode(text.strip_prefix(PREFIX).unwrap_or(text)).map_err(|_| WebhookSecretError)?;
        Self::from_bytes(&bytes)
    }

    /// A secret that was stored.
    ///
    /// # Errors
    /// [`WebhookSecretError`] when it does not have 24 to 64 bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, WebhookSecretError> {
        if (FEWEST_BYTES..=MOST_BYTES).contains(&bytes.len()) {
            Ok(Self(bytes.to_vec()))
        } else {
            Err(WebhookSecretError)
        }
    }

    /// Its bytes, for the store.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Its text form, for the one who has to know it.
    #[must_use]
    pub fn to_text(&self) -> String {
        format!("{PREFIX}{}", STANDARD.encode(&self.0))
    }

    /// The value of `webhook-signature` for a message sent at that time.
    #[must_use]
    pub fn sign(&self, id: &str, at: DateTime<Utc>, body: &[u8]) -> String {
        let signature = self.keyed(id, &at.timestamp().to_string(), body).finalize().into_bytes();
        format!("v1,{}", STANDARD.encode(signature))
    }

    fn keyed(&self, id: &str, timestamp: &str, body: &[u8]) -> Hmac<Sha256> {
        let mut keyed = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
            keyed.update(part);
        }
        keyed
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret(…)")
    }
}

/// Believes a message that one of the secrets has signed within five minutes of `now`, and answers its id.
///
/// # Errors
/// [`SignatureError`].
pub fn verify(
    secrets: &[WebhookSecret],
    headers: &HeaderMap,
    body: &[u8],
    now: DateTime<Utc>,
) -> Result<String, SignatureError> {
    let text = |name: &HeaderName| {
        let mut values = headers.get_all(name).iter();
        let value = values.next().and_then(|value| value.to_str().ok()).filter(|text| !text.is_empty());
        if values.next().is_some() { None } else { value }
    };
    let (Some(id), Some(timestamp), Some(signatures)) =
        (text(&WEBHOOK_ID), text(&WEBHOOK_TIMESTAMP), text(&WEBHOOK_SIGNATURE))
    else {
        return Err(SignatureError::Header);
    };
    let seconds: i64 = timestamp.parse().map_err(|_| SignatureError::Header)?;
    let at = DateTime::from_timestamp(seconds, 0).ok_or(SignatureError::Header)?;
    if now.signed_duration_since(at).abs() > WINDOW {
        return Err(SignatureError::Time);
    }
    let signatures = signatures.split(' ').filter_map(|signature| signature.strip_prefix("v1,"));
    let signatures: Vec<&str> = signatures.take(MOST_SIGNATURES + 1).collect();
    if signatures.len() > MOST_SIGNATURES {
        return Err(SignatureError::Header);
    }
    let signatures = signatures.into_iter().filter_map(|signature| STANDARD.decode(signature).ok());
    let expected = secrets.iter().map(|secret| secret.keyed(id, timestamp, body));
    if any_is_signed(expected, &signatures.collect::<Vec<_>>()) {
        Ok(id.to_owned())
    } else {
        Err(SignatureError::Mismatch)
    }
}

/// Whether one of the signatures is one of those expected. The body is hashed once for each secret, however many
/// signatures came: whoever sends them is not known yet. Each is compared in constant time; which of few secrets it was
/// is no secret.
#[must_use]
pub fn any_is_signed(expected: impl IntoIterator<Item = Hmac<Sha256>>, signatures: &[Vec<u8>]) -> bool {
    let mut believed = false;
    for keyed in expected {
        let expected = keyed.finalize();
        for signature in signatures {
            believed |=
                <[u8; 32]>::try_from(signature.as_slice()).is_ok_and(|bytes| CtOutput::new(bytes.into()) == expected);
        }
    }
    believed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    fn headers(id: &str, timestamp: &str, signature: &str) -> HeaderMap {
        let pairs = [(WEBHOOK_ID, id), (WEBHOOK_TIMESTAMP, timestamp), (WEBHOOK_SIGNATURE, signature)];
        pairs.into_iter().map(|(name, value)| (name, value.parse().unwrap())).collect()
    }

    /// The example of the specification's own libraries.
    #[test]
    fn the_published_example_has_the_published_signature() {
        let secret = WebhookSecret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let body = br#"{"test": 2432232314}"#;
        let signature = secret.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", at(1_614_265_330), body);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        let headers = headers("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", &format!("v1a,xx v1,AAAA {signature}"));
        let now = at(1_614_265_330 + 300);
        assert_eq!(verify(&[secret], &headers, body, now).unwrap(), "msg_p5jXN8AQM9LWM0D4loKWxJek");
    }

    #[test]
    fn a_header_with_more_signatures_than_anybody_has_secrets_is_refused() {
        let secret = WebhookSecret::generate();
        let signature = secret.sign("m", at(1_000), b"body");
        let of = |others: usize| {
            let many = format!("{}{signature}", "v1,AAAA ".repeat(others));
            verify(std::slice::from_ref(&secret), &headers("m", "1000", &many), b"body", at(1_000))
        };
        assert_eq!(of(MOST_SIGNATURES - 1).unwrap(), "m");
        assert_eq!(of(MOST_SIGNATURES), Err(SignatureError::Header));
    }

    #[test]
    fn whatever_was_changed_is_not_believed() {
        let (secret, other) = (WebhookSecret::generate(), WebhookSecret::generate());
        let signature = secret.sign("m", at(1_000), b"body");
        let of = |id, timestamp, signature: &str, body: &[u8], now| {
            verify(&[other.clone(), secret.clone()], &headers(id, timestamp, signature), body, at(now))
        };
        assert!(of("m", "1000", &signature, b"body", 700).is_ok());
        assert_eq!(of("m", "1000", &signature, b"Body", 1_000), Err(SignatureError::Mismatch));
        assert_eq!(of("n", "1000", &signature, b"body", 1_000), Err(SignatureError::Mismatch));
        assert_eq!(of("m", "1001", &signature, b"body", 1_000), Err(SignatureError::Mismatch));
        assert_eq!(of("m", "1000", &signature, b"body", 1_301), Err(SignatureError::Time));
        assert_eq!(of("m", "1000", &signature, b"body", 699), Err(SignatureError::Time));
        assert_eq!(of("m", "soon", &signature, b"body", 1_000), Err(SignatureError::Header));
        assert_eq!(of("m", "1000", "v1,", b"body", 1_000), Err(SignatureError::Mismatch));
        let alone = verify(std::slice::from_ref(&other), &headers("m", "1000", &signature), b"body", at(1_000));
        assert_eq!(alone, Err(SignatureError::Mismatch));
        assert_eq!(verify(&[], &headers("m", "1000", &signature), b"body", at(1_000)), Err(SignatureError::Mismatch));
        assert_eq!(
            verify(std::slice::from_ref(&secret), &HeaderMap::new(), b"body", at(1_000)),
            Err(SignatureError::Header)
        );
    }

    #[test]
    fn a_secret_is_read_as_it_was_written_and_never_printed() {
        let secret = WebhookSecret::generate();
        assert_eq!(WebhookSecret::parse(&secret.to_text()), Ok(secret.clone()));
        assert_eq!(format!("{secret:?}"), "WebhookSecret(…)");
        for wrong in ["", "whsec_", "whsec_c2hvcnQ=", "no base64!"] {
            assert!(WebhookSecret::parse(wrong).is_err(), "{wrong}");
        }
    }
}
