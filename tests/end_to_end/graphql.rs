//! Reading by GraphQL: the same order that REST placed, confined to who may see it.

use crate::system::{Answer, order_body, shared};
use reqwest::Method;
use serde_json::{Value, json};

const ORDER: &str = "id number status paymentStatus fulfilmentStatus version allowedActions waitingFor waitingUntil
    lines { id sku name quantity unitPrice { amount currency } lineTotal { amount } product { id sku } }
    subtotal { amount } total { amount currency } paidTotal { amount } contact { email } shippingAddress { city }
    customer { id } tags timeline { edges { node { type } } } history { edges { node { version type } } }";

fn query_as(token: &str, after: &Answer, query: &str) -> Value {
    let shop = shared();
    let request =
        shop.request_as(token, Method::POST, "/graphql").header("OMS-Consistency", after.header("oms-consistency"));
    let answer = Answer::of(request.json(&json!({"query": query})).send().unwrap()).expect(200);
    assert!(answer.body.get("errors").is_none(), "{query}: {}", answer.body);
    answer.body["data"].clone()
}

#[test]
fn row_4_4_an_order_reads_by_id_and_by_number_as_it_was_placed() {
    let shop = shared();
    let product = shop.product("12.50", 10);
    let placed = shop.order(&product, 2);
    for selector in
        [format!("id: \"{}\"", placed.text("/orderId")), format!("number: \"{}\"", placed.text("/orderNumber"))]
    {
        let order = &shop.query_after(&placed, &format!("{{ order({selector}) {{ {ORDER} }} }}"))["order"];
        assert_eq!(order["id"], placed.body["orderId"]);
        assert_eq!(order["number"], placed.body["orderNumber"]);
        assert_eq!((order["status"].as_str(), order["waitingFor"].as_str()), (Some("PENDING"), Some("PAYMENT")));
        assert_eq!(order["waitingUntil"], placed.body["expiresAt"]);
        assert_eq!(order["total"], json!({"amount": "25.00", "currency": "EUR"}));
        assert_eq!(order["lines"][0]["product"]["id"], product.as_str());
        assert_eq!(order["contact"]["email"], "ada@example.org");
        assert_eq!(order["history"]["edges"][0]["node"], json!({"version": 1, "type": "OrderPlaced"}));
        assert!(order["allowedActions"].as_array().unwrap().iter().any(|action| action == "CANCEL"));
    }
}

#[test]
fn a_payment_shows_as_soon_as_the_reader_asks_for_it() {
    let shop = shared();
    let order = shop.order(&shop.product("5.00", 10), 1).text("/orderId");
    for _ in 0..3 {
        let paid = shop.pay(&order, "1.00").expect(200);
        let read = shop.query_after(&paid, &format!("{{ order(id: \"{order}\") {{ version }} }}"));
        assert!(read["order"]["version"].as_i64().unwrap() >= paid.body["version"].as_i64().unwrap());
    }
}

#[test]
fn a_customer_sees_their_own_orders_in_every_query_and_no_other() {
    let shop = shared();
    let (ada, eve) = (shop.customer(), shop.customer());
    let placed = shop.post_as(&ada.token, "/api/orders", &order_body(&shop.product("5.00", 10), 1)).expect(201);
    let (id, number) = (placed.text("/orderId"), placed.text("/orderNumber"));
    let query = format!(
        "{{ byId: order(id: \"{id}\") {{ id }} byNumber: order(number: \"{number}\") {{ id }} node(id: \"{id}\") {{ id }}
            nodes(ids: [\"{id}\"]) {{ id }} orders(first: 5) {{ totalCount edges {{ node {{ id }} }} }}
            filtered: orders(filter: {{customerId: \"{}\"}}) {{ totalCount }} me {{ id email }} }}",
        ada.id
    );
    let own = query_as(&ada.token, &placed, &query);
    assert_eq!(own["byId"]["id"], id.as_str());
    assert_eq!(own["orders"]["totalCount"], 1);
    assert_eq!(own["me"], json!({"id": ada.id, "email": ada.email}));
    let foreign = query_as(&eve.token, &placed, &query);
    for field in ["byId", "byNumber", "node"] {
        assert_eq!(foreign[field], Value::Null, "{field}");
    }
    assert_eq!(foreign["nodes"], json!([null]));
    assert_eq!((&foreign["orders"]["totalCount"], &foreign["filtered"]["totalCount"]), (&json!(0), &json!(0)));
    shop.get_as(&eve.token, &format!("/api/orders/{id}")).expect_problem(404, "NOT_FOUND");
    shop.get_as(&eve.token, &format!("/api/orders/user/{}", ada.id)).expect_problem(404, "NOT_FOUND");
}

#[test]
fn row_0_14_and_1_4_the_orders_of_a_user_come_in_pages() {
    let shop = shared();
    let (customer, product) = (shop.customer(), shop.product("5.00", 10));
    let mut last = None;
    for _ in 0..3 {
        last = Some(shop.post_as(&customer.token, "/api/orders", &order_body(&product, 1)).expect(201));
    }
    let last = last.unwrap();
    for path in [
        format!("/api/orders/user/{}", customer.id),
        format!("/orders/user/{}", customer.id),
        format!("/user/{}/orders", customer.id),
        format!("/orders/{}", customer.id),
    ] {
        let first = shop.get_after(&last, &format!("{path}?limit=2")).expect(200);
        assert_eq!(first.body["items"].as_array().unwrap().len(), 2, "{path}");
        assert_eq!(first.body["items"][0]["orderId"], last.body["orderId"]);
        assert!(first.header("link").contains("rel=\"next\""));
        let second = shop.get(&format!("{path}?limit=2&cursor={}", first.text("/nextCursor"))).expect(200);
        assert_eq!(second.body["items"].as_array().unwrap().len(), 1);
        assert_eq!(second.body["nextCursor"], Value::Null);
    }
}

#[test]
fn row_1_6_the_status_reads_by_itself() {
    let shop = shared();
    let placed = shop.order(&shop.product("5.00", 10), 1);
    for path in ["/api/orders", "/order"] {
        let status = shop.get_after(&placed, &format!("{path}/{}/status", placed.text("/orderId"))).expect(200);
        assert_eq!(status.body["status"], "PENDING");
    }
}

#[test]
fn products_and_stock_read_with_what_was_just_written() {
    let shop = shared();
    let body =
        json!({"sku": crate::system::unique("SKU"), "name": "Lantern", "price": {"amount": "3.39", "currency": "EUR"}});
    let product = shop.post("/api/products", &body).expect(201);
    let id = product.text("/productId");
    let read = shop.query_after(&product, &format!("{{ product(id: \"{id}\") {{ id sku name }} }}"));
    assert_eq!(read["product"], json!({"id": id, "sku": body["sku"], "name": "Lantern"}));
    let stocked = shop.put(&format!("/api/inventory/{id}"), &json!({"onHand": 7, "reason": "delivery"})).expect(200);
    let read = shop.query_after(&stocked, &format!("{{ stock(productId: \"{id}\") {{ onHand reserved available }} }}"));
    assert_eq!(read["stock"], json!({"onHand": 7, "reserved": 0, "available": 7}));
    let placed = shop.order(&id, 2);
    let read = shop.query_after(&placed, &format!("{{ stock(productId: \"{id}\") {{ reserved }} }}"));
    assert_eq!(read["stock"]["reserved"], 2);
}

#[test]
fn get_answers_queries_and_the_media_type_follows_accept() {
    let shop = shared();
    let get = shop
        .request(Method::GET, "/graphql?query=%7B__typename%7D")
        .header("Accept", "application/graphql-response+json");
    let answer = Answer::of(get.send().unwrap()).expect(200);
    assert!(answer.header("content-type").starts_with("application/graphql-response+json"));
    assert_eq!(answer.body["data"]["__typename"], "Query");
    let invalid = shop.request(Method::POST, "/graphql").header("Accept", "application/graphql-response+json");
    let answer = Answer::of(invalid.json(&json!({"query": "{ nonsense }"})).send().unwrap()).expect(400);
    assert!(answer.body.get("data").is_none() && answer.body["errors"].is_array());
    Answer::of(shop.anonymous(Method::POST, "/graphql").json(&json!({"query": "{__typename}"})).send().unwrap())
        .expect(401);
}
