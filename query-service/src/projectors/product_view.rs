//! `product_view`: one row per product with what it is and all its prices.

use super::{MissingEvents, by_stream};
use crate::read_models::products::{Price, Product};
use feeds::HandleError;
use pg::{deadpool_postgres::Transaction, tokio_postgres::types::Json};
use shared_events::{
    EventBody, ProductId, RecordedEvent,
    inventory::{InventoryEvent, ProductStatus},
    sealed::{KeyRing, open_event},
};
use std::collections::HashMap;

const SELECT: &str = "SELECT product_id, version, document FROM product_view WHERE product_id = ANY($1)";

/// Folds the events into their rows.
pub async fn project(transaction: &Transaction<'_>, events: &[&RecordedEvent]) -> Result<(), HandleError> {
    let streams = by_stream(events);
    let ids: Vec<ProductId> =
        streams.keys().map(|stream| ProductId::parse(stream)).collect::<Result<_, _>>().map_err(HandleError::poison)?;
    let uuids: Vec<_> = ids.iter().map(ProductId::as_uuid).collect();
    let statement = transaction.prepare_cached(SELECT).await?;
    let mut known: HashMap<_, _> = HashMap::new();
    for row in transaction.query(&statement, &[&uuids]).await? {
        let Json(product) = row.try_get::<_, Json<Product>>(2)?;
        known.insert(ProductId::from_uuid(row.try_get(0)?), product);
    }
    let mut rows = Rows::default();
    for (id, events) in ids.into_iter().zip(streams.into_values()) {
        let before = known.remove(&id);
        let seen = before.as_ref().map_or(0, |product| product.version);
        let last = *events.last().expect("a stream in the map has events");
        if last.version > seen
            && let Some(product) = fold(before, seen, &events)?
        {
            rows.push(product, last);
        }
    }
    rows.write(transaction).await
}

fn fold(
    mut product: Option<Product>,
    mut seen: i64,
    events: &[&RecordedEvent],
) -> Result<Option<Product>, HandleError> {
    for event in events.iter().copied() {
        if event.version <= seen {
            continue;
        }
        MissingEvents::check(event, seen)?;
        if InventoryEvent::is_known(&event.event_type) {
            product = evolve(product, open_event::<InventoryEvent>(event, &KeyRing::default())?);
        }
        seen = event.version;
    }
    Ok(product.map(|product| Product { version: seen, ..product }))
}

fn evolve(product: Option<Product>, event: InventoryEvent) -> Option<Product> {
    match (product, event) {
        (_, InventoryEvent::ProductCreated(event)) => Some(Product {
            product_id: event.product_id,
            details: event.product,
            status: ProductStatus::Active,
            prices: Vec::new(),
            created_at: event.occurred_at,
            updated_at: event.occurred_at,
            version: 0,
        }),
        (Some(product), InventoryEvent::ProductUpdated(event)) => {
            Some(Product { details: event.product, status: event.status, updated_at: event.occurred_at, ..product })
        }
        (Some(product), InventoryEvent::ProductArchived(event)) => {
            Some(Product { status: ProductStatus::Archived, updated_at: event.occurred_at, ..product })
        }
        (Some(mut product), InventoryEvent::PriceSet(event)) => {
            product.prices.push(Price { price: event.price, valid_from: event.valid_from, set_at: event.occurred_at });
            product.updated_at = event.occurred_at;
            Some(product)
        }
        (product, _) => product,
    }
}

/// The columns of the rows to be written.
#[derive(Default)]
struct Rows {
    product_ids: Vec<uuid::Uuid>,
    skus: Vec<String>,
    names: Vec<String>,
    statuses: Vec<&'static str>,
    versions: Vec<i64>,
    partitions: Vec<i32>,
    positions: Vec<i64>,
    documents: Vec<Json<Product>>,
}

impl Rows {
    fn push(&mut self, product: Product, last: &RecordedEvent) {
        self.product_ids.push(product.product_id.as_uuid());
        self.skus.push(product.details.sku.clone());
        self.names.push(product.details.name.clone());
        self.statuses.push(product.status_name());
        self.versions.push(product.version);
        self.partitions.push(last.partition);
        self.positions.push(last.position);
        self.documents.push(Json(product));
    }

    async fn write(&self, transaction: &Transaction<'_>) -> Result<(), HandleError> {
        if self.product_ids.is_empty() {
            return Ok(());
        }
        let statement = transaction.prepare_cached(include_str!("../sql/upsert_products.sql")).await?;
        transaction
            .execute(
                &statement,
                &[
                    &self.product_ids,
                    &self.skus,
                    &self.names,
                    &self.statuses,
                    &self.versions,
                    &self.partitions,
                    &self.positions,
                    &self.documents,
                ],
            )
            .await?;
        Ok(())
    }
}
