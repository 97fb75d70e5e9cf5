//! Placing orders: the answer, the two spellings, what comes from the profile, what is refused.

use crate::system::{address, order_body, shared, unique};
use reqwest::Method;
use serde_json::{Value, json};

#[test]
fn row_4_1_a_placed_order_is_answered_in_full() {
    let shop = shared();
    let product = shop.product("12.50", 10);
    let placed = shop.order(&product, 3);
    let body = &placed.body;
    assert!(placed.text("/orderId").starts_with("ord_"));
    assert!(placed.text("/orderNumber").starts_with("R-"));
    assert!(placed.text("/shipmentId").starts_with("shp_"));
    assert_eq!(placed.header("location"), format!("/api/orders/{}", placed.text("/orderId")));
    assert_eq!(placed.header("etag"), "\"1\"");
    assert!(placed.header("oms-consistency").contains(&format!("{}@1", placed.text("/orderId"))));
    for (field, expected) in [
        ("status", json!("PENDING")),
        ("paymentStatus", json!("PENDING")),
        ("fulfilmentStatus", json!("UNFULFILLED")),
        ("currency", json!("EUR")),
        ("customerId", Value::Null),
        ("version", json!(1)),
        ("subtotal", json!({"amount": "37.50", "currency": "EUR"})),
        ("discountTotal", json!({"amount": "0.00", "currency": "EUR"})),
        ("shippingTotal", json!({"amount": "0.00", "currency": "EUR"})),
        ("totalAmount", json!({"amount": "37.50", "currency": "EUR"})),
    ] {
        assert_eq!(body[field], expected, "{field}");
    }
    let line = &body["lines"][0];
    assert!(line["lineId"].as_str().unwrap().starts_with("line_"));
    assert_eq!((line["productId"].as_str(), line["quantity"].as_i64()), (Some(product.as_str()), Some(3)));
    assert_eq!(line["unitPrice"], json!({"amount": "12.50", "currency": "EUR"}));
    assert_eq!(line["lineTotal"], json!({"amount": "37.50", "currency": "EUR"}));
    assert!(body["orderDate"].is_string() && body["expiresAt"].is_string() && body["taxTotal"].is_object());
}

#[test]
fn row_2_5_and_2_6_the_short_spelling_places_the_same_order() {
    let shop = shared();
    let product = shop.product("3.00", 10);
    let customer = shop.customer();
    let body = json!({"userID": customer.id, "orderItems": [{"productID": product, "quantity": 2}]});
    for path in ["/orders", "/order"] {
        let placed = shop.post_as(&customer.token, path, &body).expect(201);
        assert_eq!(placed.text("/orderID"), placed.text("/orderId"));
        assert_eq!(placed.text("/userID"), customer.id);
        assert_eq!(placed.text("/shipmentID"), placed.text("/shipmentId"));
        assert_eq!(placed.body["orderItems"][0]["productID"], product.as_str());
        assert_eq!(placed.body["orderItems"][0]["quantity"], 2);
        assert_eq!(placed.body["totalAmount"]["amount"], "6.00");
        assert!(placed.body["orderDate"].is_string() && placed.body["status"] == "PENDING");
    }
}

#[test]
fn row_0_13_an_order_is_placed_with_the_service_token_where_one_is_configured() {
    // The shared system has none: a token that nobody configured opens nothing.
    let shop = shared();
    let answer = shop
        .anonymous(Method::POST, "/api/orders")
        .header("X-Service-Token", "a-guessed-service-token")
        .json(&json!({}));
    crate::system::Answer::of(answer.send().unwrap()).expect_problem(401, "INVALID_TOKEN");
}

#[test]
fn row_2_10_an_order_reads_as_it_was_placed_under_every_path() {
    let shop = shared();
    let placed = shop.order(&shop.product("3.00", 10), 2);
    let (id, number) = (placed.text("/orderId"), placed.text("/orderNumber"));
    let paths = [
        format!("/api/orders/{id}"),
        format!("/orders/{id}"),
        format!("/order/{id}"),
        format!("/orders/{number}"),
        format!("/order/{number}"),
    ];
    for path in paths {
        let read = shop.get_after(&placed, &path).expect(200);
        for field in ["orderId", "orderNumber", "status", "totalAmount", "lines", "shipmentId", "version", "orderDate"]
        {
            assert_eq!(read.body[field], placed.body[field], "{path} {field}");
        }
        assert_eq!(read.header("etag"), "\"1\"");
    }
}

#[test]
fn a_guest_order_takes_what_is_given_and_a_customer_order_fills_in_the_profile() {
    let shop = shared();
    let product = shop.product("3.00", 10);
    let customer = shop.customer();
    let body = json!({"items": [{"productId": product, "quantity": 1}]});
    let own = shop.post_as(&customer.token, "/api/orders", &body).expect(201);
    assert_eq!(own.text("/customerId"), customer.id);
    let read = shop.get_after(&own, &format!("/api/orders/{}", own.text("/orderId"))).expect(200);
    assert_eq!(read.body["contact"]["email"], customer.email.as_str());
    let guest = shop.post("/api/orders", &body).expect(201);
    assert_eq!(guest.body["customerId"], Value::Null);
}

#[test]
fn everything_a_shop_attaches_is_kept() {
    let shop = shared();
    let mut body = order_body(&shop.product("3.00", 10), 1);
    body["channel"] = json!("pos");
    body["externalId"] = json!(unique("EXT"));
    body["attributes"] = json!({"till": "7", "campaign": "autumn"});
    body["note"] = json!("Please ring twice");
    body["billingAddress"] = address();
    let placed = shop.post("/api/orders", &body).expect(201);
    let read = shop.get_after(&placed, &format!("/api/orders/{}", placed.text("/orderId"))).expect(200);
    for field in ["channel", "externalId", "attributes", "note", "shippingAddress"] {
        assert_eq!(read.body[field], body[field], "{field}");
    }
}

#[test]
fn an_order_on_credit_is_confirmed_at_once_and_never_expires() {
    let shop = shared();
    for method in ["cash_on_delivery", "invoice"] {
        let mut body = order_body(&shop.product("3.00", 10), 1);
        body["paymentMethod"] = json!(method);
        let placed = shop.post("/api/orders", &body).expect(201);
        assert_eq!(placed.body["status"], "CONFIRMED", "{method}");
        assert_eq!(placed.body["expiresAt"], Value::Null);
        assert_eq!(placed.body["version"], 1);
    }
}

#[test]
fn every_line_of_an_order_is_summed_to_the_last_cent() {
    let shop = shared();
    let (a, b) = (shop.product("0.33", 1_000), shop.product("19.99", 1_000));
    let mut body = order_body(&a, 7);
    body["items"] =
        json!([{"productId": a, "quantity": 7}, {"productId": b, "quantity": 3}, {"productId": a, "quantity": 1}]);
    let placed = shop.post("/api/orders", &body).expect(201);
    assert_eq!(placed.body["totalAmount"]["amount"], "62.61");
    assert_eq!(placed.body["lines"].as_array().unwrap().len(), 3);
    assert_eq!(shop.stock(&a)[1], 8);
}

#[test]
fn what_cannot_be_sold_is_named_with_its_place() {
    let shop = shared();
    let product = shop.product("3.00", 10);
    let place = |items: Value| {
        let mut body = order_body(&product, 1);
        body["items"] = items;
        shop.post("/api/orders", &body)
    };
    let unknown = "prod_01h455vb4pex5vsknk084sn02q";
    let refused = place(json!([{"productId": product, "quantity": 1}, {"productId": unknown, "quantity": 1}]));
    assert_eq!(refused.expect_problem(422, "VALIDATION_FAILED").pointers(), ["/items/1/productId"]);

    for quantity in [0, -1, 10_000] {
        let refused =
            place(json!([{"productId": product, "quantity": quantity}])).expect_problem(422, "VALIDATION_FAILED");
        assert_eq!(refused.pointers(), ["/items/0/quantity"], "{quantity}");
    }
    assert_eq!(place(json!([])).expect_problem(422, "VALIDATION_FAILED").pointers(), ["/items"]);

    shop.delete(&format!("/api/products/{product}")).expect(200);
    let archived = place(json!([{"productId": product, "quantity": 1}])).expect_problem(422, "VALIDATION_FAILED");
    assert_eq!(archived.pointers(), ["/items/0/productId"]);
}

#[test]
fn an_order_of_1500_lines_is_placed_and_one_of_1501_is_not() {
    let shop = shared();
    let product = shop.product("1.00", 5_000);
    let mut body = order_body(&product, 1);
    body["items"] = (0..1_500).map(|_| json!({"productId": product, "quantity": 1})).collect();
    let placed = shop.post("/api/orders", &body).expect(201);
    assert_eq!(placed.body["totalAmount"]["amount"], "1500.00");
    body["items"] = (0..1_501).map(|_| json!({"productId": product, "quantity": 1})).collect();
    assert_eq!(shop.post("/api/orders", &body).expect_problem(422, "VALIDATION_FAILED").pointers(), ["/items"]);
}

#[test]
fn a_customer_orders_for_nobody_else() {
    let shop = shared();
    let (ada, eve) = (shop.customer(), shop.customer());
    let mut body = order_body(&shop.product("3.00", 10), 1);
    body["customerId"] = json!(ada.id);
    shop.post_as(&eve.token, "/api/orders", &body).expect_problem(404, "NOT_FOUND");
    let placed = shop.post("/api/orders", &body).expect(201);
    assert_eq!(placed.text("/customerId"), ada.id);
}
