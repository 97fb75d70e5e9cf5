//! Which keys a client may prove itself by: public P-256 keys for ES256. A private key is refused, so that nobody learns
//! of the mistake later.

use jsonwebtoken::DecodingKey;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet, KeyAlgorithm, PublicKeyUse};
use serde_json::Value;

const MAX_KEYS: usize = 10;

/// The key set as it is kept, or what is wrong with it.
pub(super) fn check(jwks: &Value) -> Result<String, String> {
    let keys = jwks["keys"].as_array().ok_or("a JSON Web Key Set has `keys`")?;
    if keys.is_empty() || keys.len() > MAX_KEYS {
        return Err(format!("a client has 1 to {MAX_KEYS} keys"));
    }
    let secret = ["d", "k", "p", "q", "dp", "dq", "qi", "oth"];
    if keys.iter().any(|key| secret.iter().any(|name| key.get(name).is_some())) {
        return Err("a private key was sent: make a new one, and send its public half".to_owned());
    }
    let set: JwkSet = serde_json::from_value(jwks.clone()).map_err(|_| "the keys cannot be read".to_owned())?;
    let named = |jwk: &Jwk| jwk.common.key_id.clone().filter(|kid| !kid.is_empty());
    let mut names: Vec<String> = set.keys.iter().filter_map(named).collect();
    names.sort_unstable();
    names.dedup();
    if set.keys.len() != keys.len() || set.keys.len() > 1 && names.len() != keys.len() {
        return Err("every key has a `kid` of its own, where there is more than one".to_owned());
    }
    if !set.keys.iter().all(is_usable) {
        return Err("a key is EC on P-256, for ES256 and for signatures".to_owned());
    }
    serde_json::to_string(&set).map_err(|_| "the keys cannot be kept".to_owned())
}

fn is_usable(jwk: &Jwk) -> bool {
    let p256 =
        matches!(&jwk.algorithm, AlgorithmParameters::EllipticCurve(curve) if curve.curve == EllipticCurve::P256);
    let es256 = jwk.common.key_algorithm.is_none_or(|algorithm| algorithm == KeyAlgorithm::ES256);
    let signs = jwk.common.public_key_use.as_ref().is_none_or(|usage| *usage == PublicKeyUse::Signature);
    p256 && es256 && signs && DecodingKey::from_jwk(jwk).is_ok_and(|key| is_on_the_curve(&key))
}

fn is_on_the_curve(key: &DecodingKey) -> bool {
    key.try_get_as_bytes().is_ok_and(|point| p256::PublicKey::from_sec1_bytes(point).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn key() -> Value {
        json!({"kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
               "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})
    }

    fn with(name: &str, value: &str) -> Value {
        let mut key = key();
        key[name] = json!(value);
        key
    }

    #[test]
    fn public_p256_keys_are_taken_and_nothing_else() {
        assert!(check(&json!({"keys": [key()]})).is_ok());
        assert!(check(&json!({"keys": [with("kid", "a"), with("kid", "b")]})).is_ok());
        for wrong in [
            json!([]),
            json!({"keys": []}),
            json!({"keys": [key(), key()]}),
            json!({"keys": [with("kid", "a"), with("kid", "a")]}),
            json!({"keys": [with("d", "AAAA")]}),
            json!({"keys": [with("use", "enc")]}),
            json!({"keys": [with("alg", "ES384")]}),
            json!({"keys": [with("crv", "P-384")]}),
            json!({"keys": [with("x", "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEV")]}),
            json!({"keys": [with("y", "AA")]}),
            json!({"keys": [{"kty": "oct", "k": "AAAA"}]}),
            json!({"keys": [{"kty": "RSA", "n": "AQAB", "e": "AQAB"}]}),
            json!({"keys": "none"}),
        ] {
            assert!(check(&wrong).is_err(), "{wrong}");
        }
    }
}
