//! Wakes the worker of this process, so that nobody waits for its next look.

use std::sync::Arc;
use tokio::sync::Notify;

/// Rung when there is something to send. Clones are the same bell.
#[derive(Debug, Clone, Default)]
pub struct Bell(Arc<Notify>);

impl Bell {
    /// Wakes who waits, or the next who will.
    pub fn ring(&self) {
        self.0.notify_one();
    }

    /// Waits until it is rung.
    pub async fn rung(&self) {
        self.0.notified().await;
    }
}
