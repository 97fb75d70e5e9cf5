//! Discounts by code: what they take off, whom they are for, and that their limits hold.

use crate::system::{Answer, System, order_body, shared, unique};
use serde_json::{Value, json};
use std::thread;

fn discount(shop: &System, terms: Value) -> String {
    let mut body = terms;
    body["code"] = json!(unique("SAVE"));
    shop.post("/api/discounts", &body).expect(201).text("/code")
}

fn with(product: &str, quantity: u32, code: &str) -> Value {
    let mut body = order_body(product, quantity);
    body["discountCode"] = json!(code);
    body
}

fn amounts(placed: &Answer) -> [String; 4] {
    ["subtotal", "discountTotal", "shippingTotal", "totalAmount"].map(|part| placed.text(&format!("/{part}/amount")))
}

#[test]
fn a_discount_takes_its_share_off_to_the_last_cent() {
    let shop = shared();
    let (mug, cup) = (shop.product("3.33", 20), shop.product("0.01", 20));
    let ten = discount(shop, json!({"kind": "PERCENTAGE", "value": 10}));
    let mut body = with(&mug, 3, &ten.to_lowercase());
    body["items"] = json!([{"productId": mug, "quantity": 3}, {"productId": cup, "quantity": 1}]);
    assert_eq!(amounts(&shop.post("/api/orders", &body).expect(201)), ["10.00", "1.00", "0.00", "9.00"]);

    let five = discount(shop, json!({"kind": "FIXED", "value": {"amount": "5.00", "currency": "EUR"}}));
    assert_eq!(amounts(&shop.post("/api/orders", &with(&mug, 1, &five)).expect(201)), ["3.33", "3.33", "0.00", "0.00"]);
    let free = discount(shop, json!({"kind": "FREE_SHIPPING"}));
    assert_eq!(amounts(&shop.post("/api/orders", &with(&mug, 1, &free)).expect(201)), ["3.33", "0.00", "0.00", "3.33"]);
}

#[test]
fn a_code_that_grants_nothing_is_refused_at_its_field() {
    let shop = shared();
    let product = shop.product("3.00", 20);
    let refused = |code: &str| {
        let refused = shop.post("/api/orders", &with(&product, 1, code)).expect_problem(422, "VALIDATION_FAILED");
        assert_eq!(refused.pointers(), ["/discountCode"], "{code}");
    };
    refused(&unique("NOBODY-KNOWS"));
    let over = json!({"kind": "PERCENTAGE", "value": "10", "validTo": "2020-01-01T00:00:00Z"});
    refused(&discount(shop, over));
    let later = json!({"kind": "PERCENTAGE", "value": "10", "validFrom": "2999-01-01T00:00:00Z"});
    refused(&discount(shop, later));
    refused(&discount(shop, json!({"kind": "FIXED", "value": {"amount": "500", "currency": "JPY"}})));
    assert_eq!(shop.stock(&product)[1], 0, "nothing was reserved");
}

#[test]
fn a_limit_holds_when_many_order_at_once() {
    let shop = shared();
    let product = shop.product("3.00", 100);
    let code = discount(shop, json!({"kind": "PERCENTAGE", "value": 50, "limit": 3}));
    let body = with(&product, 1, &code);
    let statuses: Vec<u16> = thread::scope(|scope| {
        let orders: Vec<_> = (0..10).map(|_| scope.spawn(|| shop.post("/api/orders", &body).status)).collect();
        orders.into_iter().map(|order| order.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 3, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 422).count(), 7, "{statuses:?}");
    let stored = shop.get(&format!("/api/discounts/{code}")).expect(200);
    assert_eq!((&stored.body["uses"], &stored.body["limit"]), (&json!(3), &json!(3)));
    assert_eq!(shop.stock(&product)[1], 3, "who came too late holds nothing");
}

#[test]
fn a_customer_uses_a_code_as_often_as_it_says_and_others_still_may() {
    let shop = shared();
    let product = shop.product("3.00", 100);
    let code = discount(shop, json!({"kind": "PERCENTAGE", "value": 50, "limitPerCustomer": 1}));
    let (ada, eve) = (shop.customer(), shop.customer());
    let order = |token: &str| shop.post_as(token, "/api/orders", &with(&product, 1, &code));
    order(&ada.token).expect(201);
    order(&ada.token).expect_problem(422, "VALIDATION_FAILED");
    order(&eve.token).expect(201);
}

#[test]
fn an_order_that_does_not_come_about_uses_nothing_up() {
    let shop = shared();
    let product = shop.product("3.00", 1);
    let code = discount(shop, json!({"kind": "PERCENTAGE", "value": 50, "limit": 1}));
    shop.post("/api/orders", &with(&product, 2, &code)).expect_problem(409, "INSUFFICIENT_STOCK");
    shop.post("/api/orders", &with(&product, 1, &code)).expect(201);
}

#[test]
fn staff_makes_changes_and_removes_discounts() {
    let shop = shared();
    let code = unique("STAFF");
    let body = json!({"code": code, "kind": "PERCENTAGE", "value": 10, "limit": 5});
    let made = shop.post("/api/discounts", &body).expect(201);
    assert_eq!(made.header("location"), format!("/api/discounts/{code}"));
    for field in ["code", "kind", "value", "limit"] {
        assert_eq!(made.body[field], body[field], "{field}");
    }
    assert_eq!((&made.body["uses"], &made.body["version"]), (&json!(0), &json!(1)));
    let taken = shop.post("/api/discounts", &body).expect_problem(422, "VALIDATION_FAILED");
    assert_eq!(taken.pointers(), ["/code"]);
    let wrong = json!({"code": unique("W"), "kind": "PERCENTAGE", "value": 101, "limit": 0});
    let wrong = shop.post("/api/discounts", &wrong).expect_problem(422, "VALIDATION_FAILED");
    assert_eq!(wrong.pointers(), ["/value", "/limit"]);

    let path = format!("/api/discounts/{code}");
    let changed = shop.put(&path, &json!({"kind": "FIXED", "value": "2.50"})).expect(200);
    assert_eq!((&changed.body["kind"], &changed.body["limit"]), (&json!("FIXED"), &Value::Null));
    assert_eq!(changed.header("etag"), "\"2\"");
    let listed = shop.get("/api/discounts?limit=100").expect(200);
    assert!(listed.body["items"].as_array().unwrap().iter().any(|item| item["code"] == json!(code)));
    shop.delete(&path).expect(204);
    shop.get(&path).expect_problem(404, "NOT_FOUND");
    let customer = shop.customer();
    shop.get_as(&customer.token, "/api/discounts").expect_problem(403, "INSUFFICIENT_SCOPE");
}

#[test]
fn an_amendment_keeps_the_frozen_share_of_each_piece() {
    let shop = shared();
    let (mug, cup) = (shop.product("10.00", 10), shop.product("4.00", 10));
    let code = discount(shop, json!({"kind": "PERCENTAGE", "value": 10}));
    let placed = shop.post("/api/orders", &with(&mug, 2, &code)).expect(201);
    let items = json!({"items": [{"productId": mug, "quantity": 1}, {"productId": cup, "quantity": 1}]});
    let amended = shop.put(&format!("/api/orders/{}", placed.text("/orderId")), &items).expect(200);
    assert_eq!(amounts(&amended), ["14.00", "1.00", "0.00", "13.00"], "what comes new is not discounted");
}
