//! One batch: lock, decide every job in queue order against what the earlier ones left, write rows and events, commit.
//! The heads of the log are locked last, by the append. Nothing is in unless all of it is; what can't be told after
//! a lost connection is looked up in the log by the jobs' command ids.

use super::locked::Locked;
use super::{Count, Counted, Held, Hold, Job, StockError};
use crate::domain::reservation::decide::{Command, decide};
use crate::domain::stock::{Level, became_low, lines_of};
use crate::rows::ReservationRow;
use eventstore::{Append, AppendError, EventLog, Expected};
use futures_util::try_join;
use pg::deadpool_postgres::{PoolError, Transaction};
use pg::sqlstate::{SqlClass, classify};
use pg::{Pool, tokio_postgres};
use shared_events::inventory::{InventoryEvent, RESERVATION_STREAM, STOCK_STREAM};
use shared_events::sealed::seal_event;
use shared_events::{Metadata, NewEvent, PayloadError, ProductId};
use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;
use std::time::Duration;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;
use uuid::Uuid;

const COMMANDS_IN_LOG: &str = include_str!("../sql/commands_in_log.sql");
const ATTEMPTS: u32 = 6;
const BETWEEN_ATTEMPTS: Duration = Duration::from_millis(100);

/// Why a batch could not be written.
#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    /// No connection.
    #[error("no database connection could be had")]
    Connection(#[from] PoolError),
    /// A statement failed; nothing is in.
    #[error("a statement of the batch failed")]
    Statement(#[from] tokio_postgres::Error),
    /// The commit failed; it may be in or not.
    #[error("the commit of the batch failed")]
    Commit(#[source] tokio_postgres::Error),
    /// The log refused its events; nothing is in.
    #[error("the events of the batch could not be appended")]
    Append(#[from] AppendError),
    /// A job of it is in the log already.
    #[error("a job of the batch was done before")]
    Repeated,
    /// Somebody changed what the batch is about before it was locked; nothing is in.
    #[error("the reservations changed before they were locked")]
    Overtaken,
    /// An event can't be written.
    #[error("an event of the batch can't be written")]
    Payload(#[from] PayloadError),
}

/// What to do about it.
enum Remedy {
    Again,
    AgainInDoubt,
    GiveUp,
    OneByOne,
}

impl BatchError {
    fn remedy(&self) -> Remedy {
        match self {
            Self::Commit(_) | Self::Repeated => Remedy::AgainInDoubt,
            Self::Overtaken | Self::Append(AppendError::Conflict { .. }) => Remedy::Again,
            Self::Statement(error) if error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE) => Remedy::GiveUp,
            Self::Statement(error) => match classify(error) {
                // A connection that broke says nothing about the next one; no connection at all ends the attempts.
                SqlClass::Serialization
                | SqlClass::UniqueViolation { .. }
                | SqlClass::ConnectionLost
                | SqlClass::AdminShutdown => Remedy::Again,
                SqlClass::TooManyConnections => Remedy::GiveUp,
                SqlClass::CheckViolation { .. } | SqlClass::ForeignKeyViolation { .. } | SqlClass::Other => {
                    Remedy::OneByOne
                }
            },
            Self::Connection(_) => Remedy::GiveUp,
            Self::Append(error) if error.is_unavailable() => Remedy::GiveUp,
            Self::Append(_) | Self::Payload(_) => Remedy::OneByOne,
        }
    }
}

enum Outcome {
    Held(Result<Held, StockError>),
    Counted(Result<Counted, StockError>),
}

/// Writes a batch and answers its jobs.
pub(super) async fn write(pool: &Pool, log: &EventLog, jobs: Vec<Job>) {
    let mut doubtful = false;
    for attempt in 1..=ATTEMPTS {
        let error = match attempt_batch(pool, log, &jobs, doubtful).await {
            Ok(outcomes) => return answer(jobs, outcomes),
            Err(error) => error,
        };
        match error.remedy() {
            Remedy::OneByOne if jobs.len() > 1 => {
                for job in jobs {
                    Box::pin(write(pool, log, vec![job])).await;
                }
                return;
            }
            Remedy::OneByOne => {
                tracing::error!(error = &error as &dyn std::error::Error, "a change of stock was refused");
                return fail(jobs, &StockError::Failed(Arc::new(error)));
            }
            // In doubt even an unavailable database is asked again: the jobs may be in.
            Remedy::GiveUp if !doubtful => {
                tracing::warn!(error = &error as &dyn std::error::Error, "stock can't be changed right now");
                return fail(jobs, &StockError::Unavailable);
            }
            Remedy::AgainInDoubt => doubtful = true,
            Remedy::Again | Remedy::GiveUp => {}
        }
        tracing::debug!(attempt, error = &error as &dyn std::error::Error, "a batch of stock changes is tried again");
        tokio::time::sleep(BETWEEN_ATTEMPTS * attempt).await;
    }
    fail(jobs, &StockError::Unavailable);
}

fn answer(jobs: Vec<Job>, outcomes: Vec<Outcome>) {
    for pair in jobs.into_iter().zip(outcomes) {
        // Whoever asked may have gone; that changes nothing.
        match pair {
            (Job::Hold(_, answer), Outcome::Held(outcome)) => drop(answer.send(outcome)),
            (Job::Count(_, answer), Outcome::Counted(outcome)) => drop(answer.send(outcome)),
            (Job::Hold(..), Outcome::Counted(_)) | (Job::Count(..), Outcome::Held(_)) => {}
        }
    }
}

fn fail(jobs: Vec<Job>, error: &StockError) {
    for job in jobs {
        match job {
            Job::Hold(_, answer) => drop(answer.send(Err(error.clone()))),
            Job::Count(_, answer) => drop(answer.send(Err(error.clone()))),
        }
    }
}

async fn attempt_batch(pool: &Pool, log: &EventLog, jobs: &[Job], doubtful: bool) -> Result<Vec<Outcome>, BatchError> {
    let mut client = pool.get().await?;
    let tx = client.transaction().await?;
    let (orders, products) =
        (jobs.iter().filter_map(Job::order).collect(), jobs.iter().flat_map(Job::products).collect());
    let locked = Locked::lock(&tx, &orders, &products).await?.ok_or(BatchError::Overtaken)?;
    locked.tell(log);
    // Under the locks, so a commit that is still under way has ended.
    let done = if doubtful { commands_in_log(&tx, log, jobs).await? } else { HashSet::new() };
    let mut batch = Batch { locked, done, appends: Vec::new() };
    let mut outcomes = Vec::with_capacity(jobs.len());
    for job in jobs {
        outcomes.push(match job {
            Job::Hold(hold, _) => Outcome::Held(batch.hold(hold)?),
            Job::Count(count, _) => Outcome::Counted(batch.count(count)?),
        });
    }
    if batch.appends.is_empty() {
        tx.rollback().await?;
        return Ok(outcomes);
    }
    // Sent together, run in this order.
    let stored = async { batch.locked.store(&tx).await.map_err(BatchError::from) };
    let appended = async { log.append_in(&tx, &batch.appends).await.map_err(BatchError::from) };
    let ((), appended) = try_join!(stored, appended)?;
    if appended.iter().any(|appended| appended.duplicate) {
        return Err(BatchError::Repeated);
    }
    tx.commit().await.map_err(BatchError::Commit)?;
    log.committed();
    Ok(outcomes)
}

async fn commands_in_log(tx: &Transaction<'_>, log: &EventLog, jobs: &[Job]) -> Result<HashSet<Uuid>, BatchError> {
    let streams: Vec<String> = jobs.iter().map(Job::stream_id).collect();
    let partitions: Vec<i32> = streams.iter().map(|stream_id| log.partition_of(stream_id)).collect();
    let commands: Vec<Uuid> = jobs.iter().map(Job::command_id).collect();
    let found = tx
        .query_typed(
            COMMANDS_IN_LOG,
            &[(&partitions, Type::INT4_ARRAY), (&streams, Type::TEXT_ARRAY), (&commands, Type::UUID_ARRAY)],
        )
        .await?;
    Ok(found.iter().map(|row| row.get(0)).collect())
}

impl Job {
    fn order(&self) -> Option<shared_events::OrderId> {
        match self {
            Self::Hold(hold, _) => Some(hold.order_id),
            Self::Count(..) => None,
        }
    }

    /// The products that it names; those that its order holds come on top.
    fn products(&self) -> Vec<ProductId> {
        match self {
            Self::Count(count, _) => vec![count.product_id],
            Self::Hold(hold, _) => {
                let named = hold.steps.iter().filter_map(|step| match step {
                    Command::Reserve { demand, .. }
                    | Command::Place { demand, .. }
                    | Command::Change { demand, .. } => Some(demand),
                    Command::Ship { pieces, .. } | Command::Restock { pieces, .. } => Some(pieces),
                    Command::Attach { .. } | Command::Confirm { .. } | Command::Release { .. } | Command::Expire => {
                        None
                    }
                });
                named.flat_map(|quantities| quantities.keys().copied()).collect::<BTreeSet<_>>().into_iter().collect()
            }
        }
    }

    fn stream_id(&self) -> String {
        match self {
            Self::Hold(hold, _) => hold.order_id.to_string(),
            Self::Count(count, _) => count.product_id.stock().to_string(),
        }
    }

    fn command_id(&self) -> Uuid {
        match self {
            Self::Hold(hold, _) => hold.command_id,
            Self::Count(count, _) => count.command_id,
        }
    }
}

struct Batch {
    locked: Locked,
    done: HashSet<Uuid>,
    appends: Vec<Append>,
}

impl Batch {
    fn hold(&mut self, hold: &Hold) -> Result<Result<Held, StockError>, BatchError> {
        let mut row = self.locked.reservation(hold.order_id);
        let in_already = hold.order_version.is_some_and(|version| version <= row.order_version);
        if in_already || self.done.contains(&hold.command_id) {
            return Ok(Ok(self.held(row, !in_already)));
        }
        let before = row.reservation.version;
        let mut events: Vec<InventoryEvent> = Vec::new();
        let mut low: Vec<(ProductId, InventoryEvent)> = Vec::new();
        for step in &hold.steps {
            match decide(&row.reservation, &self.locked.shelf, step, self.locked.now) {
                Ok(decided) => {
                    for event in decided {
                        row.reservation = row.reservation.evolve(&event);
                        low.extend(self.apply(&event));
                        events.push(event);
                    }
                }
                // What a caller asks for is one step, and what the order says is a fact.
                Err(rejection) if hold.order_version.is_none() => return Ok(Err(rejection.into())),
                Err(rejection) => {
                    tracing::warn!(order.id = %hold.order_id, reason = %rejection, "a step of the order is passed over");
                }
            }
        }
        if events.is_empty() {
            return Ok(Ok(self.held(row, false)));
        }
        let is_new = events.iter().any(|event| matches!(event, InventoryEvent::StockReserved(_)));
        row.order_version = hold.order_version.unwrap_or(0).max(row.order_version);
        self.append(
            hold.order_id.to_string(),
            RESERVATION_STREAM,
            before,
            &events,
            Some(hold.command_id),
            &hold.metadata,
        )?;
        self.locked.set_reservation(row.clone());
        self.append_low(low, &hold.metadata)?;
        Ok(Ok(self.held(row, is_new)))
    }

    fn count(&mut self, count: &Count) -> Result<Result<Counted, StockError>, BatchError> {
        let Count { product_id, ref location, adjustment, ref reason, expected, command_id, ref metadata } = *count;
        let Some(level) = self.locked.level(product_id) else { return Ok(Err(StockError::UnknownProduct)) };
        if self.done.contains(&command_id) {
            return Ok(Ok(self.counted(product_id)));
        }
        if expected.is_some_and(|expected| expected != level.version) {
            return Ok(Err(StockError::VersionMismatch { actual: level.version }));
        }
        let adjusted = self.locked.shelf.adjust(product_id, location, adjustment, reason.clone(), self.locked.now);
        let event = match adjusted {
            Ok(Some(event)) => event,
            Ok(None) => return Ok(Ok(self.counted(product_id))),
            Err(rejection) => return Ok(Err(rejection.into())),
        };
        let low = self.apply(&event);
        let before = self.locked.advance_stream(product_id, 1);
        let stream_id = product_id.stock().to_string();
        self.append(stream_id, STOCK_STREAM, before, &[event], Some(command_id), metadata)?;
        self.append_low(low, metadata)?;
        Ok(Ok(self.counted(product_id)))
    }

    fn counted(&self, product_id: ProductId) -> Counted {
        let level = self.locked.level(product_id).unwrap_or_default();
        Counted { level, elsewhere: self.locked.shelf.elsewhere(product_id) }
    }

    /// Takes over the levels that resulted, and says which products became low.
    fn apply(&mut self, event: &InventoryEvent) -> Vec<(ProductId, InventoryEvent)> {
        let products: BTreeSet<ProductId> = lines_of(event).iter().map(|line| line.product_id).collect();
        let before: Vec<Level> =
            products.iter().map(|product| self.locked.level(*product).unwrap_or_default()).collect();
        self.locked.shelf.apply(event);
        let mut low = Vec::new();
        for (product_id, before) in products.into_iter().zip(before) {
            self.locked.touch(product_id);
            let after = self.locked.level(product_id).unwrap_or(before);
            low.extend(became_low(product_id, &before, &after, self.locked.now).map(|event| (product_id, event)));
        }
        low
    }

    fn append_low(&mut self, low: Vec<(ProductId, InventoryEvent)>, metadata: &Metadata) -> Result<(), BatchError> {
        for (product_id, event) in low {
            let before = self.locked.advance_stream(product_id, 1);
            self.append(product_id.stock().to_string(), STOCK_STREAM, before, &[event], None, metadata)?;
        }
        Ok(())
    }

    fn append(
        &mut self,
        stream_id: String,
        stream_type: &'static str,
        version: i64,
        events: &[InventoryEvent],
        command_id: Option<Uuid>,
        metadata: &Metadata,
    ) -> Result<(), BatchError> {
        let events: Vec<NewEvent> =
            events.iter().map(|event| seal_event(event, &stream_id, None)).collect::<Result<_, _>>()?;
        self.appends.push(Append {
            stream_id,
            stream_type,
            expected: Expected::Version(version),
            command_id,
            events,
            metadata: metadata.clone(),
            claim: None,
        });
        Ok(())
    }

    fn held(&self, row: ReservationRow, is_new: bool) -> Held {
        let stock_versions = self.locked.stock_versions(&row.reservation.lines);
        Held { reservation: row.reservation, stock_versions, is_new }
    }
}
