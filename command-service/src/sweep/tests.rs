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

#[tokio::test]
async fn abandoned_carts_go_and_claims_without_an_order_are_given_back() {
    let database = test_support::database().await;
    let pool = crate::open_schema(&database).await.unwrap();
    let config = LogConfig { name: crate::LOG, partitions: 2, writers: 1 };
    let log = EventLog::open(pool.clone(), config, &Lifecycle::new().spawner()).await.unwrap();
    let discounts = Discounts { pool: pool.clone() };
    let sweep = Sweep {
        pool: pool.clone(),
        orders: Orders::new(log, KeyStore::new(pool.clone())),
        discounts: discounts.clone(),
    };
    let carts = Carts { pool: pool.clone(), time_to_live: TimeDelta::days(30) };
    let (kept, abandoned) =
        (carts.open(None, Currency::EUR).await.unwrap(), carts.open(None, Currency::EUR).await.unwrap());
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
    let client = pool.get().await.unwrap();
    let age = "UPDATE cart SET expires_at = now() - interval '1 second' WHERE cart_id = $1";
    client.execute(age, &[&abandoned.cart_id.as_uuid()]).await.unwrap();
    let age = "UPDATE discount_use SET claimed_at = now() - interval '11 minutes' WHERE order_number = 'R-1'";
    client.execute(age, &[]).await.unwrap();

    sweep.once().await.unwrap();
    let left = client.query("SELECT cart_id FROM cart", &[]).await.unwrap();
    assert_eq!(left.iter().map(|row| row.get(0)).collect::<Vec<uuid::Uuid>>(), [kept.cart_id.as_uuid()]);
    assert_eq!(discounts.find("TEN").await.unwrap().unwrap().uses, 1, "the younger claim may still become an order");
}
