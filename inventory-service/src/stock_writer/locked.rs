//! What a batch has locked, and how it is written back: every row once, however many jobs touched it.

use crate::domain::stock::{Level, Quantities, Shelf};
use crate::rows::{self, ReservationRow, StockRow, StockVersions};
use chrono::{DateTime, Utc};
use futures_util::try_join;
use serde_json::Value;
use shared_events::{OrderId, ProductId};
use std::collections::{BTreeMap, BTreeSet};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Error, Transaction};
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
        let params: [(&(dyn ToSql + Sync), Type); 1] = [(&orders, Type::UUID_ARRAY)];
        let ((), reserved) = try_join!(tx.batch_execute(LIMITS), tx.query_typed(RESERVED_PRODUCTS, &params))?;
        let mut ids: BTreeSet<Uuid> = products.iter().map(ProductId::as_uuid).collect();
        ids.extend(reserved.iter().map(|row| row.get::<_, Uuid>(0)));
        let ids: Vec<Uuid> = ids.into_iter().collect();

        // Sent together, run in this order.
        let orders_params: [(&(dyn ToSql + Sync), Type); 1] = [(&orders, Type::UUID_ARRAY)];
        let ids_params: [(&(dyn ToSql + Sync), Type); 1] = [(&ids, Type::UUID_ARRAY)];
        let (stock, reservations, clock) = try_join!(
            tx.query_typed(LOCK_STOCK, &ids_params),
            tx.query_typed(LOCK_RESERVATIONS, &orders_params),
            tx.query_typed("select clock_timestamp()", &[]),
        )?;

        let stock: Vec<StockRow> = stock.iter().map(StockRow::of).collect();
        let reservations: BTreeMap<OrderId, ReservationRow> =
            reservations.iter().map(ReservationRow::of).map(|row| (row.reservation.order_id, row)).collect();
        let shelf = Shelf(stock.iter().map(|row| (row.product_id, row.level)).collect());
        let mut held = reservations.values().flat_map(|row| row.reservation.lines.keys());
        if held.any(|product| shelf.level(*product).is_none()) {
            return Ok(None);
        }
        Ok(Some(Self {
            now: clock[0].get(0),
            shelf,
            reservations,
            stream_versions: stock.iter().map(|row| (row.product_id, row.stream_version)).collect(),
            changed_stock: BTreeSet::new(),
            changed_reservations: BTreeSet::new(),
        }))
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

    /// Writes back what changed.
    pub(super) async fn store(&self, tx: &Transaction<'_>) -> Result<(), Error> {
        if !self.changed_stock.is_empty() {
            self.store_stock(tx).await?;
        }
        if !self.changed_reservations.is_empty() {
            self.store_reservations(tx).await?;
        }
        Ok(())
    }

    async fn store_stock(&self, tx: &Transaction<'_>) -> Result<(), Error> {
        let rows: Vec<(ProductId, Level)> =
            self.changed_stock.iter().filter_map(|product| Some((*product, self.level(*product)?))).collect();
        let ids: Vec<Uuid> = rows.iter().map(|(product, _)| product.as_uuid()).collect();
        let on_hand: Vec<i64> = rows.iter().map(|(_, level)| level.on_hand).collect();
        let reserved: Vec<i64> = rows.iter().map(|(_, level)| level.reserved).collect();
        let versions: Vec<i64> = rows.iter().map(|(_, level)| level.version).collect();
        let stream_versions: Vec<i64> =
            rows.iter().map(|(product, _)| self.stream_versions.get(product).copied().unwrap_or(0)).collect();
        tx.query_typed(
            UPDATE_STOCK,
            &[
                (&ids, Type::UUID_ARRAY),
                (&on_hand, Type::INT8_ARRAY),
                (&reserved, Type::INT8_ARRAY),
                (&versions, Type::INT8_ARRAY),
                (&stream_versions, Type::INT8_ARRAY),
            ],
        )
        .await
        .map(drop)
    }

    async fn store_reservations(&self, tx: &Transaction<'_>) -> Result<(), Error> {
        let rows: Vec<&ReservationRow> =
            self.changed_reservations.iter().filter_map(|order| self.reservations.get(order)).collect();
        let ids: Vec<Uuid> = rows.iter().map(|row| row.reservation.order_id.as_uuid()).collect();
        let revisions: Vec<i32> = rows.iter().map(|row| row.reservation.revision).collect();
        let states: Vec<&str> = rows.iter().map(|row| row.reservation.state.as_str()).collect();
        let lines: Vec<Value> = rows.iter().map(|row| rows::lines(&row.reservation.lines)).collect();
        let expire: Vec<Option<DateTime<Utc>>> = rows.iter().map(|row| row.reservation.expires_at).collect();
        let versions: Vec<i64> = rows.iter().map(|row| row.reservation.version).collect();
        let order_versions: Vec<i64> = rows.iter().map(|row| row.order_version).collect();
        tx.query_typed(
            UPSERT_RESERVATIONS,
            &[
                (&ids, Type::UUID_ARRAY),
                (&revisions, Type::INT4_ARRAY),
                (&states, Type::TEXT_ARRAY),
                (&lines, Type::JSONB_ARRAY),
                (&expire, Type::TIMESTAMPTZ_ARRAY),
                (&versions, Type::INT8_ARRAY),
                (&order_versions, Type::INT8_ARRAY),
            ],
        )
        .await
        .map(drop)
    }
}
