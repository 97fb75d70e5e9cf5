//! The keys of personal data, asked of command-service in batches and kept for less than a minute, so that an erasure
//! is felt everywhere soon. A key that is missing was erased: what it sealed reads as null.

use crate::{Peer, PeerError};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use moka::future::Cache;
use serde::Deserialize;
use serde_json::json;
use shared_events::KeyId;
use shared_events::sealed::{KeyRing, SealError, SealingKey};
use std::time::Duration;

const KEPT: Duration = Duration::from_secs(50);
const MOST: u64 = 50_000;
/// As many as one request asks for.
const BATCH: usize = 500;

/// Why keys could not be had.
#[derive(Debug, thiserror::Error)]
pub enum KeyClientError {
    /// command-service does not answer.
    #[error("the keys could not be asked for")]
    Peer(#[from] PeerError),
    /// It answered with something that is no key.
    #[error("{0} came back with something that is no key")]
    Malformed(KeyId),
    /// The key does not have its length.
    #[error("{id} came back with a key that cannot be used")]
    Unusable {
        /// Which one.
        id: KeyId,
        /// Why not.
        #[source]
        source: SealError,
    },
}

/// Asks for keys and keeps them a while. Clones share what is kept.
#[derive(Clone)]
pub struct KeyClient {
    command: Peer,
    // None: it was asked for and is not there, so the next second of pages does not ask again.
    kept: Cache<KeyId, Option<SealingKey>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct KeysAnswer {
    keys: Vec<KeyAnswer>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct KeyAnswer {
    key_id: KeyId,
    key: String,
}

impl KeyClient {
    /// A client of command-service.
    #[must_use]
    pub fn new(command: Peer) -> Self {
        Self { command, kept: Cache::builder().max_capacity(MOST).time_to_live(KEPT).build() }
    }

    /// The keys with these ids, as far as they exist.
    ///
    /// # Errors
    /// [`KeyClientError`] when they cannot be had right now: never to be taken for an erasure.
    pub async fn ring(&self, ids: &[KeyId]) -> Result<KeyRing, KeyClientError> {
        let mut ring = KeyRing::default();
        let mut missing = Vec::new();
        for id in ids {
            match self.kept.get(id).await {
                Some(Some(key)) => ring.insert(key),
                Some(None) => {}
                None => missing.push(*id),
            }
        }
        missing.sort_unstable();
        missing.dedup();
        for batch in missing.chunks(BATCH) {
            let answer: KeysAnswer = self.command.post("/internal/keys", &json!({ "keyIds": batch })).await?;
            let mut found = Vec::with_capacity(answer.keys.len());
            for KeyAnswer { key_id: id, key } in answer.keys {
                let bytes = STANDARD.decode(key).map_err(|_| KeyClientError::Malformed(id))?;
                let key =
                    SealingKey::from_bytes(id, &bytes).map_err(|source| KeyClientError::Unusable { id, source })?;
                found.push(id);
                ring.insert(key.clone());
                self.kept.insert(id, Some(key)).await;
            }
            for id in batch.iter().filter(|id| !found.contains(id)) {
                self.kept.insert(*id, None).await;
            }
        }
        Ok(ring)
    }

    /// Forgets keys at once: their owner was erased.
    pub async fn forget(&self, ids: &[KeyId]) {
        for id in ids {
            self.kept.insert(*id, None).await;
        }
    }
}

impl std::fmt::Debug for KeyClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyClient")
    }
}
