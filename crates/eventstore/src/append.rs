//! Appending: what a command brings, what it gets, and the one INSERT path.
//!
//! Positions are dense because they are taken by updating the partition's row in `log_head`: its lock is held until
//! the commit, so the order of positions is the order of commits, and a rollback gives them back. The fast way is one
//! prepared statement per batch that reads nothing; the unique keys decide conflicts. When a key is violated nothing
//! of the batch is in, and it goes the careful way ([`careful`]): heads locked, state read, conflicts told apart.

mod attempt;
mod batch;
mod careful;
mod check;
mod connection;
mod in_transaction;
mod measures;
mod notify;
mod postgres;
mod queue;
mod seen;
mod session;
#[cfg(test)]
mod tests;
mod writer;

pub(crate) use batch::answer_claim;
pub(crate) use notify::{Wake, run_notifier};
pub(crate) use postgres::Postgres;
pub(crate) use queue::Queue;
pub(crate) use seen::Seen;
pub(crate) use writer::{Writer, run_writer};

use crate::ClaimDone;
use check::commands_end;
use chrono::{DateTime, Utc};
use shared_events::{Metadata, NewEvent};
use std::sync::Arc;
use uuid::Uuid;

/// The largest event that a log takes.
pub const MAX_EVENT_BYTES: usize = 4 * 1024 * 1024;
/// The most events that one command may append.
pub const MAX_EVENTS_PER_COMMAND: usize = 1_000;

/// The version of the stream that a command expects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// Exactly this one, seen by reading the stream; 0 for a stream that does not exist.
    Version(i64),
    /// Whatever it is.
    Any,
}

/// One command's events for one stream: all of them are appended, or none.
#[derive(Debug, Clone)]
pub struct Append {
    /// The stream: a TypeID or a series name.
    pub stream_id: String,
    /// What kind of stream that is, such as `Order`.
    pub stream_type: &'static str,
    /// The version it has to have.
    pub expected: Expected,
    /// Kept for ever: an equal id on the stream returns the first result.
    pub command_id: Option<Uuid>,
    /// At least one event.
    pub events: Vec<NewEvent>,
    /// Who, and why; the same for all events of a command.
    pub metadata: Metadata,
    /// The answer to an Idempotency-Key, stored in the append's own transaction.
    pub claim: Option<ClaimDone>,
}

/// Where a command's events stand in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// The stream's partition.
    pub partition: i32,
    /// The position of the first event.
    pub first_position: i64,
    /// The position of the last event.
    pub last_position: i64,
    /// The stream's version after the last event.
    pub version: i64,
    /// When; never before what stands before it in the partition.
    pub recorded_at: DateTime<Utc>,
    /// The command was here before: this is its first result, and nothing was appended now. Its claim, if it
    /// brought one, is still open.
    pub duplicate: bool,
}

impl Appended {
    /// From a command's first event, which says how many there are.
    pub(crate) fn first_result(
        partition: i32,
        first_position: i64,
        version: i64,
        recorded_at: DateTime<Utc>,
        metadata: &[u8],
    ) -> Self {
        let behind = commands_end(metadata);
        Self {
            partition,
            first_position,
            last_position: first_position + behind,
            version: version + behind,
            recorded_at,
            duplicate: true,
        }
    }
}

/// Why nothing was appended, or why that is not known.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AppendError {
    /// The stream has another version than the command expects.
    #[error("the stream is at version {actual}")]
    Conflict {
        /// The version it has.
        actual: i64,
    },
    /// The lease of the command's claim ran out and another request holds it now.
    #[error("the claim belongs to another request by now")]
    ClaimLost,
    /// An event is over [`MAX_EVENT_BYTES`], or a command over [`MAX_EVENTS_PER_COMMAND`].
    #[error("the command is too large: {size} {unit}")]
    TooLarge {
        /// How large it is.
        size: usize,
        /// Of what.
        unit: &'static str,
    },
    /// The command can't be stored by anyone: no events, or text that Postgres can't hold.
    #[error("the command is not valid: {0}")]
    Invalid(&'static str),
    /// Too much is waiting already; nothing was appended.
    #[error("too many commands are waiting for the log")]
    Overloaded,
    /// The database is away or busy; nothing was appended.
    #[error("the log is not available")]
    Unavailable,
    /// The connection was lost while the command was being committed and its fate could not be learned in time.
    /// A repeat with the same `command_id` or claim finds out.
    #[error("it is not known whether the command was appended")]
    Unknown,
    /// The database refused these very events.
    #[error("the database refused the events")]
    Refused(#[source] Arc<dyn std::error::Error + Send + Sync>),
}

impl AppendError {
    /// Whether the same request may be made again later, unchanged: 503 with Retry-After.
    #[must_use]
    pub const fn is_unavailable(&self) -> bool {
        matches!(self, Self::Overloaded | Self::Unavailable | Self::Unknown)
    }
}
