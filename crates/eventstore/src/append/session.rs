//! What the writers ask of a database: a handful of statements, in transactions. Postgres answers in `postgres.rs`; the
//! tests of crashes answer from memory (`tests/server.rs`), so that the writers' own code is what is tested.
//!
//! A request is sent when its future is first polled, and requests run in the order in which they were sent.

use super::{
    batch::Rows,
    careful::{Attempts, Streams},
};
use chrono::{DateTime, Utc};
use std::{error::Error, future::Future};
use uuid::Uuid;

/// What went wrong, whatever the database.
pub(super) type Cause = Box<dyn Error + Send + Sync>;

/// Where connections for appending come from.
pub(crate) trait Server: Send + Sync + 'static {
    type Session: Session;

    /// A new connection, ready to append.
    fn connect(&self) -> impl Future<Output = Result<Self::Session, Cause>> + Send;
}

/// A connection of a writer's own. It closes when dropped; what was sent before may still be done.
pub(crate) trait Session: Send + Sync + 'static {
    fn statements(&self) -> impl Statements;
    fn begin(&self) -> impl Future<Output = Result<(), Failure>> + Send;
    fn commit(&self) -> impl Future<Output = Result<(), Failure>> + Send;
    fn rollback(&self) -> impl Future<Output = Result<(), Failure>> + Send;
    fn is_closed(&self) -> bool;
}

/// The statements of an append, each on a snapshot of its own.
pub(crate) trait Statements: Send + Sync {
    /// Locks the heads, takes positions, inserts, and answers the claims of the commands: all of it or nothing, by
    /// itself a transaction.
    fn insert(&self, rows: &Rows<'_>) -> impl Future<Output = Result<Vec<Moved>, Failure>> + Send;
    /// Locks heads, in ascending order, until the transaction ends.
    fn lock_heads(&self, partitions: &[i32]) -> impl Future<Output = Result<(), Failure>> + Send;
    /// The version of each stream; 0 where there is none.
    fn stream_versions(&self, streams: &Streams<'_>) -> impl Future<Output = Result<Vec<i64>, Failure>> + Send;
    /// What is in the log already, at most once per attempt.
    fn first_results(&self, attempts: &Attempts<'_>) -> impl Future<Output = Result<Vec<Found>, Failure>> + Send;
    /// Which of these claims are unanswered, with their owners; they stay locked until the transaction ends.
    fn open_claims(&self, scope_hashes: &[&[u8]])
    -> impl Future<Output = Result<Vec<(Vec<u8>, Uuid)>, Failure>> + Send;
}

/// A head that was moved by an insert.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moved {
    pub(super) partition: i32,
    /// Its position before.
    pub(super) base: i64,
    pub(super) recorded_at: DateTime<Utc>,
}

/// A command's first event that is in the log already.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    /// Whose: the ordinal of the attempt.
    pub(super) ordinal: i64,
    pub(super) position: i64,
    pub(super) version: i64,
    pub(super) recorded_at: DateTime<Utc>,
    /// As stored.
    pub(super) metadata: Vec<u8>,
    /// It is the very event of the attempt, and not one of a command with the same id.
    pub(super) same_event: bool,
}

/// What a failed transaction means for the commands in it.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A unique key or a claim stands against some of them, or they ran into a deadlock: look closely. Nothing is in.
    Contested(Cause),
    /// The database can't hold the events of one of them. Nothing is in.
    Data(Cause),
    /// The database can't do it now. Nothing is in.
    NotNow(Cause),
    /// The connection broke or the answer did not come: they may be in or not.
    Lost(Option<Cause>),
}
