//! The steps of an order's stock: reserve, release, confirm.

use crate::system::{Answer, eventually, shared, unique};
use reqwest::Method;
use serde_json::{Value, json};

fn step(order: &str, step: &str) -> Answer {
    shared().post(&format!("/api/orders/{order}/inventory/{step}"), &json!({}))
}

fn waiting_for(order: &str, after: &Answer) -> Value {
    shared().get_after(after, &format!("/api/orders/{order}")).expect(200).body["waitingFor"].clone()
}

#[test]
fn row_0_15_and_0_16_stock_that_an_unpaid_order_gave_up_is_reserved_again() {
    let shop = shared();
    let product = shop.product("5.00", 10);
    let order = shop.order(&product, 4).text("/orderId");
    let held = step(&order, "reserve").expect(200);
    assert_eq!((held.text("/orderId"), held.body["revision"].as_i64()), (order.clone(), Some(1)));
    assert_eq!(held.body["lines"][0]["quantity"], 4);
    let released = step(&order, "release").expect(200);
    assert_eq!(released.text("/state"), "RELEASED");
    assert_eq!(shop.stock(&product), [10, 0, 10], "released when it is answered");
    assert_eq!(waiting_for(&order, &released), "STOCK");
    assert_eq!(step(&order, "release").expect(200).text("/state"), "RELEASED");
    let again = step(&order, "reserve").expect(200);
    assert_eq!((again.text("/state"), again.body["revision"].as_i64()), ("ATTACHED".to_owned(), Some(2)));
    assert_eq!(shop.stock(&product), [10, 4, 6]);
    assert_eq!(waiting_for(&order, &again), "PAYMENT");
    shop.pay(&order, "20.00").expect(200);
    eventually("what was reserved anew is confirmed", || {
        let reservation = shop.get(&format!("/api/inventory/reservations/{order}")).expect(200);
        (reservation.body["state"] == "CONFIRMED" && reservation.body["revision"] == 2).then_some(())
    });
    assert_eq!(shop.stock(&product), [10, 4, 6]);
}

#[test]
fn row_0_15_what_somebody_else_has_taken_meanwhile_is_short() {
    let shop = shared();
    let product = shop.product("5.00", 4);
    let order = shop.order(&product, 3).text("/orderId");
    step(&order, "release").expect(200);
    shop.order(&product, 2);
    let short = step(&order, "reserve").expect_problem(409, "INSUFFICIENT_STOCK");
    assert_eq!(short.body["unavailable"], json!([{"productId": product, "requested": 3, "available": 2}]));
    assert_eq!(shop.stock(&product), [4, 2, 2]);
    assert_eq!(shop.pay(&order, "15.00").expect(200).body["status"], "CANCELLED", "nothing can be delivered for it");
}

#[test]
fn an_order_that_was_authorised_without_stock_is_confirmed_and_invoiced_when_it_has_some() {
    let shop = shared();
    let product = shop.product("5.00", 10);
    let order = shop.order(&product, 2).text("/orderId");
    step(&order, "release").expect(200);
    let body = json!({"paymentId": unique("auth"), "amount": {"amount": "10.00", "currency": "EUR"}});
    let held = shop.post(&format!("/api/orders/{order}/payment/authorized"), &body).expect(200);
    assert_eq!(
        (held.body["status"].as_str(), held.body["exceptions"][0]["kind"].as_str()),
        (Some("PENDING"), Some("STOCK_GONE"))
    );
    step(&order, "confirm").expect_problem(409, "ILLEGAL_TRANSITION");
    let reserved = step(&order, "reserve").expect(200);
    let read = shop.get_after(&reserved, &format!("/api/orders/{order}")).expect(200);
    assert_eq!(read.body["status"], "CONFIRMED");
    eventually("the reservation is confirmed", || {
        let held = shop.get(&format!("/api/inventory/reservations/{order}")).expect(200);
        (held.body["state"] == "CONFIRMED").then_some(())
    });
    eventually("it is invoiced", || {
        let listed = shop.get(&format!("/api/invoices?orderId={order}")).expect(200).body;
        (listed["items"].as_array().unwrap().len() == 1).then_some(())
    });
}

#[test]
fn row_0_8_and_0_17_only_a_covered_orders_stock_is_confirmed_and_it_is_not_given_up() {
    let shop = shared();
    let product = shop.product("5.00", 10);
    let order = shop.order(&product, 1).text("/orderId");
    step(&order, "confirm").expect_problem(409, "NOT_COVERED");
    shop.pay(&order, "5.00").expect(200);
    let confirmed = step(&order, "confirm").expect(200);
    assert_eq!(confirmed.text("/state"), "CONFIRMED");
    assert_eq!(step(&order, "confirm").expect(200).body, confirmed.body);
    step(&order, "release").expect_problem(409, "ILLEGAL_TRANSITION");
    assert_eq!(shop.stock(&product), [10, 1, 9]);
}

#[test]
fn an_order_that_is_over_holds_nothing_and_gets_nothing() {
    let shop = shared();
    let product = shop.product("5.00", 10);
    let order = shop.order(&product, 1).text("/orderId");
    shop.delete(&format!("/api/orders/{order}")).expect(200);
    step(&order, "reserve").expect_problem(409, "ILLEGAL_TRANSITION");
    step(&order, "confirm").expect_problem(409, "ILLEGAL_TRANSITION");
    eventually("its stock comes back", || (shop.stock(&product) == [10, 0, 10]).then_some(()));
    assert_eq!(step(&order, "release").expect(200).text("/state"), "RELEASED");
}

#[test]
fn stock_steps_are_for_services_and_happen_once_per_key() {
    let shop = shared();
    let ada = shop.customer();
    let product = shop.product("5.00", 10);
    let order = shop.order(&product, 2).text("/orderId");
    let path = format!("/api/orders/{order}/inventory/release");
    shop.post_as(&ada.token, &path, &json!({})).expect_problem(403, "INSUFFICIENT_SCOPE");
    let key = unique("release");
    let release = || Answer::of(shop.request(Method::POST, &path).header("Idempotency-Key", &key).send().unwrap());
    let first = release().expect(200);
    step(&order, "reserve").expect(200);
    let again = release().expect(200);
    assert_eq!((&first.body, again.header("idempotency-replayed")), (&again.body, "true"));
    assert_eq!(shop.stock(&product), [10, 2, 8], "a repeat releases nothing anew");
    let unknown = "/api/orders/ord_01h455vb4pex5vsknk084sn02q/inventory/reserve";
    shop.post(unknown, &json!({})).expect_problem(404, "NOT_FOUND");
    shop.post(&path, &json!({"revision": 1})).expect_problem(400, "UNKNOWN_FIELD");
}
