//! Shipments: any split, never more than there is, and what they do to stock.

use crate::system::{Answer, eventually, order_body, shared};
use reqwest::Method;
use serde_json::{Value, json};

const UNKNOWN: &str = "shp_01h455vb4pex5vsknk084sn02q";

/// A paid order of four pieces of a product of which ten are there.
struct Paid {
    product: String,
    order: String,
    line: String,
    path: String,
    planned: String,
}

fn paid() -> Paid {
    let shop = shared();
    let product = shop.product("5.00", 10);
    let placed = shop.order(&product, 4);
    let order = placed.text("/orderId");
    shop.pay(&order, "20.00").expect(200);
    let path = format!("/api/orders/{order}");
    Paid { product, order, line: placed.text("/lines/0/lineId"), path, planned: placed.text("/shipmentId") }
}

impl Paid {
    fn post(&self, step: &str, body: &Value) -> Answer {
        shared().post(&format!("{}/{step}", self.path), body)
    }

    fn lines(&self, quantity: u32) -> Value {
        json!([{"lineId": self.line, "quantity": quantity}])
    }

    fn ship(&self, quantity: u32) -> String {
        let made = self.post("shipments", &json!({"lines": self.lines(quantity)})).expect(201);
        let shipment = made.text("/shipmentId");
        self.post(&format!("shipments/{shipment}/dispatched"), &json!({})).expect(200);
        shipment
    }

    fn stock_becomes(&self, stock: [i64; 3]) {
        eventually(&format!("the stock is {stock:?}"), || (shared().stock(&self.product) == stock).then_some(()));
    }
}

#[test]
fn row_2_9_a_shipment_without_lines_fills_the_one_that_was_planned_with_the_order() {
    let shop = shared();
    let paid = paid();
    let body = json!({"carrier": "DHL", "trackingNumber": "00340434161094000000"});
    let made = paid.post("shipments", &body).expect(201);
    assert_eq!((made.text("/shipmentId"), made.text("/orderId")), (paid.planned.clone(), paid.order.clone()));
    assert_eq!((made.body["status"].as_str(), made.body["carrier"].as_str()), (Some("PLANNED"), Some("DHL")));
    assert_eq!(made.body["lines"], paid.lines(4));
    assert_eq!(made.header("etag"), format!("\"{}\"", made.body["version"]));
    paid.post("shipments", &json!({})).expect_problem(409, "QUANTITY_EXCEEDED");
    let left = paid.post(&format!("shipments/{}/dispatched", paid.planned), &json!({})).expect(200);
    assert_eq!(
        (left.body["status"].as_str(), left.body["fulfilmentStatus"].as_str()),
        (Some("SHIPPED"), Some("SHIPPED"))
    );
    assert_eq!(left.body["lines"][0]["shippedQuantity"], 4);
    paid.stock_becomes([6, 0, 6]);
    let again = paid.post(&format!("shipments/{}/dispatched", paid.planned), &json!({})).expect(200);
    assert_eq!(again.body["version"], left.body["version"]);
    let arrived =
        paid.post(&format!("shipments/{}/delivered", paid.planned), &json!({"location": "porch"})).expect(200);
    assert_eq!(arrived.body["status"], "DELIVERED");
    let query = format!(
        "{{ order(id: \"{}\") {{ status lines {{ shippedQuantity }} shipments {{ id status carrier trackingNumber lines {{ quantity }} }} }} }}",
        paid.order
    );
    let found = shop.query_after(&arrived, &query);
    let shipment = json!({
        "id": paid.planned, "status": "DELIVERED", "carrier": "DHL", "trackingNumber": "00340434161094000000",
        "lines": [{"quantity": 4}],
    });
    assert_eq!(found["order"]["shipments"], json!([shipment]));
    assert_eq!(shop.stock(&paid.product), [6, 0, 6], "what is delivered has left before");
}

#[test]
fn an_order_ships_in_any_number_of_parts_but_never_more_than_there_is() {
    let paid = paid();
    let first = paid.ship(1);
    assert_ne!(first, paid.planned);
    paid.stock_becomes([9, 3, 6]);
    let waiting = paid.post("shipments", &json!({"lines": paid.lines(2)})).expect(201).text("/shipmentId");
    let exceeded = paid.post("shipments", &json!({"lines": paid.lines(2)})).expect_problem(409, "QUANTITY_EXCEEDED");
    assert_eq!(exceeded.body["exceeded"], json!({"lineId": paid.line, "requested": 2, "available": 1}));
    let order = paid.post(&format!("shipments/{waiting}/dispatched"), &json!({})).expect(200).body;
    assert_eq!(
        (order["status"].as_str(), order["shipments"][0]["lines"].clone()),
        (Some("PARTIALLY_SHIPPED"), paid.lines(1))
    );
    let last = shared().put(&format!("{}/status", paid.path), &json!({"status": "SHIPPED"})).expect(200);
    assert_eq!(last.body["status"], "SHIPPED");
    paid.stock_becomes([6, 0, 6]);
    let delivered = paid.post(&format!("shipments/{first}/delivered"), &json!({})).expect(200);
    assert_eq!(delivered.body["fulfilmentStatus"], "PARTIALLY_DELIVERED");
    let all = shared().put(&format!("{}/status", paid.path), &json!({"status": "DELIVERED"})).expect(200);
    assert_eq!(all.body["fulfilmentStatus"], "DELIVERED");
}

#[test]
fn what_is_not_paid_or_has_no_address_does_not_ship() {
    let shop = shared();
    let unpaid = shop.order(&shop.product("5.00", 10), 1);
    let path = format!("/api/orders/{}/shipments", unpaid.text("/orderId"));
    shop.post(&path, &json!({})).expect_problem(409, "NOT_COVERED");
    let dispatch = format!("{path}/{}/dispatched", unpaid.text("/shipmentId"));
    shop.post(&dispatch, &json!({})).expect_problem(409, "NOT_COVERED");
    let mut homeless = order_body(&shop.product("5.00", 10), 1);
    homeless["shippingAddress"] = Value::Null;
    homeless["paymentMethod"] = json!("invoice");
    let homeless = shop.post("/api/orders", &homeless).expect(201);
    let path = format!("/api/orders/{}/shipments", homeless.text("/orderId"));
    shop.post(&path, &json!({})).expect_problem(409, "ADDRESS_REQUIRED");
}

#[test]
fn a_shipment_names_lines_of_the_order_and_at_least_one_piece() {
    let paid = paid();
    let refused = |lines: Value, status: u16, code: &str, pointer: &str| {
        let refused = paid.post("shipments", &json!({"lines": lines})).expect_problem(status, code);
        assert_eq!(refused.pointers(), [pointer]);
    };
    refused(json!([]), 422, "VALIDATION_FAILED", "/lines");
    refused(paid.lines(0), 422, "VALIDATION_FAILED", "/lines/0/quantity");
    refused(json!([{"lineId": paid.line, "quantity": -1}]), 422, "VALIDATION_FAILED", "/lines/0/quantity");
    refused(json!([{"lineId": paid.line}]), 422, "VALIDATION_FAILED", "/lines/0/quantity");
    refused(
        json!([{"lineId": "line_01h455vb4pex5vsknk084sn02q", "quantity": 1}]),
        422,
        "VALIDATION_FAILED",
        "/lines/0/lineId",
    );
    refused(json!([{"lineId": paid.order, "quantity": 1}]), 400, "INVALID_ID", "/lines/0/lineId");
    let twice = json!([{"lineId": paid.line, "quantity": 1}, {"lineId": paid.line, "quantity": 4}]);
    paid.post("shipments", &json!({"lines": twice})).expect_problem(409, "QUANTITY_EXCEEDED");
}

#[test]
fn a_shipment_that_is_not_there_or_has_not_left_goes_nowhere() {
    let paid = paid();
    for step in ["dispatched", "delivered", "failed"] {
        paid.post(&format!("shipments/{UNKNOWN}/{step}"), &json!({})).expect_problem(404, "NOT_FOUND");
        paid.post(&format!("shipments/{}/{step}", paid.order), &json!({})).expect_problem(400, "INVALID_ID");
    }
    paid.post(&format!("shipments/{}/delivered", paid.planned), &json!({})).expect_problem(409, "ILLEGAL_TRANSITION");
}

#[test]
fn a_shipment_that_comes_back_is_in_stock_again_and_can_be_sent_once_more() {
    let paid = paid();
    let shipment = paid.ship(4);
    paid.stock_becomes([6, 0, 6]);
    let lost = paid.post(&format!("shipments/{shipment}/failed"), &json!({"reason": "nobody at home"})).expect(200);
    assert_eq!(lost.body["waitingFor"], "EXCEPTION");
    let back = json!({"reason": "nobody at home", "returnedToSender": true});
    let back = paid.post(&format!("shipments/{shipment}/failed"), &back).expect(200);
    assert_eq!(back.body["lines"][0]["shippedQuantity"], 0);
    paid.stock_becomes([10, 4, 6]);
    paid.ship(4);
    paid.stock_becomes([6, 0, 6]);
}

#[test]
fn staff_cancel_what_has_not_left_and_the_rest_stays_shipped() {
    let shop = shared();
    let paid = paid();
    paid.ship(1);
    paid.stock_becomes([9, 3, 6]);
    let cancelled = paid.post("cancel", &json!({"reason": "no more of these"})).expect(200);
    assert_eq!(
        (cancelled.body["status"].as_str(), cancelled.body["lines"][0]["cancelledQuantity"].as_i64()),
        (Some("CANCELLED"), Some(3))
    );
    assert_eq!(cancelled.body["refunds"][0]["amount"]["amount"], "15.00");
    paid.stock_becomes([9, 0, 9]);
    paid.post("shipments", &json!({})).expect_problem(409, "ILLEGAL_TRANSITION");
    let all_gone = self::paid();
    all_gone.ship(4);
    all_gone.post("cancel", &json!({})).expect_problem(409, "NOT_CANCELLABLE");
    let refused = shop.put(&format!("{}/status", all_gone.path), &json!({"status": "CANCELLED"}));
    assert_eq!(refused.expect_problem(409, "ILLEGAL_TRANSITION").body["allowed"], json!(["DELIVERED"]));
}

#[test]
fn a_dispatch_after_a_cancellation_is_recorded_and_calls_a_person() {
    let paid = paid();
    let shipment = paid.post("shipments", &json!({"lines": paid.lines(2)})).expect(201).text("/shipmentId");
    paid.post("cancel", &json!({})).expect(200);
    paid.stock_becomes([10, 0, 10]);
    let left = paid.post(&format!("shipments/{shipment}/dispatched"), &json!({})).expect(200);
    assert_eq!(
        (left.body["status"].as_str(), left.body["waitingFor"].as_str()),
        (Some("CANCELLED"), Some("EXCEPTION"))
    );
    assert_eq!(left.body["exceptions"][0]["kind"], "DISPATCHED_AFTER_CANCELLATION");
    paid.stock_becomes([8, 0, 8]);
}

#[test]
fn a_shipment_is_made_once_per_key_and_by_staff_alone() {
    let shop = shared();
    let paid = paid();
    let make = |body: &Value| {
        let request = shop.request(Method::POST, &format!("{}/shipments", paid.path)).header("Idempotency-Key", "one");
        Answer::of(request.json(body).send().unwrap())
    };
    let body = json!({"lines": paid.lines(1)});
    let first = make(&body).expect(201);
    let again = make(&body).expect(201);
    assert_eq!((&first.body, again.header("idempotency-replayed")), (&again.body, "true"));
    assert_eq!(again.header("etag"), first.header("etag"));
    make(&json!({"lines": paid.lines(2)})).expect_problem(422, "IDEMPOTENCY_KEY_REUSED");
    let carrier = shop.token_with("shipments:write");
    shop.post_as(&carrier, &format!("{}/shipments", paid.path), &body).expect_problem(403, "INSUFFICIENT_SCOPE");
    let dispatched = format!("{}/shipments/{}/dispatched", paid.path, first.text("/shipmentId"));
    let left = shop.post_as(&carrier, &dispatched, &json!({})).expect(200);
    assert_eq!(left.body["status"], "PARTIALLY_SHIPPED");
}
