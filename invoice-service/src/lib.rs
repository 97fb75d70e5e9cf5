//! Invoices and credit notes that follow order events. It owns the log "invoices", whose streams are series of numbers; it never
//! changes an order, and what it has issued it never changes either.

mod app;
mod buyer_keys;
mod config;
pub mod domain;
mod http;
mod invoices;
mod issuing;
mod on_order_events;
mod projector;
mod view;

pub use config::Config;
pub use issuing::{CREDIT_NOTE, INVOICE};

use app::App;
use buyer_keys::BuyerKeys;
use eventstore::{Claims, EventLog, LogConfig};
use feeds::Reader;
use invoices::Invoices;
use issuing::Issuing;
use pg::{Database, PgError, Pool};
use service::{Deps, Idempotency, KeyClient, ReadyCheck, Service, StartError, Worker, bell_worker, feed_routes};

/// The service's short name.
pub const NAME: &str = "invoice";

const LOG: &str = "invoices";
const OWNER: &str = "oms_invoice";
const MIGRATION_HISTORY: &str = "invoice_schema_history";

mod embedded {
    refinery::embed_migrations!("migrations");
}

/// The migrations of the schema `invoices`, beyond the log's and the readers' own.
#[must_use]
pub fn migrations() -> refinery::Runner {
    embedded::migrations::runner()
}

/// Builds the service: its schema is migrated, its log is open and published when this returns.
///
/// # Errors
/// [`StartError`] names what is missing.
pub async fn build(config: Config, deps: Deps) -> Result<Service, StartError> {
    let pool = open_schema(&deps.database).await?;
    let log_config = LogConfig { name: LOG, partitions: config.log_partitions, writers: config.log_writers };
    let log = EventLog::open(pool.clone(), log_config, &deps.lifecycle.spawner()).await?;
    deps.feeds.publish(log.clone());
    let claims = Claims::open(pool.clone()).await?;

    let keys = KeyClient::new(deps.peers.command.clone());
    let orders = deps.feeds.subscribe("orders");
    let buyer_keys = BuyerKeys::new(deps.peers.command.clone());
    let issuing = Issuing::new(log.clone(), orders.clone(), keys.clone(), buyer_keys, config.seller);
    let table = Reader::projector(projector::InvoiceTable, pool.clone(), vec![deps.feeds.subscribe(LOG)]);
    let covered = on_order_events::InvoiceWhenCovered { issuing: issuing.clone() };
    let covered = Reader::reaction(covered, pool.clone(), vec![orders.clone()]);
    let credited = on_order_events::CreditWhenLessIsOwed { issuing: issuing.clone() };
    let credited = Reader::reaction(credited, pool.clone(), vec![orders]);
    let app = App {
        issuing,
        invoices: Invoices::new(pool.clone(), keys.clone()),
        keys,
        table: table.handle(),
        idempotency: Idempotency::new(claims.clone(), deps.lifecycle.clone()),
    };
    let checks = vec![
        ReadyCheck::database("invoice.database", pool),
        ReadyCheck::projection("invoice.table", table.handle()),
        ReadyCheck::reaction("invoice.orders", covered.handle()),
        ReadyCheck::reaction("invoice.credit-notes", credited.handle()),
    ];
    let workers = vec![
        bell_worker("invoices bell", log.clone(), deps.database.clone()),
        Worker::reader("invoice table", table),
        Worker::reader("invoices for covered orders", covered),
        Worker::reader("credit notes", credited),
        Idempotency::purge_worker("idempotency keys of invoices", claims),
    ];
    Ok(Service { name: NAME, routes: http::routes(app).merge(feed_routes(log, &deps.lifecycle)), workers, checks })
}

/// The schema, owned and migrated, and a pool that works in it.
async fn open_schema(database: &Database) -> Result<Pool, PgError> {
    let separation = database.ensure_owner(OWNER, &["invoices"]).await?;
    let pool = database.pool("invoices", separation.role()).await?;
    eventstore::migrate(&pool).await?;
    feeds::migrate(&pool).await?;
    pg::migrate(&pool, MIGRATION_HISTORY, migrations()).await?;
    Ok(pool)
}
