//! Tokens whose signature was found good lately, because checking one costs more than most requests. What may have
//! changed since is never taken from here: whether the key is still the issuer's, whether the token has expired, and
//! whether it was revoked is looked at for every request.

use super::{AccessTokenClaims, LEEWAY_SECONDS};
use crate::request_context::now;
use jsonwebtoken::DecodingKey;
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Two generations of so many: whoever calls often stays.
const TOKENS_PER_GENERATION: usize = 4_096;

type Hash = [u8; 32];

/// Tokens by their hash, each with the very key that its signature was checked with.
#[derive(Default)]
pub(super) struct Verified(Mutex<Generations>);

#[derive(Default)]
struct Generations {
    young: HashMap<Hash, Known>,
    old: HashMap<Hash, Known>,
}

#[derive(Clone)]
struct Known {
    key: Arc<DecodingKey>,
    claims: Arc<AccessTokenClaims>,
}

impl Verified {
    /// What a token claims, if its signature was checked with this key and it has not expired.
    pub(super) fn find(&self, token: &str, key: &Arc<DecodingKey>) -> Option<Arc<AccessTokenClaims>> {
        let hash = hash(token);
        let mut generations = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = match generations.young.get(&hash) {
            Some(known) => known.clone(),
            None => {
                let known = generations.old.get(&hash)?.clone();
                generations.keep(hash, known.clone());
                known
            }
        };
        let expired = known.claims.exp.saturating_add_unsigned(LEEWAY_SECONDS) < now().timestamp();
        (Arc::ptr_eq(&known.key, key) && !expired).then_some(known.claims)
    }

    /// Remembers a token whose signature was just found good.
    pub(super) fn keep(
        &self,
        token: &str,
        key: &Arc<DecodingKey>,
        claims: AccessTokenClaims,
    ) -> Arc<AccessTokenClaims> {
        let claims = Arc::new(claims);
        let known = Known { key: Arc::clone(key), claims: Arc::clone(&claims) };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).keep(hash(token), known);
        claims
    }
}

impl Generations {
    fn keep(&mut self, hash: Hash, known: Known) {
        if self.young.len() >= TOKENS_PER_GENERATION {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(hash, known);
    }
}

fn hash(token: &str) -> Hash {
    Sha256::digest(token.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CallerKind;

    fn claims(exp: i64) -> AccessTokenClaims {
        AccessTokenClaims {
            iss: "https://shop.example".to_owned(),
            aud: "oms".to_owned(),
            sub: "someone".to_owned(),
            exp,
            iat: exp - 600,
            jti: "1".to_owned(),
            client_id: "client".to_owned(),
            scope: String::new(),
            role: CallerKind::Customer,
            sid: None,
            email: None,
            name: None,
            phone_number: None,
        }
    }

    fn key() -> Arc<DecodingKey> {
        Arc::new(DecodingKey::from_secret(b"not looked at"))
    }

    #[test]
    fn a_token_is_known_by_the_very_key_that_it_was_checked_with() {
        let (verified, first, next) = (Verified::default(), key(), key());
        verified.keep("token", &first, claims(now().timestamp() + 60));
        assert!(verified.find("token", &first).is_some());
        assert!(verified.find("token", &next).is_none(), "the issuer's keys were fetched anew");
        assert!(verified.find("tokem", &first).is_none());
    }

    #[test]
    fn an_expired_token_is_not_known() {
        let (verified, key) = (Verified::default(), key());
        verified.keep("token", &key, claims(now().timestamp() - 6));
        assert!(verified.find("token", &key).is_none());
    }

    #[test]
    fn what_is_used_stays_when_many_others_come() {
        let (verified, key) = (Verified::default(), key());
        let exp = now().timestamp() + 60;
        verified.keep("used", &key, claims(exp));
        for n in 0..3 * TOKENS_PER_GENERATION {
            verified.keep(&n.to_string(), &key, claims(exp));
            if n % 1_000 == 0 {
                assert!(verified.find("used", &key).is_some());
            }
        }
        assert!(verified.find("1", &key).is_none());
        assert!(verified.0.lock().unwrap().young.len() <= TOKENS_PER_GENERATION);
    }
}
