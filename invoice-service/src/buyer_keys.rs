//! The key that an invoice's buyer is sealed with: one per invoiced order, owned by command-service, and not
//! deleted when the customer is erased, because the law wants invoices kept.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use service::{Peer, PeerError};
use shared_events::{
    KeyId, OrderId,
    sealed::{SealError, SealingKey},
};

/// Why the key could not be had.
#[derive(Debug, thiserror::Error)]
pub enum BuyerKeyError {
    /// command-service is away, or refused.
    #[error("command-service did not give the key")]
    Peer(#[from] PeerError),
    /// What it gave is no key.
    #[error("what command-service gave is no key")]
    Broken(#[from] SealError),
    /// What it gave is not base 64.
    #[error("what command-service gave is not base 64")]
    Encoding(#[from] base64::DecodeError),
}

#[derive(Serialize)]
struct Ask {
    owner: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Given {
    key_id: KeyId,
    key: String,
}

/// Gets keys of buyers. Cheap to clone.
#[derive(Clone)]
pub struct BuyerKeys {
    command: Peer,
}

impl BuyerKeys {
    /// From command-service.
    #[must_use]
    pub const fn new(command: Peer) -> Self {
        Self { command }
    }

    /// The key for the invoices of an order.
    ///
    /// # Errors
    /// [`BuyerKeyError`].
    pub async fn of_order(&self, order_id: OrderId) -> Result<SealingKey, BuyerKeyError> {
        let ask = Ask { owner: format!("invoice/{order_id}") };
        let given: Given = self.command.post("/internal/keys/owner", &ask).await?;
        Ok(SealingKey::from_bytes(given.key_id, &STANDARD.decode(given.key)?)?)
    }
}
