//! A log and its handles: opening it, its writers, its wake-up.

use crate::{
    Append, AppendError, Appended, Expected, Spawner,
    append::{Postgres, Queue, Seen, Wake, Writer, run_notifier, run_writer},
    epoch, partition_of,
};
use deadpool_postgres::PoolError;
use pg::Pool;
use std::sync::Arc;
use tokio::sync::watch;
use tokio_postgres::Error;
use uuid::Uuid;

const CREATE: &str = include_str!("sql/create_log.sql");

/// What a log is called and how it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogConfig {
    /// `orders`, `inventory` or `invoices`; the feed's name and the NOTIFY channel's.
    pub name: &'static str,
    /// Fixed when the log is created.
    pub partitions: i32,
    /// How many transactions of this process may append at the same time, at most one per partition.
    pub writers: usize,
}

/// Why a log could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// No connection.
    #[error("no connection to the log could be had")]
    Connection(#[source] PoolError),
    /// A statement failed; perhaps the migrations did not run.
    #[error("the log could not be opened")]
    Statement(#[source] Error),
    /// The log was created with another number of partitions, which is fixed for ever.
    #[error("log {name} was created with {stored} partitions, which is fixed, and not {configured}")]
    PartitionMismatch {
        /// The log.
        name: &'static str,
        /// What it was created with.
        stored: i32,
        /// What was asked for.
        configured: i32,
    },
    /// The configuration makes no sense.
    #[error("log {name} needs at least one partition")]
    NoPartitions {
        /// The log.
        name: &'static str,
    },
}

/// One log: the schema of one service. Cloning gives another handle; the writers end with the last one, or when the
/// [`Spawner`] stops.
#[derive(Debug, Clone)]
pub struct EventLog {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    name: &'static str,
    pool: Pool,
    partitions: i32,
    epoch: Uuid,
    queue: Queue,
    seen: Arc<Seen>,
    wake: Arc<Wake>,
}

impl EventLog {
    /// Opens the log in the pool's schema, creating its heads the first time, and starts its writers. Each writer and
    /// the notifier keep a connection of their own beside the pool's.
    ///
    /// # Errors
    /// [`LogError`].
    pub async fn open(pool: Pool, config: LogConfig, spawner: &Spawner) -> Result<Self, LogError> {
        let LogConfig { name, partitions, writers } = config;
        if partitions < 1 {
            return Err(LogError::NoPartitions { name });
        }
        let client = pool.get().await.map_err(LogError::Connection)?;
        // The second time round a row is there, whoever of several processes made it.
        client.execute(CREATE, &[&partitions]).await.map_err(LogError::Statement)?;
        epoch::keep(&client, name).await.map_err(LogError::Statement)?;
        epoch::warn_if_unknown(&client, name).await.map_err(LogError::Statement)?;
        let meta =
            client.query_one("select partitions, epoch from log_meta", &[]).await.map_err(LogError::Statement)?;
        drop(client);
        let stored: i32 = meta.get(0);
        if stored != partitions {
            return Err(LogError::PartitionMismatch { name, stored, configured: partitions });
        }

        let seen = Arc::new(Seen::default());
        let wake = Arc::new(Wake::default());
        let writers = writers.clamp(1, usize::try_from(partitions).unwrap_or(1));
        let (queue, receivers) = Queue::new(writers, partitions);
        spawner.spawn(run_notifier(pool.clone(), channel(name), Arc::clone(&wake), spawner.clone()));
        let server = Arc::new(Postgres { log: name, pool: pool.clone() });
        for (number, receiver) in receivers.into_iter().enumerate() {
            let writer = Writer::new(name, number, Arc::clone(&server), receiver, Arc::clone(&seen), Arc::clone(&wake));
            spawner.spawn(run_writer(writer, spawner.stop().clone()));
        }
        let epoch = meta.get(1);
        Ok(Self { inner: Arc::new(Inner { name, pool, partitions, epoch, queue, seen, wake }) })
    }

    /// Appends a command's events to its stream: all of them, or none. Returns once they are committed.
    ///
    /// Dropping the future does not take the command back.
    ///
    /// # Errors
    /// [`AppendError`]; only [`AppendError::Unknown`] leaves open whether the events are in.
    pub async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        let unseen = append.expected == Expected::Any && self.seen().get(&append.stream_id).is_none();
        if unseen && !append.stream_id.contains('\0') {
            self.stream_version(&append.stream_id).await.map_err(|error| {
                tracing::warn!(log = self.name(), error = %error, "the version of a stream could not be read");
                AppendError::Unavailable
            })?;
        }
        let careful = self.seen().must_look(&append);
        self.inner.queue.append(append, careful).await
    }

    /// The log's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.inner.name
    }

    /// The number of partitions.
    #[must_use]
    pub fn partitions(&self) -> i32 {
        self.inner.partitions
    }

    /// The epoch that the log had when it was opened; pages carry the current one.
    #[must_use]
    pub fn epoch(&self) -> Uuid {
        self.inner.epoch
    }

    /// The partition of a stream.
    #[must_use]
    pub fn partition_of(&self, stream_id: &str) -> i32 {
        partition_of(stream_id, self.inner.partitions)
    }

    /// The channel on which the commits of all processes are notified, `oms_orders` for the log `orders`. The payload
    /// says no more than which of them it was: [`EventLog::is_own_bell`].
    #[must_use]
    pub fn channel(&self) -> String {
        channel(self.inner.name)
    }

    /// Whether a notification with this payload was sent by this very log, whose readers were woken long before.
    #[must_use]
    pub fn is_own_bell(&self, payload: &str) -> bool {
        payload == self.inner.wake.mark()
    }

    /// Changes with every commit to the log that this process makes or is told of by [`EventLog::wake`].
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.inner.wake.readers()
    }

    /// Wakes this process's readers: something was committed elsewhere. For those who listen on
    /// [`EventLog::channel`].
    pub fn wake(&self) {
        self.inner.wake.heard();
    }

    /// Wakes the readers of this process and of others. To be called after the commit of a transaction that
    /// [`EventLog::append_in`] took part in.
    pub fn committed(&self) {
        self.inner.wake.committed();
    }

    /// Remembers that a stream was seen at a version, committed: a caller of [`EventLog::append_in`] reads it under its
    /// own locks, from a row that is written in the same transactions as the stream. An append that expects a version
    /// that was seen goes the fast way.
    pub fn saw(&self, stream_id: &str, version: i64) {
        if version > 0 {
            self.seen().note(stream_id, version);
        }
    }

    pub(crate) fn pool(&self) -> &Pool {
        &self.inner.pool
    }

    pub(crate) fn seen(&self) -> &Seen {
        &self.inner.seen
    }
}

fn channel(name: &str) -> String {
    format!("oms_{name}")
}
