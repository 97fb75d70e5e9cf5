//! Order numbers for people, `R-000123456`: unique and rising, with gaps. A process takes blocks from a
//! sequence, so that most orders cost no round trip for their number.

use std::{ops::Range, time::Duration};
use tokio::{
    sync::Mutex,
    time::{error::Elapsed, timeout},
};

/// As many as the sequence's increment.
const BLOCK: i64 = 50;
const PATIENCE: Duration = Duration::from_secs(4);

/// Why no number could be had.
#[derive(Debug, thiserror::Error)]
pub enum OrderNumberError {
    /// No connection to the database.
    #[error("no connection for an order number")]
    Pool(#[from] deadpool_postgres::PoolError),
    /// The database refused.
    #[error("no order number could be taken")]
    Database(#[from] tokio_postgres::Error),
    /// The database is silent.
    #[error("no order number came in time")]
    TimedOut(#[from] Elapsed),
}

/// Hands out order numbers.
pub struct OrderNumbers {
    pool: pg::Pool,
    block: Mutex<Range<i64>>,
}

impl OrderNumbers {
    /// Numbers from the sequence of this pool's schema.
    #[must_use]
    pub fn new(pool: pg::Pool) -> Self {
        Self { pool, block: Mutex::new(0..0) }
    }

    /// The next number, used by nobody else ever.
    ///
    /// # Errors
    /// [`OrderNumberError`] when the database is away.
    pub async fn next(&self) -> Result<String, OrderNumberError> {
        if let Some(number) = self.block.lock().await.next() {
            return Ok(format(number));
        }
        // Several may get here at once: each takes a block, and what the last one overwrites becomes a gap.
        let client = self.pool.get().await?;
        let taken = timeout(PATIENCE, async {
            let statement = client.prepare_cached("SELECT nextval('order_number')").await?;
            client.query_one(&statement, &[]).await
        })
        .await;
        let first: i64 = pg::in_time(client, taken)??.try_get(0)?;
        *self.block.lock().await = first + 1..first + BLOCK;
        Ok(format(first))
    }
}

fn format(number: i64) -> String {
    format!("R-{number:09}")
}
