//! One pass over the orders log, stream by stream: every order is folded and compared with its row in the read tables,
//! with the stock that is held for it, with its invoice and credit notes, and with the cart and discounts it came from. A few hundred orders are in memory at a time.

mod checkouts;
mod credited;
mod fold;
mod held;
mod invoiced;
mod row;
pub mod sample;

pub use checkouts::READER as SETTLING_READER;
pub use held::Followers;

use self::fold::Folded;
use super::bar::Bar;
use super::check::Check;
use super::events::EventChecks;
use super::keys;
use super::logs::Log;
use super::progress::Progress;
use super::snapshot::Snapshot;
use super::streams::{Stored, Streams, key_ids};
use super::views::Views;
use anyhow::Context;
use futures_util::try_join;
use order::WaitingReason;
use pg::tokio_postgres::{Client, Row};
use shared_events::OrderId;
use shared_events::sealed::KeyRing;
use std::collections::{BTreeSet, HashMap};
use std::time::Instant;
use uuid::Uuid;

const BATCH_ORDERS: usize = 400;
const BATCH_BYTES: usize = 8 * 1024 * 1024;

/// What orders are compared with; what is not in this database is not compared.
pub struct Neighbours<'a> {
    /// The read tables.
    pub views: Option<&'a Views>,
    /// How far the one is who settles what orders came from.
    pub settling: Progress,
    /// The log of stock, and who connects it with orders.
    pub inventory: Option<(&'a Log, Followers)>,
    /// The log of invoices, and how far those are who issue them.
    pub invoices: Option<(&'a Log, Issuers)>,
}

/// Who issues documents for orders.
pub struct Issuers {
    /// Issues invoices.
    pub invoices: Progress,
    /// Issues credit notes.
    pub credit_notes: Progress,
}

struct Pass<'a> {
    neighbours: Neighbours<'a>,
    lookups: Client,
    has_keys: bool,
    events: EventChecks,
    view: Check,
    held: Check,
    waiting: Check,
    issued: Check,
    totals: Check,
    credited: Check,
    checkouts: Check,
    rows: u64,
}

/// Folds every order and compares it.
pub async fn verify(
    snapshot: &Snapshot,
    log: &Log,
    neighbours: Neighbours<'_>,
    bar: &Bar,
) -> anyhow::Result<Vec<Check>> {
    let since = Instant::now();
    let view_schema = neighbours.views.map_or("query", |views| views.schema.as_str());
    let events = snapshot.connect(&[log.name]).await?;
    let mut pass = Pass {
        lookups: snapshot.connect(&[view_schema]).await?,
        neighbours,
        has_keys: snapshot.has(keys::SCHEMA),
        events: EventChecks::of(log.name, log.partitions),
        view: Check::new("order_view", "orders"),
        held: Check::new("orders.stock", "orders"),
        waiting: Check::new("orders.waiting", "orders"),
        issued: Check::new("orders.invoices", "covered orders"),
        totals: Check::new("invoices.totals", "invoices"),
        credited: Check::new("orders.credit-notes", "credit notes"),
        checkouts: Check::new("orders.checkouts", "orders of carts or with discounts"),
        rows: 0,
    };
    for partition in 0..log.partitions {
        let mut streams = Streams::of(&events, partition).await?;
        let mut batch = Vec::new();
        let mut bytes = 0;
        while let Some(stream) = streams.next_stream().await? {
            bar.advance(stream.len());
            bytes += stream.iter().map(|stored| stored.event.payload.len()).sum::<usize>();
            batch.push(stream);
            if batch.len() >= BATCH_ORDERS || bytes >= BATCH_BYTES {
                pass.compare(&std::mem::take(&mut batch), partition).await?;
                bytes = 0;
            }
        }
        pass.compare(&batch, partition).await?;
    }
    pass.look_for_more_rows(log).await?;
    checkouts::look_for_more_uses(&pass.lookups, log, &mut pass.checkouts).await?;
    Ok(pass.done(since))
}

impl Pass<'_> {
    async fn compare(&mut self, batch: &[Vec<Stored>], partition: i32) -> anyhow::Result<()> {
        if batch.is_empty() {
            return Ok(());
        }
        let ids: Vec<Uuid> = batch
            .iter()
            .filter_map(|stream| OrderId::parse(&stream[0].event.stream_id).ok())
            .map(|id| id.as_uuid())
            .collect();
        let (ring, rows, reservations) =
            try_join!(self.ring(batch), self.view_rows(&ids), self.reservation_rows(&ids))?;
        self.rows += rows.len() as u64;
        let seen_to = self.neighbours.views.map_or(i64::MAX, |views| views.progress.position("orders", partition));
        let mut orders = Vec::with_capacity(batch.len());
        for stream in batch {
            if let Some(folded) = Folded::of(stream, &ring, seen_to, &mut self.events) {
                self.compare_row(&folded, rows.get(&folded.order.id.as_uuid()));
                self.compare_stock(&folded, reservations.get(&folded.order.id.as_uuid()));
                orders.push(folded);
            }
        }
        checkouts::compare(&self.lookups, &orders, &self.neighbours.settling, &mut self.checkouts).await?;
        if let Some((log, issuing)) = &self.neighbours.invoices {
            let checks = (&mut self.issued, &mut self.totals);
            invoiced::compare(&self.lookups, &orders, log, &issuing.invoices, checks).await?;
            let check = &mut self.credited;
            credited::compare(&self.lookups, &orders, log, &issuing.credit_notes, check).await?;
        }
        Ok(())
    }

    async fn ring(&self, batch: &[Vec<Stored>]) -> anyhow::Result<KeyRing> {
        let mut ids = BTreeSet::new();
        if self.has_keys {
            for stored in batch.iter().flatten() {
                key_ids(&stored.event.payload, &mut ids);
            }
        }
        if ids.is_empty() { Ok(KeyRing::default()) } else { keys::ring(&self.lookups, &ids).await }
    }

    async fn view_rows(&self, ids: &[Uuid]) -> anyhow::Result<HashMap<Uuid, Row>> {
        if self.neighbours.views.is_none() {
            return Ok(HashMap::new());
        }
        let rows = self.lookups.query(include_str!("sql/order_rows.sql"), &[&ids]).await;
        Ok(by_id(rows.context("order_view cannot be read")?))
    }

    async fn reservation_rows(&self, ids: &[Uuid]) -> anyhow::Result<HashMap<Uuid, Row>> {
        if self.neighbours.inventory.is_none() {
            return Ok(HashMap::new());
        }
        let rows = self.lookups.query(include_str!("sql/reservation_rows.sql"), &[&ids]).await;
        Ok(by_id(rows.context("the reservations cannot be read")?))
    }

    fn compare_row(&mut self, folded: &Folded, row: Option<&Row>) {
        let Some(views) = self.neighbours.views else { return };
        let stream_id = &folded.stream_id;
        if views.progress.is_parked("orders", stream_id) {
            return;
        }
        self.view.saw(1);
        match (folded.shown(), row) {
            (Some((order, position)), Some(row)) => {
                for told in row::differences(row, order, folded.partition, position, self.has_keys) {
                    self.view.wrong(|| format!("{stream_id}: {told}"));
                }
            }
            (Some((order, _)), None) => {
                self.view.wrong(|| format!("{stream_id} ({}) has no row", order.number));
            }
            (None, Some(_)) => self.view.wrong(|| format!("{stream_id} has a row before its first event was read")),
            (None, None) => {}
        }
    }

    fn compare_stock(&mut self, folded: &Folded, row: Option<&Row>) {
        if let Some((inventory, followers)) = &self.neighbours.inventory {
            held::compare(&mut self.held, folded, row, inventory, followers);
        }
        let waiting = folded.order.waiting_for(chrono::TimeDelta::zero());
        if let Some(waiting) = waiting.filter(|waiting| waiting.reason == WaitingReason::Stock) {
            self.waiting.saw(1);
            if waiting.until.is_none() {
                self.waiting.wrong(|| format!("{} waits for stock, and nothing ends that", folded.stream_id));
            }
        }
    }

    /// Rows of orders that the log does not have.
    async fn look_for_more_rows(&mut self, log: &Log) -> anyhow::Result<()> {
        if self.neighbours.views.is_none() {
            return Ok(());
        }
        let count: i64 = self.lookups.query_one("select count(*) from order_view", &[]).await?.get(0);
        if u64::try_from(count).unwrap_or(0) == self.rows {
            return Ok(());
        }
        let mut after = Uuid::nil();
        loop {
            let page = "select order_id from order_view where order_id > $1 order by order_id limit 5000";
            let ids: Vec<Uuid> = self.lookups.query(page, &[&after]).await?.iter().map(|row| row.get(0)).collect();
            let Some(last) = ids.last() else { return Ok(()) };
            after = *last;
            for stream_id in super::streams_missing(&self.lookups, log, &ids).await? {
                self.view.wrong(|| format!("{stream_id} has a row and no events"));
            }
        }
    }

    fn done(self, since: Instant) -> Vec<Check> {
        let mut checks = Vec::from(self.events.done(since));
        if self.neighbours.views.is_some() {
            checks.push(self.view.done(since));
        }
        if self.neighbours.inventory.is_some() {
            checks.push(self.held.done(since));
        }
        checks.extend([self.waiting.done(since), self.checkouts.done(since)]);
        if self.neighbours.invoices.is_some() {
            checks.extend([self.issued.done(since), self.totals.done(since), self.credited.done(since)]);
        }
        checks
    }
}

fn by_id(rows: Vec<Row>) -> HashMap<Uuid, Row> {
    rows.into_iter().map(|row| (row.get(0), row)).collect()
}
