//! The pointer: the table that says which generation is live and which is being built, and who uses them. Who is no
//! member of a generation must not count on its schema.

use super::generation::schema_of;
use crate::{SCHEMA, projectors::READER};
use feeds::checkpoint::{self, NotReady};
use pg::{Client, PgError, Pool, tokio_postgres::Row};
use std::time::Duration;
use uuid::Uuid;

/// The channel on which changes of the pointer are told.
pub const CHANNEL: &str = "oms_query_generation";
/// The read tables, which have a view of the same name beside the pointer.
pub const TABLES: [&str; 4] = ["order_view", "product_view", "stock_view", "invoice_view"];

/// How long an instance counts as a member without saying so again.
const MEMBERSHIP_SECONDS: f64 = 30.0;
/// How long the live reader is held back while the new one takes its last steps.
const PATIENCE: Duration = Duration::from_secs(2);

/// Where a generation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It is being filled beside the live one.
    Building,
    /// Requests are answered from it.
    Live,
    /// It was replaced or given up, and goes when nobody uses it.
    Retired,
}

/// A generation as the pointer has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) number: i32,
    pub(crate) shape: i32,
    pub(crate) state: State,
    /// Instances that use it now.
    pub(crate) members: i64,
    /// Whether nobody has used it for a minute.
    pub(crate) deserted: bool,
}

/// Why the pointer was not moved.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FlipError {
    #[error(transparent)]
    NotReady(#[from] NotReady),
    #[error(transparent)]
    Database(#[from] PgError),
}

impl State {
    pub(crate) fn parse(text: &str) -> Self {
        match text {
            "building" => Self::Building,
            "live" => Self::Live,
            _ => Self::Retired,
        }
    }
}

impl Entry {
    fn from_row(row: &Row) -> Self {
        Self {
            number: row.get("generation"),
            shape: row.get("shape"),
            state: State::parse(row.get("state")),
            members: row.get("members"),
            deserted: row.get("deserted"),
        }
    }
}

/// All generations there are; says again that this instance is a member of those it entered.
pub(crate) async fn look(pool: &Pool, instance: Uuid) -> Result<Vec<Entry>, PgError> {
    const LOOK: &str = include_str!("../sql/generation/look.sql");
    let client = pool.get().await?;
    let statement = client.prepare_cached(LOOK).await.map_err(failed("prepare a look at the generations"))?;
    let rows =
        client.query(&statement, &[&instance, &MEMBERSHIP_SECONDS]).await.map_err(failed("look at the generations"))?;
    Ok(rows.iter().map(Entry::from_row).collect())
}

/// Makes the very first generation, live from the beginning.
pub(crate) async fn begin_first(pool: &Pool, shape: i32) -> Result<(), PgError> {
    const BEGIN: &str = include_str!("../sql/generation/begin_first.sql");
    let mut client = pool.get().await?;
    let transaction = client.transaction().await.map_err(failed("begin"))?;
    transaction.execute(BEGIN, &[&shape]).await.map_err(failed("make the first generation"))?;
    transaction.commit().await.map_err(failed("make the first generation"))
}

/// Begins a generation of another shape than the live one; gives up one of a third shape that is being built.
pub(crate) async fn begin_own(pool: &Pool, shape: i32) -> Result<(), PgError> {
    const GIVE_UP: &str = "UPDATE generation SET state = 'retired', retired_at = clock_timestamp()
                           WHERE state = 'building' AND shape <> $1";
    const BEGIN: &str = "INSERT INTO generation (shape, state) VALUES ($1, 'building') ON CONFLICT DO NOTHING";
    let mut client = pool.get().await?;
    let transaction = client.transaction().await.map_err(failed("begin"))?;
    transaction.execute(GIVE_UP, &[&shape]).await.map_err(failed("give up a generation"))?;
    transaction.execute(BEGIN, &[&shape]).await.map_err(failed("begin a generation"))?;
    transaction.execute("SELECT pg_notify($1, '')", &[&CHANNEL]).await.map_err(failed("tell of a generation"))?;
    transaction.commit().await.map_err(failed("begin a generation"))
}

/// Gives up a generation that is being built.
pub(crate) async fn give_up(pool: &Pool, number: i32) -> Result<(), PgError> {
    const GIVE_UP: &str = "UPDATE generation SET state = 'retired', retired_at = clock_timestamp()
                           WHERE generation = $1 AND state = 'building'";
    let client = pool.get().await?;
    client.execute(GIVE_UP, &[&number]).await.map_err(failed("give up a generation"))?;
    Ok(())
}

/// Becomes a member of a generation: from now on its schema stays. False if it is gone.
pub(crate) async fn enter(pool: &Pool, number: i32, instance: Uuid) -> Result<bool, PgError> {
    const ENTER: &str = include_str!("../sql/generation/enter.sql");
    let client = pool.get().await?;
    let entered = client
        .execute(ENTER, &[&number, &instance, &MEMBERSHIP_SECONDS])
        .await
        .map_err(failed("become a member of a generation"))?;
    Ok(entered > 0)
}

/// Stops being a member of one generation.
pub(crate) async fn leave(pool: &Pool, number: i32, instance: Uuid) -> Result<(), PgError> {
    const LEAVE: &str = "DELETE FROM generation_member WHERE generation = $1 AND instance = $2";
    let client = pool.get().await?;
    client.execute(LEAVE, &[&number, &instance]).await.map_err(failed("leave a generation"))?;
    Ok(())
}

/// Stops being a member of any generation.
pub(crate) async fn leave_all(pool: &Pool, instance: Uuid) -> Result<(), PgError> {
    const LEAVE: &str = "DELETE FROM generation_member WHERE instance = $1";
    let client = pool.get().await?;
    client.execute(LEAVE, &[&instance]).await.map_err(failed("leave the generations"))?;
    Ok(())
}

/// Makes the generation that was built the live one, in one transaction that holds the readers of both where they are.
/// False if somebody else did, or it is no longer being built.
///
/// # Errors
/// [`FlipError::NotReady`] while it is behind somewhere or has parked streams.
pub(crate) async fn flip(pool: &Pool, from: &Entry, to: &Entry) -> Result<bool, FlipError> {
    const LOCK: &str = "SELECT generation, state FROM generation WHERE generation = ANY($1)
                        ORDER BY generation FOR NO KEY UPDATE";
    const RETIRE: &str =
        "UPDATE generation SET state = 'retired', retired_at = clock_timestamp() WHERE generation = $1";
    const LIVE: &str = "UPDATE generation SET state = 'live', live_at = clock_timestamp() WHERE generation = $1";
    let mut client = pool.get().await.map_err(PgError::from)?;
    let transaction = client.transaction().await.map_err(failed("begin"))?;
    let rows = transaction.query(LOCK, &[&vec![from.number, to.number]]).await.map_err(failed("lock the pointer"))?;
    let stands = |entry: &Entry| {
        rows.iter().any(|row| row.get::<_, i32>(0) == entry.number && State::parse(row.get(1)) == entry.state)
    };
    if !stands(from) || !stands(to) {
        return Ok(false);
    }
    checkpoint::may_replace(&transaction, READER, from.number, to.number, PATIENCE).await?;
    transaction.execute(RETIRE, &[&from.number]).await.map_err(failed("move the pointer"))?;
    transaction.execute(LIVE, &[&to.number]).await.map_err(failed("move the pointer"))?;
    let views = views(to.number, from.shape != to.shape);
    transaction.batch_execute(&views).await.map_err(failed("move the views"))?;
    transaction.execute("SELECT pg_notify($1, '')", &[&CHANNEL]).await.map_err(failed("tell of a generation"))?;
    transaction.commit().await.map_err(failed("move the pointer"))?;
    Ok(true)
}

/// Lets the views beside the pointer show this generation, unless they show one already.
pub(crate) async fn show_first(pool: &Pool, number: i32) -> Result<(), PgError> {
    const SHOWN: &str = "SELECT to_regclass(current_schema() || '.order_view') IS NOT NULL";
    const LOCK: &str = "SELECT FROM generation WHERE generation = $1 AND state = 'live' FOR NO KEY UPDATE";
    let mut client = pool.get().await?;
    let transaction = client.transaction().await.map_err(failed("begin"))?;
    let live = transaction.execute(LOCK, &[&number]).await.map_err(failed("lock the pointer"))? > 0;
    let shown: bool = transaction.query_one(SHOWN, &[]).await.map_err(failed("look for the views"))?.get(0);
    if live && !shown {
        transaction.batch_execute(&views(number, false)).await.map_err(failed("make the views"))?;
    }
    transaction.commit().await.map_err(failed("make the views"))
}

/// Drops a retired generation that nobody is a member of, with all that belongs to it. False if somebody is.
pub(crate) async fn drop_unused(pool: &Pool, number: i32) -> Result<bool, PgError> {
    // Whoever enters it waits for this lock and then finds it gone.
    const LOCK: &str = "SELECT FROM generation WHERE generation = $1 AND state = 'retired' FOR UPDATE SKIP LOCKED";
    const USED: &str = "SELECT EXISTS (SELECT FROM generation_member
                        WHERE generation = $1 AND alive_until > clock_timestamp())";
    let mut client: Client = pool.get().await?;
    let transaction = client.transaction().await.map_err(failed("begin"))?;
    if transaction.execute(LOCK, &[&number]).await.map_err(failed("lock a generation"))? == 0 {
        return Ok(false);
    }
    let used: bool = transaction.query_one(USED, &[&number]).await.map_err(failed("look for members"))?.get(0);
    if used {
        return Ok(false);
    }
    let schema = schema_of(number);
    transaction
        .batch_execute(&format!("DROP SCHEMA IF EXISTS \"{schema}\" CASCADE"))
        .await
        .map_err(failed("drop a generation"))?;
    checkpoint::forget(&transaction, READER, number).await?;
    for forget in
        ["DELETE FROM generation_member WHERE generation = $1", "DELETE FROM generation WHERE generation = $1"]
    {
        transaction.execute(forget, &[&number]).await.map_err(failed("forget a generation"))?;
    }
    transaction.commit().await.map_err(failed("drop a generation"))?;
    Ok(true)
}

/// The views that show people and SQL tools the live generation. The join without rows of its own makes them read-only
/// and costs nothing.
fn views(number: i32, another_shape: bool) -> String {
    let schema = schema_of(number);
    let view = |table: &str| {
        let drop =
            if another_shape { format!("DROP VIEW IF EXISTS {SCHEMA}.{table} CASCADE; ") } else { String::new() };
        format!(
            "{drop}CREATE OR REPLACE VIEW {SCHEMA}.{table} AS \
             SELECT shown.* FROM \"{schema}\".{table} AS shown CROSS JOIN (SELECT) AS read_only;\n"
        )
    };
    TABLES.map(view).concat()
}

fn failed(action: &'static str) -> impl FnOnce(pg::tokio_postgres::Error) -> PgError {
    move |source| PgError::Statement { action, source }
}
