//! Rows 0.20, 1.10 and 2.12: carriers report, the order follows, and whoever knows its number and a proof can look.

use crate::system::{Answer, Folder, System, eventually, order_body, shared};
use reqwest::Method;
use serde_json::{Value, json};
use std::sync::OnceLock;
use web::standard_webhooks::WebhookSecret;

/// A system that believes one carrier.
fn believing() -> (&'static System, &'static WebhookSecret) {
    static SYSTEM: OnceLock<(System, Folder, WebhookSecret)> = OnceLock::new();
    let (system, _, secret) = SYSTEM.get_or_init(|| {
        let (folder, secret) = (Folder::new(), WebhookSecret::generate());
        let secrets = format!("ups=whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw,dhl={}", secret.to_text());
        (System::start(&folder, &[("OMS_SHIPPING_WEBHOOK_SECRETS", &secrets)]), folder, secret)
    });
    (system, secret)
}

fn report(shop: &System, carrier: &str, secret: &WebhookSecret, body: &str) -> Answer {
    let now = web::request_context::now();
    let request = shop
        .anonymous(Method::POST, &format!("/api/webhooks/shipping/{carrier}"))
        .header("webhook-id", "msg_1")
        .header("webhook-timestamp", now.timestamp().to_string())
        .header("webhook-signature", secret.sign("msg_1", now, body.as_bytes()))
        .body(body.to_owned());
    Answer::of(request.send().unwrap())
}

fn event(shipment: &str, status: &str, seconds: i64) -> String {
    let at = web::request_context::now() + chrono::TimeDelta::seconds(seconds);
    json!({"shipmentId": shipment, "status": status, "occurredAt": at, "trackingNumber": "JJD0001"}).to_string()
}

fn status(shop: &System, order: &str) -> String {
    shop.get(&format!("/api/orders/{order}/status")).body["status"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn row_2_12_reports_of_a_carrier_ship_and_deliver_an_order_and_repeats_change_nothing() {
    let (shop, secret) = believing();
    let placed = shop.order(&shop.product("12.50", 10), 2);
    let (order, shipment) = (placed.text("/orderId"), placed.text("/shipmentId"));
    shop.pay(&order, "25.00").expect(200);
    let left = event(&shipment, "IN_TRANSIT", 0);
    assert_eq!(report(shop, "DHL", secret, &left).expect(202).body["outcome"], "APPLIED");
    assert_eq!(report(shop, "dhl", secret, &left).expect(202).body["outcome"], "UNCHANGED");
    let delivered = event(&shipment, "DELIVERED", 1);
    assert_eq!(report(shop, "dhl", secret, &delivered).expect(202).body["outcome"], "APPLIED");
    let late = [
        event(&shipment, "IN_TRANSIT", -60),
        event(&shipment, "FAILED", -60),
        event(&shipment, "DELIVERED", 2),
        delivered,
    ];
    for late in late {
        assert_eq!(report(shop, "dhl", secret, &late).expect(202).body["outcome"], "UNCHANGED");
    }
    eventually("it is delivered", || (status(shop, &order) == "DELIVERED").then_some(()));
    let read = shop.get(&format!("/api/orders/{order}")).expect(200).body;
    assert_eq!(read["exceptions"], json!([]));
    assert_eq!(
        (&read["shipments"][0]["carrier"], &read["shipments"][0]["trackingNumber"]),
        (&json!("dhl"), &json!("JJD0001"))
    );
}

#[test]
fn row_2_12_who_is_not_believed_is_401_and_changes_nothing() {
    let (shop, secret) = believing();
    let placed = shop.order(&shop.product("12.50", 10), 1);
    let (order, shipment) = (placed.text("/orderId"), placed.text("/shipmentId"));
    let paid = shop.pay(&order, "12.50").expect(200);
    let body = event(&shipment, "DELIVERED", 0);
    report(shop, "dhl", &WebhookSecret::generate(), &body).expect_problem(401, "UNAUTHENTICATED");
    report(shop, "ups", secret, &body).expect_problem(401, "UNAUTHENTICATED");
    report(shop, "unknown", secret, &body).expect_problem(401, "UNAUTHENTICATED");
    let unsigned = shop.anonymous(Method::POST, "/api/webhooks/shipping/dhl").body(body.clone());
    Answer::of(unsigned.send().unwrap()).expect_problem(401, "UNAUTHENTICATED");
    let old = web::request_context::now() - chrono::TimeDelta::minutes(6);
    let replayed = shop
        .anonymous(Method::POST, "/api/webhooks/shipping/dhl")
        .header("webhook-id", "msg_1")
        .header("webhook-timestamp", old.timestamp().to_string())
        .header("webhook-signature", secret.sign("msg_1", old, body.as_bytes()))
        .body(body);
    Answer::of(replayed.send().unwrap()).expect_problem(401, "UNAUTHENTICATED");
    let read = shop.get_after(&paid, &format!("/api/orders/{order}")).expect(200);
    assert_eq!(
        (read.text("/status"), read.body["version"].clone()),
        ("CONFIRMED".to_owned(), paid.body["version"].clone())
    );
}

#[test]
fn what_cannot_be_used_is_taken_and_kept_with_its_reason() {
    let (shop, secret) = believing();
    let order = shop.order(&shop.product("12.50", 10), 1).text("/orderId");
    let foreign = json!({"shipmentId": "shp_01h455vb4pex5vsknk084sn02q", "orderId": order, "status": "DELIVERED", "occurredAt": "2026-01-01T00:00:00Z"});
    for body in ["no JSON", "{}", &event("shp_01h455vb4pex5vsknk084sn02q", "DELIVERED", 0), &foreign.to_string()] {
        assert_eq!(report(shop, "dhl", secret, body).expect(202).body["outcome"], "SET_ASIDE", "{body}");
    }
}

#[test]
fn row_0_20_a_guest_looks_by_phone_or_email_and_a_wrong_token_is_401() {
    let shop = shared();
    let mut body = order_body(&shop.product("12.50", 10), 1);
    body["contact"]["phone"] = json!("+44 20 7946 0958");
    let placed = shop.post("/api/orders", &body).expect(201);
    let number = placed.text("/orderNumber");
    let path = format!("/api/tracking/order/{number}");
    let look = |query: &str| Answer::of(shop.anonymous(Method::GET, &format!("{path}{query}")).send().unwrap());
    let tracked =
        eventually("it can be tracked", || Some(look("?email=ADA@example.org")).filter(|answer| answer.status == 200));
    assert_eq!(
        (tracked.text("/status"), tracked.text("/milestones/0/type")),
        ("PENDING".to_owned(), "PLACED".to_owned())
    );
    look("?phone=020%207946%200958").expect(200);
    let wrong = look("?email=bob@example.org").expect_problem(404, "NOT_FOUND");
    let none = look("").expect_problem(404, "NOT_FOUND");
    let unknown = shop.anonymous(Method::GET, "/api/tracking/order/R-999999999?email=ada@example.org");
    let unknown = Answer::of(unknown.send().unwrap()).expect_problem(404, "NOT_FOUND");
    for other in [&none, &unknown] {
        assert_eq!((&other.body["detail"], &other.body["title"]), (&wrong.body["detail"], &wrong.body["title"]));
    }
    shop.get(&path).expect(200);
    shop.get_as("not.a.token", &format!("{path}?email=ada@example.org")).expect_problem(401, "INVALID_TOKEN");
    shop.get_as(&shop.customer().token, &path).expect_problem(404, "NOT_FOUND");
}

#[test]
fn row_0_20_guessing_meets_a_limit() {
    let folder = Folder::new();
    let shop = System::start(&folder, &[("OMS_RATE_LIMIT", "on")]);
    let guess = |number: &str| {
        let path = format!("/api/tracking/order/{number}?phone=%2B49170{}", 1_000_000);
        Answer::of(shop.anonymous(Method::GET, &path).send().unwrap())
    };
    let refused = (0..40).map(|_| guess("R-000000001")).find(|answer| answer.status != 404).unwrap();
    refused.expect_problem(429, "RATE_LIMITED");
    // Another number has guesses of its own until the address has none left.
    let refused = (0..60).map(|turn| guess(&format!("R-00000{turn:04}"))).find(|answer: &Answer| answer.status != 404);
    assert_eq!(refused.map(|answer| answer.body["code"].clone()), Some(Value::from("RATE_LIMITED")));
    shop.stop();
}
