//! Reservations: held, attached, confirmed, given up; never oversold.

use crate::shop::{Shop, caller, client};
use http::Method;
use serde_json::{Value, json};
use shared_events::{OrderId, ProductId};
use std::sync::Arc;
use tokio::task::JoinSet;
use web::{CallerKind, Scopes};

#[tokio::test]
async fn all_lines_are_held_or_none() {
    let shop = Shop::open().await;
    let (mug, cup, jug) = (shop.product("MUG", 5).await, shop.product("CUP", 2).await, shop.product("JUG", 1).await);
    let order = OrderId::generate();
    let short = shop.reserve(order, 1, &[(mug, 5), (cup, 2), (jug, 2), (cup, 1)]).await;
    assert_eq!((short.status.as_u16(), short.code()), (409, "INSUFFICIENT_STOCK"));
    let unavailable = json!([
        {"productId": cup, "requested": 3, "available": 2},
        {"productId": jug, "requested": 2, "available": 1},
    ]);
    assert_eq!(short.body["unavailable"], unavailable, "every short line is named, duplicates summed");
    assert_eq!(shop.levels(mug).await, (5, 0, 5));
    assert_eq!(shop.get(&format!("/api/inventory/reservations/{order}")).await.status, 404);

    let held = shop.reserve(order, 1, &[(mug, 3), (cup, 1), (mug, 2)]).await;
    assert_eq!(held.status, 201, "{held:?}");
    assert_eq!(held.header("location"), format!("/api/inventory/reservations/{order}"));
    assert_eq!(held.header("etag"), "\"1\"");
    assert_eq!(held.header("oms-consistency"), format!("{}@2,{}@2", mug.stock(), cup.stock()));
    assert_eq!(held.body["state"], "PENDING");
    assert_eq!(held.body["lines"][0], json!({"productId": mug, "quantity": 5, "stockVersion": 2}));
    assert!(held.body["expiresAt"].is_string());
    assert_eq!(shop.levels(mug).await, (5, 5, 0));
    assert_eq!(shop.reservation(order).await, held.body);
    shop.is_consistent().await;
}

#[tokio::test]
async fn a_revision_that_is_not_newer_changes_nothing() {
    let shop = Shop::open().await;
    let product = shop.product("MUG", 5).await;
    let order = OrderId::generate();
    let first = shop.reserve(order, 2, &[(product, 3)]).await;
    for revision in [1, 2] {
        let repeat = shop.reserve(order, revision, &[(product, 5)]).await;
        assert_eq!((repeat.status.as_u16(), &repeat.body), (200, &first.body));
    }
    let more = shop.reserve(order, 3, &[(product, 5)]).await;
    assert_eq!((more.status.as_u16(), &more.body["revision"]), (200, &json!(3)));
    assert_eq!(shop.levels(product).await, (5, 5, 0));
    let too_many = shop.reserve(order, 4, &[(product, 6)]).await;
    assert_eq!(too_many.body["unavailable"], json!([{"productId": product, "requested": 6, "available": 5}]));
    let fewer = shop.reserve(order, 4, &[(product, 1)]).await;
    assert_eq!(fewer.body["state"], "PENDING");
    assert_eq!(shop.levels(product).await, (5, 1, 4));
    assert_eq!(shop.types(&order.to_string()).await, ["StockReserved", "ReservationChanged", "ReservationChanged"]);
    shop.is_consistent().await;
}

#[tokio::test]
async fn a_release_leaves_a_tombstone_that_a_late_reserve_cannot_revive() {
    let shop = Shop::open().await;
    let product = shop.product("MUG", 5).await;
    let order = OrderId::generate();
    shop.reserve(order, 2, &[(product, 3)]).await;
    let released = shop.step(order, "release").await;
    assert_eq!((released.status.as_u16(), &released.body["state"]), (200, &json!("RELEASED")));
    assert_eq!(shop.levels(product).await, (5, 0, 5));
    assert_eq!(shop.step(order, "release").await.body, released.body);
    for revision in [1, 2] {
        let late = shop.reserve(order, revision, &[(product, 3)]).await;
        assert_eq!((late.status.as_u16(), &late.body["state"]), (200, &json!("RELEASED")));
    }
    for step in ["attach", "confirm"] {
        let refused = shop.step(order, step).await;
        assert_eq!((refused.status.as_u16(), refused.code()), (409, "ILLEGAL_TRANSITION"));
    }
    assert_eq!(shop.reserve(order, 3, &[(product, 3)]).await.status, 201);
    assert_eq!(shop.levels(product).await, (5, 3, 2));
    shop.is_consistent().await;
}

#[tokio::test]
async fn a_release_that_comes_first_keeps_the_reserve_out() {
    let shop = Shop::open().await;
    let product = shop.product("MUG", 5).await;
    let order = OrderId::generate();
    assert_eq!(shop.step(order, "attach").await.status, 404);
    assert_eq!(shop.step(order, "release").await.body["state"], "RELEASED");
    assert_eq!(shop.reserve(order, 1, &[(product, 3)]).await.body["state"], "RELEASED");
    assert_eq!(shop.levels(product).await, (5, 0, 5));
    shop.is_consistent().await;
}

#[tokio::test]
async fn a_release_of_an_older_demand_leaves_the_newer_one_alone() {
    let shop = Shop::open().await;
    let product = shop.product("MUG", 5).await;
    let order = OrderId::generate();
    shop.reserve(order, 2, &[(product, 3)]).await;
    let path = format!("/api/inventory/reservations/{order}/release");
    let old = shop.post(&path, json!({"revision": 1, "reason": "rejected"})).await;
    assert_eq!((old.status.as_u16(), &old.body["state"]), (200, &json!("PENDING")));
    let own = shop.post(&path, json!({"revision": 2})).await;
    assert_eq!(own.body["state"], "RELEASED");
    assert_eq!(shop.post(&path, json!({"revision": 0})).await.status, 422);
}

#[tokio::test]
async fn a_pending_reservation_expires_by_itself_and_an_attached_one_does_not() {
    let shop = Shop::open().await;
    let product = shop.product("MUG", 5).await;
    let (lost, kept) = (OrderId::generate(), OrderId::generate());
    for order in [lost, kept] {
        let items = json!([{"productId": product, "quantity": 2}]);
        let body = json!({"orderId": order, "items": items, "ttlSeconds": 1});
        assert_eq!(shop.post("/api/inventory/reservations", body).await.status, 201);
    }
    let attached = shop.step(kept, "attach").await;
    assert_eq!((&attached.body["state"], &attached.body["expiresAt"]), (&json!("ATTACHED"), &Value::Null));
    shop.until(lost, "EXPIRED").await;
    assert_eq!(shop.levels(product).await, (5, 2, 3));
    assert_eq!(shop.reservation(kept).await["state"], "ATTACHED");
    assert_eq!(shop.types(&lost.to_string()).await, ["StockReserved", "ReservationExpired"]);
    let late = shop.reserve(lost, 1, &[(product, 2)]).await;
    // A caller that comes back for it gets it anew: it was never an order's.
    assert_eq!((late.status.as_u16(), &late.body["state"]), (201, &json!("PENDING")));
    assert_eq!(shop.step(lost, "attach").await.body["state"], "ATTACHED");
    assert_eq!(shop.levels(product).await, (5, 4, 1));
    shop.is_consistent().await;
}

#[tokio::test]
async fn an_expired_reservation_whose_stock_is_gone_lapses_when_its_order_comes() {
    let shop = Shop::open().await;
    let product = shop.product("MUG", 5).await;
    let order = OrderId::generate();
    let items = json!([{"productId": product, "quantity": 4}]);
    shop.post("/api/inventory/reservations", json!({"orderId": order, "items": items, "ttlSeconds": 1})).await;
    shop.until(order, "EXPIRED").await;
    shop.reserve(OrderId::generate(), 1, &[(product, 2)]).await;
    assert_eq!(shop.step(order, "attach").await.body["state"], "LAPSED");
    assert_eq!(shop.step(order, "attach").await.code(), "ILLEGAL_TRANSITION");
    assert_eq!(shop.levels(product).await, (5, 2, 3));
    let types = shop.types(&order.to_string()).await;
    assert_eq!(types, ["StockReserved", "ReservationExpired", "ReservationLapsed"]);
    shop.is_consistent().await;
}

#[tokio::test]
async fn a_confirmed_reservation_stays_confirmed() {
    let shop = Shop::open().await;
    let product = shop.product("MUG", 5).await;
    let order = OrderId::generate();
    shop.reserve(order, 1, &[(product, 2)]).await;
    let confirmed = shop.step(order, "confirm").await;
    assert_eq!((&confirmed.body["state"], &confirmed.body["expiresAt"]), (&json!("CONFIRMED"), &Value::Null));
    assert_eq!(shop.step(order, "confirm").await.body, confirmed.body);
    assert_eq!(shop.step(order, "attach").await.body, confirmed.body);
    assert_eq!(shop.levels(product).await, (5, 2, 3));
}

#[tokio::test]
async fn what_cannot_be_reserved_is_said_with_its_place() {
    let shop = Shop::open().await;
    let product = shop.product("MUG", 5).await;
    let send = async |body: Value| shop.post("/api/inventory/reservations", body).await;
    let order = OrderId::generate();
    let unknown = json!([{"productId": product, "quantity": 1}, {"productId": ProductId::generate(), "quantity": 1}]);
    let refused = send(json!({"orderId": order, "items": unknown})).await;
    assert_eq!((refused.status.as_u16(), refused.text("/errors/0/pointer")), (422, "/items/1/productId"));
    for (body, pointer) in [
        (json!({"orderId": order, "items": []}), "/items"),
        (json!({"orderId": order, "items": [{"productId": product, "quantity": 10_000}]}), "/items/0/quantity"),
        (json!({"orderId": order, "revision": 0, "items": [{"productId": product, "quantity": 1}]}), "/revision"),
        (json!({"orderId": order, "ttlSeconds": 0, "items": [{"productId": product, "quantity": 1}]}), "/ttlSeconds"),
        (json!({"items": [{"productId": product, "quantity": 1}]}), "/orderId"),
    ] {
        let refused = send(body).await;
        assert_eq!((refused.status.as_u16(), refused.text("/errors/0/pointer")), (422, pointer));
    }
    let wrong = send(json!({"orderId": "ord_x", "items": []})).await;
    assert_eq!((wrong.status.as_u16(), wrong.code()), (400, "INVALID_ID"));
    let user = Some(caller(CallerKind::Staff, Scopes::all()));
    let body = json!({"orderId": order, "items": [{"productId": product, "quantity": 1}]});
    let refused = shop.send_as(user, Method::POST, "/api/inventory/reservations", body, &[]).await;
    assert_eq!(refused.status, 403, "reservations are for services");
}

#[tokio::test]
async fn one_key_gives_one_answer() {
    let shop = Shop::open().await;
    let product = shop.product("MUG", 5).await;
    let order = OrderId::generate();
    let body = json!({"orderId": order, "items": [{"productId": product, "quantity": 1}]});
    let send = async |body: Value| {
        let headers = [("idempotency-key", "k-1")];
        shop.send_as(Some(client()), Method::POST, "/api/inventory/reservations", body, &headers).await
    };
    let (first, second) = (send(body.clone()).await, send(body).await);
    assert_eq!((first.status.as_u16(), second.status.as_u16()), (201, 201));
    assert_eq!(first.body, second.body);
    let other = send(json!({"orderId": order, "items": [{"productId": product, "quantity": 2}]})).await;
    assert_eq!((other.status.as_u16(), other.code()), (422, "IDEMPOTENCY_KEY_REUSED"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_eighty_orders_for_twenty_five_pieces_exactly_twenty_five_succeed() {
    let shop = Arc::new(Shop::open().await);
    let product = shop.product("MUG", 25).await;
    let mut buyers = JoinSet::new();
    for _ in 0..16 {
        let shop = Arc::clone(&shop);
        buyers.spawn(async move {
            let mut statuses = Vec::new();
            for _ in 0..5 {
                let answer = shop.reserve(OrderId::generate(), 1, &[(product, 1)]).await;
                if answer.status == 409 {
                    let unavailable = json!([{"productId": product, "requested": 1, "available": 0}]);
                    assert_eq!(answer.body["unavailable"], unavailable);
                }
                statuses.push(answer.status.as_u16());
            }
            statuses
        });
    }
    let statuses = buyers.join_all().await.concat();
    let count = |wanted: u16| statuses.iter().filter(|status| **status == wanted).count();
    assert_eq!((count(201), count(409)), (25, 55));
    assert_eq!(shop.levels(product).await, (25, 25, 0));
    shop.is_consistent().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ten_parallel_reserves_of_one_order_hold_its_stock_once() {
    let shop = Arc::new(Shop::open().await);
    let (mug, cup) = (shop.product("MUG", 25).await, shop.product("CUP", 25).await);
    let order = OrderId::generate();
    let mut sent = JoinSet::new();
    for _ in 0..10 {
        let shop = Arc::clone(&shop);
        sent.spawn(async move { shop.reserve(order, 1, &[(mug, 2), (cup, 1)]).await.status.as_u16() });
    }
    let mut statuses = sent.join_all().await;
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 200, 200, 200, 200, 200, 200, 200, 200, 201]);
    assert_eq!(shop.levels(mug).await, (25, 2, 23));
    shop.is_consistent().await;
}
