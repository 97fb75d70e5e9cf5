//! What happened to stock, and counts as of a moment.

use crate::shop::Shop;
use serde_json::{Value, json};
use shared_events::OrderId;

fn types(page: &Value) -> Vec<&str> {
    page["items"].as_array().unwrap().iter().map(|item| item["type"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn every_change_of_stock_is_listed_newest_first_with_its_cause() {
    let shop = Shop::open().await;
    let product = shop.product("MUG", 10).await;
    let path = format!("/api/inventory/{product}");
    shop.put(&path, json!({"delta": 5, "reason": "delivery"})).await;
    let order = OrderId::generate();
    shop.reserve(order, 1, &[(product, 4)]).await;
    shop.step(order, "release").await;

    let all = shop.get(&format!("{path}/movements")).await;
    let newest_first = ["ReservationReleased", "StockReserved", "StockReceived", "StockAdjusted"];
    assert_eq!(types(&all.body), newest_first);
    let reserved = &all.body["items"][1];
    assert_eq!(
        (&reserved["orderId"], &reserved["quantity"], &reserved["onHand"], &reserved["reserved"], &reserved["version"]),
        (&json!(order), &json!(4), &json!(15), &json!(4), &json!(3))
    );
    assert_eq!(all.body["items"][2]["reason"], "delivery");

    let page = shop.get(&format!("{path}/movements?limit=3")).await;
    let rest = shop.get(&format!("{path}/movements?limit=3&cursor={}", page.text("/nextCursor"))).await;
    assert_eq!([types(&page.body), types(&rest.body)].concat(), newest_first);
    assert_eq!(
        shop.get(&format!("/api/inventory/{}/movements", shared_events::ProductId::generate())).await.status,
        404
    );
}

#[tokio::test]
async fn a_bulk_count_is_absolute_as_of_its_moment_and_keeps_what_came_after() {
    let shop = Shop::open().await;
    let (mug, cup) = (shop.product("MUG", 10).await, shop.product("CUP", 1).await);
    let counted_at = web::request_context::now();
    shop.put(&format!("/api/inventory/{mug}"), json!({"delta": 5, "reason": "delivery after the count"})).await;
    shop.reserve(OrderId::generate(), 1, &[(mug, 4)]).await;

    let lines = format!(
        "{}\n{}\n",
        json!({"productId": mug, "onHand": 8, "asOf": counted_at, "reason": "stocktaking"}),
        json!({"sku": "CUP", "onHand": 1})
    );
    let bulk = shop.bulk("/api/inventory/bulk", &lines).await;
    assert_eq!(
        (&bulk.body["updated"], &bulk.body["existing"], &bulk.body["rejected"]),
        (&json!(1), &json!(1), &json!(0)),
        "{bulk:?}"
    );
    assert_eq!(shop.levels(mug).await, (13, 4, 9), "8 were counted, 5 came later, 4 are still reserved");
    assert_eq!(bulk.body["items"][0]["onHand"], 13);
    assert_eq!(shop.levels(cup).await, (1, 0, 1));
    shop.is_consistent().await;
}

#[tokio::test]
async fn a_count_that_comes_again_or_late_changes_nothing() {
    let shop = Shop::open().await;
    let mug = shop.product("MUG", 10).await;
    let earlier = web::request_context::now();
    shop.put(&format!("/api/inventory/{mug}"), json!({"delta": -1, "reason": "broken"})).await;
    let counted_at = web::request_context::now();
    let line = |on_hand: i64, as_of| json!({"productId": mug, "onHand": on_hand, "asOf": as_of}).to_string();
    let bulk = async |line: String| {
        let answer = shop.bulk("/api/inventory/bulk", &line).await;
        (answer.body["items"][0]["outcome"].clone(), shop.levels(mug).await.0)
    };
    assert_eq!(bulk(line(7, counted_at)).await, (json!("updated"), 7));
    assert_eq!(bulk(line(7, counted_at)).await, (json!("existing"), 7), "the same count is not applied twice");
    assert_eq!(bulk(line(9, earlier)).await, (json!("existing"), 7), "an older count does not undo a newer one");
    let later = web::request_context::now();
    shop.put(&format!("/api/inventory/{mug}"), json!({"delta": 3})).await;
    assert_eq!(bulk(line(6, later)).await, (json!("updated"), 9), "6 were counted and 3 came since");
    shop.put(&format!("/api/inventory/{mug}"), json!({"onHand": 20})).await;
    assert_eq!(bulk(line(6, later)).await, (json!("existing"), 20), "somebody counted since");
    shop.is_consistent().await;
}

#[tokio::test]
async fn lines_of_a_bulk_count_stand_alone_and_say_what_is_wrong() {
    let shop = Shop::open().await;
    let product = shop.product("MUG", 10).await;
    shop.reserve(OrderId::generate(), 1, &[(product, 4)]).await;
    let tomorrow = web::request_context::now() + chrono::TimeDelta::days(1);
    let wrong = [
        (json!({"sku": "NONE", "onHand": 1}), "NOT_FOUND", "/sku"),
        (json!({"onHand": 1}), "VALIDATION_FAILED", "/productId"),
        (json!({"sku": "MUG", "productId": product, "onHand": 1}), "VALIDATION_FAILED", "/productId"),
        (json!({"sku": "MUG", "onHand": -1}), "VALIDATION_FAILED", "/onHand"),
        (json!({"sku": "MUG", "onHand": 1, "asOf": tomorrow}), "VALIDATION_FAILED", "/asOf"),
        (json!({"sku": "MUG", "onHand": 1, "location": "nowhere"}), "VALIDATION_FAILED", "/location"),
        (json!({"sku": "MUG", "onHand": 1, "surprise": 1}), "UNKNOWN_FIELD", "/surprise"),
    ];
    let mut lines: Vec<String> = wrong.iter().map(|(line, ..)| line.to_string()).collect();
    lines.push(json!({"sku": "MUG", "onHand": 3}).to_string());
    lines.push(json!({"sku": "MUG", "onHand": 12}).to_string());
    lines.push(json!({"sku": "MUG", "onHand": 20}).to_string());
    let bulk = shop.bulk("/api/inventory/bulk", &lines.join("\n")).await;
    for (at, (_, code, pointer)) in wrong.iter().enumerate() {
        let item = &bulk.body["items"][at];
        assert_eq!((&item["outcome"], &item["code"]), (&json!("rejected"), &json!(code)), "{item}");
        assert_eq!(item["errors"][0]["pointer"], *pointer, "{item}");
    }
    assert_eq!(bulk.body["items"][7]["code"], "INSUFFICIENT_STOCK", "fewer than are reserved");
    assert_eq!((&bulk.body["rejected"], &bulk.body["updated"]), (&json!(8), &json!(2)));
    assert_eq!(shop.levels(product).await, (20, 4, 16), "the last line wins");
    shop.is_consistent().await;
}
