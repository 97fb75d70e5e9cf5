//! One pass over the invoices log: every document beside the row that lists it, its row in the read tables, and the event
//! of the order that it names as its cause. That numbers have no gaps is that versions have none.

use super::bar::Bar;
use super::check::Check;
use super::difference;
use super::events::{EventChecks, Looked, named};
use super::keys;
use super::logs::Log;
use super::progress::Progress;
use super::snapshot::Snapshot;
use super::streams::{Stored, Streams, key_ids};
use super::views::Views;
use anyhow::Context;
use chrono::{DateTime, Utc};
use eventstore::partition_of;
use feeds::derived_command_id;
use invoice_service::{CREDIT_NOTE, INVOICE};
use pg::tokio_postgres::{Client, Row, types::Json};
use query_service::read_models::invoices::{Invoice, InvoiceKind};
use serde_json::value::RawValue;
use shared_events::RecordedEvent;
use shared_events::invoice::{InvoiceEvent, number};
use shared_events::sealed::KeyRing;
use std::collections::{BTreeSet, HashMap};
use std::time::Instant;
use uuid::Uuid;

const BATCH: usize = 1_000;
const TABLE_READER: &str = "invoice-table";

struct Pass<'a> {
    lookups: Client,
    has_keys: bool,
    orders: Option<&'a Log>,
    views: Option<&'a Views>,
    table_reader: Progress,
    events: EventChecks,
    table: Check,
    view: Check,
    causes: Check,
    table_rows: u64,
    view_rows: u64,
    /// Whether every document could be read, so that each row is accounted for.
    is_whole: bool,
}

/// Compares every document.
pub async fn verify(
    snapshot: &Snapshot,
    log: &Log,
    orders: Option<&Log>,
    views: Option<&Views>,
    bar: &Bar,
) -> anyhow::Result<Vec<Check>> {
    let since = Instant::now();
    let reading = snapshot.connect(&[log.name]).await?;
    let mut pass = Pass {
        lookups: snapshot.connect(&[views.map_or("query", |views| views.schema.as_str())]).await?,
        has_keys: snapshot.has(keys::SCHEMA),
        orders,
        views,
        table_reader: Progress::in_schema(snapshot, log.name, TABLE_READER).await?,
        events: EventChecks::of(log.name, log.partitions),
        table: Check::new("invoices.table", "documents"),
        view: Check::new("invoice_view", "documents"),
        causes: Check::new("invoices.causes", "documents"),
        table_rows: 0,
        view_rows: 0,
        is_whole: true,
    };
    for partition in 0..log.partitions {
        let mut streams = Streams::of(&reading, partition).await?;
        let mut batch = Vec::new();
        while let Some(stored) = streams.next().await? {
            bar.advance(1);
            batch.push(stored);
            if batch.len() >= BATCH {
                pass.compare(&std::mem::take(&mut batch)).await?;
            }
        }
        pass.compare(&batch).await?;
    }
    pass.done(since).await
}

impl Pass<'_> {
    async fn compare(&mut self, batch: &[Stored]) -> anyhow::Result<()> {
        let mut ids = BTreeSet::new();
        if self.has_keys {
            batch.iter().for_each(|stored| key_ids(&stored.event.payload, &mut ids));
        }
        let ring = if ids.is_empty() { KeyRing::default() } else { keys::ring(&self.lookups, &ids).await? };
        let mut documents: Vec<(&RecordedEvent, Invoice)> = Vec::new();
        for stored in batch {
            match self.events.look::<InvoiceEvent>(stored, &ring) {
                Looked::Opened(event) => documents.push((&stored.event, document_of(&stored.event, *event))),
                Looked::Unknown => {}
                Looked::Wrong => self.is_whole = false,
            }
        }
        if documents.is_empty() {
            return Ok(());
        }
        let ids: Vec<Uuid> = documents.iter().map(|(_, invoice)| invoice.document_id).collect();
        self.compare_table(&documents, &ids).await?;
        self.compare_view(&documents, &ids).await?;
        self.compare_causes(&documents).await
    }

    async fn compare_table(&mut self, documents: &[(&RecordedEvent, Invoice)], ids: &[Uuid]) -> anyhow::Result<()> {
        let rows = self.lookups.query(include_str!("sql/invoice_rows.sql"), &[&ids]).await;
        let rows = by_id(rows.context("the table of invoices cannot be read")?);
        self.table_rows += rows.len() as u64;
        for (event, invoice) in documents {
            if !self.table_reader.has_passed("invoices", event.partition, event.position, &event.stream_id) {
                continue;
            }
            self.table.saw(1);
            let told = match rows.get(&invoice.document_id) {
                Some(row) => table_difference(row, event, invoice),
                None => Some("has no row".to_owned()),
            };
            if let Some(told) = told {
                self.table.wrong(|| format!("{}: {told}", invoice.number));
            }
        }
        Ok(())
    }

    async fn compare_view(&mut self, documents: &[(&RecordedEvent, Invoice)], ids: &[Uuid]) -> anyhow::Result<()> {
        let Some(views) = self.views else { return Ok(()) };
        let rows = self.lookups.query(include_str!("sql/invoice_view_rows.sql"), &[&ids]).await;
        let rows = by_id(rows.context("invoice_view cannot be read")?);
        self.view_rows += rows.len() as u64;
        for (event, invoice) in documents {
            if !views.progress.has_passed("invoices", event.partition, event.position, &event.stream_id) {
                continue;
            }
            self.view.saw(1);
            let told = match rows.get(&invoice.document_id) {
                Some(row) => view_difference(row, event, invoice, self.has_keys),
                None => Some("has no row".to_owned()),
            };
            if let Some(told) = told {
                self.view.wrong(|| format!("{}: {told}", invoice.number));
            }
        }
        Ok(())
    }

    /// A document is issued once for its cause: its command is derived from it, and the order has that event.
    async fn compare_causes(&mut self, documents: &[(&RecordedEvent, Invoice)]) -> anyhow::Result<()> {
        for (event, invoice) in documents {
            self.causes.saw(1);
            let cause = invoice.document.cause_event_id;
            let step = match invoice.kind {
                InvoiceKind::Invoice => INVOICE,
                InvoiceKind::CreditNote => CREDIT_NOTE,
            };
            if event.command_id != Some(derived_command_id(cause.as_uuid(), step)) {
                self.causes.wrong(|| format!("{} was not issued by the command of its cause {cause}", invoice.number));
            }
        }
        let Some(orders) = self.orders else { return Ok(()) };
        let ordinals: Vec<i64> = (0_i64..).take(documents.len()).collect();
        let streams: Vec<String> = documents.iter().map(|(_, invoice)| invoice.document.order_id.to_string()).collect();
        let partitions: Vec<i32> = streams.iter().map(|stream| partition_of(stream, orders.partitions)).collect();
        let versions: Vec<i64> = documents.iter().map(|(_, invoice)| invoice.document.order_version).collect();
        let rows = self
            .lookups
            .query(include_str!("sql/causes.sql"), &[&ordinals, &partitions, &streams, &versions])
            .await
            .context("the causes of invoices cannot be read")?;
        let found: HashMap<i64, Uuid> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
        for (ordinal, (_, invoice)) in (0_i64..).zip(documents) {
            let document = &invoice.document;
            if found.get(&ordinal) != Some(&document.cause_event_id.as_uuid()) {
                self.causes.wrong(|| {
                    let (order, version) = (document.order_id, document.order_version);
                    format!("{}: version {version} of {order} is not its cause", invoice.number)
                });
            }
        }
        Ok(())
    }

    async fn done(mut self, since: Instant) -> anyhow::Result<Vec<Check>> {
        let count: i64 = self.lookups.query_one("select count(*) from invoices.invoice", &[]).await?.get(0);
        if self.is_whole {
            told_more(&mut self.table, count, self.table_rows);
        }
        let mut checks = Vec::from(self.events.done(since));
        checks.push(self.table.done(since));
        if self.views.is_some() {
            let count: i64 = self.lookups.query_one("select count(*) from invoice_view", &[]).await?.get(0);
            if self.is_whole {
                told_more(&mut self.view, count, self.view_rows);
            }
            checks.push(self.view.done(since));
        }
        checks.push(self.causes.done(since));
        checks.push(twice(&self.lookups).await?);
        Ok(checks)
    }
}

fn told_more(check: &mut Check, count: i64, accounted_for: u64) {
    let more = count - i64::try_from(accounted_for).unwrap_or(i64::MAX);
    if more > 0 {
        check.wrong(|| format!("there are {more} rows of documents that the log does not have"));
    }
}

/// No order has two invoices, by SQL alone.
async fn twice(client: &Client) -> anyhow::Result<Check> {
    const ORDERS: &str = "select count(*) from invoices.events where type = 'InvoiceIssued'";
    let since = Instant::now();
    let mut check = Check::new("invoices.once", "invoices");
    let count: i64 = client.query_one(ORDERS, &[]).await?.get(0);
    check.saw(u64::try_from(count).unwrap_or(0));
    let rows = client.query(include_str!("sql/invoiced_twice.sql"), &[]).await;
    for row in rows.context("orders with two invoices cannot be looked for")? {
        let (order, numbers): (&str, &str) = (row.get(0), row.get(1));
        check.wrong(|| format!("{order} has {numbers}"));
    }
    Ok(check.done(since))
}

fn by_id(rows: Vec<Row>) -> HashMap<Uuid, Row> {
    rows.into_iter().map(|row| (row.get(0), row)).collect()
}

fn document_of(event: &RecordedEvent, opened: InvoiceEvent) -> Invoice {
    let number = number(&event.stream_id, event.version);
    match opened {
        InvoiceEvent::InvoiceIssued(issued) => Invoice {
            document_id: issued.invoice_id.as_uuid(),
            kind: InvoiceKind::Invoice,
            number,
            corrects: None,
            reason: None,
            document: issued.document,
        },
        InvoiceEvent::CreditNoteIssued(issued) => Invoice {
            document_id: issued.credit_note_id.as_uuid(),
            kind: InvoiceKind::CreditNote,
            number,
            corrects: Some(issued.invoice_id),
            reason: issued.reason,
            document: issued.document,
        },
    }
}

fn table_difference(row: &Row, event: &RecordedEvent, invoice: &Invoice) -> Option<String> {
    let found: (String, String, i64, Uuid, Option<Uuid>, i16) = (
        row.get("kind"),
        row.get("series"),
        row.get("version"),
        row.get("order_id"),
        row.get("customer_id"),
        row.get("schema_version"),
    );
    let expected = (
        invoice.kind.as_str().to_owned(),
        event.stream_id.clone(),
        event.version,
        invoice.document.order_id.as_uuid(),
        invoice.document.customer_id.map(|id| id.as_uuid()),
        event.schema_version,
    );
    if found != expected {
        return Some(format!("is {found:?} and should be {expected:?}"));
    }
    let payload: &[u8] = row.get("payload");
    if payload != event.payload.as_ref() {
        let told = difference::between(&event.payload, payload);
        return Some(told.unwrap_or_else(|| format!("has other bytes than {}", named(event))));
    }
    issued_at_difference(row, invoice)
}

fn issued_at_difference(row: &Row, invoice: &Invoice) -> Option<String> {
    let (found, expected): (DateTime<Utc>, _) = (row.get("issued_at"), invoice.document.occurred_at);
    ((found - expected).num_milliseconds() != 0).then(|| format!("was issued at {expected}, its row says {found}"))
}

fn view_difference(row: &Row, event: &RecordedEvent, invoice: &Invoice, personal: bool) -> Option<String> {
    let found: (String, String, Uuid, Option<Uuid>, i64, i32, i64) = (
        row.get("kind"),
        row.get("number"),
        row.get("order_id"),
        row.get("customer_id"),
        row.get("version"),
        row.get("partition"),
        row.get("position"),
    );
    let expected = (
        invoice.kind.as_str().to_owned(),
        invoice.number.clone(),
        invoice.document.order_id.as_uuid(),
        invoice.document.customer_id.map(|id| id.as_uuid()),
        event.version,
        event.partition,
        event.position,
    );
    if found != expected {
        return Some(format!("is {found:?} and should be {expected:?}"));
    }
    let Json(document): Json<Box<RawValue>> = row.get("document");
    let expected = serde_json::to_vec(invoice).ok()?;
    let told = if personal {
        difference::between(&expected, document.get().as_bytes())
    } else {
        match serde_json::from_str::<Invoice>(document.get()) {
            Ok(mut found) => {
                found.document.buyer = None;
                difference::between(&expected, &serde_json::to_vec(&found).ok()?)
            }
            Err(error) => Some(format!("is no invoice: {error}")),
        }
    };
    told.map(|told| format!("document {told}")).or_else(|| issued_at_difference(row, invoice))
}
