//! What a batch has locked, and how it is written back: every row once, however many jobs touched it.

use crate::domain::stock::{Level, Quantities, Shelf};
use crate::rows::{self, ReservationRow, StockRow, StockVersions};
use chrono::{DateTime, Utc};
use eventstore::EventLog;
use futures_util::try_join;
use pg::deadpool_postgres::Transaction;
use serde_json::Value;
use shared_events::{OrderId, ProductId};
use std::collections::{BTreeMap, BTreeSet};
use tokio_postgres::Error;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

/// A frozen process must not hold rows for ever, and nobody waits for one that does.
const LIMITS: &str = "set local lock_timeout = '3s'; set local idle_in_transaction_session_timeout = '4s'";
const RESERVED_PRODUCTS: &str = include_str!("../sql/reserved_products.sql");
const LOCK_STOCK: &str = include_str!("../sql/lock_stock.sql");
const LOCK_RESERVATIONS: &str = include_str!("../sql/lock_reservations.sql");
const UPDATE_STOCK: &str = include_str!("../sql/update_stock.sql");
const UPSERT_RESERVATIONS: &str = include_str!("../sql/upsert_reservations.sql");

/// The rows of one batch, locked until its transaction ends.
pub(super) struct Locked {
    /// The database's clock, read under the locks.
    pub(super) now: DateTime<Utc>,
    pub(super) shelf: Shelf,
    pub(super) reservations: BTreeMap<OrderId, ReservationRow>,
    stream_versions: BTreeMap<ProductId, i64>,
    changed_stock: BTreeSet<ProductId>,
    changed_reservations: BTreeSet<OrderId>,
}

impl Locked {
    /// Locks the stock of these products and of everything these orders hold, then the reservations of the orders.
    /// None when a reservation changed its products in between: then nothing is known and the batch starts anew.
    pub(super) async fn lock(
        tx: &Transaction<'_>,
        orders: &BTreeSet<OrderId>,
        products: &BTreeSet<ProductId>,
    ) -> Result<Option<Self>, Error> {
        let orders: Vec<Uuid> = orders.iter().map(OrderId::as_uuid).collect();
        let reserved_products = tx.prepare_cached(RESERVED_PRODUCTS).await?;
        let params: [&(dyn ToSql + Sync); 1] = [&orders];
        let ((), reserved) = try_join!(tx.batch_execute(LIMITS), tx.query(&reserved_products, &params))?;
        let mut ids: BTreeSet<Uuid> = products.iter().map(ProductId::as_uuid).collect();
        ids.extend(reserved.iter().map(|row| row.get::<_, Uuid>(0)));
        let ids: Vec<Uuid> = ids.into_iter().collect();

        // Sent together, run in this order.
        let lock_stock = tx.prepare_cached(LOCK_STOCK).await?;
        let lock_reservations = tx.prepare_cached(LOCK_RESERVATIONS).await?;
        let stock_params: [&(dyn ToSql + Sync); 1] = [&ids];
        let clock = tx.prepare_cached("select clock_timestamp()").await?;
        let (stock, reservations, clock) = try_join!(
            tx.query(&lock_stock, &stock_params),
            tx.query(&lock_reservations, &params),
            tx.query_one(&clock, &[]),
        )?;

        let stock: Vec<StockRow> = stock.iter().map(StockRow::of).collect();
        let reservations: BTreeMap<OrderId, ReservationRow> =
            reservations.iter().map(ReservationRow::of).map(|row| (row.reservation.order_id, row)).collect();
        let stream_versions = stock.iter().map(|row| (row.product_id, row.stream_version)).collect();
        let mut shelf = Shelf::default();
        for StockRow { product_id, level, elsewhere, .. } in stock {
            shelf.put(product_id, level, elsewhere);
        }
        let mut held = reservations.values().flat_map(|row| row.reservation.lines.keys());
        if held.any(|product| shelf.level(*product).is_none()) {
            return Ok(None);
        }
        Ok(Some(Self {
            now: clock.get(0),
            shelf,
            reservations,
            stream_versions,
            changed_stock: BTreeSet::new(),
            changed_reservations: BTreeSet::new(),
        }))
    }

    /// Tells the log which versions of these streams are committed: the rows say so, being written in the same
    /// transactions as the events. An append that expects one of them needs no closer look.
    pub(super) fn tell(&self, log: &EventLog) {
        for row in self.reservations.values() {
            log.saw(&row.reservation.order_id.to_string(), row.reservation.version);
        }
        for (product, version) in &self.stream_versions {
            log.saw(&product.stock().to_string(), *version);
        }
    }

    pub(super) fn reservation(&self, order_id: OrderId) -> ReservationRow {
        self.reservations.get(&order_id).cloned().unwrap_or_else(|| ReservationRow::none(order_id))
    }

    pub(super) fn set_reservation(&mut self, row: ReservationRow) {
        let order_id = row.reservation.order_id;
        self.changed_reservations.insert(order_id);
        self.reservations.insert(order_id, row);
    }

    pub(super) fn level(&self, product_id: ProductId) -> Option<Level> {
        self.shelf.level(product_id).copied()
    }

    /// Notes that a product's stock is another now.
    pub(super) fn touch(&mut self, product_id: ProductId) {
        self.changed_stock.insert(product_id);
    }

    /// The version of a product's own stream, which `events` more events are about to follow.
    pub(super) fn advance_stream(&mut self, product_id: ProductId, events: i64) -> i64 {
        self.changed_stock.insert(product_id);
        let version = self.stream_versions.entry(product_id).or_default();
        let before = *version;
        *version += events;
        before
    }

    pub(super) fn stock_versions(&self, products: &Quantities) -> StockVersions {
        let version = |product: &ProductId| Some((*product, self.shelf.level(*product)?.version));
        products.keys().filter_map(version).collect()
    }

    /// Writes back what changed. Both statements are under way before either is answered.
    pub(super) async fn store(&self, tx: &Transaction<'_>) -> Result<(), Error> {
        try_join!(self.store_stock(tx), self.store_reservations(tx)).map(drop)
    }

    async fn store_stock(&self, tx: &Transaction<'_>) -> Result<(), Error> {
        if self.changed_stock.is_empty() {
            return Ok(());
        }
        let rows: Vec<(ProductId, Level)> =
            self.changed_stock.iter().filter_map(|product| Some((*product, self.level(*product)?))).collect();
        let ids: Vec<Uuid> = rows.iter().map(|(product, _)| product.as_uuid()).collect();
        let on_hand: Vec<i64> = rows.iter().map(|(_, level)| level.on_hand).collect();
        let reserved: Vec<i64> = rows.iter().map(|(_, level)| level.reserved).collect();
        let versions: Vec<i64> = rows.iter().map(|(_, level)| level.version).collect();
        let stream_versions: Vec<i64> =
            rows.iter().map(|(product, _)| self.stream_versions.get(product).copied().unwrap_or(0)).collect();
        let elsewhere: Vec<Value> =
            rows.iter().map(|(product, _)| rows::elsewhere(&self.shelf.elsewhere(*product))).collect();
        let update = tx.prepare_cached(UPDATE_STOCK).await?;
        tx.execute(&update, &[&ids, &on_hand, &reserved, &versions, &stream_versions, &elsewhere]).await.map(drop)
    }

    async fn store_reservations(&self, tx: &Transaction<'_>) -> Result<(), Error> {
        if self.changed_reservations.is_empty() {
            return Ok(());
        }
        let rows: Vec<&ReservationRow> =
            self.changed_reservations.iter().filter_map(|order| self.reservations.get(order)).collect();
        let ids: Vec<Uuid> = rows.iter().map(|row| row.reservation.order_id.as_uuid()).collect();
        let revisions: Vec<i32> = rows.iter().map(|row| row.reservation.revision).collect();
        let states: Vec<&str> = rows.iter().map(|row| row.reservation.state.as_str()).collect();
        let lines: Vec<Value> = rows.iter().map(|row| rows::lines(&row.reservation.lines)).collect();
        let expire: Vec<Option<DateTime<Utc>>> = rows.iter().map(|row| row.reservation.expires_at).collect();
        let versions: Vec<i64> = rows.iter().map(|row| row.reservation.version).collect();
        let order_versions: Vec<i64> = rows.iter().map(|row| row.order_version).collect();
        let upsert = tx.prepare_cached(UPSERT_RESERVATIONS).await?;
        tx.execute(&upsert, &[&ids, &revisions, &states, &lines, &expire, &versions, &order_versions]).await.map(drop)
    }
}
