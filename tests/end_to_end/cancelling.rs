//! Cancelling: who may, until when, and what comes back.

use crate::system::{Answer, eventually, order_body, shared};
use reqwest::Method;
use serde_json::json;

#[test]
fn row_1_7_and_4_3_a_cancelled_order_gives_its_stock_back_and_stays_cancelled() {
    let shop = shared();
    for alias in ["/api/orders", "/order"] {
        let product = shop.product("5.00", 10);
        let order = shop.order(&product, 3).text("/orderId");
        let cancelled = shop.delete(&format!("{alias}/{order}")).expect(200);
        assert_eq!(cancelled.body["status"], "CANCELLED");
        eventually("the stock comes back", || (shop.stock(&product) == [10, 0, 10]).then_some(()));
        let again = shop.delete(&format!("{alias}/{order}")).expect(200);
        assert_eq!(again.body["version"], cancelled.body["version"]);
    }
}

#[test]
fn cancelling_takes_a_reason_or_no_body_at_all() {
    let shop = shared();
    let product = shop.product("5.00", 10);
    let with_reason = format!("/api/orders/{}/cancel", shop.order(&product, 1).text("/orderId"));
    assert_eq!(shop.post(&with_reason, &json!({"reason": "changed my mind"})).expect(200).body["status"], "CANCELLED");
    let without = format!("/api/orders/{}/cancel", shop.order(&product, 1).text("/orderId"));
    let answer = Answer::of(shop.request(Method::POST, &without).send().unwrap()).expect(200);
    assert_eq!(answer.body["status"], "CANCELLED");
}

#[test]
fn a_paid_order_that_is_cancelled_asks_for_a_refund() {
    let shop = shared();
    let order = shop.order(&shop.product("5.00", 10), 2).text("/orderId");
    shop.pay(&order, "10.00").expect(200);
    let cancelled = shop.post(&format!("/api/orders/{order}/cancel"), &json!({})).expect(200);
    assert_eq!(cancelled.body["status"], "CANCELLED");
    assert_eq!(cancelled.body["refunds"][0]["amount"], json!({"amount": "10.00", "currency": "EUR"}));
}

#[test]
fn a_customer_cancels_their_own_order_and_no_other() {
    let shop = shared();
    let (ada, eve) = (shop.customer(), shop.customer());
    let placed = shop.post_as(&ada.token, "/api/orders", &order_body(&shop.product("5.00", 10), 1)).expect(201);
    let path = format!("/api/orders/{}/cancel", placed.text("/orderId"));
    shop.post_as(&eve.token, &path, &json!({})).expect_problem(404, "NOT_FOUND");
    assert_eq!(shop.post_as(&ada.token, &path, &json!({})).expect(200).body["status"], "CANCELLED");
}

#[test]
fn lines_are_cancelled_one_by_one() {
    let shop = shared();
    let product = shop.product("5.00", 10);
    let placed = shop.order(&product, 3);
    let path = format!("/api/orders/{}/cancel", placed.text("/orderId"));
    let line = placed.text("/lines/0/lineId");
    let left = shop.post(&path, &json!({"lines": [{"lineId": line, "quantity": 2}]})).expect(200);
    assert_eq!(left.body["status"], "PENDING");
    assert_eq!(left.body["totalAmount"]["amount"], "5.00");
    eventually("two pieces come back", || (shop.stock(&product) == [10, 1, 9]).then_some(()));
    shop.post(&path, &json!({"lines": [{"lineId": line, "quantity": 2}]})).expect_problem(409, "QUANTITY_EXCEEDED");
}

#[test]
fn a_payment_for_a_cancelled_order_is_recorded_and_goes_back() {
    let shop = shared();
    let order = shop.order(&shop.product("5.00", 10), 1).text("/orderId");
    shop.delete(&format!("/api/orders/{order}")).expect(200);
    let late = shop.pay(&order, "5.00").expect(200);
    assert_eq!(late.body["status"], "CANCELLED");
    assert_eq!(late.body["refunds"][0]["amount"]["amount"], "5.00");
}
