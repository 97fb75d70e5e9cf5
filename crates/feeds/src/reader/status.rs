//! What others may know of a running reader: how far it is, and a bell that rings after every committed page.

use super::lease::{self, Identity};
use crate::parked;
use pg::{PgError, Pool};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::watch,
    time::{Instant, sleep, timeout_at},
};

/// How often the checkpoints of partitions that another instance holds are looked at while somebody waits for them.
const POLL: Duration = Duration::from_millis(50);

/// One partition held by this instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionStatus {
    /// The log.
    pub log: Arc<str>,
    /// The partition.
    pub partition: i32,
    /// The last position handled.
    pub position: i64,
    /// The last position there is, as last seen.
    pub head: i64,
    /// Why it stands still, if it does.
    pub stopped: Option<String>,
}

/// How far a reader is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReaderStatus {
    /// Whether it has reached, since it was started, the heads it met at its start. Stays true from then on.
    pub caught_up: bool,
    /// Parked streams, those of other instances included.
    pub parked: i64,
    /// What went wrong last, until something succeeds again.
    pub failing: Option<String>,
    /// The partitions this instance holds.
    pub partitions: Vec<PartitionStatus>,
}

impl ReaderStatus {
    /// How many events are still to be handled in the partitions of this instance.
    #[must_use]
    pub fn lag(&self) -> i64 {
        self.partitions.iter().map(|partition| (partition.head - partition.position).max(0)).sum()
    }

    /// Why a partition stands still, if one does.
    #[must_use]
    pub fn stopped(&self) -> Option<&str> {
        self.partitions.iter().find_map(|partition| partition.stopped.as_deref())
    }
}

/// A position that a read waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The log.
    pub log: String,
    /// The partition.
    pub partition: i32,
    /// The position that has to be handled.
    pub position: i64,
}

/// Why a wait ended without its targets being reached.
#[derive(Debug, thiserror::Error)]
pub enum WaitError {
    /// It took too long.
    #[error("the reader did not get there in time")]
    TimedOut,
    /// It never will.
    #[error("the reader stands still: {0}")]
    Stopped(String),
    /// The checkpoints of other instances cannot be seen.
    #[error("the checkpoints cannot be read")]
    Database(#[from] PgError),
}

/// Looks at a reader from outside. Cloning it is cheap.
#[derive(Clone)]
pub struct ReaderHandle {
    shared: Arc<Shared>,
}

struct Shared {
    identity: Identity,
    pool: Pool,
    status: Mutex<ReaderStatus>,
    progress: watch::Sender<u64>,
}

impl ReaderHandle {
    pub(crate) fn new(reader: &'static str, version: i32, pool: Pool) -> Self {
        let identity = Identity { reader, version };
        Self { shared: Arc::new(Shared { identity, pool, status: Mutex::default(), progress: watch::Sender::new(0) }) }
    }

    /// The reader's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.shared.identity.reader
    }

    /// The reader's version.
    #[must_use]
    pub fn version(&self) -> i32 {
        self.shared.identity.version
    }

    /// How far it is.
    #[must_use]
    pub fn status(&self) -> ReaderStatus {
        self.locked().clone()
    }

    /// Whether it has reached the heads it met at its start.
    #[must_use]
    pub fn caught_up(&self) -> bool {
        self.locked().caught_up
    }

    /// Counts the pages committed by this instance.
    #[must_use]
    pub fn progress(&self) -> watch::Receiver<u64> {
        self.shared.progress.subscribe()
    }

    /// Waits until all targets are handled, by whichever instance.
    ///
    /// # Errors
    /// [`WaitError`]; at once if a partition of the targets stands still.
    pub async fn wait_until(&self, targets: &[Target], patience: Duration) -> Result<(), WaitError> {
        let deadline = Instant::now() + patience;
        let mut progress = self.progress();
        loop {
            progress.mark_unchanged();
            let elsewhere = match self.missing(targets)? {
                Missing::Nothing => return Ok(()),
                Missing::Here => false,
                Missing::Elsewhere => true,
            };
            if elsewhere && lease::reached(&self.shared.pool, self.shared.identity, targets).await? {
                return Ok(());
            }
            let waited = timeout_at(deadline, async {
                tokio::select! {
                    _ = progress.changed() => {}
                    () = sleep(POLL), if elsewhere => {}
                }
            });
            waited.await.map_err(|_elapsed| WaitError::TimedOut)?;
        }
    }

    /// Whether a stream is parked, so that waiting for it is of no use. Asks the database only if any stream is.
    ///
    /// # Errors
    /// If the database is away.
    pub async fn is_parked(&self, log: &str, stream_id: &str) -> Result<bool, PgError> {
        if self.locked().parked == 0 {
            return Ok(false);
        }
        parked::is_parked(&self.shared.pool, self.name(), self.version(), log, stream_id).await
    }

    pub(crate) fn update(&self, change: impl FnOnce(&mut ReaderStatus)) {
        change(&mut self.locked());
    }

    pub(crate) fn ring(&self) {
        self.shared.progress.send_modify(|count| *count += 1);
    }

    pub(crate) fn identity(&self) -> Identity {
        self.shared.identity
    }

    fn missing(&self, targets: &[Target]) -> Result<Missing, WaitError> {
        let status = self.locked();
        let mut missing = Missing::Nothing;
        for target in targets {
            let held =
                status.partitions.iter().find(|held| *held.log == *target.log && held.partition == target.partition);
            match held {
                Some(held) if held.position >= target.position => {}
                Some(PartitionStatus { stopped: Some(reason), .. }) => return Err(WaitError::Stopped(reason.clone())),
                Some(_) if missing == Missing::Elsewhere => {}
                Some(_) => missing = Missing::Here,
                None => missing = Missing::Elsewhere,
            }
        }
        Ok(missing)
    }

    fn locked(&self) -> MutexGuard<'_, ReaderStatus> {
        self.shared.status.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(PartialEq, Eq)]
enum Missing {
    Nothing,
    Here,
    Elsewhere,
}
