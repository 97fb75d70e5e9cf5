//! Durable timers: rows that make something happen once they are due, by the database's clock. Fired at least once,
//! within a second; whether it is still to happen is for the one who is told.

use crate::{HandleError, error::chain};
use chrono::{DateTime, Utc};
use futures_util::{StreamExt, future::Either, stream::FuturesUnordered};
use pg::{
    PgError, Pool, deadpool_postgres,
    tokio_postgres::{Error, Transaction},
};
use serde_json::Value;
use std::{collections::BTreeMap, time::Duration};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const LEASE_SECONDS: f64 = 30.0;
/// Less than the lease, so that nobody else fires what is still firing.
const PATIENCE: Duration = Duration::from_secs(25);
const MOST_AT_ONCE: usize = 16;
const LONGEST_SLEEP: Duration = Duration::from_millis(500);
const SHORTEST_SLEEP: Duration = Duration::from_millis(5);
const PAUSE_WITHOUT_DATABASE: Duration = Duration::from_secs(1);
const FIRST_BACKOFF_SECONDS: f64 = 1.0;
const LONGEST_BACKOFF_SECONDS: f64 = 300.0;

/// A timer that is to be set.
#[derive(Debug, Clone, PartialEq)]
pub struct NewTimer {
    /// Derived from what causes it, such as `payment-window/ord_…`: setting it again changes nothing.
    pub timer_id: String,
    /// Which handler it is for.
    pub kind: String,
    /// The stream it is about.
    pub stream_id: String,
    /// What the handler needs to know.
    pub payload: Value,
    /// When it is due.
    pub due_at: DateTime<Utc>,
}

/// A timer that is due.
#[derive(Debug, Clone, PartialEq)]
pub struct DueTimer {
    /// Its id.
    pub timer_id: String,
    /// Which handler it is for.
    pub kind: String,
    /// The stream it is about.
    pub stream_id: String,
    /// What the handler needs to know.
    pub payload: Value,
    /// When it was due.
    pub due_at: DateTime<Utc>,
    /// Which attempt this is, from 1.
    pub attempts: i32,
    lease: Uuid,
}

/// Told when timers of its kinds are due.
pub trait TimerHandler: Send + Sync + 'static {
    /// The kinds it is told of.
    fn kinds(&self) -> &'static [&'static str];

    /// Does what is due. May be told again of the same timer, so it derives ids from it. After an error it is told
    /// again, later and later.
    fn fire(&self, timer: &DueTimer) -> impl Future<Output = Result<(), HandleError>> + Send;
}

/// Sets a timer in the caller's transaction. One that is set already stays as it is: false.
///
/// # Errors
/// If the statement fails.
pub async fn schedule(transaction: &Transaction<'_>, timer: &NewTimer) -> Result<bool, Error> {
    Ok(set(transaction, include_str!("sql/timer/schedule.sql"), timer).await? > 0)
}

/// Sets a timer in the caller's transaction, or sets it anew if it is set already, though it may be firing right now.
///
/// # Errors
/// If the statement fails.
pub async fn reschedule(transaction: &Transaction<'_>, timer: &NewTimer) -> Result<(), Error> {
    set(transaction, include_str!("sql/timer/reschedule.sql"), timer).await?;
    Ok(())
}

/// Sets many timers in the caller's transaction, or sets them anew, in one statement. Each id occurs once; they are
/// sorted, so that transactions that set the same ones wait for each other in one order.
///
/// # Errors
/// If the statement fails.
pub async fn reschedule_all(
    transaction: &deadpool_postgres::Transaction<'_>,
    timers: &BTreeMap<String, NewTimer>,
) -> Result<(), Error> {
    if timers.is_empty() {
        return Ok(());
    }
    let statement = transaction.prepare_cached(include_str!("sql/timer/reschedule_all.sql")).await?;
    let text = |of: fn(&NewTimer) -> &str| timers.values().map(of).collect::<Vec<&str>>();
    let payloads: Vec<&Value> = timers.values().map(|timer| &timer.payload).collect();
    let due: Vec<DateTime<Utc>> = timers.values().map(|timer| timer.due_at).collect();
    transaction
        .execute(
            &statement,
            &[
                &text(|timer| &timer.timer_id),
                &text(|timer| &timer.kind),
                &text(|timer| &timer.stream_id),
                &payloads,
                &due,
            ],
        )
        .await?;
    Ok(())
}

/// Takes a timer back in the caller's transaction. False if it is not set, or gone.
///
/// # Errors
/// If the statement fails.
pub async fn cancel(transaction: &Transaction<'_>, timer_id: &str) -> Result<bool, Error> {
    Ok(transaction.execute("DELETE FROM timer WHERE timer_id = $1", &[&timer_id]).await? > 0)
}

async fn set(transaction: &Transaction<'_>, statement: &str, timer: &NewTimer) -> Result<u64, Error> {
    let NewTimer { timer_id, kind, stream_id, payload, due_at } = timer;
    transaction.execute(statement, &[timer_id, kind, stream_id, payload, due_at]).await
}

/// What a worker waits for.
enum Turn {
    Looked { due: Vec<DueTimer>, pause: Duration },
    Fired,
}

/// Fires the timers of a schema. Several instances share them.
pub struct TimerWorker<H> {
    handler: H,
    pool: Pool,
}

impl<H: TimerHandler> TimerWorker<H> {
    /// Fires the timers in the pool's schema of the kinds that the handler names.
    #[must_use]
    pub const fn new(handler: H, pool: Pool) -> Self {
        Self { handler, pool }
    }

    /// Runs until `stop` is cancelled; what is firing then is finished first. A slow firing holds up no other.
    pub async fn run(self, stop: CancellationToken) {
        // Looks and firings are polled together: one that waited alone might wait for a connection that the pool has
        // already promised to another.
        let mut running = FuturesUnordered::new();
        let (mut firing, mut looking, mut next_look) = (0, false, Instant::now());
        while !(stop.is_cancelled() && running.is_empty()) {
            let may_look = !looking && firing < MOST_AT_ONCE && !stop.is_cancelled();
            if may_look && Instant::now() >= next_look {
                running.push(Either::Left(self.look(MOST_AT_ONCE - firing)));
                looking = true;
                continue;
            }
            tokio::select! {
                Some(turn) = running.next() => match turn {
                    Turn::Fired => firing -= 1,
                    Turn::Looked { due, pause } => {
                        looking = false;
                        next_look = Instant::now() + pause;
                        firing += due.len();
                        running.extend(due.into_iter().map(|timer| Either::Right(self.fire(timer))));
                    }
                },
                () = sleep_until(next_look), if may_look => {}
                () = stop.cancelled(), if !stop.is_cancelled() => {}
            }
        }
    }

    /// What is due, at most so much, and how long not to look again.
    async fn look(&self, most: usize) -> Turn {
        let looked = async {
            let due = self.claim(most).await?;
            let pause = if due.is_empty() { self.next_due().await? } else { Duration::ZERO };
            Ok::<_, PgError>(Turn::Looked { due, pause })
        };
        looked.await.unwrap_or_else(|error| {
            tracing::warn!(error = chain(&error), "timers cannot be looked at");
            Turn::Looked { due: Vec::new(), pause: PAUSE_WITHOUT_DATABASE }
        })
    }

    async fn claim(&self, most: usize) -> Result<Vec<DueTimer>, PgError> {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let client = self.pool.get().await?;
        let statement = client
            .prepare_cached(include_str!("sql/timer/claim.sql"))
            .await
            .map_err(failed("prepare to take timers"))?;
        let rows = client
            .query(&statement, &[&self.handler.kinds(), &most, &LEASE_SECONDS])
            .await
            .map_err(failed("take due timers"))?;
        let due = rows.iter().map(|row| DueTimer {
            timer_id: row.get("timer_id"),
            kind: row.get("kind"),
            stream_id: row.get("stream_id"),
            payload: row.get("payload"),
            due_at: row.get("due_at"),
            attempts: row.get("attempts"),
            lease: row.get("lease"),
        });
        Ok(due.collect())
    }

    async fn next_due(&self) -> Result<Duration, PgError> {
        let client = self.pool.get().await?;
        let statement = client
            .prepare_cached(include_str!("sql/timer/next_due.sql"))
            .await
            .map_err(failed("prepare to look for timers"))?;
        let row = client.query_one(&statement, &[&self.handler.kinds()]).await.map_err(failed("look for timers"))?;
        let seconds: Option<f64> = row.get(0);
        let until_due = seconds
            .map_or(LONGEST_SLEEP, |seconds| Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(LONGEST_SLEEP));
        Ok(until_due.clamp(SHORTEST_SLEEP, LONGEST_SLEEP))
    }

    async fn fire(&self, timer: DueTimer) -> Turn {
        let outcome = timeout(PATIENCE, self.handler.fire(&timer))
            .await
            .unwrap_or_else(|_elapsed| Err(HandleError::retry("it did not end in time")));
        if let Err(error) = self.note(&timer, outcome).await {
            // The lease runs out and the timer fires again.
            tracing::warn!(timer.id = timer.timer_id, error = chain(&error), "how a timer fired was not noted");
        }
        Turn::Fired
    }

    async fn note(&self, timer: &DueTimer, outcome: Result<(), HandleError>) -> Result<(), PgError> {
        const FIRED: &str = include_str!("sql/timer/fired.sql");
        const FAILED: &str = include_str!("sql/timer/failed.sql");
        let client = self.pool.get().await?;
        if let Err(error) = outcome {
            let error = error.chain();
            let backoff = backoff_seconds(timer.attempts);
            tracing::warn!(timer.id = timer.timer_id, timer.kind, timer.attempts, error, "a timer has to wait");
            client
                .execute(FAILED, &[&timer.timer_id, &timer.lease, &error, &backoff])
                .await
                .map_err(failed("put a timer off"))?;
        } else {
            client.execute(FIRED, &[&timer.timer_id, &timer.lease]).await.map_err(failed("remove a fired timer"))?;
        }
        Ok(())
    }
}

fn backoff_seconds(attempts: i32) -> f64 {
    (FIRST_BACKOFF_SECONDS * 2_f64.powi(attempts.clamp(1, 20) - 1)).min(LONGEST_BACKOFF_SECONDS)
}

fn failed(action: &'static str) -> impl FnOnce(Error) -> PgError {
    move |source| PgError::Statement { action, source }
}
