//! Amending an order's contact, addresses and note.

use crate::system::{Answer, address, shared};
use reqwest::Method;
use serde_json::json;
use std::thread;

#[test]
fn row_4_2_an_amendment_appends_one_event_and_reads_back() {
    let shop = shared();
    let placed = shop.order(&shop.product("5.00", 10), 1);
    let path = format!("/api/orders/{}", placed.text("/orderId"));
    let mut moved = address();
    moved["line1"] = json!("1 New Street");
    let body = json!({"shippingAddress": moved, "contact": {"email": "new@example.org"}, "note": "Back door"});
    let amended = shop.put(&path, &body).expect(200);
    assert_eq!(amended.body["version"], 2);
    assert_eq!(amended.header("etag"), "\"2\"");
    let read = shop.get_after(&amended, &path).expect(200).body;
    assert_eq!(read["shippingAddress"], moved);
    assert_eq!(
        (read["contact"]["email"].as_str(), read["note"].as_str()),
        (Some("new@example.org"), Some("Back door"))
    );
    assert_eq!(shop.put(&path, &json!({"note": "Front door"})).expect(200).body["version"], 3);
}

#[test]
fn an_amendment_of_what_was_changed_meanwhile_is_refused() {
    let shop = shared();
    let placed = shop.order(&shop.product("5.00", 10), 1);
    let path = format!("/api/orders/{}", placed.text("/orderId"));
    shop.put(&path, &json!({"note": "first"})).expect(200);
    let amend = |etag: &str| {
        let request = shop.request(Method::PUT, &path).header("If-Match", etag);
        Answer::of(request.json(&json!({"note": "second"})).send().unwrap())
    };
    amend("\"1\"").expect_problem(412, "VERSION_MISMATCH");
    amend("\"2\"").expect(200);
}

#[test]
fn a_cancelled_order_is_not_amended() {
    let shop = shared();
    let path = format!("/api/orders/{}", shop.order(&shop.product("5.00", 10), 1).text("/orderId"));
    shop.delete(&path).expect(200);
    shop.put(&path, &json!({"note": "too late"})).expect_problem(409, "NOT_AMENDABLE");
}

#[test]
fn a_broken_address_is_named_field_by_field() {
    let shop = shared();
    let path = format!("/api/orders/{}", shop.order(&shop.product("5.00", 10), 1).text("/orderId"));
    let body =
        json!({"shippingAddress": {"line1": "1 New Street", "country": "Germany"}, "contact": {"email": "nobody"}});
    let refused = shop.put(&path, &body).expect_problem(422, "VALIDATION_FAILED");
    let mut pointers = refused.pointers();
    pointers.sort_unstable();
    assert_eq!(
        pointers,
        ["/contact/email", "/shippingAddress/city", "/shippingAddress/country", "/shippingAddress/postalCode"]
    );
}

#[test]
fn amendments_at_the_same_moment_that_name_no_version_all_happen() {
    let shop = shared();
    let path = format!("/api/orders/{}", shop.order(&shop.product("5.00", 10), 1).text("/orderId"));
    thread::scope(|scope| {
        for buyer in 0..12 {
            let path = &path;
            scope.spawn(move || shop.put(path, &json!({"note": format!("note {buyer}")})).expect(200));
        }
    });
    let last = shop.put(&path, &json!({"note": "the last word"})).expect(200);
    assert_eq!(last.body["version"], 14);
}

#[test]
fn an_amendment_without_a_body_changes_nothing() {
    let shop = shared();
    let path = format!("/api/orders/{}", shop.order(&shop.product("5.00", 10), 1).text("/orderId"));
    let answer = Answer::of(shop.request(Method::PUT, &path).send().unwrap()).expect(200);
    assert_eq!(answer.body["totalAmount"]["amount"], "5.00");
}
