//! What was revoked before its time. Access tokens live for ten minutes, so an entry is only kept that long; the
//! service fills it from auth-service's `GET /internal/revocations`.

use super::{AccessTokenClaims, seconds_now};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use utoipa::ToSchema;

/// What a revocation is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum RevocationKind {
    /// One token, by its `jti`.
    Token,
    /// Every token of a login session, by its `sid`.
    Session,
    /// Every token of a subject or client that was issued before the revocation.
    Subject,
}

/// One revocation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Revocation {
    /// What it is about.
    pub kind: RevocationKind,
    /// The `jti`, the `sid`, or the subject's or client's id.
    pub id: String,
    /// When it was revoked, in seconds since 1970.
    pub revoked_at: i64,
    /// After this no token that it concerns is alive any more, in seconds since 1970.
    pub expires_at: i64,
}

/// A page of `GET /internal/revocations?after=`: rising, and the place to go on from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RevocationPage {
    /// The revocations behind `after`.
    pub revocations: Vec<Revocation>,
    /// What to send as `after` next.
    pub next: i64,
}

/// The revocations in force. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Revocations(Arc<RwLock<HashMap<(RevocationKind, String), Revocation>>>);

impl Revocations {
    /// Adds revocations and drops those that concern no living token any more.
    pub fn add(&self, revocations: impl IntoIterator<Item = Revocation>) {
        let now = seconds_now();
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, revocation| revocation.expires_at >= now);
        for revocation in revocations {
            let key = (revocation.kind, revocation.id.clone());
            // A later revocation of the same subject covers what the earlier one did.
            let later = all.get(&key).is_none_or(|present| present.revoked_at <= revocation.revoked_at);
            if later && revocation.expires_at >= now {
                all.insert(key, revocation);
            }
        }
    }

    /// Whether a token with these claims has been revoked.
    #[must_use]
    pub fn is_revoked(&self, claims: &AccessTokenClaims) -> bool {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if all.is_empty() {
            return false;
        }
        let find = |kind, id: &str| all.get(&(kind, id.to_owned()));
        find(RevocationKind::Token, &claims.jti).is_some()
            || claims.sid.as_deref().is_some_and(|sid| find(RevocationKind::Session, sid).is_some())
            || [&claims.sub, &claims.client_id].into_iter().any(|id| {
                find(RevocationKind::Subject, id).is_some_and(|revocation| claims.iat <= revocation.revoked_at)
            })
    }
}
