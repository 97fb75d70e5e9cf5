//! Products and their prices.

use crate::system::{Answer, shared, unique};
use reqwest::Method;
use serde_json::{Value, json};

fn lantern() -> Value {
    json!({
        "sku": unique("SKU"), "name": "White metal lantern", "description": "Holds one candle",
        "price": {"amount": "3.39", "currency": "EUR"}, "taxClass": "standard", "attributes": {"colour": "white"},
    })
}

#[test]
fn row_3_5_a_product_reads_as_it_was_created_without_any_token() {
    let shop = shared();
    let body = lantern();
    let created = shop.post("/api/products", &body).expect(201);
    let path = format!("/api/products/{}", created.text("/productId"));
    assert_eq!(created.header("location"), path);
    assert_eq!(created.header("etag"), format!("\"{}\"", created.body["version"]));
    let read = Answer::of(shop.anonymous(Method::GET, &path).send().unwrap()).expect(200);
    for field in ["sku", "name", "description", "price", "taxClass", "attributes"] {
        assert_eq!(read.body[field], body[field], "{field}");
    }
    assert_eq!(read.body["status"], "ACTIVE");
}

#[test]
fn a_product_is_changed_and_archived_under_its_version() {
    let shop = shared();
    let mut body = lantern();
    let created = shop.post("/api/products", &body).expect(201);
    let path = format!("/api/products/{}", created.text("/productId"));
    body["name"] = json!("Black metal lantern");
    let put =
        |etag: &str| Answer::of(shop.request(Method::PUT, &path).header("If-Match", etag).json(&body).send().unwrap());
    let changed = put(created.header("etag")).expect(200);
    assert_eq!(changed.body["name"], "Black metal lantern");
    put(created.header("etag")).expect_problem(412, "VERSION_MISMATCH");
    assert_eq!(shop.delete(&path).expect(200).body["status"], "ARCHIVED");
}

#[test]
fn row_3_14_prices_have_a_history_and_orders_keep_theirs() {
    let shop = shared();
    let product = shop.product("10.00", 10);
    let before = shop.order(&product, 1);
    let path = format!("/api/products/{product}/prices");
    shop.post(&path, &json!({"price": {"amount": "12.00", "currency": "EUR"}})).expect(201);
    let future = json!({"price": {"amount": "99.00", "currency": "EUR"}, "validFrom": "2999-01-01T00:00:00+02:00"});
    shop.post(&path, &future).expect(201);
    assert_eq!(shop.order(&product, 1).body["totalAmount"]["amount"], "12.00");
    let kept = shop.get_after(&before, &format!("/api/orders/{}", before.text("/orderId"))).expect(200);
    assert_eq!(kept.body["totalAmount"]["amount"], "10.00");
    let history = shop.get(&path).expect(200).body;
    let mut amounts: Vec<&str> =
        history["items"].as_array().unwrap().iter().map(|price| price["price"]["amount"].as_str().unwrap()).collect();
    amounts.sort_unstable();
    assert_eq!(amounts, ["10.00", "12.00", "99.00"]);
    let then = shop.get(&format!("{path}?at=2999-06-01T00:00:00Z")).expect(200).body;
    assert!(then.to_string().contains("99.00"));
}

#[test]
fn a_product_that_makes_no_sense_is_refused_field_by_field() {
    let shop = shared();
    for (pointer, value) in [
        ("/sku", json!("")),
        ("/sku", json!("x".repeat(300))),
        ("/name", json!(" ")),
        ("/price/amount", json!("-1.00")),
        ("/price/amount", json!("1.005")),
        ("/price/currency", json!("EURO")),
    ] {
        let mut body = lantern();
        *body.pointer_mut(pointer).unwrap() = value.clone();
        let refused = shop.post("/api/products", &body).expect_problem(422, "VALIDATION_FAILED");
        let named = refused.pointers();
        assert!(named.iter().any(|found| pointer.starts_with(found)), "{pointer} {value}: {named:?}");
    }
    for field in ["sku", "name", "price"] {
        let mut body = lantern();
        body.as_object_mut().unwrap().remove(field);
        let refused = shop.post("/api/products", &body).expect_problem(422, "VALIDATION_FAILED");
        assert_eq!(refused.pointers(), [format!("/{field}")]);
    }
}

#[test]
fn currencies_with_no_and_three_decimals_are_exact() {
    let shop = shared();
    for (currency, price, total) in [("JPY", "1200", "3600"), ("KWD", "1.234", "3.702")] {
        let body = json!({"sku": unique("SKU"), "name": "Lantern", "price": {"amount": price, "currency": currency}});
        let product = shop.post("/api/products", &body).expect(201).text("/productId");
        shop.put(&format!("/api/inventory/{product}"), &json!({"onHand": 5, "reason": "delivery"})).expect(200);
        let order =
            json!({"items": [{"productId": product, "quantity": 3}], "currency": currency, "paymentMethod": "card"});
        let placed = shop.post("/api/orders", &order).expect(201);
        assert_eq!(placed.body["totalAmount"], json!({"amount": total, "currency": currency}));
        let mut euros = order.clone();
        euros["currency"] = json!("EUR");
        assert_eq!(
            shop.post("/api/orders", &euros).expect_problem(422, "VALIDATION_FAILED").pointers(),
            ["/items/0/productId"]
        );
    }
}
