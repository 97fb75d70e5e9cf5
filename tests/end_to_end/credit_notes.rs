//! Credit notes: what takes an invoice back, or part of it, once for each cause.

use crate::system::{Answer, eventually, order_body, shared};
use serde_json::{Value, json};

/// An order of four lamps at 12.50 that is paid and invoiced.
struct Invoiced {
    order: String,
    path: String,
    line: String,
    invoice: Value,
}

fn invoiced() -> Invoiced {
    let shop = shared();
    let placed = shop.order(&shop.product("12.50", 10), 4);
    let order = placed.text("/orderId");
    shop.pay(&order, "50.00").expect(200);
    let invoice = shop.post("/api/invoices", &json!({"orderId": order})).body;
    Invoiced { path: format!("/api/orders/{order}"), line: placed.text("/lines/0/lineId"), order, invoice }
}

impl Invoiced {
    fn documents(&self) -> Vec<Value> {
        let listed = shared().get(&format!("/api/invoices?orderId={}", self.order)).expect(200);
        listed.body["items"].as_array().unwrap().clone()
    }

    /// Its credit notes, oldest first, once there are so many.
    fn notes(&self, count: usize) -> Vec<Value> {
        eventually("the credit notes are issued", || {
            let mut notes = self.documents();
            notes.retain(|document| document["kind"] == "CREDIT_NOTE");
            notes.reverse();
            (notes.len() >= count).then_some(notes)
        })
    }

    fn post(&self, step: &str, body: &Value) -> Answer {
        shared().post(&format!("{}/{step}", self.path), body)
    }
}

fn euros(amount: &str) -> Value {
    json!({"amount": amount, "currency": "EUR"})
}

#[test]
fn a_cancelled_order_gets_one_credit_note_over_its_whole_invoice_whatever_becomes_of_its_refund() {
    let shop = shared();
    let paid = invoiced();
    let cancelled = paid.post("cancel", &json!({"reason": "changed my mind"})).expect(200);
    let note = paid.notes(1).remove(0);
    assert_eq!((&note["total"], &note["lines"]), (&paid.invoice["total"], &paid.invoice["lines"]));
    assert_eq!(note["correctsInvoiceId"], paid.invoice["invoiceId"]);
    assert_eq!(note["correctsInvoiceNumber"], paid.invoice["number"]);
    assert!(note["number"].as_str().unwrap().starts_with("CN-20"), "{note}");
    let id = note["invoiceId"].as_str().unwrap();
    assert!(id.starts_with("crn_"), "{id}");
    assert_eq!(shop.get(&format!("/api/invoices/{id}")).expect(200).body, note);

    let refund = cancelled.text("/refunds/0/refundId");
    let done = paid.post(&format!("refunds/{refund}/completed"), &json!({})).expect(200);
    let marked = invoiced();
    marked.post("cancel", &json!({})).expect(200);
    marked.notes(1);
    assert_eq!(paid.notes(1).len(), 1, "the refund of a cancellation is no cause of its own");
    let query = format!("{{ order(id: \"{}\") {{ invoices {{ kind number total {{ amount }} }} }} }}", paid.order);
    let shown = eventually("both documents are shown with the order", || {
        let shown = shop.query_after(&done, &query)["order"]["invoices"].clone();
        (shown.as_array().unwrap().len() == 2).then_some(shown)
    });
    assert_eq!((shown[0]["kind"].as_str(), shown[1]["kind"].as_str()), (Some("INVOICE"), Some("CREDIT_NOTE")));
    assert_eq!(shown[1]["total"]["amount"], "50.00");
}

#[test]
fn a_refund_and_cancelled_pieces_are_credited_by_themselves_up_to_what_was_invoiced() {
    let paid = invoiced();
    let lines = json!([{"lineId": paid.line, "quantity": 1}]);
    let asked = paid.post("refunds", &json!({"amount": euros("5.00"), "reason": "scratched"})).expect(201);
    paid.post(&format!("refunds/{}/completed", asked.text("/refundId")), &json!({})).expect(200);
    let goodwill = paid.notes(1).remove(0);
    assert_eq!((&goodwill["total"], goodwill["lines"].as_array().unwrap().len()), (&euros("5.00"), 1));
    paid.post("cancel", &json!({"lines": lines, "reason": "one is enough"})).expect(200);
    let piece = paid.notes(2).remove(1);
    assert_eq!(piece["total"], euros("12.50"));
    assert_eq!((&piece["lines"][0]["quantity"], &piece["lines"][0]["unitPrice"]), (&json!(1), &euros("12.50")));
    paid.post("cancel", &json!({})).expect(200);
    assert_eq!(paid.notes(3).remove(2)["total"], euros("32.50"), "5.00 + 12.50 + 32.50 = 50.00");
}

#[test]
fn an_order_on_credit_that_is_cancelled_before_it_was_paid_gets_a_credit_note_too() {
    let shop = shared();
    let mut body = order_body(&shop.product("12.50", 10), 4);
    body["paymentMethod"] = json!("invoice");
    let placed = shop.post("/api/orders", &body).expect(201);
    let order = placed.text("/orderId");
    let invoice = shop.post("/api/invoices", &json!({"orderId": order})).body;
    let path = format!("/api/orders/{order}");
    let credited = Invoiced { order, path, line: placed.text("/lines/0/lineId"), invoice };
    credited.post("cancel", &json!({})).expect(200);
    assert_eq!(credited.notes(1)[0]["total"], credited.invoice["total"]);
}

#[test]
fn a_customer_reads_their_own_credit_note_and_no_other() {
    let shop = shared();
    let (ada, eve) = (shop.customer(), shop.customer());
    let mut body = order_body(&shop.product("12.50", 10), 4);
    body["paymentMethod"] = json!("cash_on_delivery");
    let placed = shop.post_as(&ada.token, "/api/orders", &body).expect(201);
    let order = placed.text("/orderId");
    let path = format!("/api/orders/{order}");
    let invoice = shop.post("/api/invoices", &json!({"orderId": order})).body;
    let mine = Invoiced { order, path, line: placed.text("/lines/0/lineId"), invoice };
    mine.post("cancel", &json!({})).expect(200);
    let note = format!("/api/invoices/{}", mine.notes(1)[0]["invoiceId"].as_str().unwrap());
    shop.get_as(&ada.token, &note).expect(200);
    shop.get_as(&eve.token, &note).expect_problem(404, "NOT_FOUND");
}
