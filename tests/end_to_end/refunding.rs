//! Refunds: by staff's decision, by amount or lines, never more than came in; and what became of them.

use crate::system::{Answer, order_body, shared};
use reqwest::Method;
use serde_json::{Value, json};

const UNKNOWN: &str = "ref_01h455vb4pex5vsknk084sn02q";

/// A paid order of two lamps at 12.00 and three mugs at 4.00.
struct Paid {
    order: String,
    lamps: String,
    mugs: String,
    path: String,
}

fn paid() -> Paid {
    let shop = shared();
    let (lamp, mug) = (shop.product("12.00", 10), shop.product("4.00", 10));
    let mut body = order_body(&lamp, 2);
    body["items"] = json!([{"productId": lamp, "quantity": 2}, {"productId": mug, "quantity": 3}]);
    let placed = shop.post("/api/orders", &body).expect(201);
    let order = placed.text("/orderId");
    shop.pay(&order, "36.00").expect(200);
    let path = format!("/api/orders/{order}");
    Paid { order, lamps: placed.text("/lines/0/lineId"), mugs: placed.text("/lines/1/lineId"), path }
}

fn euros(amount: &str) -> Value {
    json!({"amount": amount, "currency": "EUR"})
}

impl Paid {
    fn refund(&self, body: &Value) -> Answer {
        shared().post(&format!("{}/refunds", self.path), body)
    }

    fn outcome(&self, refund: &Answer, step: &str, body: &Value) -> Answer {
        shared().post(&format!("{}/refunds/{}/{step}", self.path, refund.text("/refundId")), body)
    }
}

#[test]
fn a_refund_of_lines_is_what_their_pieces_cost_and_shows_when_it_is_completed() {
    let shop = shared();
    let paid = paid();
    let lines = json!([{"lineId": paid.lamps, "quantity": 1}, {"lineId": paid.mugs, "quantity": 2}]);
    let asked = paid.refund(&json!({"lines": lines, "reason": "scratched"})).expect(201);
    assert_eq!((asked.text("/orderId"), asked.text("/status")), (paid.order.clone(), "REQUESTED".to_owned()));
    assert_eq!((&asked.body["amount"], &asked.body["lines"]), (&euros("20.00"), &lines));
    assert_eq!(asked.header("etag"), format!("\"{}\"", asked.body["version"]));
    let order = shop.get_after(&asked, &paid.path).expect(200).body;
    assert_eq!((order["paymentStatus"].as_str(), order["status"].as_str()), (Some("PAID"), Some("CONFIRMED")));
    let done = paid.outcome(&asked, "completed", &json!({"providerReference": "re_1"})).expect(200);
    assert_eq!(
        (done.body["paymentStatus"].as_str(), &done.body["refundedTotal"]),
        (Some("PARTIALLY_REFUNDED"), &euros("20.00"))
    );
    let again = paid.outcome(&asked, "completed", &json!({})).expect(200);
    assert_eq!(again.body["version"], done.body["version"]);
    let query = format!(
        "{{ order(id: \"{}\") {{ refundedTotal {{ amount }} refunds {{ id status amount {{ amount }} }} }} }}",
        paid.order
    );
    let found = shop.query_after(&done, &query);
    assert_eq!(
        found["order"]["refunds"],
        json!([{"id": asked.text("/refundId"), "status": "COMPLETED", "amount": {"amount": "20.00"}}])
    );
    assert_eq!(found["order"]["refundedTotal"]["amount"], "20.00");
}

#[test]
fn never_more_goes_back_than_came_in() {
    let shop = shared();
    let paid = paid();
    paid.refund(&json!({"amount": euros("36.01"), "reason": "x"})).expect_problem(409, "REFUND_EXCEEDS_CAPTURED");
    let some = paid.refund(&json!({"amount": euros("6.00"), "reason": "late"})).expect(201);
    assert_eq!((&some.body["amount"], &some.body["lines"]), (&euros("6.00"), &json!([])));
    paid.refund(&json!({"amount": euros("30.01"), "reason": "x"})).expect_problem(409, "REFUND_EXCEEDS_CAPTURED");
    let rest = paid.refund(&json!({"reason": "all of it"})).expect(201);
    assert_eq!(rest.body["amount"], euros("30.00"));
    paid.refund(&json!({"reason": "more"})).expect_problem(409, "REFUND_EXCEEDS_CAPTURED");
    paid.outcome(&some, "completed", &json!({})).expect(200);
    let all = paid.outcome(&rest, "completed", &json!({})).expect(200);
    assert_eq!(all.body["paymentStatus"], "REFUNDED");
    let unpaid = shop.order(&shop.product("5.00", 10), 1).text("/orderId");
    let body = json!({"amount": euros("1.00"), "reason": "x"});
    shop.post(&format!("/api/orders/{unpaid}/refunds"), &body).expect_problem(409, "REFUND_EXCEEDS_CAPTURED");
}

#[test]
fn an_amount_of_lines_stays_within_them() {
    let paid = paid();
    let mugs = json!([{"lineId": paid.mugs, "quantity": 1}]);
    let body = |amount: &str| json!({"amount": euros(amount), "lines": mugs, "reason": "chipped"});
    paid.refund(&body("12.01")).expect_problem(409, "REFUND_EXCEEDS_CAPTURED");
    assert_eq!(paid.refund(&body("3.50")).expect(201).body["amount"], euros("3.50"));
    let too_many = json!({"lines": [{"lineId": paid.mugs, "quantity": 4}], "reason": "x"});
    paid.refund(&too_many).expect_problem(409, "QUANTITY_EXCEEDED");
}

#[test]
fn a_refund_that_fails_calls_a_person_and_can_be_asked_for_again() {
    let paid = paid();
    let asked = paid.refund(&json!({"reason": "all of it"})).expect(201);
    let failed = paid.outcome(&asked, "failed", &json!({"reason": "card expired"})).expect(200);
    assert_eq!(
        (failed.body["refunds"][0]["status"].as_str(), failed.body["waitingFor"].as_str()),
        (Some("FAILED"), Some("EXCEPTION"))
    );
    assert_eq!(failed.body["exceptions"][0]["kind"], "REFUND_FAILED");
    let again = paid.outcome(&asked, "failed", &json!({})).expect(200);
    assert_eq!(again.body["version"], failed.body["version"]);
    assert_eq!(paid.refund(&json!({"reason": "by bank"})).expect(201).body["amount"], euros("36.00"));
}

#[test]
fn a_refund_that_makes_no_sense_is_refused_with_its_field() {
    let paid = paid();
    for (amount, pointer) in [
        (euros("0.00"), "/amount"),
        (euros("-1.00"), "/amount"),
        (euros("1.001"), "/amount"),
        (json!({"amount": "1.00", "currency": "USD"}), "/amount"),
    ] {
        let refused = paid.refund(&json!({"amount": amount, "reason": "x"})).expect_problem(422, "VALIDATION_FAILED");
        assert!(refused.pointers()[0].starts_with(pointer), "{amount}: {:?}", refused.pointers());
    }
    let other = shared().post(&format!("{}/refunds/{UNKNOWN}/completed", paid.path), &json!({}));
    other.expect_problem(404, "NOT_FOUND");
}

#[test]
fn a_refund_is_asked_for_by_staff_once_per_key_and_its_outcome_comes_from_services() {
    let shop = shared();
    let paid = paid();
    let ask = |amount: &str| {
        let request = shop.request(Method::POST, &format!("{}/refunds", paid.path)).header("Idempotency-Key", "back");
        Answer::of(request.json(&json!({"amount": euros(amount), "reason": "late"})).send().unwrap())
    };
    let first = ask("1.00").expect(201);
    assert_eq!(ask("1.00").expect(201).body, first.body);
    ask("2.00").expect_problem(422, "IDEMPOTENCY_KEY_REUSED");
    let outcome = format!("{}/refunds/{}/completed", paid.path, first.text("/refundId"));
    let staff = shop.token_with("orders:admin orders:write");
    shop.post_as(&staff, &outcome, &json!({})).expect_problem(403, "INSUFFICIENT_SCOPE");
    let provider = shop.token_with("payments:write");
    shop.post_as(&provider, &format!("{}/refunds", paid.path), &json!({"reason": "x"}))
        .expect_problem(403, "INSUFFICIENT_SCOPE");
    shop.post_as(&provider, &outcome, &json!({})).expect(200);
}
