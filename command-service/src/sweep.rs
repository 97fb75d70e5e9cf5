//! What nobody comes back for goes by itself: abandoned carts, quotes that are long over, and claims on discounts that a
//! crash left behind. The rows say when, so a stop delays it and loses nothing; instances may do it side by side.

use crate::{
    discounts::Discounts,
    orders::Orders,
    rows::{PATIENCE, RowsError},
};
use pg::Pool;
use std::time::Duration;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

const EVERY: Duration = Duration::from_secs(60);
const OLD_CARTS: &str = include_str!("sweep/carts.sql");
const OLD_QUOTES: &str = include_str!("sweep/quotes.sql");

/// Deletes what is over.
pub struct Sweep {
    /// Where the rows are.
    pub pool: Pool,
    /// The orders, to know what became of a claim.
    pub orders: Orders,
    /// The discounts.
    pub discounts: Discounts,
}

impl Sweep {
    /// Runs every minute until `stop` is cancelled.
    pub async fn run(self, stop: CancellationToken) {
        while stop.run_until_cancelled(sleep(EVERY)).await.is_some() {
            if let Err(error) = self.once().await {
                tracing::warn!(%error, "old carts and quotes could not be deleted yet");
            }
        }
    }

    /// Deletes what is over now.
    ///
    /// # Errors
    /// [`RowsError`] when the database is away.
    pub async fn once(&self) -> Result<(), RowsError> {
        for statement in [OLD_CARTS, OLD_QUOTES] {
            while self.delete(statement).await? > 0 {}
        }
        self.discounts.settle_left_behind(&self.orders).await
    }

    async fn delete(&self, statement: &str) -> Result<u64, RowsError> {
        let client = self.pool.get().await?;
        let deleted = timeout(PATIENCE, client.execute(statement, &[])).await;
        Ok(pg::in_time(client, deleted)??)
    }
}

#[cfg(test)]
mod tests;
