//! Returns: of what was delivered, by the customer or staff, back into stock or not.

use crate::system::{Answer, Customer, eventually, order_body, shared};
use reqwest::Method;
use serde_json::{Value, json};

const UNKNOWN: &str = "ret_01h455vb4pex5vsknk084sn02q";

/// A customer's order of four pieces, delivered.
struct Delivered {
    ada: Customer,
    product: String,
    order: String,
    line: String,
    path: String,
}

fn shipped() -> Delivered {
    let shop = shared();
    let ada = shop.customer();
    let product = shop.product("5.00", 10);
    let placed = shop.post_as(&ada.token, "/api/orders", &order_body(&product, 4)).expect(201);
    let order = placed.text("/orderId");
    shop.pay(&order, "20.00").expect(200);
    let path = format!("/api/orders/{order}");
    shop.put(&format!("{path}/status"), &json!({"status": "SHIPPED"})).expect(200);
    Delivered { ada, product, order, line: placed.text("/lines/0/lineId"), path }
}

fn delivered() -> Delivered {
    let shipped = shipped();
    shared().put(&format!("{}/status", shipped.path), &json!({"status": "DELIVERED"})).expect(200);
    shipped
}

impl Delivered {
    fn post(&self, step: &str, body: &Value) -> Answer {
        shared().post(&format!("{}/{step}", self.path), body)
    }

    fn lines(&self, quantity: u32) -> Value {
        json!([{"lineId": self.line, "quantity": quantity}])
    }

    fn announce(&self, quantity: u32) -> Answer {
        let body = json!({"lines": self.lines(quantity), "reason": "too small"});
        shared().post_as(&self.ada.token, &format!("{}/returns", self.path), &body)
    }

    fn stock_becomes(&self, stock: [i64; 3]) {
        eventually(&format!("the stock is {stock:?}"), || (shared().stock(&self.product) == stock).then_some(()));
    }
}

#[test]
fn what_a_customer_sends_back_is_in_stock_again_when_it_is_received() {
    let shop = shared();
    let bought = delivered();
    bought.stock_becomes([6, 0, 6]);
    let announced = bought.announce(3).expect(201);
    let id = announced.text("/returnId");
    assert_eq!((announced.text("/orderId"), announced.text("/status")), (bought.order.clone(), "REQUESTED".to_owned()));
    assert_eq!((&announced.body["lines"], &announced.body["reason"]), (&bought.lines(3), &json!("too small")));
    assert_eq!(announced.header("etag"), format!("\"{}\"", announced.body["version"]));
    let received = bought.post(&format!("returns/{id}/received"), &json!({"lines": bought.lines(2)})).expect(200);
    assert_eq!(
        (received.body["status"].as_str(), received.body["lines"][0]["returnedQuantity"].as_i64()),
        (Some("PARTIALLY_RETURNED"), Some(2))
    );
    assert_eq!(received.body["refunds"], json!([]), "a return refunds nothing by itself");
    bought.stock_becomes([8, 0, 8]);
    let again = bought.post(&format!("returns/{id}/received"), &json!({})).expect(200);
    assert_eq!(again.body["version"], received.body["version"]);
    bought.post(&format!("returns/{id}/rejected"), &json!({})).expect_problem(409, "ILLEGAL_TRANSITION");
    let query = format!(
        "{{ order(id: \"{}\") {{ lines {{ returnedQuantity }} returns {{ id status lines {{ quantity }} }} }} }}",
        bought.order
    );
    let found = shop.query_after(&received, &query);
    assert_eq!(found["order"]["returns"], json!([{"id": id, "status": "RECEIVED", "lines": [{"quantity": 2}]}]));
    assert_eq!(shop.stock(&bought.product), [8, 0, 8]);
}

#[test]
fn what_is_broken_does_not_go_back_into_stock() {
    let bought = delivered();
    bought.stock_becomes([6, 0, 6]);
    let broken = bought.announce(1).expect(201).text("/returnId");
    bought.post(&format!("returns/{broken}/received"), &json!({"restock": false})).expect(200);
    let whole = bought.announce(3).expect(201).text("/returnId");
    let all = bought.post(&format!("returns/{whole}/received"), &json!({})).expect(200);
    assert_eq!(
        (all.body["status"].as_str(), all.body["fulfilmentStatus"].as_str()),
        (Some("RETURNED"), Some("RETURNED"))
    );
    bought.stock_becomes([9, 0, 9]);
}

#[test]
fn no_more_comes_back_than_was_delivered_and_not_announced() {
    let bought = shipped();
    bought.announce(1).expect_problem(409, "ILLEGAL_TRANSITION");
    let bought = delivered();
    bought.announce(5).expect_problem(409, "QUANTITY_EXCEEDED");
    let first = bought.announce(3).expect(201).text("/returnId");
    let exceeded = bought.announce(2).expect_problem(409, "QUANTITY_EXCEEDED");
    assert_eq!(exceeded.body["exceeded"]["available"], 1);
    let more = json!({"lines": bought.lines(4)});
    bought.post(&format!("returns/{first}/received"), &more).expect_problem(409, "QUANTITY_EXCEEDED");
    let rejected = bought.post(&format!("returns/{first}/rejected"), &json!({"reason": "worn"})).expect(200);
    assert_eq!(rejected.body["returns"][0]["status"], "REJECTED");
    bought.announce(4).expect(201);
    bought.post(&format!("returns/{first}/received"), &json!({})).expect_problem(409, "ILLEGAL_TRANSITION");
}

#[test]
fn a_return_is_the_customers_own_and_staff_receive_it() {
    let shop = shared();
    let (bought, eve) = (delivered(), shop.customer());
    let body = json!({"lines": bought.lines(1), "reason": "mine"});
    shop.post_as(&eve.token, &format!("{}/returns", bought.path), &body).expect_problem(404, "NOT_FOUND");
    let incomplete = json!({"lines": [{"quantity": 1}], "reason": "mine"});
    shop.post_as(&eve.token, &format!("{}/returns", bought.path), &incomplete).expect_problem(404, "NOT_FOUND");
    bought.post("returns", &incomplete).expect_problem(422, "VALIDATION_FAILED");
    let id = bought.announce(1).expect(201).text("/returnId");
    for step in ["received", "rejected"] {
        let path = format!("{}/returns/{id}/{step}", bought.path);
        shop.post_as(&bought.ada.token, &path, &json!({})).expect_problem(403, "INSUFFICIENT_SCOPE");
        bought.post(&format!("returns/{UNKNOWN}/{step}"), &json!({})).expect_problem(404, "NOT_FOUND");
    }
    shop.put(&format!("{}/status", bought.path), &json!({"status": "COMPLETED"}))
        .expect_problem(409, "ILLEGAL_TRANSITION");
    bought.post(&format!("returns/{id}/rejected"), &json!({})).expect(200);
    shop.put(&format!("{}/status", bought.path), &json!({"status": "COMPLETED"})).expect(200);
    bought.announce(1).expect_problem(409, "ILLEGAL_TRANSITION");
    bought.post("returns", &body).expect(201);
}

#[test]
fn a_return_names_lines_and_a_reason_and_happens_once_per_key() {
    let shop = shared();
    let bought = delivered();
    let refused = bought.post("returns", &json!({})).expect_problem(422, "VALIDATION_FAILED");
    let mut pointers = refused.pointers();
    pointers.sort_unstable();
    assert_eq!(pointers, ["/lines", "/reason"]);
    let announce = |quantity: u32| {
        let request = shop.request(Method::POST, &format!("{}/returns", bought.path)).header("Idempotency-Key", "back");
        let body = json!({"lines": bought.lines(quantity), "reason": "too small"});
        Answer::of(request.json(&body).send().unwrap())
    };
    let first = announce(2).expect(201);
    assert_eq!(announce(2).expect(201).body, first.body);
    announce(1).expect_problem(422, "IDEMPOTENCY_KEY_REUSED");
    let read = shop.get_after(&first, &bought.path).expect(200).body;
    assert_eq!(read["returns"].as_array().unwrap().len(), 1);
}
