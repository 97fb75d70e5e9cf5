//! Amending an order's items: lines, stock and money follow, or nothing changes.

use crate::{
    system::{Answer, System, eventually, order_body, shared, unique},
    verifying::damage::statement,
};
use reqwest::Method;
use serde_json::{Value, json};
use std::thread;

/// An order of two pieces at 5.00 of a product of which ten are there.
struct Order {
    product: String,
    line: String,
    id: String,
    path: String,
}

fn placed() -> Order {
    let shop = shared();
    let product = shop.product("5.00", 10);
    let placed = shop.order(&product, 2);
    let id = placed.text("/orderId");
    Order { product, line: placed.text("/lines/0/lineId"), path: format!("/api/orders/{id}"), id }
}

fn items(items: &[(&str, u32)]) -> Value {
    let item = |(product, quantity): &(&str, u32)| json!({"productId": product, "quantity": quantity});
    json!({"items": items.iter().map(item).collect::<Vec<_>>()})
}

fn stock_becomes(shop: &System, product: &str, stock: [i64; 3]) {
    eventually(&format!("the stock is {stock:?}"), || (shop.stock(product) == stock).then_some(()));
}

#[test]
fn row_4_2_products_on_the_order_keep_their_line_and_price_and_new_ones_take_todays() {
    let shop = shared();
    let (order, mug) = (placed(), shop.product("4.00", 10));
    let dearer = json!({"price": {"amount": "9.00", "currency": "EUR"}});
    shop.post(&format!("/api/products/{}/prices", order.product), &dearer).expect(201);
    let amended = shop.put(&order.path, &items(&[(&order.product, 3), (&mug, 2)])).expect(200);
    assert_eq!((amended.body["version"].as_i64(), amended.header("etag")), (Some(2), "\"2\""));
    assert_eq!(amended.body["totalAmount"]["amount"], "23.00");
    let line = |index: usize| {
        let line = &amended.body["lines"][index];
        (line["quantity"].as_i64().unwrap(), line["unitPrice"]["amount"].as_str().unwrap().to_owned())
    };
    assert_eq!((line(0), line(1)), ((3, "5.00".to_owned()), (2, "4.00".to_owned())));
    assert_eq!(amended.text("/lines/0/lineId"), order.line);
    assert_eq!((shop.stock(&order.product), shop.stock(&mug)), ([10, 3, 7], [10, 2, 8]), "held when it is answered");
    let fewer = shop.put(&order.path, &items(&[(&mug, 1)])).expect(200);
    assert_eq!((fewer.body["version"].as_i64(), fewer.body["totalAmount"]["amount"].as_str()), (Some(3), Some("4.00")));
    stock_becomes(shop, &order.product, [10, 0, 10]);
    stock_becomes(shop, &mug, [10, 1, 9]);
    let same = shop.put(&order.path, &items(&[(&mug, 1)])).expect(200);
    assert_eq!(same.body["version"], 3);
    let read = shop.get_after(&fewer, &order.path).expect(200).body;
    assert_eq!(read["lines"], fewer.body["lines"]);
    shop.pay(&order.id, "4.00").expect(200);
    shop.put(&format!("{}/status", order.path), &json!({"status": "SHIPPED"})).expect(200);
    stock_becomes(shop, &mug, [9, 0, 9]);
}

#[test]
fn what_is_short_changes_nothing_and_is_named() {
    let shop = shared();
    let (order, few) = (placed(), shop.product("4.00", 1));
    let short = shop.put(&order.path, &items(&[(&order.product, 11), (&few, 2)]));
    let short = short.expect_problem(409, "INSUFFICIENT_STOCK");
    let mut named: Vec<_> =
        short.body["unavailable"].as_array().unwrap().iter().map(|line| line["available"].clone()).collect();
    named.sort_by_key(Value::as_i64);
    assert_eq!(named, [1, 10]);
    assert_eq!((shop.stock(&order.product), shop.stock(&few)), ([10, 2, 8], [1, 0, 1]));
    assert_eq!(shop.put(&order.path, &json!({"note": "still as it was"})).expect(200).body["version"], 2);
    shop.put(&order.path, &items(&[(&order.product, 10), (&few, 1)])).expect(200);
    stock_becomes(shop, &order.product, [10, 10, 0]);
}

#[test]
fn a_rise_of_a_paid_order_asks_for_more_and_a_fall_goes_back() {
    let shop = shared();
    let order = placed();
    shop.pay(&order.id, "10.00").expect(200);
    let risen = shop.put(&order.path, &items(&[(&order.product, 4)])).expect(200);
    assert_eq!(
        (risen.body["status"].as_str(), risen.body["paymentStatus"].as_str()),
        (Some("PENDING"), Some("PARTIALLY_PAID"))
    );
    assert!(risen.body["expiresAt"].is_string(), "it waits for the rest with a deadline");
    assert_eq!(shop.pay(&order.id, "10.00").expect(200).body["status"], "CONFIRMED");
    let fallen = shop.put(&order.path, &items(&[(&order.product, 1)])).expect(200);
    assert_eq!(
        (fallen.body["status"].as_str(), fallen.body["refunds"][0]["amount"]["amount"].as_str()),
        (Some("CONFIRMED"), Some("15.00"))
    );
    assert_eq!(fallen.body["refunds"].as_array().unwrap().len(), 1);
    stock_becomes(shop, &order.product, [10, 1, 9]);
}

#[test]
fn what_was_paid_in_part_may_cover_fewer_items() {
    let shop = shared();
    let order = placed();
    assert_eq!(shop.pay(&order.id, "5.00").expect(200).body["status"], "PENDING");
    let fewer = shop.put(&order.path, &items(&[(&order.product, 1)])).expect(200);
    assert_eq!((fewer.body["status"].as_str(), &fewer.body["expiresAt"]), (Some("CONFIRMED"), &Value::Null));
    eventually("the reservation is confirmed", || {
        let held = shop.get(&format!("/api/inventory/reservations/{}", order.id)).expect(200);
        (held.body["state"] == "CONFIRMED").then_some(())
    });
    assert_eq!(shop.stock(&order.product), [10, 1, 9]);
    let invoice = shop.post("/api/invoices", &json!({"orderId": order.id}));
    assert!(matches!(invoice.status, 200 | 201), "{}", invoice.body);
    assert_eq!(invoice.body["total"]["amount"], "5.00");
}

#[test]
fn items_follow_the_same_rules_as_those_of_a_new_order() {
    let shop = shared();
    let order = placed();
    let archived = shop.product("4.00", 5);
    shop.delete(&format!("/api/products/{archived}")).expect(200);
    let refused = |body: Value, pointer: &str| {
        let refused = shop.put(&order.path, &body).expect_problem(422, "VALIDATION_FAILED");
        assert_eq!(refused.pointers(), [pointer], "{body}");
    };
    refused(json!({"items": []}), "/items");
    refused(items(&[(&order.product, 0)]), "/items/0/quantity");
    refused(items(&[(&order.product, 1), (&order.product, 10_000)]), "/items/1/quantity");
    refused(json!({"items": [{"productId": order.product}]}), "/items/0/quantity");
    refused(items(&[("prod_01h455vb4pex5vsknk084sn02q", 1)]), "/items/0/productId");
    refused(items(&[(&order.product, 1), (&archived, 1)]), "/items/1/productId");
    shop.put(&order.path, &items(&[(&order.id, 1)])).expect_problem(400, "INVALID_ID");
    let surprising = json!({"items": [{"productId": order.product, "quantity": 1, "price": 1}]});
    assert_eq!(shop.put(&order.path, &surprising).expect_problem(400, "UNKNOWN_FIELD").pointers(), ["/items/0/price"]);
    assert_eq!(shop.stock(&order.product), [10, 2, 8]);
}

#[test]
fn items_of_what_has_left_or_is_over_stay() {
    let shop = shared();
    let (shipped, cancelled, mug) = (placed(), placed(), shop.product("4.00", 10));
    shop.pay(&shipped.id, "10.00").expect(200);
    shop.put(&format!("{}/status", shipped.path), &json!({"status": "SHIPPED"})).expect(200);
    shop.delete(&cancelled.path).expect(200);
    for order in [shipped, cancelled] {
        shop.put(&order.path, &items(&[(&order.product, 3)])).expect_problem(409, "NOT_AMENDABLE");
        shop.put(&order.path, &items(&[(&mug, 1)])).expect_problem(409, "NOT_AMENDABLE");
    }
    assert_eq!(shop.stock(&mug), [10, 0, 10]);
}

#[test]
fn a_foreign_order_or_an_old_version_is_not_amended_and_nothing_is_held() {
    let shop = shared();
    let (ada, eve) = (shop.customer(), shop.customer());
    let product = shop.product("5.00", 10);
    let placed = shop.post_as(&ada.token, "/api/orders", &order_body(&product, 2)).expect(201);
    let path = format!("/api/orders/{}", placed.text("/orderId"));
    let put = |token: &str, etag: Option<&str>| {
        let request = shop.request_as(token, Method::PUT, &path).json(&items(&[(&product, 4)]));
        Answer::of(
            etag.map_or_else(
                || request.try_clone().unwrap(),
                |etag| request.try_clone().unwrap().header("If-Match", etag),
            )
            .send()
            .unwrap(),
        )
    };
    put(&eve.token, None).expect_problem(404, "NOT_FOUND");
    put(&ada.token, Some("\"7\"")).expect_problem(412, "VERSION_MISMATCH");
    assert_eq!(shop.stock(&product), [10, 2, 8]);
    put(&ada.token, Some("\"1\"")).expect(200);
    put(&ada.token, Some("\"1\"")).expect_problem(412, "VERSION_MISMATCH");
    stock_becomes(shop, &product, [10, 4, 6]);
}

#[test]
fn changes_at_the_same_moment_leave_the_stock_of_the_last_one() {
    let shop = shared();
    let (order, mug) = (placed(), shop.product("4.00", 100));
    let answers: Vec<Answer> = thread::scope(|scope| {
        let buyers: Vec<_> = (1..=6)
            .map(|buyer| {
                let (order, mug) = (&order, &mug);
                scope.spawn(move || shop.put(&order.path, &items(&[(&order.product, buyer), (mug, 7 - buyer)])))
            })
            .collect();
        buyers.into_iter().map(|buyer| buyer.join().unwrap()).collect()
    });
    let amended = answers.iter().filter(|answer| answer.status == 200).count();
    assert!(amended > 0 && answers.iter().all(|answer| matches!(answer.status, 200 | 412)), "{answers:?}");
    let last =
        answers.iter().filter(|answer| answer.status == 200).max_by_key(|answer| answer.body["version"].as_i64());
    let now = shop.get_after(last.unwrap(), &order.path).expect(200).body;
    let pieces = |index: usize| now["lines"][index]["quantity"].as_i64().unwrap();
    stock_becomes(shop, &order.product, [10, pieces(0), 10 - pieces(0)]);
    stock_becomes(shop, &mug, [100, pieces(1), 100 - pieces(1)]);
}

#[test]
fn stock_that_was_given_up_is_held_again_by_a_change_of_items() {
    let shop = shared();
    let order = placed();
    shop.post(&format!("{}/inventory/release", order.path), &json!({})).expect(200);
    let amended = shop.put(&order.path, &items(&[(&order.product, 3)])).expect(200);
    assert_eq!(amended.body["waitingFor"], "PAYMENT");
    eventually("the reservation is attached", || {
        let held = shop.get(&format!("/api/inventory/reservations/{}", order.id)).expect(200);
        (held.body["state"] == "ATTACHED").then_some(())
    });
    assert_eq!(shop.stock(&order.product), [10, 3, 7]);
}

#[test]
fn stock_that_was_asked_for_in_vain_goes_back() {
    let shop = shared();
    let order = placed();
    let ahead = |revision: u32, quantity: u32| {
        let items = json!([{"productId": order.product, "quantity": quantity}]);
        let body = json!({"orderId": order.id, "revision": revision, "items": items});
        shop.post("/api/inventory/reservations", &body).expect(200);
    };
    ahead(5, 9);
    assert_eq!(shop.stock(&order.product), [10, 9, 1]);
    let id = unique("stock-check");
    let due = format!(
        "insert into orders.timer (timer_id, kind, stream_id, payload, due_at, next_at)
         values ('{id}', 'stock-check', '{}', 'null', now(), now())",
        order.id
    );
    statement(shop.ready["databaseUrl"].as_str().unwrap(), &due);
    stock_becomes(shop, &order.product, [10, 2, 8]);
    ahead(9, 9);
    shop.put(&order.path, &items(&[(&order.product, 3)])).expect(200);
    stock_becomes(shop, &order.product, [10, 3, 7]);
}
