//! Idempotency keys are kept for 24 hours, then their rows go; a claim that was given up goes after ten minutes.

use crate::{Worker, error::chain};
use eventstore::{ClaimError, Claims};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const EVERY: Duration = Duration::from_secs(10 * 60);
/// Looked at once, at the start: the process may have been away for long.
const A_DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Looked at from then on: whatever is older was looked at before.
const LATELY: Duration = Duration::from_secs(2 * 60 * 60);

impl super::Idempotency {
    /// A worker that deletes old keys and claims that were given up, at the start and every ten minutes.
    #[must_use]
    pub fn purge_worker(name: &'static str, claims: Claims) -> Worker {
        Worker::once(name, |stop| run(claims, stop))
    }
}

async fn run(claims: Claims, stop: CancellationToken) {
    let mut begun_within = A_DAY;
    loop {
        match purge(&claims, begun_within).await {
            Ok(()) => begun_within = LATELY,
            Err(error) => tracing::warn!(error = chain(&error), "old idempotency keys could not be deleted yet"),
        }
        if stop.run_until_cancelled(tokio::time::sleep(EVERY)).await.is_none() {
            return;
        }
    }
}

async fn purge(claims: &Claims, begun_within: Duration) -> Result<(), ClaimError> {
    claims.forget_abandoned(begun_within).await?;
    while claims.purge().await? > 0 {}
    Ok(())
}
