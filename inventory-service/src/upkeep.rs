//! Forgets idempotency keys after their 24 hours, a few thousand at a time.

use eventstore::Claims;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const PERIOD: Duration = Duration::from_secs(600);

/// Purges until `stop`.
pub async fn run(claims: Claims, stop: CancellationToken) {
    while tokio::time::timeout(PERIOD, stop.cancelled()).await.is_err() {
        loop {
            match claims.purge().await {
                Ok(0) => break,
                Ok(purged) => tracing::debug!(purged, "old idempotency keys were forgotten"),
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "old idempotency keys stay for now");
                    break;
                }
            }
            if stop.is_cancelled() {
                return;
            }
        }
    }
}
