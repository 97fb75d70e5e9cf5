//! A rebuild of the read tables as people ask for it and watch it: by any login that may use the schema `query`, from
//! outside of the service. The service's instances do the work.

use crate::generations::pointer::{CHANNEL, State};
use pg::{PgError, tokio_postgres::Client};

/// What came of asking for a rebuild.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// This generation is going to be built.
    Begun(i32),
    /// This one is being built already.
    Running(i32),
    /// There are no read tables yet: no query-service has run on this database.
    NothingToRebuild,
}

/// How far a generation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The generation.
    pub generation: i32,
    /// Where it stands; none once it is gone.
    pub state: Option<State>,
    /// Events handled, over all partitions of all logs.
    pub handled: i64,
    /// Events that the live generation has handled.
    pub wanted: i64,
    /// Instances at work.
    pub members: i64,
    /// Streams that have to be retried or skipped before it can take over.
    pub parked: i64,
    /// Partitions that stand still.
    pub stopped: i64,
}

/// Asks for a new generation of the shape that the live one has. At most one is built at a time.
///
/// # Errors
/// [`PgError`] if the database is away, or has no schema `query`.
pub async fn ask(client: &Client) -> Result<Asked, PgError> {
    const ASK: &str = include_str!("sql/generation/ask.sql");
    let begun = client.query_opt(ASK, &[&CHANNEL]).await.map_err(failed("ask for a rebuild"))?;
    if let Some(row) = begun {
        return Ok(Asked::Begun(row.get(0)));
    }
    Ok(running(client).await?.map_or(Asked::NothingToRebuild, Asked::Running))
}

/// The generation that is being built.
///
/// # Errors
/// [`PgError`] if the database is away, or has no schema `query`.
pub async fn running(client: &Client) -> Result<Option<i32>, PgError> {
    const RUNNING: &str = "SELECT generation FROM query.generation WHERE state = 'building'";
    let row = client.query_opt(RUNNING, &[]).await.map_err(failed("look for a rebuild"))?;
    Ok(row.map(|row| row.get(0)))
}

/// The generation that requests are answered from.
///
/// # Errors
/// [`PgError`] if the database is away, or has no schema `query`.
pub async fn live(client: &Client) -> Result<Option<i32>, PgError> {
    const LIVE: &str = "SELECT generation FROM query.generation WHERE state = 'live'";
    let row = client.query_opt(LIVE, &[]).await.map_err(failed("look for the live generation"))?;
    Ok(row.map(|row| row.get(0)))
}

/// How far a generation is.
///
/// # Errors
/// [`PgError`] if the database is away, or has no schema `query`.
pub async fn progress(client: &Client, generation: i32) -> Result<Progress, PgError> {
    const PROGRESS: &str = include_str!("sql/generation/progress.sql");
    let row = client.query_one(PROGRESS, &[&generation]).await.map_err(failed("look at a rebuild"))?;
    Ok(Progress {
        generation,
        state: row.get::<_, Option<&str>>("state").map(State::parse),
        handled: row.get("handled"),
        wanted: row.get("wanted"),
        members: row.get("members"),
        parked: row.get("parked"),
        stopped: row.get("stopped"),
    })
}

fn failed(action: &'static str) -> impl FnOnce(pg::tokio_postgres::Error) -> PgError {
    move |source| PgError::Statement { action, source }
}
