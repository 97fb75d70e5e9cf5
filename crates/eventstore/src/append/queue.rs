//! What waits for the writers: a queue each with a bound on its commands, and a bound on the bytes of all. A command
//! counts until it is answered.

use super::{Append, AppendError, Appended, check::check};
use crate::partition_of;
use bytes::Bytes;
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot},
    time::Instant,
};

/// How long a command may wait for its answer before it gets [`AppendError::Unavailable`] or [`AppendError::Unknown`].
pub(super) const PATIENCE: Duration = Duration::from_secs(3);
/// The writers keep to [`PATIENCE`]; this is for one that does not.
const GRACE: Duration = Duration::from_secs(3);
const COMMANDS_PER_WRITER: usize = 4_096;
const WAITING_KIB: usize = 128 * 1024;

/// A command on its way to a writer and back.
#[derive(Debug)]
pub(crate) struct Queued {
    pub(super) append: Append,
    pub(super) partition: i32,
    /// The stored metadata of the first event and of the others.
    pub(super) metadata: [Bytes; 2],
    pub(super) bytes: usize,
    /// Judged on a fresh snapshot: it expects a version that was not seen here, or an attempt failed.
    pub(super) careful: bool,
    /// In a batch by itself: the database refused a batch that it was in.
    pub(super) alone: bool,
    pub(super) attempts: u8,
    /// The versions its first event would have in attempts with an unknown outcome.
    pub(super) tried: Vec<i64>,
    pub(super) since: Instant,
    pub(super) deadline: Instant,
    pub(super) reply: oneshot::Sender<Result<Appended, AppendError>>,
    pub(super) _room: [OwnedSemaphorePermit; 2],
}

impl Queued {
    /// What to say when it can't be done: whether anything was appended is only unknown if it was ever tried.
    pub(super) fn give_up(self) {
        let error = if self.tried.is_empty() { AppendError::Unavailable } else { AppendError::Unknown };
        self.answer(Err(error));
    }

    /// Answers; who asked may be gone.
    pub(super) fn answer(self, answer: Result<Appended, AppendError>) {
        let _ = self.reply.send(answer);
    }
}

/// The way into the writers.
#[derive(Debug)]
pub(crate) struct Queue {
    writers: Vec<Entrance>,
    room: Arc<Semaphore>,
    partitions: i32,
}

#[derive(Debug)]
struct Entrance {
    sender: mpsc::UnboundedSender<Queued>,
    places: Arc<Semaphore>,
}

impl Queue {
    /// A queue for each of `writers`; partition p belongs to writer p modulo their number.
    pub(crate) fn new(writers: usize, partitions: i32) -> (Self, Vec<mpsc::UnboundedReceiver<Queued>>) {
        let (writers, receivers) = (0..writers.max(1))
            .map(|_| {
                let (sender, receiver) = mpsc::unbounded_channel();
                (Entrance { sender, places: Arc::new(Semaphore::new(COMMANDS_PER_WRITER)) }, receiver)
            })
            .unzip();
        (Self { writers, room: Arc::new(Semaphore::new(WAITING_KIB)), partitions }, receivers)
    }

    /// Hands a command to the writer of its partition and waits for the answer.
    pub(crate) async fn append(&self, append: Append, careful: bool) -> Result<Appended, AppendError> {
        let metadata = check(&append)?;
        let partition = partition_of(&append.stream_id, self.partitions);
        let bytes = append.events.iter().map(|event| event.payload.len() + metadata[1].len() + 200).sum();
        let kib = u32::try_from(usize::div_ceil(bytes, 1024).min(WAITING_KIB)).unwrap_or(u32::MAX);
        let Entrance { sender, places } =
            &self.writers[usize::try_from(partition).unwrap_or_default() % self.writers.len()];
        let place = Arc::clone(places).try_acquire_owned().map_err(|_| AppendError::Overloaded)?;
        let room = Arc::clone(&self.room).try_acquire_many_owned(kib).map_err(|_| AppendError::Overloaded)?;
        let (reply, answer) = oneshot::channel();
        let since = Instant::now();
        let deadline = since + PATIENCE;
        let queued = Queued {
            append,
            partition,
            metadata,
            bytes,
            careful,
            alone: false,
            attempts: 0,
            tried: Vec::new(),
            since,
            deadline,
            reply,
            _room: [place, room],
        };
        sender.send(queued).map_err(|_| AppendError::Unavailable)?;
        // A writer that vanished, or is far too late, may have appended it.
        tokio::time::timeout_at(deadline + GRACE, answer)
            .await
            .map_or(Err(AppendError::Unknown), |answer| answer.unwrap_or(Err(AppendError::Unknown)))
    }
}
