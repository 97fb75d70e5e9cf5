//! Carts: filled, priced at every look, merged on login, checked out once.

use crate::system::{Answer, System, shared};
use reqwest::Method;
use serde_json::{Value, json};

/// A guest's cart with that much of a product.
pub fn cart_of(shop: &System, product: &str, quantity: u32) -> Answer {
    let cart = shop.post("/api/carts", &json!({})).expect(201);
    put(shop, &shop.token, &cart.text("/cartId"), product, quantity).expect(200)
}

pub fn put(shop: &System, token: &str, cart: &str, product: &str, quantity: u32) -> Answer {
    let request = shop.request_as(token, Method::PUT, &format!("/api/carts/{cart}/items/{product}"));
    Answer::of(request.json(&json!({"quantity": quantity})).send().unwrap())
}

#[test]
fn row_0_2_and_1_1_a_users_open_cart_is_read_with_the_prices_of_this_moment() {
    let shop = shared();
    let product = shop.product("12.50", 10);
    let ada = shop.customer();
    let path = format!("/cart/{}", ada.id);
    shop.get_as(&ada.token, &path).expect_problem(404, "NOT_FOUND");

    let made = shop.post_as(&ada.token, "/api/carts", &json!({})).expect(201);
    assert!(made.text("/cartId").starts_with("cart_"));
    assert_eq!(made.header("location"), format!("/api/carts/{}", made.text("/cartId")));
    assert_eq!((made.header("etag"), &made.body["version"]), ("\"1\"", &json!(1)));
    assert_eq!((&made.body["customerId"], &made.body["status"]), (&json!(ada.id), &json!("OPEN")));
    put(shop, &ada.token, &made.text("/cartId"), &product, 3).expect(200);

    for read in [shop.get_as(&ada.token, &path), shop.get(&path)] {
        let read = read.expect(200);
        assert_eq!(read.body["cartId"], made.body["cartId"]);
        assert_eq!(read.body["lines"][0]["unitPrice"], json!({"amount": "12.50", "currency": "EUR"}));
        assert_eq!(read.body["lines"][0]["lineTotal"], json!({"amount": "37.50", "currency": "EUR"}));
        assert_eq!((&read.body["subtotal"]["amount"], &read.body["version"]), (&json!("37.50"), &json!(2)));
    }
    let price = json!({"price": {"amount": "10.00", "currency": "EUR"}});
    shop.post(&format!("/api/products/{product}/prices"), &price).expect(201);
    assert_eq!(shop.get(&path).expect(200).body["subtotal"]["amount"], "30.00", "the price of this moment");

    let again = shop.post_as(&ada.token, "/api/carts", &json!({})).expect(201);
    assert_eq!(again.body["cartId"], made.body["cartId"], "a customer has one open cart");
}

#[test]
fn a_cart_changes_at_the_version_that_was_seen() {
    let shop = shared();
    let (mug, cup) = (shop.product("3.00", 10), shop.product("4.00", 10));
    let cart = cart_of(shop, &mug, 2);
    let path = format!("/api/carts/{}", cart.text("/cartId"));
    let change = |method: Method, product: &str, seen: &str| {
        let request = shop.request(method, &format!("{path}/items/{product}")).header("If-Match", seen);
        Answer::of(request.json(&json!({"quantity": 1})).send().unwrap())
    };
    change(Method::PUT, &cup, "\"1\"").expect_problem(412, "VERSION_MISMATCH");
    let changed = change(Method::PUT, &cup, "\"2\"").expect(200);
    assert_eq!(changed.body["lines"].as_array().unwrap().len(), 2);
    let same = put(shop, &shop.token, &cart.text("/cartId"), &cup, 1).expect(200);
    assert_eq!(same.header("etag"), changed.header("etag"), "nothing has changed");
    let removed = change(Method::DELETE, &mug, "\"3\"").expect(200);
    assert_eq!((removed.body["lines"].as_array().unwrap().len(), &removed.body["version"]), (1, &json!(4)));
    assert_eq!(shop.get(&path).expect(200).body["lines"][0]["productId"], json!(cup));
}

#[test]
fn row_0_3_what_cannot_be_sold_does_not_come_into_a_cart_and_is_named_in_it() {
    let shop = shared();
    let product = shop.product("3.00", 10);
    let cart = cart_of(shop, &product, 2).text("/cartId");
    let unknown = put(shop, &shop.token, &cart, "prod_01h455vb4pex5vsknk084sn02q", 1);
    assert_eq!(unknown.expect_problem(422, "VALIDATION_FAILED").pointers(), ["/productId"]);
    for quantity in [0, 10_000] {
        let refused = put(shop, &shop.token, &cart, &product, quantity);
        assert_eq!(refused.expect_problem(422, "VALIDATION_FAILED").pointers(), ["/quantity"], "{quantity}");
    }
    put(shop, &shop.token, &cart, "ord_01h455vb4pex5vsknk084sn02q", 1).expect_problem(400, "INVALID_ID");
    put(shop, &shop.token, "cart_01h455vb4pex5vsknk084sn02q", &product, 1).expect_problem(404, "NOT_FOUND");
    shop.post("/api/carts", &json!({"currency": "EURO"})).expect_problem(422, "VALIDATION_FAILED");

    shop.delete(&format!("/api/products/{product}")).expect(200);
    let read = shop.get(&format!("/api/carts/{cart}")).expect(200);
    assert_eq!((&read.body["lines"][0]["valid"], &read.body["subtotal"]["amount"]), (&json!(false), &json!("0.00")));
    assert_eq!(read.body["lines"][0]["code"], "PRODUCT_ARCHIVED");
    let archived = put(shop, &shop.token, &cart, &product, 1).expect_problem(422, "VALIDATION_FAILED");
    assert_eq!(archived.pointers(), ["/productId"]);
    let order = shop.post("/api/orders", &json!({"cartId": cart})).expect_problem(422, "VALIDATION_FAILED");
    assert_eq!(order.pointers(), ["/cartId"]);
}

#[test]
fn a_guests_cart_goes_into_the_customers_own_on_login() {
    let shop = shared();
    let (mug, cup) = (shop.product("3.00", 10), shop.product("4.00", 10));
    let ada = shop.customer();
    let guest = cart_of(shop, &mug, 2).text("/cartId");
    shop.get_as(&ada.token, &format!("/api/carts/{guest}")).expect_problem(404, "NOT_FOUND");
    let own = shop.post_as(&ada.token, "/api/carts", &json!({})).expect(201).text("/cartId");
    put(shop, &ada.token, &own, &mug, 1).expect(200);
    put(shop, &shop.token, &guest, &cup, 5).expect(200);

    for _repeat in 0..2 {
        let merged = shop.post_as(&ada.token, &format!("/api/carts/{guest}/merge"), &json!({})).expect(200);
        assert_eq!(merged.text("/cartId"), own);
        let lines = merged.body["lines"].as_array().unwrap();
        let quantities: Vec<i64> = lines.iter().map(|line| line["quantity"].as_i64().unwrap()).collect();
        assert_eq!(quantities, [3, 5], "pieces of one product are summed, once");
    }
    shop.get(&format!("/api/carts/{guest}")).expect_problem(404, "NOT_FOUND");

    let eve = shop.customer();
    let path = format!("/api/carts/{own}/merge");
    shop.post_as(&eve.token, &path, &json!({})).expect_problem(404, "NOT_FOUND");
    let guest = cart_of(shop, &mug, 2).text("/cartId");
    let merged = shop.post_as(&eve.token, &format!("/api/carts/{guest}/merge"), &json!({})).expect(200);
    assert_eq!((&merged.body["customerId"], &merged.body["lines"][0]["quantity"]), (&json!(eve.id), &json!(2)));
}

#[test]
fn somebody_elses_cart_is_not_there() {
    let shop = shared();
    let product = shop.product("3.00", 10);
    let (ada, eve) = (shop.customer(), shop.customer());
    let cart = shop.post_as(&ada.token, "/api/carts", &json!({})).expect(201).text("/cartId");
    put(shop, &eve.token, &cart, &product, 1).expect_problem(404, "NOT_FOUND");
    shop.get_as(&eve.token, &format!("/api/carts/{cart}")).expect_problem(404, "NOT_FOUND");
    shop.get_as(&eve.token, &format!("/cart/{}", ada.id)).expect_problem(404, "NOT_FOUND");
    let order = json!({"cartId": cart});
    shop.post_as(&eve.token, "/api/orders", &order).expect_problem(404, "NOT_FOUND");
    shop.get(&format!("/api/carts/{cart}")).expect(200);
}

#[test]
fn row_0_5_a_cart_is_marked_as_checked_out_once_and_changes_no_more() {
    let shop = shared();
    let product = shop.product("3.00", 10);
    let ada = shop.customer();
    let cart = shop.post_as(&ada.token, "/api/carts", &json!({})).expect(201).text("/cartId");
    let path = format!("/api/carts/{cart}/checked-out");
    shop.post_as(&ada.token, &path, &json!({})).expect_problem(403, "INSUFFICIENT_SCOPE");
    let marked = shop.post(&path, &Value::Object(serde_json::Map::new())).expect(200);
    assert_eq!(marked.body["status"], "CHECKED_OUT");
    assert_eq!(shop.post(&path, &json!({})).expect(200).body["version"], marked.body["version"]);
    put(shop, &ada.token, &cart, &product, 1).expect_problem(409, "CART_CHECKED_OUT");
    shop.get_as(&ada.token, &format!("/cart/{}", ada.id)).expect_problem(404, "NOT_FOUND");
    let next = shop.post_as(&ada.token, "/api/carts", &json!({})).expect(201);
    assert_ne!(next.text("/cartId"), cart);
}
