//! What was revoked before its time. Access tokens live for ten minutes, so an entry is only kept that long; the
//! service fills it from auth-service's `GET /internal/revocations`.

use super::AccessTokenClaims;
use crate::request_context;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

/// What a revocation takes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RevocationKind {
    /// One token, by its `jti`.
    Token,
    /// Every token of a login session, by its `sid`.
    Session,
}

/// One revocation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Revocation {
    /// Its place in the list.
    pub position: i64,
    /// What it takes back.
    pub kind: RevocationKind,
    /// A `jti` or a `sid`.
    pub id: String,
    /// After this no token that it concerns is alive any more.
    pub expires_at: DateTime<Utc>,
}

/// A page of `GET /internal/revocations?after=`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RevocationPage {
    /// In the order of their positions.
    pub revocations: Vec<Revocation>,
    /// The last position there is. One lower than a follower's means the list was restored: begin again at 0.
    pub head: i64,
}

/// The revocations in force. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Revocations(Arc<RwLock<Entries>>);

#[derive(Debug, Default)]
struct Entries {
    tokens: HashMap<String, DateTime<Utc>>,
    sessions: HashMap<String, DateTime<Utc>>,
}

impl Revocations {
    /// Adds revocations and drops those that concern no living token any more.
    pub fn add(&self, revocations: impl IntoIterator<Item = Revocation>) {
        let now = request_context::now();
        let mut entries = self.0.write().unwrap_or_else(PoisonError::into_inner);
        entries.tokens.retain(|_, expires_at| *expires_at >= now);
        entries.sessions.retain(|_, expires_at| *expires_at >= now);
        for Revocation { kind, id, expires_at, .. } in revocations {
            match kind {
                RevocationKind::Token => entries.tokens.insert(id, expires_at),
                RevocationKind::Session => entries.sessions.insert(id, expires_at),
            };
        }
    }

    /// Whether a token with these claims has been revoked.
    #[must_use]
    pub fn is_revoked(&self, claims: &AccessTokenClaims) -> bool {
        let entries = self.0.read().unwrap_or_else(PoisonError::into_inner);
        entries.tokens.contains_key(&claims.jti)
            || claims.sid.as_deref().is_some_and(|sid| entries.sessions.contains_key(sid))
    }
}
