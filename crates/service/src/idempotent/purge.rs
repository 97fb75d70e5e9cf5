//! Idempotency keys are kept for 24 hours, then their rows go.

use crate::{Worker, error::chain};
use eventstore::Claims;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const EVERY: Duration = Duration::from_secs(10 * 60);

impl super::Idempotency {
    /// A worker that deletes old keys every ten minutes.
    #[must_use]
    pub fn purge_worker(name: &'static str, claims: Claims) -> Worker {
        Worker::once(name, |stop| run(claims, stop))
    }
}

async fn run(claims: Claims, stop: CancellationToken) {
    while stop.run_until_cancelled(tokio::time::sleep(EVERY)).await.is_some() {
        loop {
            match claims.purge().await {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(error = chain(&error), "old idempotency keys could not be deleted yet");
                    break;
                }
            }
        }
    }
}
