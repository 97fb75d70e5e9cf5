//! Catalogue, prices, stock and reservations: the one authority on what can be sold.
//!
//! Rows guard what events record: every change is one transaction of both, locked in one order everywhere (products by
//! id, reservations by order, the log's heads), so nothing is oversold and nothing deadlocks.

pub mod catalogue;
pub mod causes;
pub mod config;
pub mod domain;
mod expiry;
mod http;
pub mod images;
pub mod locations;
mod migrations;
pub mod movements;
pub mod on_order_events;
pub mod rows;
pub mod stock_writer;

pub use config::Config;
pub use migrations::{HISTORY_TABLE, migrations};

use crate::catalogue::Catalogue;
use crate::http::App;
use crate::images::Images;
use crate::locations::Locations;
use crate::movements::{Movements, StockMovements};
use crate::on_order_events::ReservationsFollowOrders;
use crate::stock_writer::StockWriter;
use eventstore::{Claims, EventLog, LogConfig};
use feeds::Reader;
use service::{Deps, Idempotency, ReadyCheck, Service, StartError, Worker, bell_worker, feed_routes};
use std::convert::Infallible;
use std::sync::Arc;
use tokio::sync::Mutex;

/// The service's name, and that of its schema and its log.
pub const NAME: &str = "inventory";
/// The database role that owns the schema.
pub const ROLE: &str = "oms_inventory";

/// Opens the service: schema, log, writer, and the reaction to orders.
///
/// # Errors
/// [`StartError`] names the step that failed.
pub async fn build(config: Config, deps: Deps) -> Result<Service, StartError> {
    let separation = deps.database.ensure_owner(ROLE, &[NAME]).await?;
    let pool = deps.database.keeping_plans().pool(NAME, separation.role()).await?;
    let unnamed = |error| StartError::step("naming the migrations", error);
    eventstore::migrate(&pool).await?;
    feeds::migrate(&pool).await?;
    pg::migrate(&pool, HISTORY_TABLE, migrations().map_err(unnamed)?).await?;

    let log_config = LogConfig { name: NAME, partitions: config.partitions, writers: config.writers };
    let log = EventLog::open(pool.clone(), log_config, &deps.lifecycle.spawner()).await?;
    deps.feeds.publish(log.clone());
    let (writer, writing) = StockWriter::new(pool.clone(), log.clone());
    let orders = deps.feeds.subscribe("orders");
    let follow = ReservationsFollowOrders::new(writer.clone(), orders.clone());
    let reader = Reader::reaction(follow, pool.clone(), vec![orders]);

    let own = vec![deps.feeds.subscribe(NAME)];
    let movements = Reader::projector(StockMovements, pool.clone(), own);

    let claims = Claims::open(pool.clone()).await?;
    let app = App {
        images: Images::open(&config.images).await?,
        locations: Locations::new(pool.clone()),
        movements: Movements::new(pool.clone(), log.clone(), movements.handle()),
        catalogue: Catalogue::new(pool.clone(), log.clone()),
        writer: writer.clone(),
        pool: pool.clone(),
        idempotency: Idempotency::new(claims.clone(), deps.lifecycle.clone()),
        currency: config.currency,
        reservation_ttl: config.reservation_ttl,
    };
    let checks = vec![
        ReadyCheck::database("inventory.database", pool.clone()),
        ReadyCheck::reaction("inventory.orders", reader.handle()),
        ReadyCheck::projection("inventory.movements", movements.handle()),
    ];
    let writing = Arc::new(Mutex::new(writing));
    let workers = vec![
        bell_worker("inventory bell", log.clone(), deps.database.clone()),
        Worker::new("stock-writer", move |stop| {
            let writing = Arc::clone(&writing);
            async move {
                writing.lock().await.run(&stop).await;
                Ok::<_, Infallible>(())
            }
        }),
        Worker::once("reservation-expiry", move |stop| expiry::run(pool, writer, stop)),
        Worker::reader(on_order_events::NAME, reader),
        Worker::reader(crate::movements::NAME, movements),
        Idempotency::purge_worker("idempotency keys of inventory", claims),
    ];
    Ok(Service { name: NAME, routes: http::routes(app).merge(feed_routes(log, &deps.lifecycle)), workers, checks })
}
