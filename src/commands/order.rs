//! `oms order show`: an order folded from its log, with what happened to it, its stock and its invoices.

mod told;

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::time::Duration;

use anyhow::Context;
use chrono::TimeDelta;
use eventstore::partition_of;
use order::Order;
use pg::tokio_postgres::Client;
use serde_json::{Value, json};
use service::Settings;
use shared_events::order::OrderEvent;
use shared_events::sealed::{KeyRing, open_event};
use shared_events::{EventBody, OrderId, PayloadError, RecordedEvent};

use crate::cli::{Order as Word, OrderShow};
use crate::commands::FoundWrong;
use crate::system;
use crate::verify::keys;
use crate::verify::streams::{key_ids, stored};

const PARTITIONS: &str = "select partitions from log_meta";
const BY_NUMBER: &str = include_str!("order/by_number.sql");
const EVENTS: &str = include_str!("order/events.sql");
const INVOICES: &str = include_str!("order/invoices.sql");
const LOG_EXISTS: &str = "select to_regclass($1 || '.log_meta') is not null";
const KEYS_ARE_HERE: &str = "select from pg_namespace where nspname = $1 and has_schema_privilege(oid, 'usage')";
const DEFAULT_RETURN_WINDOW: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// Runs one of the words after `oms order`.
pub async fn run(command: Word) -> anyhow::Result<()> {
    match command {
        Word::Show(options) => show(options).await,
    }
}

async fn show(options: OrderShow) -> anyhow::Result<()> {
    let client = system::database(&options.system).await?.connect().await.context("the database cannot be reached")?;
    let Some(id) = find(&client, &options.order).await? else {
        eprintln!("oms: there is no order {}", options.order);
        return Err(FoundWrong.into());
    };
    let history = events(&client, "orders", &id.to_string()).await?;
    if history.is_empty() {
        eprintln!("oms: there is no order {id}");
        return Err(FoundWrong.into());
    }
    let order = fold(id, &history, &ring(&client, &history).await?)?;
    let reservation = events(&client, "inventory", &id.to_string()).await?;
    let invoices = invoices(&client, id).await?;
    let return_window = Settings::load()?.duration("OMS_RETURN_WINDOW", DEFAULT_RETURN_WINDOW)?;
    let waiting = order.waiting_for(TimeDelta::from_std(return_window).unwrap_or(TimeDelta::MAX));
    // A terminal is no place for personal data.
    let order = keys::without_personal_fields(order);
    let mut out = io::stdout().lock();
    if options.json {
        let timeline: Vec<Value> = history.iter().map(told::as_json).collect();
        let stock: Vec<Value> = reservation.iter().map(told::as_json).collect();
        let invoices: Vec<Value> = invoices.iter().map(told::invoice_as_json).collect();
        let shown = json!({
            "order": order, "status": order.status(), "paymentStatus": order.payment_status(),
            "fulfilmentStatus": order.fulfilment_status(), "waitingFor": waiting, "events": timeline,
            "reservation": stock, "invoices": invoices,
        });
        serde_json::to_writer_pretty(&mut out, &shown)?;
        writeln!(out)?;
    } else {
        told::order(&mut out, &order, waiting)?;
        told::timeline(&mut out, "what happened", &history)?;
        told::timeline(&mut out, "its stock", &reservation)?;
        told::invoices(&mut out, &invoices)?;
    }
    Ok(())
}

/// By its id, or by the number that people call it.
async fn find(client: &Client, named: &str) -> anyhow::Result<Option<OrderId>> {
    if let Ok(id) = OrderId::parse(named) {
        return Ok(Some(id));
    }
    let row = client.query_opt(BY_NUMBER, &[&named]).await.context("the orders cannot be searched")?;
    Ok(row.and_then(|row| OrderId::parse(row.get(0)).ok()))
}

/// The events of a stream; none where the log is not in this database.
async fn events(client: &Client, log: &str, stream_id: &str) -> anyhow::Result<Vec<RecordedEvent>> {
    if !client.query_one(LOG_EXISTS, &[&log]).await?.get::<_, bool>(0) {
        return Ok(Vec::new());
    }
    client.batch_execute(&format!("set search_path = {log}")).await?;
    let partitions: i32 = client.query_one(PARTITIONS, &[]).await?.get(0);
    let rows = client.query(EVENTS, &[&partition_of(stream_id, partitions), &stream_id]).await;
    Ok(rows.with_context(|| format!("the log {log} cannot be read"))?.iter().map(|row| stored(row).event).collect())
}

async fn invoices(client: &Client, id: OrderId) -> anyhow::Result<Vec<RecordedEvent>> {
    if !client.query_one(LOG_EXISTS, &[&"invoices"]).await?.get::<_, bool>(0) {
        return Ok(Vec::new());
    }
    let rows = client.query(INVOICES, &[&id.as_uuid()]).await.context("the invoices cannot be read")?;
    Ok(rows.iter().map(|row| stored(row).event).collect())
}

/// The keys of its personal fields, as far as they are in this database.
async fn ring(client: &Client, history: &[RecordedEvent]) -> anyhow::Result<KeyRing> {
    if client.query_opt(KEYS_ARE_HERE, &[&keys::SCHEMA]).await?.is_none() {
        return Ok(KeyRing::default());
    }
    let mut ids = BTreeSet::new();
    history.iter().for_each(|event| key_ids(&event.payload, &mut ids));
    keys::ring(client, &ids).await
}

/// With its keys, because what it waits for may be an address.
fn fold(id: OrderId, history: &[RecordedEvent], ring: &KeyRing) -> anyhow::Result<Order> {
    history.iter().try_fold(Order::of(id), |order, recorded| match open_event::<OrderEvent>(recorded, ring) {
        Ok(event) => Ok(order.evolve(&event)),
        Err(PayloadError::Unknown { event_type, .. }) if !OrderEvent::is_known(&event_type) => {
            Ok(order.evolve_unknown())
        }
        Err(error) => Err(error).context("an event of the order cannot be read"),
    })
}
