//! Invoices: one for each covered order, numbered without gaps.

use crate::system::{eventually, order_body, shared};
use serde_json::{Value, json};
use std::{collections::BTreeSet, sync::Mutex, thread};

fn invoices_of(order: &str) -> Vec<Value> {
    shared().get(&format!("/api/invoices?orderId={order}")).expect(200).body["items"].as_array().unwrap().clone()
}

#[test]
fn row_4_7_a_paid_order_gets_exactly_one_invoice_whoever_asks() {
    let shop = shared();
    let order = shop.order(&shop.product("12.50", 10), 2);
    let id = order.text("/orderId");
    assert!(invoices_of(&id).is_empty());
    shop.pay(&id, "25.00").expect(200);
    let asked = shop.post("/api/invoices", &json!({"orderId": id}));
    assert!(matches!(asked.status, 200 | 201), "{}", asked.body);
    let invoice = &asked.body;
    assert_eq!((invoice["kind"].as_str(), &invoice["orderId"]), (Some("INVOICE"), &order.body["orderId"]));
    assert_eq!(invoice["orderNumber"], order.body["orderNumber"]);
    assert_eq!(invoice["total"], json!({"amount": "25.00", "currency": "EUR"}));
    assert_eq!(invoice["lines"].as_array().unwrap().len(), 1);
    assert_eq!(invoice["buyer"]["name"], "Ada Lovelace");
    shop.post("/api/invoices", &json!({"orderId": id})).expect(200);
    let listed = eventually("the invoice is listed", || Some(invoices_of(&id)).filter(|items| !items.is_empty()));
    assert_eq!((listed.len(), &listed[0]["invoiceId"]), (1, &invoice["invoiceId"]));
    let read = shop.get(&format!("/api/invoices/{}", asked.text("/invoiceId"))).expect(200);
    assert_eq!(read.body["number"], invoice["number"]);
}

#[test]
fn an_order_on_credit_is_invoiced_when_it_is_placed() {
    let shop = shared();
    let mut body = order_body(&shop.product("12.50", 10), 2);
    body["paymentMethod"] = json!("invoice");
    let order = shop.post("/api/orders", &body).expect(201).text("/orderId");
    let listed =
        eventually("the invoice is issued by itself", || Some(invoices_of(&order)).filter(|items| !items.is_empty()));
    assert_eq!(listed.len(), 1);
    assert!(listed[0]["dueOn"].is_string());
}

#[test]
fn numbers_are_gapless_under_concurrency() {
    let shop = shared();
    let product = shop.product("1.00", 100);
    let numbers: Mutex<BTreeSet<u64>> = Mutex::default();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..5 {
                    let order = shop.order(&product, 1).text("/orderId");
                    shop.pay(&order, "1.00").expect(200);
                    let number = shop.post("/api/invoices", &json!({"orderId": order})).text("/number");
                    let (series, number) = number.rsplit_once('-').unwrap();
                    assert!(series.starts_with("INV-20"), "{series}");
                    assert!(numbers.lock().unwrap().insert(number.parse().unwrap()), "a number was given twice");
                }
            });
        }
    });
    let numbers = numbers.into_inner().unwrap();
    let last = *numbers.last().unwrap();
    // Other tests issue invoices too: all numbers up to the last one exist, whosever they are.
    let known: BTreeSet<u64> = all_invoice_numbers();
    assert!((1..=last).all(|number| known.contains(&number)), "there is a gap below {last}");
}

fn all_invoice_numbers() -> BTreeSet<u64> {
    let mut numbers = BTreeSet::new();
    let mut cursor = String::new();
    loop {
        let page = shared().get(&format!("/api/invoices?limit=100{cursor}")).expect(200).body;
        for invoice in page["items"].as_array().unwrap() {
            numbers.insert(invoice["number"].as_str().unwrap().rsplit_once('-').unwrap().1.parse().unwrap());
        }
        let Some(next) = page["nextCursor"].as_str() else { return numbers };
        cursor = format!("&cursor={next}");
    }
}

#[test]
fn a_customer_reads_their_own_invoice_and_no_other() {
    let shop = shared();
    let (ada, eve) = (shop.customer(), shop.customer());
    let mut body = order_body(&shop.product("12.50", 10), 2);
    body["paymentMethod"] = json!("cash_on_delivery");
    let order = shop.post_as(&ada.token, "/api/orders", &body).expect(201).text("/orderId");
    let id = shop.post("/api/invoices", &json!({"orderId": order})).text("/invoiceId");
    let path = format!("/api/invoices/{id}");
    eventually("the invoice is readable", || (shop.get_as(&ada.token, &path).status == 200).then_some(()));
    shop.get_as(&eve.token, &path).expect_problem(404, "NOT_FOUND");
    let listed = shop.get_as(&eve.token, &format!("/api/invoices?orderId={order}"));
    assert!(listed.status == 404 || listed.body["items"] == json!([]), "{}", listed.body);
}
