//! From a cart to an order: quotes whose prices hold, tax and shipping from the tables, and one order per cart.

use crate::{
    carts::{cart_of, put},
    system::{Answer, Folder, System, address, order_body, shared, unique},
};
use reqwest::Method;
use serde_json::{Value, json};
use std::thread;

fn of_cart(cart: &str) -> Value {
    let mut body = order_body("", 1);
    body.as_object_mut().unwrap().remove("items");
    body["cartId"] = json!(cart);
    body
}

fn of_quote(quote: &str) -> Value {
    json!({"quoteId": quote, "contact": {"email": "ada@example.org"}, "paymentMethod": "card"})
}

fn checkout(shop: &System, cart: &str) -> Answer {
    shop.post("/api/checkout", &json!({"cartId": cart, "currency": "EUR", "shippingAddress": address()}))
}

fn with_key(shop: &System, key: &str, body: &Value) -> Answer {
    let request = shop.request(Method::POST, "/api/orders").header("Idempotency-Key", key);
    Answer::of(request.json(body).send().unwrap())
}

#[test]
fn row_0_1_a_cart_becomes_one_order() {
    let shop = shared();
    let (mug, cup) = (shop.product("3.00", 10), shop.product("4.50", 10));
    let ada = shop.customer();
    let cart = shop.post_as(&ada.token, "/api/carts", &json!({})).expect(201).text("/cartId");
    shop.post("/api/orders", &of_cart(&cart)).expect_problem(422, "VALIDATION_FAILED");
    put(shop, &ada.token, &cart, &mug, 2).expect(200);
    put(shop, &ada.token, &cart, &cup, 1).expect(200);

    let key = unique("key");
    let placed = with_key(shop, &key, &of_cart(&cart)).expect(201);
    assert_eq!((placed.text("/customerId"), placed.text("/totalAmount/amount")), (ada.id.clone(), "10.50".into()));
    assert_eq!(placed.body["lines"].as_array().unwrap().len(), 2);
    assert_eq!((shop.stock(&mug)[1], shop.stock(&cup)[1]), (2, 1));

    let replayed = with_key(shop, &key, &of_cart(&cart)).expect(201);
    assert_eq!(replayed.header("idempotency-replayed"), "true");
    let second = with_key(shop, &unique("key"), &of_cart(&cart)).expect_problem(409, "CART_CHECKED_OUT");
    assert_eq!(second.body["orderId"], placed.body["orderId"]);
    let second = shop.post("/api/orders", &of_cart(&cart)).expect_problem(409, "CART_CHECKED_OUT");
    assert_eq!(second.body["orderId"], placed.body["orderId"]);

    shop.get_as(&ada.token, &format!("/cart/{}", ada.id)).expect_problem(404, "NOT_FOUND");
    let read = shop.get(&format!("/api/carts/{cart}")).expect(200);
    assert_eq!((&read.body["status"], &read.body["orderId"]), (&json!("CHECKED_OUT"), &placed.body["orderId"]));
    let late = put(shop, &ada.token, &cart, &mug, 9).expect_problem(409, "CART_CHECKED_OUT");
    assert_eq!(late.body["orderId"], placed.body["orderId"]);
    checkout(shop, &cart).expect_problem(409, "CART_CHECKED_OUT");
}

#[test]
fn a_race_for_one_cart_has_one_order() {
    let shop = shared();
    let product = shop.product("3.00", 100);
    let cart = cart_of(shop, &product, 2).text("/cartId");
    let body = of_cart(&cart);
    let answers: Vec<Answer> = thread::scope(|scope| {
        let orders: Vec<_> = (0..8).map(|_| scope.spawn(|| shop.post("/api/orders", &body))).collect();
        orders.into_iter().map(|order| order.join().unwrap()).collect()
    });
    let (placed, late): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 201);
    assert_eq!(placed.len(), 1);
    for answer in late {
        assert_eq!(answer.expect_problem(409, "CART_CHECKED_OUT").body["orderId"], placed[0].body["orderId"]);
    }
    assert_eq!(shop.stock(&product)[1], 2);
}

#[test]
fn an_order_that_was_short_of_stock_can_be_placed_from_the_same_cart_later() {
    let shop = shared();
    let product = shop.product("3.00", 1);
    let cart = cart_of(shop, &product, 2).text("/cartId");
    shop.post("/api/orders", &of_cart(&cart)).expect_problem(409, "INSUFFICIENT_STOCK");
    put(shop, &shop.token, &cart, &product, 1).expect(200);
    shop.post("/api/orders", &of_cart(&cart)).expect(201);
    assert_eq!(shop.stock(&product), [1, 1, 0]);
}

#[test]
fn row_1_2_a_quote_holds_its_prices_until_it_is_ordered() {
    let shop = shared();
    let product = shop.product("12.50", 10);
    let cart = cart_of(shop, &product, 2).text("/cartId");
    let quote = checkout(shop, &cart).expect(200);
    assert!(quote.text("/quoteId").starts_with("quo_") && quote.body["expiresAt"].is_string());
    for (part, amount) in
        [("subtotal", "25.00"), ("discountTotal", "0.00"), ("shippingTotal", "0.00"), ("taxTotal", "0.00")]
    {
        assert_eq!(quote.body[part], json!({"amount": amount, "currency": "EUR"}), "{part}");
    }
    assert_eq!(quote.text("/total/amount"), "25.00");
    assert_eq!((&quote.body["cartId"], &quote.body["version"]), (&json!(cart), &json!(1)));

    let dearer = json!({"price": {"amount": "99.00", "currency": "EUR"}});
    shop.post(&format!("/api/products/{product}/prices"), &dearer).expect(201);
    let placed = shop.post("/api/orders", &of_quote(&quote.text("/quoteId"))).expect(201);
    assert_eq!(placed.text("/totalAmount/amount"), "25.00");
    assert_eq!(placed.body["lines"][0]["lineId"], quote.body["lines"][0]["lineId"]);
    let read = shop.get_after(&placed, &format!("/api/orders/{}", placed.text("/orderId"))).expect(200);
    assert_eq!(read.body["shippingAddress"], address(), "the quote's address is the order's");

    for again in [of_quote(&quote.text("/quoteId")), of_cart(&cart)] {
        let again = shop.post("/api/orders", &again).expect_problem(409, "CART_CHECKED_OUT");
        assert_eq!(again.body["orderId"], placed.body["orderId"]);
    }
}

#[test]
fn items_are_quoted_without_a_cart_and_by_the_older_path() {
    let shop = shared();
    let product = shop.product("2.00", 10);
    let ada = shop.customer();
    let mut body = json!({"currency": "EUR", "shippingAddress": address(), "paymentMethod": "invoice"});
    body["items"] = json!([{"productId": product, "quantity": 3}]);
    let quote = shop.post_as(&ada.token, "/checkout", &body).expect(200);
    assert_eq!((quote.text("/total/amount"), quote.text("/customerId")), ("6.00".into(), ada.id.clone()));
    let order = json!({"quoteId": quote.text("/quoteId")});
    let eve = shop.customer();
    shop.post_as(&eve.token, "/api/orders", &order).expect_problem(404, "NOT_FOUND");
    let placed = shop.post_as(&ada.token, "/api/orders", &order).expect(201);
    assert_eq!((placed.text("/customerId"), placed.text("/status")), (ada.id, "CONFIRMED".into()));
}

#[test]
fn what_cannot_be_quoted_is_named() {
    let shop = shared();
    let product = shop.product("2.00", 10);
    let body =
        || json!({"currency": "EUR", "shippingAddress": address(), "items": [{"productId": product, "quantity": 1}]});
    for (field, value) in [
        ("currency", json!("EURO")),
        ("paymentMethod", json!("barter")),
        ("discountCode", json!("NOBODY-KNOWS")),
        ("shippingMethod", json!("drone")),
        ("shippingAddress", Value::Null),
    ] {
        let mut body = body();
        body[field] = value;
        let refused = shop.post("/api/checkout", &body).expect_problem(422, "VALIDATION_FAILED");
        assert_eq!(refused.pointers(), [format!("/{field}")]);
    }
    let mut both = body();
    both["cartId"] = json!(cart_of(shop, &product, 1).text("/cartId"));
    shop.post("/api/checkout", &both).expect_problem(422, "VALIDATION_FAILED");
    let unknown = json!({"cartId": "cart_01h455vb4pex5vsknk084sn02q", "shippingAddress": address()});
    shop.post("/api/checkout", &unknown).expect_problem(404, "NOT_FOUND");
}

#[test]
fn a_quote_of_a_cart_that_changed_is_answered_with_a_fresh_one() {
    let shop = shared();
    let product = shop.product("2.00", 10);
    let cart = cart_of(shop, &product, 1).text("/cartId");
    let quote = checkout(shop, &cart).expect(200).text("/quoteId");
    put(shop, &shop.token, &cart, &product, 3).expect(200);
    let expired = shop.post("/api/orders", &of_quote(&quote)).expect_problem(409, "QUOTE_EXPIRED");
    assert_eq!(expired.text("/quote/total/amount"), "6.00");
    let placed = shop.post("/api/orders", &of_quote(&expired.text("/quote/quoteId"))).expect(201);
    assert_eq!(placed.text("/totalAmount/amount"), "6.00");
}

#[test]
fn an_expired_quote_is_answered_with_a_fresh_one_at_todays_prices() {
    let folder = Folder::new();
    let shop = System::start(&folder, &[("OMS_QUOTE_TTL", "1ms"), ("OMS_PRICES_INCLUDE_TAX", "off")]);
    let product = shop.product("2.00", 10);
    let cart = cart_of(&shop, &product, 1).text("/cartId");
    let quote = checkout(&shop, &cart).expect(200).text("/quoteId");
    let dearer = json!({"price": {"amount": "3.00", "currency": "EUR"}});
    shop.post(&format!("/api/products/{product}/prices"), &dearer).expect(201);
    let expired = shop.post("/api/orders", &of_quote(&quote)).expect_problem(409, "QUOTE_EXPIRED");
    assert_eq!(expired.text("/quote/total/amount"), "3.00");
    assert_ne!(expired.text("/quote/quoteId"), quote);

    // Prices without tax: it comes on top, line by line.
    let rates = json!({"items": [{"country": "GB", "rate": "0.2"}]});
    assert_eq!(shop.put("/api/tax-rates", &rates).expect(200).body["pricesIncludeTax"], json!(false));
    let mut body = order_body(&product, 1);
    body["items"] = json!([{"productId": product, "quantity": 1}, {"productId": product, "quantity": 2}]);
    let placed = shop.post("/api/orders", &body).expect(201);
    assert_eq!((placed.text("/taxTotal/amount"), placed.text("/totalAmount/amount")), ("1.80".into(), "10.80".into()));
    shop.stop();
}

#[test]
fn tax_and_shipping_follow_the_tables_and_the_address() {
    let folder = Folder::new();
    let shop = System::start(&folder, &[]);
    let product = shop.product("10.00", 100);
    let before = shop.get("/api/shipping-methods").expect(200);
    assert_eq!((&before.body["items"][0]["code"], &before.body["nextCursor"]), (&json!("standard"), &Value::Null));
    let eur = |amount: &str| json!({"amount": amount, "currency": "EUR"});
    let methods = json!([
        {"code": "standard", "prices": [eur("4.90")], "freeFrom": [eur("50.00")], "countries": ["GB", "FR"]},
        {"code": "express", "prices": [eur("9.90")], "countries": ["GB"]},
    ]);
    let changed = shop.put("/api/shipping-methods", &json!({"items": methods})).expect(200);
    let sent_back = shop.put("/api/shipping-methods", &changed.body).expect(200);
    assert_eq!(sent_back.body["items"], changed.body["items"], "what was read can be sent back");
    shop.put("/api/shipping-methods", &changed.body).expect_problem(412, "VERSION_MISMATCH");
    let rates = json!({"items": [
        {"country": "GB", "taxClass": "standard", "rate": "0.2"},
        {"country": "FR", "region": "Corse", "rate": 0.1},
    ]});
    shop.put("/api/tax-rates", &rates).expect(200);
    let wrong = json!({"items": [{"country": "XX", "rate": "0.2"}, {"rate": "20"}]});
    let wrong = shop.put("/api/tax-rates", &wrong).expect_problem(422, "VALIDATION_FAILED");
    assert_eq!(wrong.pointers(), ["/items/0/country", "/items/1/rate"]);

    // 20.00 with 20 % in it, and 4.90 with 20 % in it.
    let placed = shop.post("/api/orders", &order_body(&product, 2)).expect(201);
    let parts =
        |answer: &Answer| ["subtotal", "shippingTotal", "taxTotal"].map(|part| answer.text(&format!("/{part}/amount")));
    assert_eq!(parts(&placed), ["20.00", "4.90", "4.15"]);
    assert_eq!((placed.text("/totalAmount/amount"), placed.text("/lines/0/taxRate")), ("24.90".into(), "0.2".into()));
    let free = shop.post("/api/orders", &order_body(&product, 5)).expect(201);
    assert_eq!(parts(&free), ["50.00", "0.00", "8.33"]);
    let mut express = order_body(&product, 2);
    express["shippingMethod"] = json!("express");
    assert_eq!(parts(&shop.post("/api/orders", &express).expect(201))[1], "9.90");
    express["shippingAddress"]["country"] = json!("FR");
    let refused = shop.post("/api/orders", &express).expect_problem(422, "VALIDATION_FAILED");
    assert_eq!(refused.pointers(), ["/shippingMethod"]);

    let cart = cart_of(&shop, &product, 1).text("/cartId");
    let quote = checkout(&shop, &cart).expect(200);
    assert_eq!(parts(&quote), ["10.00", "4.90", "2.49"]);
    let mut elsewhere = of_quote(&quote.text("/quoteId"));
    elsewhere["shippingAddress"] = address();
    elsewhere["shippingAddress"]["country"] = json!("FR");
    elsewhere["shippingAddress"]["region"] = json!("corse");
    let expired = shop.post("/api/orders", &elsewhere).expect_problem(409, "QUOTE_EXPIRED");
    assert_eq!(expired.text("/quote/taxTotal/amount"), "1.36");
    let mut same_price = of_quote(&quote.text("/quoteId"));
    same_price["shippingAddress"] = address();
    same_price["shippingAddress"]["city"] = json!("Leeds");
    let placed = shop.post("/api/orders", &same_price).expect(201);
    assert_eq!(placed.text("/totalAmount/amount"), "14.90", "another address at the same price is no change");
    elsewhere["quoteId"] = expired.body["quote"]["quoteId"].clone();
    let second = shop.post("/api/orders", &elsewhere).expect_problem(409, "CART_CHECKED_OUT");
    assert_eq!(second.body["orderId"], placed.body["orderId"], "a cart and all its quotes become one order");

    // A product that comes onto an order is taxed where that goes.
    let other = shop.product("6.00", 10);
    let items = json!({"items": [{"productId": product, "quantity": 1}, {"productId": other, "quantity": 1}]});
    let amended = shop.put(&format!("/api/orders/{}", placed.text("/orderId")), &items).expect(200);
    assert_eq!(parts(&amended), ["16.00", "4.90", "3.49"]);
    shop.stop();
}
