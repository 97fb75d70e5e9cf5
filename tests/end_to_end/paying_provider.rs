//! Payments through a provider: started for an order, told by signed webhooks, sent back by themselves.

use crate::system::{Answer, Folder, System, eventually, order_body, unique};
use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::Sha256;
use std::{
    sync::OnceLock,
    time::{SystemTime, UNIX_EPOCH},
};

const OLD: &[u8] = b"the secret of last month";
const NEW: &[u8] = b"the secret of this month";
const STRIPE: &str = "whsec_stripes_secret";

static SHOP: OnceLock<(System, Folder)> = OnceLock::new();

/// A shop whose webhooks have two live secrets.
fn shop() -> &'static System {
    let (system, _folder) = SHOP.get_or_init(|| {
        let folder = Folder::new();
        let secrets = format!("whsec_{},whsec_{}", STANDARD.encode(OLD), STANDARD.encode(NEW));
        let environment = [("OMS_PAYMENT_WEBHOOK_SECRET", secrets.as_str()), ("OMS_STRIPE_WEBHOOK_SECRET", STRIPE)];
        (System::start(&folder, &environment), folder)
    });
    system
}

/// An order of 25.00 and its path.
fn placed() -> (String, String) {
    let shop = shop();
    let order = shop.order(&shop.product("12.50", 10), 2).text("/orderId");
    let path = format!("/api/orders/{order}");
    (order, path)
}

fn start(path: &str, simulate: &str) -> Answer {
    shop().post(&format!("{path}/payments"), &json!({"simulate": simulate}))
}

fn until(path: &str, pointer: &str, expected: &str) -> Value {
    eventually(&format!("{pointer} of {path} is {expected}"), || {
        let order = shop().get(path).body;
        (order.pointer(pointer).and_then(Value::as_str) == Some(expected)).then_some(order)
    })
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn mac(secret: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// A webhook of the shop's own payment service.
fn webhook(id: &str, secret: &[u8], at: u64, body: &str) -> Answer {
    let signature = STANDARD.encode(mac(secret, &format!("{id}.{at}.{body}")));
    let request = shop().anonymous(Method::POST, "/api/webhooks/payments/generic");
    let request = request.header("webhook-id", id).header("webhook-timestamp", at.to_string());
    let request = request.header("webhook-signature", format!("v1,{signature}"));
    Answer::of(request.header("content-type", "application/json").body(body.to_owned()).send().unwrap())
}

fn told(kind: &str, order: &str, payment: &str) -> String {
    let amount = json!({"amount": "25.00", "currency": "EUR"});
    json!({"type": kind, "data": {"orderId": order, "paymentId": payment, "amount": amount}}).to_string()
}

#[test]
fn row_0_7_a_started_payment_confirms_the_order_and_row_0_8_its_stock() {
    let shop = shop();
    let (order, path) = placed();
    let started = start(&path, "completes").expect(201);
    assert_eq!((started.text("/status"), started.text("/provider")), ("COMPLETED".to_owned(), "simulated".to_owned()));
    assert_eq!(started.body["amount"], json!({"amount": "25.00", "currency": "EUR"}));
    let paid = shop.get_after(&started, &path).expect(200).body;
    assert_eq!((paid["status"].as_str(), paid["paymentStatus"].as_str()), (Some("CONFIRMED"), Some("PAID")));
    assert_eq!(paid["payments"][0]["provider"], "simulated");
    eventually("the stock is held firmly", || {
        let reservation = shop.get(&format!("/api/inventory/reservations/{order}")).expect(200);
        (reservation.text("/state") == "CONFIRMED").then_some(())
    });
    start(&path, "completes").expect_problem(409, "ILLEGAL_TRANSITION");
}

#[test]
fn a_payment_that_fails_keeps_the_order_and_another_may_follow() {
    let (_, path) = placed();
    assert_eq!(start(&path, "fails").expect(201).text("/status"), "FAILED");
    until(&path, "/paymentStatus", "FAILED");
    start(&path, "completes").expect(201);
    until(&path, "/paymentStatus", "PAID");
}

#[test]
fn a_delayed_payment_is_found_without_a_webhook() {
    let (_, path) = placed();
    assert_eq!(start(&path, "delays").expect(201).text("/status"), "REQUIRES_ACTION");
    until(&path, "/paymentStatus", "PAID");
}

#[test]
fn refunds_of_its_payments_are_carried_out_by_themselves_and_credited() {
    let shop = shop();
    let (order, path) = placed();
    start(&path, "completes").expect(201);
    let amount = json!({"amount": "5.00", "currency": "EUR"});
    shop.post(&format!("{path}/refunds"), &json!({"amount": amount, "reason": "scratched"})).expect(201);
    let refunded = until(&path, "/paymentStatus", "PARTIALLY_REFUNDED");
    assert_eq!(refunded["refunds"][0]["status"], "COMPLETED");
    shop.post(&format!("{path}/cancel"), &json!({})).expect(200);
    until(&path, "/paymentStatus", "REFUNDED");
    let notes = eventually("both credit notes are issued", || {
        let listed = shop.get(&format!("/api/invoices?orderId={order}")).expect(200).body;
        let notes: Vec<Value> = listed["items"].as_array().unwrap().iter().map(|item| item["total"].clone()).collect();
        (notes.len() == 3).then_some(notes)
    });
    assert_eq!((notes[0]["amount"].as_str(), notes[1]["amount"].as_str()), (Some("20.00"), Some("5.00")));
}

#[test]
fn a_refund_that_the_provider_cannot_send_back_calls_a_person() {
    let shop = shop();
    let (_, path) = placed();
    start(&path, "refund-fails").expect(201);
    shop.post(&format!("{path}/cancel"), &json!({})).expect(200);
    let order = until(&path, "/refunds/0/status", "FAILED");
    assert_eq!(order["exceptions"][0]["kind"], "REFUND_FAILED");
}

#[test]
fn a_refund_of_a_payment_that_a_service_reported_waits_for_that_service() {
    let shop = shop();
    let (order, path) = placed();
    shop.pay(&order, "25.00").expect(200);
    let cancelled = shop.post(&format!("{path}/cancel"), &json!({})).expect(200);
    // Another order's refund goes through meanwhile.
    let (_, other) = placed();
    start(&other, "completes").expect(201);
    shop.post(&format!("{other}/cancel"), &json!({})).expect(200);
    until(&other, "/paymentStatus", "REFUNDED");
    assert_eq!(shop.get(&path).expect(200).body["refunds"][0]["status"], "REQUESTED");
    let refund = cancelled.text("/refunds/0/refundId");
    let done = shop.post(&format!("{path}/refunds/{refund}/completed"), &json!({})).expect(200);
    assert_eq!(done.text("/paymentStatus"), "REFUNDED");
}

#[test]
fn customers_start_payments_of_their_own_orders_and_of_no_others() {
    let shop = shop();
    let (ada, eve) = (shop.customer(), shop.customer());
    let body = order_body(&shop.product("12.50", 10), 2);
    let order = shop.post_as(&ada.token, "/api/orders", &body).expect(201).text("/orderId");
    let path = format!("/api/orders/{order}/payments");
    shop.post_as(&eve.token, &path, &json!({})).expect_problem(404, "NOT_FOUND");
    let some = json!({"amount": {"amount": "10.00", "currency": "EUR"}});
    assert_eq!(shop.post_as(&ada.token, &path, &some).expect(201).text("/status"), "AUTHORIZED");
    assert_eq!(shop.post_as(&ada.token, &path, &json!({})).expect(201).body["amount"]["amount"], "15.00");
    until(&format!("/api/orders/{order}"), "/paymentStatus", "PAID");
    let wrong = json!({"amount": {"amount": "0", "currency": "USD"}, "returnUrl": "x", "simulate": "y"});
    let problem = shop.post_as(&ada.token, &path, &wrong).expect_problem(422, "VALIDATION_FAILED");
    assert_eq!(problem.body["errors"].as_array().unwrap().len(), 4, "{}", problem.body);
}

#[test]
fn the_same_key_starts_one_payment() {
    let shop = shop();
    let (_, path) = placed();
    let key = unique("pay");
    let ask = || {
        let request = shop.request(Method::POST, &format!("{path}/payments")).header("Idempotency-Key", &key);
        Answer::of(request.json(&json!({"simulate": "delays"})).send().unwrap()).expect(201)
    };
    assert_eq!(ask().text("/paymentId"), ask().text("/paymentId"));
}

#[test]
fn row_0_18_a_signed_webhook_pays_an_order_once_however_often_it_comes() {
    let shop = shop();
    let (order, path) = placed();
    let (id, payment) = (unique("msg"), unique("ch"));
    let body = told("payment.completed", &order, &payment);
    webhook(&id, NEW, now(), &body).expect(202);
    let paid = until(&path, "/paymentStatus", "PAID");
    assert_eq!(
        (&paid["payments"][0]["provider"], &paid["payments"][0]["paymentId"]),
        (&json!("generic"), &json!(payment))
    );
    webhook(&id, OLD, now(), &body).expect(202);
    webhook(&unique("msg"), NEW, now() - 290, &body).expect(202);
    assert_eq!(shop.get(&path).expect(200).body["version"], paid["version"]);
}

#[test]
fn row_0_19_and_0_9_a_webhook_of_a_failure_keeps_the_order_for_another_attempt() {
    let (order, path) = placed();
    webhook(&unique("msg"), NEW, now(), &told("payment.failed", &order, &unique("ch"))).expect(202);
    let failed = until(&path, "/paymentStatus", "FAILED");
    assert_eq!((failed["status"].as_str(), failed["waitingFor"].as_str()), (Some("PENDING"), Some("PAYMENT")));
}

#[test]
fn a_webhook_that_is_not_signed_in_time_by_a_live_secret_is_not_believed() {
    let shop = shop();
    let (order, _) = placed();
    let body = told("payment.completed", &order, &unique("ch"));
    let id = unique("msg");
    webhook(&id, b"somebody else's secret", now(), &body).expect_problem(401, "UNAUTHENTICATED");
    webhook(&id, NEW, now() - 310, &body).expect_problem(401, "UNAUTHENTICATED");
    webhook(&id, NEW, now() + 310, &body).expect_problem(401, "UNAUTHENTICATED");
    for provider in ["generic", "stripe", "simulated"] {
        let path = format!("/api/webhooks/payments/{provider}");
        let unsigned = shop.anonymous(Method::POST, &path).body(body.clone()).send().unwrap();
        Answer::of(unsigned).expect_problem(401, "UNAUTHENTICATED");
    }
    let unknown = shop.anonymous(Method::POST, "/api/webhooks/payments/nobody").body(body).send().unwrap();
    Answer::of(unknown).expect_problem(404, "NOT_FOUND");
    assert_eq!(shop.get(&format!("/api/orders/{order}")).expect(200).body["paymentStatus"], "PENDING");
}

#[test]
fn a_believed_webhook_that_no_order_can_take_is_accepted_all_the_same() {
    for body in [
        told("payment.completed", "ord_01h455vb4pex5vsknk084sn02q", "ch_1"),
        "garbage".to_owned(),
        json!({"type": "customer.created", "data": {}}).to_string(),
    ] {
        let id = unique("msg");
        webhook(&id, NEW, now(), &body).expect(202);
        webhook(&id, NEW, now(), &body).expect(202);
    }
}

#[test]
fn a_late_capture_on_a_cancelled_order_is_recorded_and_to_be_refunded() {
    let shop = shop();
    let (order, path) = placed();
    shop.post(&format!("{path}/cancel"), &json!({})).expect(200);
    webhook(&unique("msg"), NEW, now(), &told("payment.completed", &order, &unique("ch"))).expect(202);
    let late = until(&path, "/refunds/0/cause", "LATE_CAPTURE");
    assert_eq!(
        (late["status"].as_str(), late["refunds"][0]["status"].as_str()),
        (Some("CANCELLED"), Some("REQUESTED"))
    );
}

#[test]
fn stripes_webhooks_are_verified_as_stripe_signs_them() {
    let (order, path) = placed();
    let object = json!({
        "id": unique("pi"), "object": "payment_intent", "status": "succeeded", "amount": 2500, "amount_received": 2500,
        "currency": "eur", "metadata": {"order_id": order},
    });
    let body = json!({"id": unique("evt"), "type": "payment_intent.succeeded", "data": {"object": object}}).to_string();
    let send = |secret: &str| {
        let at = now();
        let hex: String =
            mac(secret.as_bytes(), &format!("{at}.{body}")).iter().map(|byte| format!("{byte:02x}")).collect();
        let request = shop().anonymous(Method::POST, "/api/webhooks/payments/stripe");
        Answer::of(request.header("stripe-signature", format!("t={at},v1={hex}")).body(body.clone()).send().unwrap())
    };
    send("whsec_another").expect_problem(401, "UNAUTHENTICATED");
    send(STRIPE).expect(202);
    let paid = until(&path, "/paymentStatus", "PAID");
    assert_eq!(paid["payments"][0]["provider"], "stripe");
}
