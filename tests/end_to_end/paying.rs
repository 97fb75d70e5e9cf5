//! Payments as providers report them, and what follows: confirmation, a confirmed reservation, expiry.

use crate::system::{eventually, order_body, shared, unique};
use serde_json::json;

#[test]
fn row_0_7_and_0_18_a_completed_payment_confirms_the_order_and_its_stock() {
    let shop = shared();
    let product = shop.product("20.00", 10);
    let order = shop.order(&product, 2).text("/orderId");
    let paid = shop.pay(&order, "40.00").expect(200);
    assert_eq!((paid.body["status"].as_str(), paid.body["paymentStatus"].as_str()), (Some("CONFIRMED"), Some("PAID")));
    assert_eq!(paid.body["expiresAt"], serde_json::Value::Null);
    eventually("the reservation is confirmed", || {
        let reservation = shop.get(&format!("/api/inventory/reservations/{order}")).expect(200);
        (reservation.body["state"] == "CONFIRMED").then_some(())
    });
    assert_eq!(shop.stock(&product), [10, 2, 8]);
}

#[test]
fn a_repeated_payment_answers_the_first_result() {
    let shop = shared();
    let order = shop.order(&shop.product("20.00", 10), 1).text("/orderId");
    let path = format!("/api/orders/{order}/payment/completed");
    let body = json!({"paymentId": unique("ch"), "amount": {"amount": "5.00", "currency": "EUR"}});
    let first = shop.post(&path, &body).expect(200);
    assert_eq!(first.body["paymentStatus"], "PARTIALLY_PAID");
    shop.pay(&order, "15.00").expect(200);
    let again = shop.post(&path, &body).expect(200);
    assert_eq!(
        (&again.body["version"], &again.body["paymentStatus"]),
        (&first.body["version"], &first.body["paymentStatus"])
    );
}

#[test]
fn parts_of_the_total_add_up() {
    let shop = shared();
    let order = shop.order(&shop.product("20.00", 10), 1).text("/orderId");
    assert_eq!(shop.pay(&order, "19.99").expect(200).body["status"], "PENDING");
    let paid = shop.pay(&order, "0.01").expect(200);
    assert_eq!((paid.body["status"].as_str(), paid.body["paymentStatus"].as_str()), (Some("CONFIRMED"), Some("PAID")));
}

#[test]
fn row_0_9_and_0_19_a_failed_payment_keeps_the_stock_unless_it_was_the_last_try() {
    let shop = shared();
    let product = shop.product("20.00", 10);
    let order = shop.order(&product, 2).text("/orderId");
    let path = format!("/api/orders/{order}/payment/failed");
    let amount = json!({"amount": "40.00", "currency": "EUR"});
    let failed =
        shop.post(&path, &json!({"paymentId": unique("ch"), "amount": amount, "reason": "card declined"})).expect(200);
    assert_eq!(
        (failed.body["status"].as_str(), failed.body["paymentStatus"].as_str()),
        (Some("PENDING"), Some("FAILED"))
    );
    assert_eq!(shop.stock(&product), [10, 2, 8]);
    shop.post(&path, &json!({"paymentId": unique("ch"), "amount": amount, "reason": "final"})).expect(200);
    eventually("the stock is released", || (shop.stock(&product) == [10, 0, 10]).then_some(()));
}

#[test]
fn a_payment_that_makes_no_sense_is_refused_with_its_field() {
    let shop = shared();
    let order = shop.order(&shop.product("20.00", 10), 1).text("/orderId");
    let path = format!("/api/orders/{order}/payment/completed");
    let good = json!({"paymentId": unique("ch"), "amount": {"amount": "20.00", "currency": "EUR"}});
    let with = |pointer: &str, value: serde_json::Value| {
        let mut body = good.clone();
        *body.pointer_mut(pointer).unwrap() = value;
        body
    };
    for (body, pointer) in [
        (with("/amount/amount", json!("0.00")), "/amount"),
        (with("/amount/amount", json!("-1.00")), "/amount"),
        (with("/amount/amount", json!("1.001")), "/amount"),
        (with("/amount/amount", json!("a lot")), "/amount"),
        (with("/amount/currency", json!("USD")), "/amount"),
        (with("/amount/currency", json!("euro")), "/amount"),
        (with("/paymentId", json!("")), "/paymentId"),
        (with("/paymentId", json!("with blank")), "/paymentId"),
        (with("/paymentId", json!("x".repeat(201))), "/paymentId"),
        (json!({"amount": good["amount"]}), "/paymentId"),
    ] {
        let refused = shop.post(&path, &body).expect_problem(422, "VALIDATION_FAILED");
        assert!(refused.pointers().iter().any(|named| named.starts_with(pointer)), "{body}: {:?}", refused.pointers());
    }
    let unknown = "/api/orders/ord_01h455vb4pex5vsknk084sn02q/payment/completed";
    shop.post(unknown, &good).expect_problem(404, "NOT_FOUND");
}

#[test]
fn customers_report_no_payments() {
    let shop = shared();
    let customer = shop.customer();
    let placed = shop.post_as(&customer.token, "/api/orders", &order_body(&shop.product("1.00", 5), 1)).expect(201);
    let body = json!({"paymentId": unique("ch"), "amount": {"amount": "1.00", "currency": "EUR"}});
    let path = format!("/api/orders/{}/payment/completed", placed.text("/orderId"));
    shop.post_as(&customer.token, &path, &body).expect_problem(403, "INSUFFICIENT_SCOPE");
}

#[test]
fn an_authorised_payment_covers_the_order_until_it_is_voided() {
    let shop = shared();
    let placed = shop.order(&shop.product("20.00", 10), 1);
    let path = format!("/api/orders/{}/payment", placed.text("/orderId"));
    let body =
        json!({"paymentId": unique("auth"), "amount": {"amount": "20.00", "currency": "EUR"}, "method": "paypal"});
    let held = shop.post(&format!("{path}/authorized"), &body).expect(200);
    assert_eq!(
        (held.body["status"].as_str(), held.body["paymentStatus"].as_str()),
        (Some("CONFIRMED"), Some("AUTHORIZED"))
    );
    assert_eq!(held.body["paidTotal"]["amount"], "0.00");
    let again = shop.post(&format!("{path}/authorized"), &body).expect(200);
    assert_eq!(again.body["version"], held.body["version"]);
    let voided = shop.post(&format!("{path}/voided"), &body).expect(200);
    assert_eq!(
        (voided.body["status"].as_str(), voided.body["paymentStatus"].as_str()),
        (Some("PENDING"), Some("VOIDED"))
    );
    let again = shop.post(&format!("{path}/voided"), &body).expect(200);
    assert_eq!(again.body["version"], voided.body["version"]);
}

#[test]
fn an_authorised_part_extends_the_payment_window() {
    let shop = shared();
    let placed = shop.order(&shop.product("20.00", 10), 1);
    let path = format!("/api/orders/{}/payment/authorized", placed.text("/orderId"));
    let body = json!({"paymentId": unique("auth"), "amount": {"amount": "5.00", "currency": "EUR"}});
    let held = shop.post(&path, &body).expect(200);
    assert_eq!(held.body["status"], "PENDING");
    assert!(held.text("/expiresAt") > placed.text("/expiresAt"));
}
