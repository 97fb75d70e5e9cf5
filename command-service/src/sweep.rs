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
const UNUSED_QUOTES: &str = include_str!("sweep/unused_quotes.sql");
const ORDERED_QUOTES: &str = include_str!("sweep/ordered_quotes.sql");
/// The statements delete at most so many rows at once.
const BATCH: u64 = 1_000;
/// So many batches of each go in one pass; what is left waits for the next.
const MOST_BATCHES: usize = 100;

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
                tracing::warn!(%error, "not everything that is over could be deleted yet");
            }
        }
    }

    /// Deletes what is over now. What fails keeps nothing else from being done.
    ///
    /// # Errors
    /// The first [`RowsError`], when the database is away or was too slow for something.
    pub async fn once(&self) -> Result<(), RowsError> {
        let mut done = Ok(());
        for statement in [OLD_CARTS, UNUSED_QUOTES, ORDERED_QUOTES] {
            done = done.and(self.delete_all(statement).await);
        }
        done.and(self.discounts.settle_left_behind(&self.orders).await)
    }

    async fn delete_all(&self, statement: &str) -> Result<(), RowsError> {
        for _ in 0..MOST_BATCHES {
            if self.delete(statement).await? < BATCH {
                break;
            }
        }
        Ok(())
    }

    async fn delete(&self, statement: &str) -> Result<u64, RowsError> {
        let client = self.pool.get().await?;
        let deleted = timeout(PATIENCE, client.execute(statement, &[])).await;
        Ok(pg::in_time(client, deleted)??)
    }
}

#[cfg(test)]
mod tests;
