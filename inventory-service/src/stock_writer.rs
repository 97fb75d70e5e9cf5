//! The one writer of stock and reservations. Whoever wants to change either queues a job here; what is waiting goes
//! into one transaction, so that many small reservations cost few commits, and a lone one is never delayed. Each
//! job is all or nothing, and one that is rejected changes nothing for the others.

mod batch;
mod locked;

use crate::domain::reservation::Reservation;
use crate::domain::reservation::decide::{Command, Rejection};
use crate::domain::stock::{Adjustment, AdjustmentRejection, Elsewhere, Level};
use crate::rows::StockVersions;
use eventstore::EventLog;
use pg::Pool;
use shared_events::{Metadata, OrderId, ProductId};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// The most jobs in one transaction.
const BATCH: usize = 200;
/// The most jobs that may wait.
const WAITING: usize = 4_000;

/// What somebody wants of the reservation of an order.
#[derive(Debug, Clone)]
pub struct Hold {
    /// The order.
    pub order_id: OrderId,
    /// What to do, one after the other. What the order itself says may take several steps, of which one that is
    /// rejected is passed over.
    pub steps: Vec<Command>,
    /// The version of the order that says so; an effect that is in already is not repeated. None for callers.
    pub order_version: Option<i64>,
    /// Makes a repeat in the log impossible.
    pub command_id: Uuid,
    /// Who, and why.
    pub metadata: Metadata,
}

/// What somebody says about the stock of a product.
#[derive(Debug, Clone)]
pub struct Count {
    /// The product.
    pub product_id: ProductId,
    /// Where: a location's code.
    pub location: String,
    /// What they say.
    pub adjustment: Adjustment,
    /// Why.
    pub reason: Option<String>,
    /// The stock version they saw, if they care.
    pub expected: Option<i64>,
    /// Makes a repeat in the log impossible.
    pub command_id: Uuid,
    /// Who, and why.
    pub metadata: Metadata,
}

/// A reservation after a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// As it stands now.
    pub reservation: Reservation,
    /// Where the stock of its products stands.
    pub stock_versions: StockVersions,
    /// Whether this job made it, so that a repeat can be told from the first time.
    pub is_new: bool,
}

/// The stock of a product after a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// Over all locations.
    pub level: Level,
    /// What of it lies at other locations than the default one.
    pub elsewhere: Elsewhere,
}

/// Why a job changed nothing.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StockError {
    /// The reservation can't be changed like that.
    #[error(transparent)]
    Reservation(#[from] Rejection),
    /// Stock can't be changed like that.
    #[error(transparent)]
    Adjustment(#[from] AdjustmentRejection),
    /// There is no such product.
    #[error("there is no such product")]
    UnknownProduct,
    /// Stock is at another version than was expected.
    #[error("the stock is at version {actual}")]
    VersionMismatch {
        /// The version it has.
        actual: i64,
    },
    /// Too much is waiting.
    #[error("too many changes of stock are waiting")]
    Overloaded,
    /// The database is away, or the service is stopping.
    #[error("stock can't be changed right now")]
    Unavailable,
    /// The database refused it.
    #[error("stock could not be changed")]
    Failed(#[source] std::sync::Arc<batch::BatchError>),
}

pub use batch::BatchError;

enum Job {
    Hold(Hold, oneshot::Sender<Result<Held, StockError>>),
    Count(Count, oneshot::Sender<Result<Counted, StockError>>),
}

/// A handle on the writer. Cloning gives another.
#[derive(Debug, Clone)]
pub struct StockWriter {
    queue: mpsc::Sender<Job>,
}

/// The writer itself, to be run by one worker.
pub struct StockWriterLoop {
    pool: Pool,
    log: EventLog,
    jobs: mpsc::Receiver<Job>,
}

impl StockWriter {
    /// A handle and the loop that it feeds.
    #[must_use]
    pub fn new(pool: Pool, log: EventLog) -> (Self, StockWriterLoop) {
        let (queue, jobs) = mpsc::channel(WAITING);
        (Self { queue }, StockWriterLoop { pool, log, jobs })
    }

    /// Changes a reservation. Dropping the future does not take it back.
    ///
    /// # Errors
    /// [`StockError`].
    pub async fn hold(&self, hold: Hold) -> Result<Held, StockError> {
        let (answer, answered) = oneshot::channel();
        self.enqueue(Job::Hold(hold, answer))?;
        answered.await.unwrap_or(Err(StockError::Unavailable))
    }

    /// Changes the stock of a product at a location. Dropping the future does not take it back.
    ///
    /// # Errors
    /// [`StockError`].
    pub async fn count(&self, count: Count) -> Result<Counted, StockError> {
        let (answer, answered) = oneshot::channel();
        self.enqueue(Job::Count(count, answer))?;
        answered.await.unwrap_or(Err(StockError::Unavailable))
    }

    fn enqueue(&self, job: Job) -> Result<(), StockError> {
        self.queue.try_send(job).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => StockError::Overloaded,
            mpsc::error::TrySendError::Closed(_) => StockError::Unavailable,
        })
    }
}

impl StockWriterLoop {
    /// Writes batch after batch until `stop`, then what is still waiting. May be run again if it panics.
    pub async fn run(&mut self, stop: &CancellationToken) {
        let mut jobs = Vec::with_capacity(BATCH);
        loop {
            tokio::select! {
                biased;
                _ = self.jobs.recv_many(&mut jobs, BATCH) => {}
                () = stop.cancelled() => self.jobs.close(),
            }
            if jobs.is_empty() && self.jobs.is_closed() && self.jobs.is_empty() {
                return;
            }
            if !jobs.is_empty() {
                batch::write(&self.pool, &self.log, std::mem::take(&mut jobs)).await;
            }
        }
    }
}
