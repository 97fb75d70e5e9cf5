//! Counting and correcting stock.

use crate::shop::{Shop, client};
use http::Method;
use serde_json::json;
use shared_events::{OrderId, ProductId};

#[tokio::test]
async fn stock_is_counted_or_changed_and_answers_at_once() {
    let shop = Shop::open().await;
    let product = shop.product("MUG", 0).await;
    let path = format!("/api/inventory/{product}");
    let counted = shop.put(&path, json!({"onHand": 10, "reason": "first count"})).await;
    assert_eq!(counted.body, json!({"productId": product, "onHand": 10, "reserved": 0, "available": 10, "version": 1}));
    assert_eq!(counted.header("etag"), "\"1\"");
    assert_eq!(counted.header("oms-consistency"), format!("{}@1", product.stock()));
    let received = shop.put(&path, json!({"delta": 5, "reason": "delivery"})).await;
    assert_eq!(received.body["onHand"], 15);
    let lost = shop.put(&path, json!({"delta": -1, "reason": "broken"})).await;
    assert_eq!(lost.body["onHand"], 14);
    assert_eq!(shop.get(&path).await.body, lost.body);
    let types = shop.types(&product.stock().to_string()).await;
    assert_eq!(types, ["StockAdjusted", "StockReceived", "StockAdjusted"]);
    let same = shop.put(&path, json!({"onHand": 14})).await;
    assert_eq!(same.body["version"], 3, "a count that finds what was known is no event");
    shop.is_consistent().await;
}

#[tokio::test]
async fn stock_never_falls_below_what_is_reserved() {
    let shop = Shop::open().await;
    let product = shop.product("MUG", 10).await;
    shop.reserve(OrderId::generate(), 1, &[(product, 4)]).await;
    let path = format!("/api/inventory/{product}");
    for body in [json!({"onHand": 3}), json!({"delta": -7}), json!({"delta": -11})] {
        let refused = shop.put(&path, body).await;
        assert_eq!((refused.status.as_u16(), refused.code()), (409, "INSUFFICIENT_STOCK"));
    }
    assert_eq!(shop.put(&path, json!({"onHand": 4})).await.status, 200);
    assert_eq!(shop.levels(product).await, (4, 4, 0));
    shop.is_consistent().await;
}

#[tokio::test]
async fn exactly_one_of_count_and_difference_is_given() {
    let shop = Shop::open().await;
    let product = shop.product("MUG", 0).await;
    let path = format!("/api/inventory/{product}");
    for body in
        [json!({}), json!({"onHand": 1, "delta": 1}), json!({"onHand": -1}), json!({"delta": 2_000_000_000_000_i64})]
    {
        let refused = shop.put(&path, body).await;
        assert_eq!((refused.status.as_u16(), refused.code()), (422, "VALIDATION_FAILED"));
    }
    for body in [json!({"onHand": "7"}), json!({"onHand": 1.5}), json!({"onHand": 1e30})] {
        let refused = shop.put(&path, body).await;
        assert_eq!((refused.status.as_u16(), refused.code()), (400, "MALFORMED_JSON"));
    }
    let absent = shop.put(&format!("/api/inventory/{}", ProductId::generate()), json!({"onHand": 1})).await;
    assert_eq!(absent.status, 404);
}

#[tokio::test]
async fn a_count_may_name_the_version_that_was_seen() {
    let shop = Shop::open().await;
    let product = shop.product("MUG", 5).await;
    let path = format!("/api/inventory/{product}");
    let put = async |tag: &str| {
        shop.send_as(Some(client()), Method::PUT, &path, json!({"delta": 1}), &[("if-match", tag)]).await
    };
    assert_eq!(put("\"1\"").await.status, 200);
    assert_eq!(put("\"1\"").await.code(), "VERSION_MISMATCH");
    assert_eq!(put("*").await.status, 200);
}

#[tokio::test]
async fn what_is_running_out_can_be_listed() {
    let shop = Shop::open().await;
    let (few, many) = (shop.product("FEW", 2).await, shop.product("MANY", 20).await);
    shop.reserve(OrderId::generate(), 1, &[(many, 19)]).await;
    shop.product("FULL", 50).await;
    let low = shop.get("/api/inventory?below=5").await.body;
    let ids: Vec<_> = low["items"].as_array().unwrap().iter().map(|item| item["productId"].clone()).collect();
    assert_eq!(ids, [json!(few), json!(many)]);
    assert_eq!(shop.get("/api/inventory?below=x").await.code(), "INVALID_PARAMETER");
}

#[tokio::test]
async fn stock_that_falls_below_its_threshold_is_said_once() {
    let shop = Shop::open().await;
    let product = shop.product("MUG", 10).await;
    shop.put(&format!("/api/products/{product}"), json!({"lowStockThreshold": 5})).await;
    for _ in 0..7 {
        shop.reserve(OrderId::generate(), 1, &[(product, 1)]).await;
    }
    let types = shop.types(&product.stock().to_string()).await;
    assert_eq!(types, ["StockAdjusted", "LowStockReached"]);
    shop.put(&format!("/api/inventory/{product}"), json!({"delta": 10})).await;
    shop.put(&format!("/api/inventory/{product}"), json!({"delta": -10})).await;
    assert_eq!(shop.types(&product.stock().to_string()).await.len(), 5);
    shop.is_consistent().await;
}

#[tokio::test]
async fn a_product_on_backorder_may_be_promised_beyond_what_is_there() {
    let shop = Shop::open().await;
    let product = shop.product("MUG", 1).await;
    let path = format!("/api/products/{product}");
    shop.put(&path, json!({"backorder": true})).await;
    assert_eq!(shop.reserve(OrderId::generate(), 1, &[(product, 3)]).await.status, 201);
    assert_eq!(shop.levels(product).await, (1, 3, 0));
    let refused = shop.put(&path, json!({"backorder": false})).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (409, "INSUFFICIENT_STOCK"));
    shop.is_consistent().await;
}
