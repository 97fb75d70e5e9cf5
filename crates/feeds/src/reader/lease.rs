//! The checkpoint rows of one reader: made, leased, shared among instances and moved. All times are the database's.
//! Rows are always locked in one order (log, partition), so instances never deadlock over them.

use super::{status::Target, work::RoundError};
use pg::{Client, PgError, Pool, deadpool_postgres::Transaction, tokio_postgres::Row};
use std::sync::Arc;
use uuid::Uuid;

/// How long a lease lasts without being renewed.
pub(crate) const LEASE_SECONDS: f64 = 10.0;

/// Whose checkpoints these are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Identity {
    pub(crate) reader: &'static str,
    pub(crate) version: i32,
}

/// A partition whose lease this instance believes to hold.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    pub(crate) log: Arc<str>,
    pub(crate) epoch: Uuid,
    pub(crate) partition: i32,
    pub(crate) position: i64,
    pub(crate) event_id: Option<Uuid>,
    pub(crate) lease_epoch: i64,
    pub(crate) stopped: Option<String>,
}

impl Held {
    fn from_row(row: &Row) -> Self {
        Self {
            log: row.get::<_, &str>("log").into(),
            epoch: row.get("epoch"),
            partition: row.get("partition"),
            position: row.get("position"),
            event_id: row.get("event_id"),
            lease_epoch: row.get("lease_epoch"),
            stopped: row.get("stopped"),
        }
    }

    pub(crate) fn is(&self, log: &str, partition: i32) -> bool {
        self.partition == partition && *self.log == *log
    }

    /// Whether this is the same partition, at the same place, under the same lease.
    pub(crate) fn stands_where(&self, other: &Self) -> bool {
        self.is(&other.log, other.partition)
            && (self.position, self.lease_epoch, self.epoch) == (other.position, other.lease_epoch, other.epoch)
    }

    /// A move that stays where it is: checks the fence and nothing else.
    pub(crate) fn stay(&self) -> Step {
        Step { held: self.clone(), new_position: self.position, event_id: None }
    }
}

/// A move of one checkpoint.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) held: Held,
    pub(crate) new_position: i64,
    pub(crate) event_id: Option<Uuid>,
}

/// What the checkpoints of a reader look like after a renewal.
pub(crate) struct Renewed {
    pub(crate) mine: Vec<Held>,
    pub(crate) free: usize,
    pub(crate) total: usize,
}

/// Who else runs this reader, and what is parked.
pub(crate) struct Neighbours {
    pub(crate) others: usize,
    pub(crate) parked: i64,
    pub(crate) retries: i64,
}

/// Enters this process among those that run the reader.
pub(crate) async fn join(client: &Client, identity: Identity) -> Result<Uuid, PgError> {
    const JOIN: &str = include_str!("../sql/checkpoint/join.sql");
    let row = client
        .query_one(JOIN, &[&identity.reader, &identity.version, &LEASE_SECONDS])
        .await
        .map_err(failed("enter a reader's instance"))?;
    Ok(row.get(0))
}

/// Lets go of everything, so that others need not wait for the leases to run out.
pub(crate) async fn leave(client: &Client, identity: Identity, instance: Uuid) -> Result<(), PgError> {
    const LEAVE: &str = include_str!("../sql/checkpoint/leave.sql");
    client
        .execute(LEAVE, &[&identity.reader, &identity.version, &instance])
        .await
        .map_err(failed("release a reader's partitions"))?;
    Ok(())
}

/// Whether the reader was ever at this log.
pub(crate) async fn is_known(client: &Client, identity: Identity, log: &str) -> Result<bool, PgError> {
    const KNOWN: &str = include_str!("../sql/checkpoint/known.sql");
    let row = client
        .query_one(KNOWN, &[&identity.reader, &identity.version, &log])
        .await
        .map_err(failed("look for a reader's checkpoints"))?;
    Ok(row.get::<_, i64>(0) > 0)
}

/// Makes the checkpoints of a log; whoever is first decides where the reader begins.
pub(crate) async fn create(
    client: &Client,
    identity: Identity,
    log: &str,
    epoch: Uuid,
    starts: &[(i64, Option<Uuid>)],
) -> Result<(), PgError> {
    const CREATE: &str = include_str!("../sql/checkpoint/create.sql");
    let partitions: Vec<i32> = (0..).take(starts.len()).collect();
    let (positions, event_ids): (Vec<i64>, Vec<Option<Uuid>>) = starts.iter().copied().unzip();
    client
        .execute(CREATE, &[&identity.reader, &identity.version, &log, &epoch, &partitions, &positions, &event_ids])
        .await
        .map_err(failed("make a reader's checkpoints"))?;
    Ok(())
}

/// Renews what this instance holds and says what there is.
pub(crate) async fn renew(client: &Client, identity: Identity, instance: Uuid) -> Result<Renewed, PgError> {
    const RENEW: &str = include_str!("../sql/checkpoint/renew.sql");
    let statement = client.prepare_cached(RENEW).await.map_err(failed("prepare a renewal"))?;
    let rows = client
        .query(&statement, &[&identity.reader, &identity.version, &instance, &LEASE_SECONDS])
        .await
        .map_err(failed("renew a reader's leases"))?;
    Ok(Renewed {
        mine: rows.iter().filter(|row| row.get("mine")).map(Held::from_row).collect(),
        free: rows.iter().filter(|row| row.get("free")).count(),
        total: rows.len(),
    })
}

/// Who else runs this reader, and what is parked.
pub(crate) async fn neighbours(client: &Client, identity: Identity, instance: Uuid) -> Result<Neighbours, PgError> {
    const NEIGHBOURS: &str = include_str!("../sql/checkpoint/neighbours.sql");
    let statement = client.prepare_cached(NEIGHBOURS).await.map_err(failed("prepare a look around"))?;
    let row = client
        .query_one(&statement, &[&identity.reader, &identity.version, &instance])
        .await
        .map_err(failed("look for other instances"))?;
    let others: i64 = row.get("others");
    Ok(Neighbours {
        others: usize::try_from(others).unwrap_or_default(),
        parked: row.get("parked"),
        retries: row.get("retries"),
    })
}

/// Takes up to `count` partitions that nobody holds or whose lease ran out.
pub(crate) async fn acquire(
    client: &Client,
    identity: Identity,
    instance: Uuid,
    count: usize,
) -> Result<Vec<Held>, PgError> {
    const ACQUIRE: &str = include_str!("../sql/checkpoint/acquire.sql");
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let rows = client
        .query(ACQUIRE, &[&identity.reader, &identity.version, &instance, &count, &LEASE_SECONDS])
        .await
        .map_err(failed("take a reader's partitions"))?;
    Ok(rows.iter().map(Held::from_row).collect())
}

/// Gives one partition to whoever wants it.
pub(crate) async fn release(client: &Client, identity: Identity, instance: Uuid, held: &Held) -> Result<(), PgError> {
    const RELEASE: &str = include_str!("../sql/checkpoint/release.sql");
    client
        .execute(RELEASE, &[&identity.reader, &identity.version, &instance, &&*held.log, &held.partition])
        .await
        .map_err(failed("release a reader's partition"))?;
    Ok(())
}

/// Goes on under another epoch, its history being the same up to the checkpoint.
pub(crate) async fn adopt_epoch(client: &Client, identity: Identity, held: &Held, epoch: Uuid) -> Result<(), PgError> {
    const ADOPT: &str = include_str!("../sql/checkpoint/adopt_epoch.sql");
    client
        .execute(ADOPT, &[&identity.reader, &identity.version, &&*held.log, &held.partition, &epoch, &held.lease_epoch])
        .await
        .map_err(failed("adopt an epoch"))?;
    Ok(())
}

/// Notes why a partition stands still, or that it goes on.
pub(crate) async fn note_stop(
    client: &Client,
    identity: Identity,
    held: &Held,
    reason: Option<&str>,
) -> Result<(), PgError> {
    const STOP: &str = include_str!("../sql/checkpoint/stop.sql");
    client
        .execute(STOP, &[&identity.reader, &identity.version, &&*held.log, &held.partition, &reason, &held.lease_epoch])
        .await
        .map_err(failed("note that a reader stopped"))?;
    Ok(())
}

/// Whether all targets are handled, by whichever instance.
pub(crate) async fn reached(pool: &Pool, identity: Identity, targets: &[Target]) -> Result<bool, PgError> {
    const REACHED: &str = include_str!("../sql/checkpoint/reached.sql");
    let client = pool.get().await?;
    let statement = client.prepare_cached(REACHED).await.map_err(failed("prepare a look at checkpoints"))?;
    let logs: Vec<&str> = targets.iter().map(|target| target.log.as_str()).collect();
    let partitions: Vec<i32> = targets.iter().map(|target| target.partition).collect();
    let positions: Vec<i64> = targets.iter().map(|target| target.position).collect();
    let row = client
        .query_one(&statement, &[&identity.reader, &identity.version, &logs, &partitions, &positions])
        .await
        .map_err(failed("look at checkpoints"))?;
    Ok(row.get(0))
}

/// Begins a transaction. The server ends it if this process freezes in it, so that its locks do not outlive the lease:
/// every pool's sessions have that limit ([`pg::Database::pool`]).
pub(crate) async fn begin(client: &mut Client) -> Result<Transaction<'_>, RoundError> {
    Ok(client.transaction().await?)
}

/// Moves all these checkpoints or, if one of them is not what this instance believes, none.
pub(crate) async fn advance(
    transaction: &Transaction<'_>,
    identity: Identity,
    steps: &[Step],
) -> Result<(), RoundError> {
    const MOVE: &str = include_str!("../sql/checkpoint/move.sql");
    let statement = transaction.prepare_cached(MOVE).await?;
    let logs: Vec<&str> = steps.iter().map(|step| &*step.held.log).collect();
    let epochs: Vec<Uuid> = steps.iter().map(|step| step.held.epoch).collect();
    let partitions: Vec<i32> = steps.iter().map(|step| step.held.partition).collect();
    let old: Vec<i64> = steps.iter().map(|step| step.held.position).collect();
    let new: Vec<i64> = steps.iter().map(|step| step.new_position).collect();
    let event_ids: Vec<Option<Uuid>> = steps.iter().map(|step| step.event_id).collect();
    let leases: Vec<i64> = steps.iter().map(|step| step.held.lease_epoch).collect();
    let moved = transaction
        .execute(
            &statement,
            &[
                &identity.reader,
                &identity.version,
                &logs,
                &epochs,
                &partitions,
                &old,
                &new,
                &event_ids,
                &leases,
                &LEASE_SECONDS,
            ],
        )
        .await?;
    if usize::try_from(moved) == Ok(steps.len()) { Ok(()) } else { Err(RoundError::Lost) }
}

fn failed(action: &'static str) -> impl FnOnce(pg::tokio_postgres::Error) -> PgError {
    move |source| PgError::Statement { action, source }
}
