//! Stripe's own signature of webhooks: `Stripe-Signature` with a time and HMACs in hexadecimal. Standard Webhooks, which
//! everybody else uses, are in `web`. Two secrets can be live, so that one can be replaced without a gap.

use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use service::Secret;
use sha2::Sha256;
use web::standard_webhooks::{MOST_SIGNATURES, SignatureError, WINDOW, any_is_signed};

const STRIPE_SIGNATURE: &str = "stripe-signature";

/// Believes a body that one of the secrets has signed within five minutes of `now`.
///
/// # Errors
/// [`SignatureError`].
pub fn verify_stripe(
    secrets: &[Secret],
    headers: &HeaderMap,
    body: &[u8],
    now: DateTime<Utc>,
) -> Result<(), SignatureError> {
    let header = headers.get(STRIPE_SIGNATURE).and_then(|value| value.to_str().ok()).ok_or(SignatureError::Header)?;
    let parts = || header.split(',').filter_map(|part| part.trim().split_once('='));
    let timestamp = parts().find(|(name, _)| *name == "t").ok_or(SignatureError::Header)?.1;
    let at = timestamp.parse().ok().and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    if now.signed_duration_since(at.ok_or(SignatureError::Header)?).abs() > WINDOW {
        return Err(SignatureError::Time);
    }
    if parts().filter(|(name, _)| *name == "v1").count() > MOST_SIGNATURES {
        return Err(SignatureError::Header);
    }
    let signatures: Vec<Vec<u8>> =
        parts().filter(|(name, _)| *name == "v1").filter_map(|(_, value)| from_hex(value)).collect();
    let expected = secrets.iter().map(|secret| keyed(secret, timestamp, body));
    if any_is_signed(expected, &signatures) { Ok(()) } else { Err(SignatureError::Mismatch) }
}

fn keyed(secret: &Secret, timestamp: &str, body: &[u8]) -> Hmac<Sha256> {
    let mut keyed = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()).expect("HMAC takes keys of any length");
    for part in [timestamp.as_bytes(), b".", body] {
        keyed.update(part);
    }
    keyed
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write;

    const BODY: &[u8] = br#"{"test": 2432232314}"#;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_614_265_330 + seconds, 0).unwrap()
    }

    fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned())
    }

    /// As Stripe signs.
    fn signed(by: &str) -> HeaderMap {
        signed_after(1, by)
    }

    fn signed_after(others: usize, by: &str) -> HeaderMap {
        let bytes = keyed(&secret(by), "1614265330", BODY).finalize().into_bytes();
        let hex = bytes.iter().fold(String::new(), |mut hex, byte| {
            write!(hex, "{byte:02x}").unwrap();
            hex
        });
        let others = format!("v1={},", "ab".repeat(32)).repeat(others);
        let value = format!("t=1614265330,v0=00,{others}v1={hex}");
        HeaderMap::from_iter([(http::HeaderName::from_static(STRIPE_SIGNATURE), value.parse().unwrap())])
    }

    #[test]
    fn a_signature_is_good_in_time_and_under_a_live_secret() {
        let live = [secret("whsec_old"), secret("whsec_new")];
        for by in ["whsec_old", "whsec_new"] {
            assert_eq!(verify_stripe(&live, &signed(by), BODY, at(299)), Ok(()));
        }
        assert_eq!(verify_stripe(&live, &signed("whsec_x"), BODY, at(0)), Err(SignatureError::Mismatch));
        assert_eq!(verify_stripe(&live, &signed("whsec_new"), b"{}", at(0)), Err(SignatureError::Mismatch));
        assert_eq!(verify_stripe(&live, &signed("whsec_new"), BODY, at(301)), Err(SignatureError::Time));
        assert_eq!(verify_stripe(&live, &signed("whsec_new"), BODY, at(-301)), Err(SignatureError::Time));
        assert_eq!(verify_stripe(&live, &HeaderMap::new(), BODY, at(0)), Err(SignatureError::Header));
        let many = |others| verify_stripe(&live, &signed_after(others, "whsec_new"), BODY, at(0));
        assert_eq!(many(MOST_SIGNATURES - 1), Ok(()));
        assert_eq!(many(MOST_SIGNATURES), Err(SignatureError::Header));
        assert_eq!(verify_stripe(&[], &signed("whsec_new"), BODY, at(0)), Err(SignatureError::Mismatch));
    }
}
