//! The read tables are what the logs say: delivered twice is once, and rebuilt from zero is the same.

use crate::shop::{Shop, append, moment, paid, tagged};
use feeds::{Page, Projector as _};
use pg::Pool;
use query_service::{cache::OrderCache, projectors::ReadTables, read_models::orders::Orders};
use service::KeyClient;
use shared_events::{
    OrderId, UserId,
    inventory::{InventoryEvent, RESERVATION_STREAM, StockLine, StockReserved},
};
use std::sync::Arc;

const TABLES: [(&str, &str); 4] = [
    ("order_view", "order_id"),
    ("product_view", "product_id"),
    ("stock_view", "product_id, location"),
    ("invoice_view", "document_id"),
];

/// Everything in the read tables, as text.
pub(crate) async fn dump(pool: &Pool) -> Vec<String> {
    let client = pool.get().await.unwrap();
    let mut rows = Vec::new();
    for (table, key) in TABLES {
        for row in client.query(&format!("SELECT t::text FROM {table} t ORDER BY {key}"), &[]).await.unwrap() {
            rows.push(format!("{table}: {}", row.get::<_, String>(0)));
        }
    }
    rows
}

/// All events of all logs, in pages of that size.
async fn pages(shop: &Shop, size: usize) -> Vec<Page> {
    let mut pages = Vec::new();
    for log in [&shop.orders, &shop.inventory, &shop.invoices] {
        for partition in 0..log.partitions() {
            let events = log.read_partition(partition, 0, 1_000).await.unwrap().events;
            for events in events.chunks(size) {
                pages.push(Page { log: log.name().into(), partition, events: events.to_vec() });
            }
        }
    }
    pages
}

pub(crate) async fn busy_shop() -> Shop {
    let shop = Shop::open().await;
    let user = UserId::generate();
    let mut seen = Vec::new();
    let (product, stocked) = shop.product("MUG", 25).await;
    seen.extend(stocked.0);
    for index in 0..6 {
        let (id, key, _) = shop.place_at(Some(user), &format!("R-00000004{index}"), moment(index)).await;
        let line = StockLine {
            product_id: product,
            location: "default".to_owned(),
            quantity: 1,
            on_hand: 25,
            reserved: index + 1,
            stock_version: index + 2,
        };
        let reserved: InventoryEvent = StockReserved {
            order_id: id,
            revision: 1,
            lines: vec![line],
            expires_at: None,
            occurred_at: moment(index),
        }
        .into();
        append(&shop.inventory, &id.to_string(), RESERVATION_STREAM, None, [reserved]).await;
        seen.extend(shop.happens(id, &key, [paid(), tagged(&["a", "b"])]).await.0);
    }
    seen.push((product.stock().to_string(), 7));
    assert_eq!(shop.get("/api/orders", &web::Consistency(seen)).await.status, 200);
    shop
}

fn read_tables(shop: &Shop, pool: &Pool) -> ReadTables {
    let cache = OrderCache::new(Orders::new(pool.clone()));
    ReadTables::new(1, KeyClient::new(shop.deps.peers.command.clone()), Arc::new(cache))
}

async fn deliver(tables: &ReadTables, pool: &Pool, pages: &[Page]) {
    let mut client = pool.get().await.unwrap();
    let transaction = client.transaction().await.unwrap();
    tables.handle(&transaction, pages).await.unwrap();
    transaction.commit().await.unwrap();
}

#[tokio::test]
async fn a_page_that_is_delivered_twice_changes_nothing() {
    let shop = busy_shop().await;
    let pool = shop.deps.database.pool("query_1", Some("oms_query")).await.unwrap();
    let before = dump(&pool).await;
    assert!(before.len() >= 8, "{before:?}");
    let tables = read_tables(&shop, &pool);
    for page in pages(&shop, 2).await {
        deliver(&tables, &pool, &[page]).await;
    }
    deliver(&tables, &pool, &pages(&shop, 1_000).await).await;
    assert_eq!(dump(&pool).await, before);
}

#[tokio::test]
async fn tables_that_are_rebuilt_from_zero_are_the_live_ones() {
    let shop = busy_shop().await;
    let live = dump(&shop.pool).await;
    for (schema, size, reversed) in [("rebuilt_in_small_pages", 1, true), ("rebuilt_in_large_pages", 1_000, false)] {
        shop.deps.database.ensure_owner("oms_query", &[schema]).await.unwrap();
        let pool = shop.deps.database.pool(schema, Some("oms_query")).await.unwrap();
        let made = include_str!("../../src/sql/generation/tables.sql");
        pool.get().await.unwrap().batch_execute(made).await.unwrap();
        let tables = read_tables(&shop, &pool);
        let mut pages = pages(&shop, size).await;
        if reversed {
            // Partitions and logs have no order among them; within one the order stays.
            pages
                .sort_by_key(|page| (page.log.to_string(), std::cmp::Reverse(page.partition), page.events[0].position));
        }
        for page in pages {
            deliver(&tables, &pool, &[page]).await;
        }
        assert_eq!(dump(&pool).await, live, "{schema}");
    }
}

#[tokio::test]
async fn a_type_of_the_future_moves_the_version_and_nothing_else() {
    let shop = Shop::open().await;
    let (id, _, seen) = shop.place(None, "R-000000050").await;
    let before = shop.get(&format!("/api/orders/{id}"), &seen).await.body;
    let future = eventstore::Append {
        stream_id: id.to_string(),
        stream_type: "Order",
        expected: eventstore::Expected::Any,
        command_id: None,
        events: vec![shared_events::NewEvent {
            event_id: shared_events::EventId::generate(),
            event_type: "OrderTeleported",
            schema_version: 1,
            payload: "{}".into(),
        }],
        metadata: crate::shop::metadata(),
        claim: None,
    };
    let version = shop.orders.append(future).await.unwrap().version;
    let mut after = shop.get(&format!("/api/orders/{id}"), &web::Consistency::of(id, version)).await.body;
    assert_eq!(after["version"], 2);
    after["version"] = before["version"].clone();
    assert_eq!(after, before);
}

#[tokio::test]
async fn what_was_erased_reads_as_null_after_a_rebuild() {
    let shop = Shop::open().await;
    let id = OrderId::generate();
    // A key that command-service does not have: it was erased.
    let lost = shared_events::sealed::SealingKey::generate();
    let order = crate::shop::placed(None, "R-000000051", moment(0));
    let seen = shop.happens(id, &lost, [order.into()]).await;
    let answer = shop.get(&format!("/api/orders/{id}"), &seen).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(
        answer.body["contact"].is_null() && answer.body["shippingAddress"].is_null() && answer.body["note"].is_null()
    );
    let row = shop.pool.get().await.unwrap().query_one("SELECT state::text FROM order_view", &[]).await.unwrap();
    assert!(!row.get::<_, String>(0).contains("ann@example.org"));
}
