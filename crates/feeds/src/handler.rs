//! What a service writes to follow a log. The runner owns everything else: order, retries, checkpoints, parking.

use crate::HandleError;
use pg::deadpool_postgres::Transaction;
use shared_events::RecordedEvent;
use std::{future::Future, sync::Arc, time::Duration};
use uuid::Uuid;

/// The pace of readers that nobody waits for.
pub(crate) const PACE: Duration = Duration::from_millis(20);

/// Events of one partition of one log, in the order of their positions.
#[derive(Debug, Clone)]
pub struct Page {
    /// The log's name.
    pub log: Arc<str>,
    /// The partition, from 0.
    pub partition: i32,
    /// Never empty. Events of parked streams are left out.
    pub events: Vec<RecordedEvent>,
}

/// Builds state from events and has no other effect, so it may be run again from the start at any time.
pub trait Projector: Send + Sync + 'static {
    /// The reader's name, part of its checkpoint's key.
    fn name(&self) -> &'static str;

    /// The version of what it builds; another version starts from the beginning with a checkpoint of its own.
    fn version(&self) -> i32 {
        1
    }

    /// How long after the beginning of a round that handled little the next one begins, so that many small commits
    /// share one.
    fn pace(&self) -> Duration {
        PACE
    }

    /// Handles one page per partition that has news, in the transaction that moves the checkpoints. Pages of several
    /// partitions and logs come together and have no order among them; fold them in memory and write rows sorted by
    /// key. An event may come again if the transaction was rolled back. If this fails because of an event, every
    /// event is tried alone to find out which.
    fn handle(
        &self,
        transaction: &Transaction<'_>,
        pages: &[Page],
    ) -> impl Future<Output = Result<(), HandleError>> + Send;
}

/// Where a reader begins that was never here before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StartFrom {
    /// After the last event there is now.
    #[default]
    Head,
    /// At the first event.
    Start,
}

/// Causes effects: mail, commands, webhooks. Never run again by a rebuild.
pub trait Reaction: Send + Sync + 'static {
    /// The reader's name, its checkpoint's key. It has no version.
    fn name(&self) -> &'static str;

    /// Where it begins the first time.
    fn start_from(&self) -> StartFrom {
        StartFrom::Head
    }

    /// Whether events that an importer wrote pass by without an effect: true for mail and webhooks.
    fn skips_imports(&self) -> bool {
        false
    }

    /// Causes the effect of one event, at least once, before the checkpoint moves past it. Events of a stream come one
    /// after the other, streams side by side. Derive ids from the event ([`derived_command_id`]), so that a
    /// repeat is a no-op. No transaction is open meanwhile: it may wait for the network, but not for ever.
    fn react(&self, log: &str, event: &RecordedEvent) -> impl Future<Output = Result<(), HandleError>> + Send;
}

/// The id of the command that an event causes at a named step: always the same for the same event and step.
#[must_use]
pub fn derived_command_id(cause: Uuid, step: &str) -> Uuid {
    Uuid::new_v5(&cause, step.as_bytes())
}
