//! `order_view`: one row per order, its document the aggregate as the aggregate's own fold makes it.

use super::{MissingEvents, by_stream};
use feeds::HandleError;
use order::{Order, OrderEvent};
use pg::{deadpool_postgres::Transaction, tokio_postgres::types::Json};
use shared_events::{
    EventBody, OrderId, RecordedEvent,
    sealed::{KeyRing, open_event},
};
use std::collections::HashMap;

const SELECT: &str = "SELECT order_id, state FROM order_view WHERE order_id = ANY($1)";

/// Folds the events into their rows; answers which orders are at which version now.
pub async fn project(
    transaction: &Transaction<'_>,
    events: &[&RecordedEvent],
    keys: &KeyRing,
) -> Result<Vec<(OrderId, i64)>, HandleError> {
    let streams = by_stream(events);
    let ids: Vec<OrderId> =
        streams.keys().map(|stream| OrderId::parse(stream)).collect::<Result<_, _>>().map_err(HandleError::poison)?;
    let uuids: Vec<_> = ids.iter().map(OrderId::as_uuid).collect();
    let statement = transaction.prepare_cached(SELECT).await?;
    let mut known: HashMap<_, _> = HashMap::new();
    for row in transaction.query(&statement, &[&uuids]).await? {
        let Json(state) = row.try_get::<_, Json<Order>>(1)?;
        known.insert(OrderId::from_uuid(row.try_get(0)?), state);
    }
    let mut rows = Rows::default();
    for (id, events) in ids.into_iter().zip(streams.into_values()) {
        let before = known.remove(&id);
        let seen = before.as_ref().map_or(0, |order| order.version);
        let last = *events.last().expect("a stream in the map has events");
        if last.version > seen {
            rows.push(fold(before.unwrap_or_else(|| Order::of(id)), &events, keys)?, last);
        }
    }
    rows.write(transaction).await?;
    Ok(rows.states.iter().map(|Json(order)| (order.id, order.version)).collect())
}

fn fold(mut order: Order, events: &[&RecordedEvent], keys: &KeyRing) -> Result<Order, HandleError> {
    for event in events.iter().copied().filter(|event| event.version > 0) {
        if event.version <= order.version {
            continue;
        }
        MissingEvents::check(event, order.version)?;
        if OrderEvent::is_known(&event.event_type) {
            order = Order::evolve(order, &open_event::<OrderEvent>(event, keys)?);
        }
        // A type of the future changes nothing here, but the row has seen it.
        order.version = event.version;
    }
    Ok(order)
}

/// The columns of the rows to be written.
#[derive(Default)]
struct Rows {
    order_ids: Vec<uuid::Uuid>,
    numbers: Vec<String>,
    customer_ids: Vec<Option<uuid::Uuid>>,
    statuses: Vec<&'static str>,
    payment_statuses: Vec<&'static str>,
    fulfilment_statuses: Vec<&'static str>,
    currencies: Vec<&'static str>,
    totals: Vec<rust_decimal::Decimal>,
    placed_at: Vec<chrono::DateTime<chrono::Utc>>,
    updated_at: Vec<chrono::DateTime<chrono::Utc>>,
    open_exceptions: Vec<bool>,
    tags: Vec<Json<Vec<String>>>,
    product_ids: Vec<Json<Vec<uuid::Uuid>>>,
    versions: Vec<i64>,
    partitions: Vec<i32>,
    positions: Vec<i64>,
    states: Vec<Json<Order>>,
}

impl Rows {
    fn push(&mut self, order: Order, last: &RecordedEvent) {
        let mut products: Vec<_> = order.lines.iter().map(|line| line.product_id.as_uuid()).collect();
        products.sort_unstable();
        products.dedup();
        self.order_ids.push(order.id.as_uuid());
        self.numbers.push(order.number.clone());
        self.customer_ids.push(order.customer_id.map(|id| id.as_uuid()));
        self.statuses.push(order.status().as_str());
        self.payment_statuses.push(order.payment_status().as_str());
        self.fulfilment_statuses.push(order.fulfilment_status().as_str());
        self.currencies.push(order.currency.code());
        self.totals.push(order.totals.total);
        self.placed_at.push(order.placed_at);
        self.updated_at.push(order.updated_at);
        self.open_exceptions.push(order.exceptions.iter().any(|exception| exception.resolved_at.is_none()));
        self.tags.push(Json(order.tags.clone()));
        self.product_ids.push(Json(products));
        self.versions.push(order.version);
        self.partitions.push(last.partition);
        self.positions.push(last.position);
        self.states.push(Json(order));
    }

    async fn write(&self, transaction: &Transaction<'_>) -> Result<(), HandleError> {
        if self.order_ids.is_empty() {
            return Ok(());
        }
        let statement = transaction.prepare_cached(include_str!("../sql/upsert_orders.sql")).await?;
        transaction
            .execute(
                &statement,
                &[
                    &self.order_ids,
                    &self.numbers,
                    &self.customer_ids,
                    &self.statuses,
                    &self.payment_statuses,
                    &self.fulfilment_statuses,
                    &self.currencies,
                    &self.totals,
                    &self.placed_at,
                    &self.updated_at,
                    &self.open_exceptions,
                    &self.tags,
                    &self.product_ids,
                    &self.versions,
                    &self.partitions,
                    &self.positions,
                    &self.states,
                ],
            )
            .await?;
        Ok(())
    }
}
