//! Products and their prices: rows as the fold of their streams, in the catalogue and in `product_view`.

use super::Opened;
use crate::verify::check::Check;
use crate::verify::difference;
use crate::verify::views::Views;
use anyhow::Context;
use chrono::{DateTime, Utc};
use pg::tokio_postgres::{Client, Row, types::Json};
use query_service::read_models::products::{Price, Product};
use rust_decimal::Decimal;
use serde_json::value::RawValue;
use shared_events::inventory::{InventoryEvent, PRODUCT_STREAM, ProductDetails, ProductStatus};
use std::collections::{BTreeMap, HashMap};
use std::time::Instant;
use uuid::Uuid;

/// Compares rows with folds.
pub struct Catalogue<'a> {
    views: Option<&'a Views>,
    products: Check,
    view: Check,
    rows: u64,
    view_rows: u64,
}

struct Folded<'a> {
    stream_id: &'a str,
    product: Product,
    shown: Option<(Product, i64)>,
}

impl<'a> Catalogue<'a> {
    /// Nothing compared yet.
    pub fn new(views: Option<&'a Views>) -> Self {
        let (products, view) = (Check::new("products", "products"), Check::new("product_view", "products"));
        Self { views, products, view, rows: 0, view_rows: 0 }
    }

    /// Compares the products among some streams of a partition.
    pub async fn compare(&mut self, client: &Client, batch: &[Opened], partition: i32) -> anyhow::Result<()> {
        let seen_to = self.views.map_or(0, |views| views.progress.position("inventory", partition));
        let folded: Vec<Folded<'_>> = batch.iter().filter_map(|opened| fold(opened, seen_to)).collect();
        if folded.is_empty() {
            return Ok(());
        }
        let ids: Vec<Uuid> = folded.iter().map(|folded| folded.product.product_id.as_uuid()).collect();
        let rows = client
            .query(include_str!("../sql/product_rows.sql"), &[&ids])
            .await
            .context("the products cannot be read")?;
        self.rows += rows.len() as u64;
        let rows: HashMap<Uuid, Row> = rows.into_iter().map(|row| (row.get(0), row)).collect();
        let mut prices = prices(client, &ids).await?;
        for folded in &folded {
            let id = folded.product.product_id.as_uuid();
            self.products.saw(1);
            let told = match rows.get(&id) {
                Some(row) => row_difference(row, &folded.product)
                    .or_else(|| price_difference(&prices.remove(&id).unwrap_or_default(), &folded.product)),
                None => Some("has no row".to_owned()),
            };
            if let Some(told) = told {
                self.products.wrong(|| format!("{}: {told}", folded.stream_id));
            }
        }
        self.compare_view(client, &folded, &ids, partition).await
    }

    async fn compare_view(
        &mut self,
        client: &Client,
        folded: &[Folded<'_>],
        ids: &[Uuid],
        partition: i32,
    ) -> anyhow::Result<()> {
        let Some(views) = self.views else { return Ok(()) };
        let rows = client
            .query(include_str!("../sql/product_view_rows.sql"), &[&ids])
            .await
            .context("product_view cannot be read")?;
        self.view_rows += rows.len() as u64;
        let rows: HashMap<Uuid, Row> = rows.into_iter().map(|row| (row.get(0), row)).collect();
        for Folded { stream_id, product, shown } in folded {
            if views.progress.is_parked("inventory", stream_id) {
                continue;
            }
            self.view.saw(1);
            let told = match (shown, rows.get(&product.product_id.as_uuid())) {
                (Some((product, position)), Some(row)) => view_difference(row, product, partition, *position),
                (Some(_), None) => Some("has no row".to_owned()),
                (None, Some(_)) => Some("has a row before its first event was read".to_owned()),
                (None, None) => None,
            };
            if let Some(told) = told {
                self.view.wrong(|| format!("{stream_id}: {told}"));
            }
        }
        Ok(())
    }

    /// Rows that no stream accounts for come last.
    pub async fn done(mut self, client: &Client, is_whole: bool, since: Instant) -> anyhow::Result<Vec<Check>> {
        let count: i64 = client.query_one("select count(*) from inventory.product", &[]).await?.get(0);
        if is_whole {
            told_more(&mut self.products, count, self.rows);
        }
        let mut checks = vec![self.products.done(since)];
        if self.views.is_some() {
            let count: i64 = client.query_one("select count(*) from product_view", &[]).await?.get(0);
            if is_whole {
                told_more(&mut self.view, count, self.view_rows);
            }
            checks.push(self.view.done(since));
        }
        Ok(checks)
    }
}

fn told_more(check: &mut Check, count: i64, accounted_for: u64) {
    let more = count - i64::try_from(accounted_for).unwrap_or(i64::MAX);
    if more > 0 {
        check.wrong(|| format!("there are {more} rows without a stream that accounts for them"));
    }
}

fn fold(opened: &Opened, seen_to: i64) -> Option<Folded<'_>> {
    let (first, _) = opened.first().filter(|(first, _)| first.stream_type == PRODUCT_STREAM)?;
    let mut product: Option<Product> = None;
    let mut shown = None;
    for (recorded, event) in opened {
        if let Some(event) = event {
            product = evolve(product, event);
        }
        if let Some(product) = &mut product {
            product.version = recorded.version;
            if recorded.position <= seen_to {
                shown = Some((product.clone(), recorded.position));
            }
        }
    }
    Some(Folded { stream_id: &first.stream_id, product: product?, shown })
}

fn evolve(product: Option<Product>, event: &InventoryEvent) -> Option<Product> {
    let change = |product: Option<Product>, change: &dyn Fn(&mut Product)| {
        product.map(|mut product| {
            change(&mut product);
            product
        })
    };
    match event {
        InventoryEvent::ProductCreated(event) => Some(Product {
            product_id: event.product_id,
            details: event.product.clone(),
            status: ProductStatus::Active,
            prices: Vec::new(),
            created_at: event.occurred_at,
            updated_at: event.occurred_at,
            version: 0,
        }),
        InventoryEvent::ProductUpdated(event) => change(product, &|product| {
            product.details = event.product.clone();
            product.status = event.status;
            product.updated_at = event.occurred_at;
        }),
        InventoryEvent::ProductArchived(event) => change(product, &|product| {
            product.status = ProductStatus::Archived;
            product.updated_at = event.occurred_at;
        }),
        InventoryEvent::PriceSet(event) => change(product, &|product| {
            let (price, valid_from, set_at) = (event.price, event.valid_from, event.occurred_at);
            product.prices.push(Price { price, valid_from, set_at });
            product.updated_at = event.occurred_at;
        }),
        _ => product,
    }
}

type Prices = BTreeMap<(String, DateTime<Utc>), Decimal>;

async fn prices(client: &Client, ids: &[Uuid]) -> anyhow::Result<HashMap<Uuid, Prices>> {
    let rows =
        client.query(include_str!("../sql/price_rows.sql"), &[&ids]).await.context("the prices cannot be read")?;
    let mut prices: HashMap<Uuid, Prices> = HashMap::new();
    for row in rows {
        prices.entry(row.get(0)).or_default().insert((row.get(1), row.get(2)), row.get(3));
    }
    Ok(prices)
}

fn price_difference(found: &Prices, product: &Product) -> Option<String> {
    let mut expected = Prices::new();
    for price in &product.prices {
        // The table keeps microseconds; a second price for the very same moment replaces the first.
        let from = DateTime::from_timestamp_micros(price.valid_from.timestamp_micros()).unwrap_or(price.valid_from);
        expected.insert((price.price.currency().code().to_owned(), from), price.price.amount());
    }
    (*found != expected).then(|| format!("its prices are {found:?} and should be {expected:?}"))
}

fn row_difference(row: &Row, product: &Product) -> Option<String> {
    let details = ProductDetails {
        sku: row.get("sku"),
        name: row.get("name"),
        description: row.get("description"),
        tax_class: row.get("tax_class"),
        channel: row.get("channel"),
        legal_entity: row.get("legal_entity"),
        external_id: row.get("external_id"),
        attributes: serde_json::from_value(row.get("attributes")).unwrap_or_default(),
        backorder: row.get("backorder"),
        low_stock_threshold: row.get("low_stock_threshold"),
        images: serde_json::from_value(row.get("images")).unwrap_or_default(),
    };
    if details != product.details {
        return Some(format!("is {details:?} and should be {:?}", product.details));
    }
    let found: (String, i64) = (row.get("status"), row.get("version"));
    let expected = (product.status_name().to_owned(), product.version);
    if found != expected {
        return Some(format!("is {found:?} and should be {expected:?}"));
    }
    let moments: [(&str, DateTime<Utc>); 2] = [("created_at", product.created_at), ("updated_at", product.updated_at)];
    moments.into_iter().find_map(|(name, expected)| {
        let found: DateTime<Utc> = row.get(name);
        ((found - expected).num_milliseconds().abs() > 0).then(|| format!("{name} is {found} and should be {expected}"))
    })
}

fn view_difference(row: &Row, product: &Product, partition: i32, position: i64) -> Option<String> {
    let found: (Uuid, String, String, String, i64, i32, i64) =
        (row.get(0), row.get(1), row.get(2), row.get(3), row.get(4), row.get(5), row.get(6));
    let expected = (
        product.product_id.as_uuid(),
        product.details.sku.clone(),
        product.details.name.clone(),
        product.status_name().to_owned(),
        product.version,
        partition,
        position,
    );
    if found != expected {
        return Some(format!("is {found:?} and should be {expected:?}"));
    }
    let document: Json<Box<RawValue>> = row.get("document");
    let told = difference::between(&serde_json::to_vec(product).ok()?, document.0.get().as_bytes());
    told.map(|told| format!("document {told}"))
}
