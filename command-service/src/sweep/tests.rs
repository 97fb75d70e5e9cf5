use super::*;
use crate::{
    carts::Carts,
    discounts::{Terms, Use},
    keys::KeyStore,
};
use chrono::TimeDelta;
use eventstore::{EventLog, LogConfig};
use order::pricing::DiscountKind;
use rust_decimal::Decimal;
use service::Lifecycle;
use shared_events::{Currency, OrderId};
use test_support::TestDatabase;

async fn sweep() -> (TestDatabase, Sweep) {
    let database = test_support::database().await;
    let pool = crate::open_schema(&database).await.unwrap();
    let config = LogConfig { name: crate::LOG, partitions: 2, writers: 1 };
    let log = EventLog::open(pool.clone(), config, &Lifecycle::new().spawner()).await.unwrap();
    let orders = Orders::new(log, KeyStore::new(pool.clone()));
    (database, Sweep { pool: pool.clone(), orders, discounts: Discounts { pool } })
}

/// A discount whose limit two attempts have used up; the first of them was left behind.
async fn claimed_twice(discounts: &Discounts) {
    let terms = Terms {
        code: "TEN".to_owned(),
        kind: DiscountKind::Percentage,
        value: Decimal::TEN,
        currency: None,
        written: "10".into(),
        valid_from: None,
        valid_to: None,
        limit: Some(2),
        limit_per_customer: None,
    };
    discounts.insert(&terms).await.unwrap().unwrap();
    for order_number in ["R-1", "R-2"] {
        let wanted = Use { code: "TEN", order_number, order_id: OrderId::generate(), customer: None };
        assert!(discounts.claim(wanted).await.unwrap());
    }
    let age = "UPDATE discount_use SET claimed_at = now() - interval '11 minutes' WHERE order_number = 'R-1'";
    discounts.pool.get().await.unwrap().execute(age, &[]).await.unwrap();
}

#[tokio::test]
async fn abandoned_carts_go_and_claims_without_an_order_are_given_back() {
    let (_database, sweep) = sweep().await;
    let carts = Carts { pool: sweep.pool.clone(), time_to_live: TimeDelta::days(30) };
    let (kept, abandoned) =
        (carts.open(None, Currency::EUR).await.unwrap(), carts.open(None, Currency::EUR).await.unwrap());
    claimed_twice(&sweep.discounts).await;
    let client = sweep.pool.get().await.unwrap();
    let age = "UPDATE cart SET expires_at = now() - interval '1 second' WHERE cart_id = $1";
    client.execute(age, &[&abandoned.cart_id.as_uuid()]).await.unwrap();

    sweep.once().await.unwrap();
    let left = client.query("SELECT cart_id FROM cart", &[]).await.unwrap();
    assert_eq!(left.iter().map(|row| row.get(0)).collect::<Vec<uuid::Uuid>>(), [kept.cart_id.as_uuid()]);
    let uses = sweep.discounts.find("TEN").await.unwrap().unwrap().uses;
    assert_eq!(uses, 1, "the younger claim may still become an order");
}

#[tokio::test]
async fn claims_are_given_back_although_nothing_can_be_deleted() {
    let (_database, sweep) = sweep().await;
    claimed_twice(&sweep.discounts).await;
    sweep.pool.get().await.unwrap().batch_execute("DROP TABLE cart; DROP TABLE quote").await.unwrap();
    sweep.once().await.unwrap_err();
    assert_eq!(sweep.discounts.find("TEN").await.unwrap().unwrap().uses, 1);
}

#[tokio::test]
async fn a_quote_is_kept_for_a_day_and_one_that_became_an_order_for_a_month() {
    let (_database, sweep) = sweep().await;
    let client = sweep.pool.get().await.unwrap();
    let quotes = "INSERT INTO quote (quote_id, order_id, content, expires_at, ordered_at)
        SELECT gen_random_uuid(), gen_random_uuid(), to_jsonb(name), now() - over, now() - ordered
        FROM (VALUES
            ('fresh', interval '-10 minutes', NULL::interval),
            ('just over', interval '23 hours', NULL),
            ('long over', interval '25 hours', NULL),
            ('ordered', interval '29 days', interval '29 days'),
            ('ordered long ago', interval '31 days', interval '31 days')) AS quote (name, over, ordered)";
    assert_eq!(client.execute(quotes, &[]).await.unwrap(), 5);
    sweep.once().await.unwrap();
    let left = client.query("SELECT content #>> '{}' FROM quote ORDER BY expires_at DESC", &[]).await.unwrap();
    let left: Vec<String> = left.iter().map(|row| row.get(0)).collect();
    assert_eq!(left, ["fresh", "just over", "ordered"]);
}

#[tokio::test]
async fn old_quotes_are_found_by_their_indexes() {
    let (_database, sweep) = sweep().await;
    let client = sweep.pool.get().await.unwrap();
    client.batch_execute("SET enable_seqscan = off; SET enable_sort = off").await.unwrap();
    for (statement, index) in [(UNUSED_QUOTES, "quote_expires_at"), (ORDERED_QUOTES, "quote_ordered_at")] {
        let plan = client.query(&format!("EXPLAIN {statement}"), &[]).await.unwrap();
        let plan: Vec<String> = plan.iter().map(|row| row.get(0)).collect();
        assert!(plan.iter().any(|step| step.contains(&format!("Index Scan using {index} "))), "{plan:#?}");
    }
}
