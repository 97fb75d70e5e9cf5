//! Rows 0.6, 0.10, 0.27 and 2.13: each change of an order's status is told once, to the webhooks of the shop, signed.

use crate::{
    receiver::{Received, Receiver},
    system::{Folder, System, eventually, shared},
};
use serde_json::{Value, json};
use web::standard_webhooks::{WebhookSecret, verify};

fn endpoint(shop: &System, url: &str, events: &[&str]) -> Value {
    shop.post("/api/webhook-endpoints", &json!({"url": url, "events": events})).expect(201).body
}

fn deliveries(shop: &System, endpoint: &Value) -> Vec<Value> {
    let id = endpoint["endpointId"].as_str().unwrap();
    let listed = shop.get(&format!("/api/webhook-endpoints/{id}/deliveries?limit=100")).expect(200).body;
    listed["items"].as_array().unwrap().clone()
}

/// What came about one order, each message once.
fn told(receiver: &Receiver, order: &str) -> Vec<Value> {
    let of = |received: &Received| Some(received.json()).filter(|message| message["orderId"] == order);
    let mut told: Vec<Value> = receiver.received().iter().filter_map(of).collect();
    told.dedup();
    told
}

fn believe(secret: &str, received: &Received) -> String {
    let headers =
        received.headers.iter().filter_map(|(name, value)| Some((name.parse().ok()?, value.parse().ok()?))).collect();
    verify(&[WebhookSecret::parse(secret).unwrap()], &headers, &received.body, web::request_context::now()).unwrap()
}

#[test]
fn row_0_27_and_2_13_each_change_of_status_is_told_once_and_signed() {
    let shop = shared();
    let receiver = Receiver::answering(204);
    let endpoint = endpoint(shop, &receiver.url, &[]);
    let secret = endpoint["secret"].as_str().unwrap();
    assert!(secret.starts_with("whsec_"), "{endpoint}");
    let id = endpoint["endpointId"].as_str().unwrap();
    let read = shop.get(&format!("/api/webhook-endpoints/{id}")).expect(200);
    assert!(read.body.get("secret").is_none(), "the secret is told once: {}", read.body);

    let placed = shop.order(&shop.product("12.50", 10), 2);
    let (order, number) = (placed.text("/orderId"), placed.text("/orderNumber"));
    shop.post(&format!("/api/orders/{order}/notes"), &json!({"text": "says nothing of the status"})).expect(200);
    shop.pay(&order, "25.00").expect(200);
    shop.put(&format!("/api/orders/{order}/status"), &json!({"status": "PROCESSING"})).expect(200);
    shop.put(&format!("/api/orders/{order}/status"), &json!({"status": "SHIPPED"})).expect(200);
    let mut messages =
        eventually("four changes are told", || Some(told(&receiver, &order)).filter(|told| told.len() >= 4));
    // Side by side, so in no order of their own.
    messages.sort_by_key(|message| message["occurredAt"].as_str().unwrap().to_owned());
    let changes: Vec<_> =
        messages.iter().map(|told| (&told["type"], &told["previousStatus"], &told["status"])).collect();
    let expected = [
        ("order.placed", None, "PENDING"),
        ("order.confirmed", Some("PENDING"), "CONFIRMED"),
        ("order.processing", Some("CONFIRMED"), "PROCESSING"),
        ("order.shipped", Some("PROCESSING"), "SHIPPED"),
    ]
    .map(|(kind, before, now)| (json!(kind), json!(before), json!(now)));
    for (found, expected) in changes.iter().zip(&expected) {
        assert_eq!(*found, (&expected.0, &expected.1, &expected.2));
    }
    assert_eq!(changes.len(), 4);
    for received in receiver.received().iter().filter(|received| received.json()["orderId"] == *order) {
        let message = received.json();
        assert_eq!(believe(secret, received), message["notificationId"].as_str().unwrap());
        assert_eq!((&message["orderNumber"], &message["customerId"]), (&json!(number), &Value::Null));
        let fields = message.as_object().unwrap();
        assert_eq!(fields.len(), 8, "nothing personal is told: {message}");
    }
    let log = eventually("all are noted", || {
        let log: Vec<_> = deliveries(shop, &endpoint).into_iter().filter(|one| one["orderId"] == *order).collect();
        (log.len() == 4 && log.iter().all(|one| one["status"] == "DELIVERED")).then_some(log)
    });
    for one in log {
        assert_eq!((&one["statusCode"], &one["error"]), (&json!(204), &Value::Null));
        assert!(one["durationMs"].is_i64() && one["attempts"].as_array().unwrap().len() == 1, "{one}");
    }
    shop.delete(&format!("/api/webhook-endpoints/{id}")).expect(204);
    shop.get(&format!("/api/webhook-endpoints/{id}")).expect_problem(404, "NOT_FOUND");
}

#[test]
fn only_what_was_asked_for_is_told() {
    let shop = shared();
    let receiver = Receiver::answering(200);
    let endpoint = endpoint(shop, &receiver.url, &["order.cancelled"]);
    let order = shop.order(&shop.product("1.00", 10), 1).text("/orderId");
    shop.delete(&format!("/api/orders/{order}")).expect(200);
    let messages =
        eventually("the cancellation is told", || Some(told(&receiver, &order)).filter(|told| !told.is_empty()));
    assert_eq!(messages.len(), 1);
    assert_eq!(messages[0]["type"], "order.cancelled");
    shop.delete(&format!("/api/webhook-endpoints/{}", endpoint["endpointId"].as_str().unwrap())).expect(204);
}

#[test]
fn a_failed_delivery_is_tried_again_under_the_same_id_becomes_a_dead_letter_and_can_be_sent_again() {
    let folder = Folder::new();
    let shop = System::start(&folder, &[("OMS_WEBHOOK_RETRY", "0s"), ("OMS_WEBHOOK_ATTEMPTS", "3")]);
    let failing = Receiver::start(|_, number| {
        let status = if number < 3 { 500 } else { 200 };
        Some(format!("HTTP/1.1 {status} x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"))
    });
    // One that never answers must not hold up the other.
    let silent = Receiver::start(|_, _| None);
    endpoint(&shop, &silent.url, &["*"]);
    let endpoint = endpoint(&shop, &failing.url, &["order.placed"]);
    let id = endpoint["endpointId"].as_str().unwrap();
    let order = shop.order(&shop.product("1.00", 10), 1).text("/orderId");
    let dead =
        eventually("it is given up", || deliveries(&shop, &endpoint).into_iter().find(|one| one["status"] == "DEAD"));
    let codes: Vec<_> =
        dead["attempts"].as_array().unwrap().iter().map(|attempt| attempt["statusCode"].clone()).collect();
    assert_eq!(codes, [500, 500, 500]);
    assert_eq!(dead["nextAttemptAt"], Value::Null);
    let read = shop.get(&format!("/api/webhook-endpoints/{id}")).expect(200).body;
    assert!(read["failingSince"].is_string() && read["enabled"] == true, "{read}");

    let path = format!("/api/webhook-endpoints/{id}/deliveries/{}/redeliver", dead["deliveryId"].as_str().unwrap());
    assert_eq!(shop.post(&path, &json!({})).expect(202).body["status"], "PENDING");
    eventually("it is delivered", || deliveries(&shop, &endpoint).into_iter().find(|one| one["status"] == "DELIVERED"));
    let ids: Vec<String> = failing.received().iter().map(|received| received.headers["webhook-id"].clone()).collect();
    assert_eq!(ids.len(), 4);
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    assert_eq!(failing.received()[3].json()["orderId"], *order);
    assert_eq!(shop.get(&format!("/api/webhook-endpoints/{id}")).expect(200).body["failingSince"], Value::Null);
    shop.stop();
}

#[test]
fn an_endpoint_that_is_gone_is_disabled_with_its_reason_until_somebody_enables_it() {
    let shop = shared();
    let receiver = Receiver::answering(410);
    let endpoint = endpoint(shop, &receiver.url, &["order.placed"]);
    let path = format!("/api/webhook-endpoints/{}", endpoint["endpointId"].as_str().unwrap());
    shop.order(&shop.product("1.00", 10), 1);
    let disabled =
        eventually("it is disabled", || Some(shop.get(&path).expect(200).body).filter(|read| read["enabled"] == false));
    assert_eq!(disabled["disabledReason"], "it answered 410 Gone");
    let enabled = shop.put(&path, &json!({"enabled": true})).expect(200).body;
    assert_eq!((&enabled["enabled"], &enabled["disabledReason"]), (&json!(true), &Value::Null));
    shop.delete(&path).expect(204);
}

#[test]
fn webhooks_follow_no_redirects_and_reach_no_inner_network() {
    let shop = shared();
    let elsewhere = Receiver::answering(200);
    let location = elsewhere.url.clone();
    let redirecting = Receiver::start(move |_, _| {
        Some(format!("HTTP/1.1 302 x\r\nlocation: {location}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"))
    });
    let endpoint = endpoint(shop, &redirecting.url, &["order.placed"]);
    shop.order(&shop.product("1.00", 10), 1);
    let tried =
        eventually("it was tried", || deliveries(shop, &endpoint).into_iter().find(|one| one["statusCode"] == 302));
    assert_eq!(tried["status"], "PENDING");
    assert!(elsewhere.received().is_empty());
    shop.delete(&format!("/api/webhook-endpoints/{}", endpoint["endpointId"].as_str().unwrap())).expect(204);

    for url in
        ["http://169.254.169.254/latest", "https://10.0.0.1/", "http://[fd00::1]/", "ftp://example.org/", "nonsense"]
    {
        let refused = shop.post("/api/webhook-endpoints", &json!({"url": url, "events": []}));
        assert_eq!(refused.expect_problem(422, "VALIDATION_FAILED").pointers(), ["/url"], "{url}");
    }
    let unknown =
        shop.post("/api/webhook-endpoints", &json!({"url": "https://example.org/", "events": ["order.sung"]}));
    assert_eq!(unknown.expect_problem(422, "VALIDATION_FAILED").pointers(), ["/events/0"]);
}
