//! The read side: one reader folds the logs of orders, inventory and invoices into tables of its own; REST and
//! GraphQL answer from them. It accepts no commands, and owns nothing that the logs could not tell it again.

pub mod cache;
mod config;
mod consistency;
pub mod generations;
pub mod graphql;
mod history;
mod http;
pub mod projectors;
mod read_error;
pub mod read_models;
mod reads;
pub mod rebuild;
mod tail;
mod viewer;

pub use config::Config;
pub use read_error::ReadError;

use crate::{
    generations::{Follower, Parts},
    graphql::handler::GraphQl,
};
use pg::{PgError, Pool};
use service::{Deps, KeyClient, ReadyCheck, Service, StartError, Worker};

/// The service's name.
pub const NAME: &str = "query";
/// The schema of the pointer and the checkpoints; read tables are in `query_1`, `query_2`, ….
pub const SCHEMA: &str = "query";
/// The role that owns the schema.
pub const ROLE: &str = "oms_query";
/// Where the schema notes which migrations it has.
const HISTORY_TABLE: &str = "query_schema_history";

/// Connections for the pointer; those for reads and the reader belong to each generation.
const CONTROL_CONNECTIONS: usize = 4;

/// Brings the control tables of the pool's schema up to date; the read tables are made with their generations.
///
/// # Errors
/// [`PgError`].
pub async fn migrate(pool: &Pool) -> Result<(), PgError> {
    let migration = |source| PgError::Migrate { history_table: HISTORY_TABLE.to_owned(), source: Box::new(source) };
    let migrations = [
        ("V1__read_tables", include_str!("../migrations/V1__read_tables.sql")),
        ("V2__generations", include_str!("../migrations/V2__generations.sql")),
    ];
    let migrations: Vec<_> = migrations
        .into_iter()
        .map(|(name, sql)| pg::refinery::Migration::unapplied(name, sql))
        .collect::<Result<_, _>>()
        .map_err(migration)?;
    feeds::migrate(pool).await?;
    pg::migrate(pool, HISTORY_TABLE, pg::refinery::Runner::new(&migrations)).await
}

/// Builds the service: migrates its schema, finds the live generation or begins one, and lists its routes, workers and
/// readiness checks.
///
/// # Errors
/// [`StartError`] when the database is away or refuses.
pub async fn build(config: Config, deps: Deps) -> Result<Service, StartError> {
    let separation = deps.database.ensure_owner(ROLE, &[SCHEMA]).await?;
    let control = deps.database.with_max_connections(CONTROL_CONNECTIONS).pool(SCHEMA, separation.role()).await?;
    migrate(&control).await?;

    let parts = Parts {
        // The rows and how far the reader got are one commit: a crash of the server takes back both, and the logs
        // have it all. Nobody need wait for the disk.
        database: deps.database.without_waiting_for_the_disk(),
        role: separation.role().map(str::to_owned),
        keys: KeyClient::new(deps.peers.command.clone()),
        feeds: deps.feeds.clone(),
        users: deps.peers.auth.clone(),
        return_window: config.return_window,
    };
    let follower = Follower::open(parts, deps.database.clone(), control.clone(), deps.lifecycle.clone()).await?;
    let live = follower.live();
    let graphql = GraphQl::new(graphql::schema(config.openness), live.clone(), deps.lifecycle.spawner());
    Ok(Service {
        name: NAME,
        routes: http::routes(live.clone(), graphql, http::GuessLimits::from_settings(&deps.settings)?),
        workers: vec![Worker::once("query.generations", |stop| follower.run(stop))],
        checks: vec![ReadyCheck::database("query.database", control), live.ready_check("query.projection")],
    })
}
