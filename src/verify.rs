//! Proves, on the database of a system that may be running, that nothing is lost, doubled or out of step: the logs by
//! themselves, and everything that is derived from them beside its own derivation. It reads one snapshot, so what is
//! written meanwhile changes nothing, and it writes nothing.

mod bar;
mod check;
mod difference;
mod events;
mod invoices;
pub mod keys;
mod logs;
mod orders;
mod progress;
mod readers;
mod report;
mod snapshot;
mod stock;
pub mod streams;
mod views;

pub use report::Report;

use self::bar::Bar;
use self::logs::Log;
use self::orders::{Followers, Issuers, Neighbours};
use self::progress::Progress;
use self::snapshot::Snapshot;
use self::views::Views;
use anyhow::Context;
use eventstore::partition_of;
use pg::Database;
use pg::tokio_postgres::Client;
use shared_events::OrderId;
use std::time::Instant;
use uuid::Uuid;

const LOGS: [&str; 3] = ["orders", "inventory", "invoices"];
/// Makes reservations follow their orders.
const RESERVATIONS_READER: &str = inventory_service::on_order_events::NAME;
/// Cancels orders whose stock is gone.
const LAPSED_READER: &str = "cancel-when-lapsed";
/// Issues invoices.
const INVOICES_READER: &str = "invoice-when-covered";
/// Issues credit notes.
const CREDIT_NOTES_READER: &str = "credit-notes";

/// How much to look at.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// How many orders are computed anew by SQL alone.
    pub sample: u32,
    /// What they are chosen by.
    pub seed: i64,
}

/// Checks everything that the database has.
pub async fn run(database: Database, options: Options) -> anyhow::Result<Report> {
    let since = Instant::now();
    let snapshot = Snapshot::take(database).await?;
    let mut logs = Vec::new();
    for name in LOGS.into_iter().filter(|name| snapshot.has(name)) {
        logs.push(Log::open(&snapshot, name).await?);
    }
    let views = Views::find(&snapshot).await?;
    let mut missing: Vec<&'static str> = LOGS.into_iter().filter(|name| !snapshot.has(name)).collect();
    missing.extend((!snapshot.has(keys::SCHEMA)).then_some(keys::SCHEMA));
    missing.extend(views.is_none().then_some("query"));
    anyhow::ensure!(!logs.is_empty() || views.is_some(), "database {} holds nothing of ours", snapshot.name);

    let bar = Bar::new(logs.iter().map(Log::events).sum());
    let mut checks = Vec::new();
    bar.step("positions and ids");
    for log in &logs {
        checks.extend(logs::verify(&snapshot, log).await.with_context(|| format!("the log {}", log.name))?);
    }
    let named = |name: &str| logs.iter().find(|log| log.name == name);
    if let Some(log) = named("orders") {
        bar.step("orders");
        let neighbours = neighbours(&snapshot, views.as_ref(), named("inventory"), named("invoices")).await?;
        checks.extend(orders::verify(&snapshot, log, neighbours, &bar).await.context("the orders")?);
        if let Some(views) = &views {
            bar.step("a sample of orders");
            checks.push(orders::sample::verify(&snapshot, views, options.sample, options.seed).await?);
        }
    }
    if let Some(log) = named("inventory") {
        bar.step("stock");
        checks.extend(stock::verify(&snapshot, log, named("orders"), views.as_ref(), &bar).await.context("stock")?);
    }
    if let Some(log) = named("invoices") {
        bar.step("invoices");
        let checked = invoices::verify(&snapshot, log, named("orders"), views.as_ref(), &bar).await;
        checks.extend(checked.context("the invoices")?);
    }
    bar.step("readers");
    checks.extend(readers::verify(&snapshot, &logs).await.context("the readers")?);
    let Options { seed, .. } = options;
    let seconds = since.elapsed().as_secs_f64();
    Ok(Report { database: snapshot.name.clone(), as_of: snapshot.taken_at, seed, missing, checks, seconds })
}

async fn neighbours<'a>(
    snapshot: &Snapshot,
    views: Option<&'a Views>,
    inventory: Option<&'a Log>,
    invoices: Option<&'a Log>,
) -> anyhow::Result<Neighbours<'a>> {
    let followers = Followers {
        reservations: Progress::in_schema(snapshot, "inventory", RESERVATIONS_READER).await?,
        lapsed: Progress::in_schema(snapshot, "orders", LAPSED_READER).await?,
    };
    let issuing = Issuers {
        invoices: Progress::in_schema(snapshot, "invoices", INVOICES_READER).await?,
        credit_notes: Progress::in_schema(snapshot, "invoices", CREDIT_NOTES_READER).await?,
    };
    Ok(Neighbours {
        views,
        settling: Progress::in_schema(snapshot, "orders", orders::SETTLING_READER).await?,
        inventory: inventory.map(|log| (log, followers)),
        invoices: invoices.map(|log| (log, issuing)),
    })
}

/// Those of these orders that have no event in the log, as streams.
async fn streams_missing(client: &Client, orders: &Log, ids: &[Uuid]) -> anyhow::Result<Vec<String>> {
    let streams: Vec<String> = ids.iter().map(|id| OrderId::from_uuid(*id).to_string()).collect();
    let partitions: Vec<i32> = streams.iter().map(|stream| partition_of(stream, orders.partitions)).collect();
    let rows = client.query(include_str!("verify/sql/missing_streams.sql"), &[&partitions, &streams]).await;
    Ok(rows.context("orders cannot be looked up")?.iter().map(|row| row.get(0)).collect())
}
