//! The command side of orders: REST commands become events in the log "orders". It owns that log, carts and quotes, the keys of
//! personal data, and the timers of orders; it answers no queries.

mod aggregate;
mod app;
mod carts;
mod checkouts;
mod config;
mod discounts;
mod http;
mod import;
mod input;
mod inventory;
mod keys;
mod lapsed;
mod mails;
mod notifications;
mod order_number;
mod orders;
mod payments;
mod pipeline;
mod quotes;
mod rejections;
mod rows;
mod stock_check;
mod sweep;
mod tables;
mod telling;
mod timers;
mod tracking;
mod webhooks;

pub use config::Config;

use app::App;
use carts::Carts;
use discounts::Discounts;
use eventstore::{Claims, EventLog, LogConfig};
use feeds::{Reader, timer::TimerWorker};
use inventory::Inventory;
use keys::KeyStore;
use order_number::OrderNumbers;
use orders::Orders;
use payments::{
    dead_letters::DeadLetters,
    facts::Facts,
    refunds::Refunds,
    work::{PaymentTimers, PaymentWork},
};
use pg::{Database, PgError, Pool};
use quotes::Quotes;
use service::{Deps, Idempotency, ReadyCheck, Service, StartError, Worker, bell_worker, feed_routes};
use std::sync::Arc;
use stock_check::StockCheck;
use sweep::Sweep;
use tables::PriceTables;

/// The service's short name.
pub const NAME: &str = "command";

const LOG: &str = "orders";
const OWNER: &str = "oms_command";
const MIGRATION_HISTORY: &str = "command_schema_history";

mod embedded {
    refinery::embed_migrations!("migrations");
}

/// The migrations of the schemas `orders` and `keys`, beyond the log's and the readers' own.
#[must_use]
pub fn migrations() -> refinery::Runner {
    embedded::migrations::runner()
}

/// Builds the service: its schemas are migrated, its log is open and published when this returns.
///
/// # Errors
/// [`StartError`] names what is missing.
pub async fn build(config: Config, deps: Deps) -> Result<Service, StartError> {
    let pool = open_schema(&deps.database).await?;
    let log_config = LogConfig { name: LOG, partitions: config.log_partitions, writers: config.log_writers };
    let log = EventLog::open(pool.clone(), log_config, &deps.lifecycle.spawner()).await?;
    deps.feeds.publish(log.clone());
    let claims = Claims::open(pool.clone()).await?;

    let orders = Orders::new(log.clone(), KeyStore::new(pool.clone()));
    let inventory = Inventory::new(deps.peers.inventory.clone());
    let stock_check = StockCheck { orders: orders.clone(), inventory: inventory.clone(), pool: pool.clone() };
    let return_window = config.return_window;
    let telling = telling::build(config.telling.clone(), &deps, &orders, &pool).await?;
    let tables = PriceTables::open(pool.clone()).await;
    let tables = tables.map_err(|error| StartError::step("reading shipping methods and tax rates", error))?;
    let carts = Carts { pool: pool.clone(), time_to_live: config.cart_ttl };
    let discounts = Discounts { pool: pool.clone() };
    let sweep = Sweep { pool: pool.clone(), orders: orders.clone(), discounts: discounts.clone() };
    let followed = tables.clone();
    let windows = config.payment_windows();
    let facts = Facts { orders: orders.clone(), inventory: inventory.clone(), windows };
    let refunds = Refunds { pool: pool.clone(), facts: facts.clone() };
    let http = service::peers::http_client().map_err(|error| StartError::step("setting up the HTTP client", error))?;
    let provider = config.payments.provider(http);
    let payments = provider.map(|provider| PaymentWork {
        provider,
        capture: config.payments.capture,
        poll: config.payments.poll,
        facts: facts.clone(),
        refunds: refunds.clone(),
        pool: pool.clone(),
    });
    let app = App {
        orders: orders.clone(),
        inventory,
        stock_check: stock_check.clone(),
        quotes: Quotes { pool: pool.clone() },
        carts,
        discounts,
        tables,
        auth: deps.peers.auth.clone(),
        idempotency: Idempotency::new(claims.clone(), deps.lifecycle.clone()),
        lifecycle: deps.lifecycle.clone(),
        known_products: moka::future::Cache::new(app::KNOWN_PRODUCTS),
        numbers: Arc::new(OrderNumbers::new(pool.clone())),
        payments: payments.clone().map(Arc::new),
        facts,
        refunds,
        dead_letters: DeadLetters { pool: pool.clone() },
        config: Arc::new(config),
    };
    let own = vec![deps.feeds.subscribe(LOG)];
    let windows = Reader::projector(timers::OrderTimers { return_window }, pool.clone(), own);
    let inventory = vec![deps.feeds.subscribe("inventory")];
    let lapsed = Reader::reaction(lapsed::CancelWhenLapsed { orders: orders.clone() }, pool.clone(), inventory);
    let mut checks = vec![
        ReadyCheck::database("command.database", pool.clone()),
        ReadyCheck::reaction("command.payment-windows", windows.handle()),
        ReadyCheck::reaction("command.lapsed-reservations", lapsed.handle()),
    ];
    let timers = TimerWorker::new(timers::TellOrders { orders, stock_check, return_window }, pool.clone());
    let mut workers = vec![
        bell_worker("orders bell", log.clone(), deps.database.clone()),
        Worker::reader("payment windows", windows),
        Worker::reader("lapsed reservations", lapsed),
        Worker::once("order timers", |stop| timers.run(stop)),
        Worker::once("price tables", |stop| followed.follow(stop)),
        Worker::once("old carts", |stop| sweep.run(stop)),
        Idempotency::purge_worker("idempotency keys of orders", claims),
    ];
    if let Some(work) = payments {
        let own = vec![deps.feeds.subscribe(LOG)];
        let reader = Reader::projector(PaymentTimers, pool.clone(), own);
        checks.push(ReadyCheck::reaction("command.payment-work", reader.handle()));
        workers.push(Worker::reader("payment work", reader));
        let timers = TimerWorker::new(work, pool);
        workers.push(Worker::once("payment timers", |stop| timers.run(stop)));
    }
    checks.extend(telling.checks);
    workers.extend(telling.workers);
    let routes = http::routes(app).merge(telling.routes).merge(feed_routes(log, &deps.lifecycle));
    Ok(Service { name: NAME, routes, workers, checks })
}

/// The schemas, owned and migrated, and a pool that works in them.
async fn open_schema(database: &Database) -> Result<Pool, PgError> {
    let separation = database.ensure_owner(OWNER, &["orders", "keys"]).await?;
    let pool = database.keeping_plans().pool("orders", separation.role()).await?;
    eventstore::migrate(&pool).await?;
    feeds::migrate(&pool).await?;
    pg::migrate(&pool, MIGRATION_HISTORY, migrations()).await?;
    Ok(pool)
}
