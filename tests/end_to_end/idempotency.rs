//! A retry never acts twice: the same key and body get the first answer again.

use crate::system::{Answer, order_body, shared, unique};
use reqwest::Method;
use serde_json::{Value, json};
use std::{collections::BTreeSet, sync::Mutex, thread};

fn post(key: &str, path: &str, body: &Value) -> Answer {
    let request = shared().request(Method::POST, path).header("Idempotency-Key", key).json(body);
    Answer::of(request.send().unwrap())
}

#[test]
fn row_1_19_the_same_key_and_body_get_the_first_answer_again() {
    let shop = shared();
    let (key, body) = (unique("key"), order_body(&shop.product("5.00", 10), 1));
    let first = post(&key, "/api/orders", &body).expect(201);
    assert_eq!(first.header("idempotency-replayed"), "");
    // An alias is the same path as far as keys are concerned.
    for path in ["/api/orders", "/orders", "/order"] {
        let again = post(&key, path, &body).expect(201);
        assert_eq!(again.header("idempotency-replayed"), "true", "{path}");
        assert_eq!(again.body, first.body);
        for header in ["location", "etag", "oms-consistency"] {
            assert_eq!(again.header(header), first.header(header));
        }
    }
}

#[test]
fn ten_parallel_requests_with_one_key_place_one_order() {
    let shop = shared();
    let product = shop.product("5.00", 100);
    let (key, body) = (unique("key"), order_body(&product, 1));
    let answers: Mutex<Vec<Answer>> = Mutex::default();
    thread::scope(|scope| {
        for _ in 0..10 {
            scope.spawn(|| {
                let answer = post(&key, "/api/orders", &body);
                answers.lock().unwrap().push(answer);
            });
        }
    });
    let answers = answers.into_inner().unwrap();
    let mut orders = BTreeSet::new();
    for answer in answers {
        if answer.status == 201 {
            orders.insert(answer.text("/orderId"));
        } else {
            let running = answer.expect_problem(409, "IDEMPOTENCY_IN_PROGRESS");
            assert!(!running.header("retry-after").is_empty());
        }
    }
    assert_eq!(orders.len(), 1);
    assert_eq!(shop.stock(&product), [100, 1, 99]);
}

#[test]
fn another_body_under_the_same_key_is_refused() {
    let product = shared().product("5.00", 10);
    let key = unique("key");
    post(&key, "/api/orders", &order_body(&product, 1)).expect(201);
    post(&key, "/api/orders", &order_body(&product, 2)).expect_problem(422, "IDEMPOTENCY_KEY_REUSED");
}

#[test]
fn a_shortage_is_answered_again_even_when_stock_came_in() {
    let shop = shared();
    let product = shop.product("5.00", 0);
    let (key, body) = (unique("key"), order_body(&product, 1));
    post(&key, "/api/orders", &body).expect_problem(409, "INSUFFICIENT_STOCK");
    shop.put(&format!("/api/inventory/{product}"), &json!({"onHand": 5, "reason": "delivery"})).expect(200);
    let again = post(&key, "/api/orders", &body).expect_problem(409, "INSUFFICIENT_STOCK");
    assert_eq!(again.header("idempotency-replayed"), "true");
    post(&unique("key"), "/api/orders", &body).expect(201);
}

#[test]
fn a_malformed_request_does_not_use_up_its_key() {
    let shop = shared();
    let key = unique("key");
    let mut body = order_body(&shop.product("5.00", 10), 1);
    body["surprise"] = json!(true);
    post(&key, "/api/orders", &body).expect_problem(400, "UNKNOWN_FIELD");
    body.as_object_mut().unwrap().remove("surprise");
    post(&key, "/api/orders", &body).expect(201);
}

#[test]
fn keys_of_different_callers_and_paths_have_nothing_to_do_with_each_other() {
    let shop = shared();
    let product = shop.product("5.00", 10);
    let (key, body) = (unique("key"), order_body(&product, 1));
    let mut orders = BTreeSet::from([post(&key, "/api/orders", &body).expect(201).text("/orderId")]);
    for _ in 0..2 {
        let customer = shop.customer();
        let request = shop.request_as(&customer.token, Method::POST, "/api/orders").header("Idempotency-Key", &key);
        orders.insert(Answer::of(request.json(&body).send().unwrap()).expect(201).text("/orderId"));
    }
    assert_eq!(orders.len(), 3);
    let order = orders.first().unwrap();
    post(&key, &format!("/api/orders/{order}/cancel"), &json!({})).expect(200);
}

#[test]
fn every_post_command_takes_a_key() {
    let shop = shared();
    let (key, sku) = (unique("key"), unique("SKU"));
    let product = json!({"sku": sku, "name": "Lantern", "price": {"amount": "1.00", "currency": "EUR"}});
    let first = post(&key, "/api/products", &product).expect(201);
    let again = post(&key, "/api/products", &product).expect(201);
    assert_eq!((again.header("idempotency-replayed"), &again.body), ("true", &first.body));

    let order = shop.order(&shop.product("5.00", 10), 1).text("/orderId");
    let path = format!("/api/orders/{order}/payment/completed");
    let payment = json!({"paymentId": unique("ch"), "amount": {"amount": "5.00", "currency": "EUR"}});
    let first = post(&key, &path, &payment).expect(200);
    assert_eq!(post(&key, &path, &payment).expect(200).body, first.body);
    let invoice = json!({"orderId": order});
    let first = post(&key, "/api/invoices", &invoice);
    assert!(matches!(first.status, 200 | 201), "{}", first.body);
    assert_eq!(post(&key, "/api/invoices", &invoice).body, first.body);
}
