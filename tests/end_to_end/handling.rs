//! What staff do with an order by hand: statuses, holds, notes, tags, exceptions.

use crate::system::{Answer, order_body, shared};
use reqwest::Method;
use serde_json::{Value, json};

const UNKNOWN: &str = "ord_01h455vb4pex5vsknk084sn02q";

/// A new order of three pieces, paid.
fn paid() -> String {
    let shop = shared();
    let order = shop.order(&shop.product("5.00", 10), 3).text("/orderId");
    shop.pay(&order, "15.00").expect(200);
    order
}

fn allowed(problem: &Answer) -> Vec<&str> {
    problem.body["allowed"].as_array().unwrap().iter().map(|status| status.as_str().unwrap()).collect()
}

#[test]
fn row_1_8_and_1_14_and_2_20_staff_bring_an_order_from_status_to_status() {
    let shop = shared();
    for alias in ["/api/orders", "/order"] {
        let order = paid();
        let path = format!("{alias}/{order}/status");
        let walk = [
            ("processing", "PROCESSING"),
            ("On_Hold", "ON_HOLD"),
            ("CONFIRMED", "PROCESSING"),
            ("SHIPPED", "SHIPPED"),
            ("Delivered", "DELIVERED"),
            ("completed", "COMPLETED"),
        ];
        for (wanted, status) in walk {
            let answer = shop.put(&path, &json!({"status": wanted})).expect(200);
            assert_eq!(answer.body["status"], status, "{wanted}");
            assert_eq!(answer.header("etag"), format!("\"{}\"", answer.body["version"]));
            let again = shop.put(&path, &json!({"status": status})).expect(200);
            assert_eq!(again.body["version"], answer.body["version"], "{status} twice changes nothing");
            let read = shop.get_after(&answer, &format!("/api/orders/{order}/status")).expect(200);
            assert_eq!(read.body["status"], status);
        }
        let cancelled = paid();
        let path = format!("{alias}/{cancelled}/status");
        let answer = shop.put(&path, &json!({"status": "cancelled", "note": "out of print"})).expect(200);
        assert_eq!(
            (answer.body["status"].as_str(), answer.body["refunds"][0]["reason"].as_str()),
            (Some("CANCELLED"), Some("out of print"))
        );
    }
}

#[test]
fn row_1_8_the_alias_answers_with_the_short_names_too() {
    let shop = shared();
    let order = paid();
    let answer = shop.put(&format!("/order/{order}/status"), &json!({"status": "PROCESSING"})).expect(200);
    assert_eq!((answer.text("/orderID"), answer.text("/orderId")), (order.clone(), order));
}

#[test]
fn row_1_8_a_status_that_is_not_possible_now_names_those_that_are() {
    let shop = shared();
    let pending = shop.order(&shop.product("5.00", 10), 1).text("/orderId");
    for status in ["PROCESSING", "SHIPPED", "DELIVERED", "COMPLETED", "CONFIRMED", "EXPIRED", "RETURNED", "nonsense"] {
        let refused = shop.put(&format!("/api/orders/{pending}/status"), &json!({"status": status}));
        let refused = refused.expect_problem(409, "ILLEGAL_TRANSITION");
        assert_eq!(allowed(&refused), ["ON_HOLD", "CANCELLED"], "{status}");
    }
    let paid = paid();
    let refused = shop.put(&format!("/api/orders/{paid}/status"), &json!({"status": "DELIVERED"}));
    let refused = refused.expect_problem(409, "ILLEGAL_TRANSITION");
    assert_eq!(allowed(&refused), ["PROCESSING", "SHIPPED", "ON_HOLD", "CANCELLED"]);
    shop.delete(&format!("/api/orders/{paid}")).expect(200);
    let refused = shop.put(&format!("/api/orders/{paid}/status"), &json!({"status": "SHIPPED"}));
    assert!(allowed(&refused.expect_problem(409, "ILLEGAL_TRANSITION")).is_empty());
}

#[test]
fn a_note_with_a_status_is_kept_on_the_order() {
    let shop = shared();
    let order = paid();
    let body = json!({"status": "PROCESSING", "note": "the blue one"});
    let answer = shop.put(&format!("/api/orders/{order}/status"), &body).expect(200);
    assert_eq!(answer.body["notes"][0]["text"], "the blue one");
    let body = json!({"status": "ON_HOLD", "note": "x".repeat(2_001)});
    let refused = shop.put(&format!("/api/orders/{order}/status"), &body).expect_problem(422, "VALIDATION_FAILED");
    assert_eq!(refused.pointers(), ["/note"]);
}

#[test]
fn row_1_13_customers_handle_nothing() {
    let shop = shared();
    let ada = shop.customer();
    let placed = shop.post_as(&ada.token, "/api/orders", &order_body(&shop.product("5.00", 10), 1)).expect(201);
    let path = format!("/api/orders/{}", placed.text("/orderId"));
    let put = |step: &str, body: &Value| {
        Answer::of(shop.request_as(&ada.token, Method::PUT, &format!("{path}/{step}")).json(body).send().unwrap())
    };
    put("status", &json!({"status": "CANCELLED"})).expect_problem(403, "INSUFFICIENT_SCOPE");
    put("tags", &json!({"tags": ["mine"]})).expect_problem(403, "INSUFFICIENT_SCOPE");
    for (step, body) in [
        ("notes", json!({"text": "hello"})),
        ("hold", json!({"reason": "wait"})),
        ("resume", json!({})),
        ("refunds", json!({"reason": "please"})),
        ("shipments", json!({})),
        ("inventory/release", json!({})),
    ] {
        shop.post_as(&ada.token, &format!("{path}/{step}"), &body).expect_problem(403, "INSUFFICIENT_SCOPE");
    }
    let read_only = shop.token_with("orders:read orders:write shipments:write");
    let refused = shop.post_as(&read_only, &format!("{path}/notes"), &json!({"text": "hello"}));
    refused.expect_problem(403, "INSUFFICIENT_SCOPE");
}

#[test]
fn an_order_on_hold_waits_until_it_is_resumed() {
    let shop = shared();
    let order = paid();
    let path = format!("/api/orders/{order}");
    let held = shop.post(&format!("{path}/hold"), &json!({"reason": "address looks odd"})).expect(200);
    assert_eq!((held.body["status"].as_str(), held.body["waitingFor"].as_str()), (Some("ON_HOLD"), Some("HOLD")));
    let again = shop.post(&format!("{path}/hold"), &json!({"reason": "still"})).expect(200);
    assert_eq!(again.body["version"], held.body["version"]);
    shop.post(&format!("{path}/shipments"), &json!({})).expect_problem(409, "ILLEGAL_TRANSITION");
    let resumed = Answer::of(shop.request(Method::POST, &format!("{path}/resume")).send().unwrap()).expect(200);
    assert_eq!(resumed.body["status"], "CONFIRMED");
    let refused = shop.post(&format!("{path}/resume"), &json!({})).expect_problem(409, "ILLEGAL_TRANSITION");
    assert_eq!(allowed(&refused), ["PROCESSING", "SHIPPED", "ON_HOLD", "CANCELLED"]);
}

#[test]
fn notes_are_added_once_per_key_and_customers_do_not_see_them() {
    let shop = shared();
    let ada = shop.customer();
    let placed = shop.post_as(&ada.token, "/api/orders", &order_body(&shop.product("5.00", 10), 1)).expect(201);
    let path = format!("/api/orders/{}", placed.text("/orderId"));
    let note = |text: &str| {
        let request = shop.request(Method::POST, &format!("{path}/notes")).header("Idempotency-Key", "note-1");
        Answer::of(request.json(&json!({"text": text})).send().unwrap())
    };
    let first = note("called, no answer").expect(200);
    let again = note("called, no answer").expect(200);
    assert_eq!((first.body.clone(), again.header("idempotency-replayed")), (again.body.clone(), "true"));
    note("something else").expect_problem(422, "IDEMPOTENCY_KEY_REUSED");
    let read = shop.get_after(&first, &path).expect(200).body;
    assert_eq!(read["notes"].as_array().unwrap().len(), 1);
    assert_eq!(read["notes"][0]["text"], "called, no answer");
    assert!(shop.get_as(&ada.token, &path).expect(200).body.get("notes").is_none());
}

#[test]
fn tags_are_a_sorted_set_that_is_replaced_whole() {
    let shop = shared();
    let order = paid();
    let path = format!("/api/orders/{order}/tags");
    let tagged = shop.put(&path, &json!({"tags": ["vip", " gift ", "vip"]})).expect(200);
    assert_eq!(tagged.body["tags"], json!(["gift", "vip"]));
    assert_eq!(shop.put(&path, &json!({"tags": ["vip", "gift"]})).expect(200).body["version"], tagged.body["version"]);
    let cleared = shop.put(&path, &json!({"tags": []})).expect(200);
    assert_eq!(cleared.body["tags"], json!([]));
    let found = shop.query_after(&cleared, &format!("{{ order(id: \"{order}\") {{ tags }} }}"));
    assert_eq!(found["order"]["tags"], json!([]));
}

#[test]
fn an_exception_waits_for_a_person_who_says_what_was_done() {
    let shop = shared();
    let order = shop.order(&shop.product("5.00", 10), 1).text("/orderId");
    let overpaid = shop.pay(&order, "6.00").expect(200);
    assert_eq!(overpaid.body["waitingFor"], "EXCEPTION");
    let exception = overpaid.text("/exceptions/0/exceptionId");
    let path = format!("/api/orders/{order}/exceptions/{exception}/resolved");
    shop.post(&path, &json!({})).expect_problem(422, "VALIDATION_FAILED");
    let resolved = shop.post(&path, &json!({"note": "sent a voucher"})).expect(200);
    assert_eq!(resolved.body["exceptions"][0]["resolution"], "sent a voucher");
    assert_eq!(resolved.body["waitingFor"], "PROCESSING");
    let again = shop.post(&path, &json!({"note": "once more"})).expect(200);
    assert_eq!(again.body["version"], resolved.body["version"]);
    let unknown = format!("/api/orders/{order}/exceptions/exc_01h455vb4pex5vsknk084sn02q/resolved");
    shop.post(&unknown, &json!({"note": "x"})).expect_problem(404, "NOT_FOUND");
    let wrong = format!("/api/orders/{order}/exceptions/{order}/resolved");
    shop.post(&wrong, &json!({"note": "x"})).expect_problem(400, "INVALID_ID");
}

#[test]
fn every_step_checks_version_body_and_order() {
    let shop = shared();
    let order = paid();
    let (status, tags) = (json!({"status": "PROCESSING"}), json!({"tags": ["a"]}));
    let steps = [
        (Method::PUT, "status", &status),
        (Method::PUT, "tags", &tags),
        (Method::POST, "notes", &json!({"text": "a"})),
        (Method::POST, "hold", &json!({"reason": "a"})),
        (Method::POST, "resume", &json!({})),
        (Method::POST, "shipments", &json!({})),
        (Method::POST, "refunds", &json!({"reason": "a"})),
    ];
    for (method, step, body) in steps {
        let at = |order: &str| shop.request(method.clone(), &format!("/api/orders/{order}/{step}"));
        let stale = Answer::of(at(&order).header("If-Match", "\"1\"").json(body).send().unwrap());
        stale.expect_problem(412, "VERSION_MISMATCH");
        Answer::of(at(UNKNOWN).json(body).send().unwrap()).expect_problem(404, "NOT_FOUND");
        Answer::of(at("prod_01h455vb4pex5vsknk084sn02q").json(body).send().unwrap()).expect_problem(400, "INVALID_ID");
        let mut surprising = body.clone();
        surprising["surprise"] = json!(1);
        let refused = Answer::of(at(&order).json(&surprising).send().unwrap()).expect_problem(400, "UNKNOWN_FIELD");
        assert_eq!(refused.pointers(), ["/surprise"], "{step}");
    }
    for (method, step, field) in [
        (Method::PUT, "status", "/status"),
        (Method::PUT, "tags", "/tags"),
        (Method::POST, "notes", "/text"),
        (Method::POST, "hold", "/reason"),
        (Method::POST, "refunds", "/reason"),
    ] {
        let request = shop.request(method, &format!("/api/orders/{order}/{step}")).json(&json!({}));
        let refused = Answer::of(request.send().unwrap()).expect_problem(422, "VALIDATION_FAILED");
        assert_eq!(refused.pointers(), [field]);
    }
}
