//! The one runner: read a page, handle it, move the fenced checkpoint, in one transaction.
//!
//! A checkpoint moves only from the position and under the lease that the mover believes in, so a process that froze
//! and lost its lease can do no harm. Several instances of a reader share its partitions; connection and
//! serialisation errors are retried for ever; an event that its handler refuses parks its stream and no other.

mod fetch;
mod lease;
mod projecting;
mod reacting;
mod retry;
mod runner;
mod status;
mod work;

pub use status::{PartitionStatus, ReaderHandle, ReaderStatus, Target, WaitError};

use crate::{Projector, Reaction, Subscription};
use pg::Pool;
use projecting::Projecting;
use reacting::Reacting;
use runner::Runner;
use tokio_util::sync::CancellationToken;
use work::Work;

/// A projector or reaction with the logs it follows, ready to run.
pub struct Reader {
    kind: Kind,
    handle: ReaderHandle,
}

type Running = std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;
type Kind = Box<dyn FnOnce(CancellationToken) -> Running + Send>;

impl Reader {
    /// Runs a projector over these logs. `pool` is of the schema with its tables and checkpoints.
    #[must_use]
    pub fn projector<P: Projector>(projector: P, pool: Pool, logs: Vec<Subscription>) -> Self {
        Self::new(Projecting(projector), pool, logs)
    }

    /// Runs a reaction over these logs. `pool` is of the schema with its checkpoints.
    #[must_use]
    pub fn reaction<R: Reaction>(reaction: R, pool: Pool, logs: Vec<Subscription>) -> Self {
        Self::new(Reacting(reaction), pool, logs)
    }

    fn new<W: Work>(work: W, pool: Pool, logs: Vec<Subscription>) -> Self {
        let handle = ReaderHandle::new(work.name(), work.version(), pool.clone());
        let shared = handle.clone();
        // The one boxed future: a process lists readers of many types side by side.
        let kind: Kind = Box::new(move |stop| Box::pin(Runner::new(work, pool, logs, shared, stop).run()));
        Self { kind, handle }
    }

    /// How far it is, for readiness and for reads that wait for it.
    #[must_use]
    pub fn handle(&self) -> ReaderHandle {
        self.handle.clone()
    }

    /// Runs until `stop` is cancelled, then finishes the page it is at and lets go of its partitions.
    pub async fn run(self, stop: CancellationToken) {
        (self.kind)(stop).await;
    }
}
