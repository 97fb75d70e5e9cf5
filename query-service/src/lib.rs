//! The read side: one reader folds the logs of orders, inventory and invoices into tables of its own; REST and
//! GraphQL answer from them. It accepts no commands, and owns nothing that the logs could not tell it again.

pub mod cache;
mod config;
mod consistency;
pub mod graphql;
mod history;
mod http;
pub mod projectors;
mod read_error;
pub mod read_models;
mod reads;
mod tail;
mod viewer;

pub use config::Config;
pub use read_error::ReadError;

use crate::{
    cache::OrderCache, consistency::ReadYourWrites, graphql::handler::GraphQl, history::History,
    projectors::ReadTables, reads::Reads,
};
use feeds::Reader;
use pg::{PgError, Pool};
use read_models::{invoices::Invoices, orders::Orders, products::Products, stock::Stocks};
use service::{Deps, KeyClient, ReadyCheck, Service, StartError, Worker};
use std::sync::Arc;

/// The service's name.
pub const NAME: &str = "query";
/// The schema of the read tables.
pub const SCHEMA: &str = "query";
/// The role that owns the schema.
pub const ROLE: &str = "oms_query";
/// Where the schema notes which migrations it has.
const HISTORY_TABLE: &str = "query_schema_history";

/// Brings the read tables of the pool's schema up to date.
///
/// # Errors
/// [`PgError`].
pub async fn migrate(pool: &Pool) -> Result<(), PgError> {
    let migration = |source| PgError::Migrate { history_table: HISTORY_TABLE.to_owned(), source: Box::new(source) };
    let first = include_str!("../migrations/V1__read_tables.sql");
    let migrations = [pg::refinery::Migration::unapplied("V1__read_tables", first).map_err(migration)?];
    pg::migrate(pool, HISTORY_TABLE, pg::refinery::Runner::new(&migrations)).await?;
    feeds::migrate(pool).await
}

/// Builds the service: migrates its schema, and lists its routes, workers and readiness checks.
///
/// # Errors
/// [`StartError`] when the database is away or refuses.
pub async fn build(config: Config, deps: Deps) -> Result<Service, StartError> {
    let separation = deps.database.ensure_owner(ROLE, &[SCHEMA]).await?;
    let pool = deps.database.pool(SCHEMA, separation.role()).await?;
    migrate(&pool).await?;

    let orders = Orders::new(pool.clone());
    let cache = Arc::new(OrderCache::new(orders.clone()));
    let keys = KeyClient::new(deps.peers.command.clone());
    let logs = projectors::LOGS.map(|log| deps.feeds.subscribe(log));
    let reader = Reader::projector(ReadTables::new(keys.clone(), Arc::clone(&cache)), pool.clone(), logs.to_vec());
    let progress = reader.handle();
    let reads = Arc::new(Reads {
        orders,
        cache: Arc::clone(&cache),
        products: Products::new(pool.clone()),
        stocks: Stocks::new(pool.clone()),
        invoices: Invoices::new(pool.clone()),
        history: History::new(deps.feeds.subscribe(History::log()), keys),
        writes: ReadYourWrites::new(pool.clone(), progress.clone(), Arc::clone(&cache)),
        users: deps.peers.auth.clone(),
        return_window: config.return_window,
    });
    let schema = graphql::schema(Arc::clone(&reads), config.openness);
    let graphql = GraphQl::new(schema, Arc::clone(&reads), deps.lifecycle.spawner());

    let orders_log = deps.feeds.subscribe(History::log());
    let tail = Worker::new("query.tail", move |stop| tail::follow(orders_log.clone(), Arc::clone(&cache), stop));
    Ok(Service {
        name: NAME,
        routes: http::routes(reads, graphql),
        workers: vec![Worker::reader("query.reader", reader), tail],
        checks: vec![
            ReadyCheck::database("query.database", pool),
            ReadyCheck::projection("query.projection", progress),
        ],
    })
}
