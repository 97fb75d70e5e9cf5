//! `oms import orders` and `oms export orders`: orders of any other system as lines of JSON, in and out.

use crate::system::{Folder, System, eventually, shared, unique};
use serde_json::{Value, json};
use std::{collections::BTreeMap, path::Path, process::Command};

fn oms(system: &System, words: &[&str]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_oms"));
    let output = command.args(words).arg("--ready-file").arg(&system.ready_file).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    let code = output.status.code().unwrap();
    assert!(code < 2, "{words:?}: {told}");
    (code, String::from_utf8(output.stdout).unwrap())
}

fn import(system: &System, file: &Path, folder: &Folder, more: &[&str]) -> Value {
    let rejects = folder.path().join("rejects.jsonl");
    let mut words = vec!["import", "orders", file.to_str().unwrap(), "--json", "--rejects", rejects.to_str().unwrap()];
    words.extend(more);
    let (code, told) = oms(system, &words);
    assert_eq!(code, 0, "{told}");
    serde_json::from_str(&told).unwrap()
}

/// Orders in several states, and lines that are none.
fn lines(shop: &str) -> Vec<String> {
    let item = |sku: &str, quantity: u32| {
        let unit_price = json!({"amount": "10.00", "currency": "EUR"});
        json!({"sku": format!("{shop}-{sku}"), "name": sku, "quantity": quantity, "unitPrice": unit_price})
    };
    let order = |number: &str, more: Value| {
        let mut order = json!({
            "externalId": format!("{shop}-{number}"), "placedAt": "2025-03-01T10:00:00Z", "customerKey": "ada",
            "currency": "EUR", "paymentMethod": "card", "items": [item("MUG", 2), item("CUP", 1)],
        });
        order.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        order.to_string()
    };
    let paid = json!([{
        "paymentId": format!("{shop}-p1"), "amount": {"amount": "30.00", "currency": "EUR"}, "at": "2025-03-01T11:00:00Z",
    }]);
    vec![
        order("1", json!({"payments": paid})),
        order(
            "2",
            json!({"cancellations": [{"at": "2025-03-02T00:00:00Z", "pieces": [
                {"item": 0, "quantity": 2}, {"item": 1, "quantity": 1},
            ]}]}),
        ),
        order(
            "3",
            json!({"paymentMethod": "invoice", "dispatchedAt": "2025-03-02T00:00:00Z",
            "deliveredAt": "2025-03-03T00:00:00Z", "completedAt": "2025-03-20T00:00:00Z"}),
        ),
        String::new(),
        "{not json".to_owned(),
        order("4", json!({"surprise": 1})),
        order("5", json!({"items": []})),
    ]
}

fn exported(system: &System, more: &[&str]) -> BTreeMap<String, Value> {
    let mut words = vec!["export", "orders"];
    words.extend(more);
    let (code, told) = oms(system, &words);
    assert_eq!(code, 0);
    let orders = told.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    orders.map(|order| (order["externalId"].as_str().unwrap_or_default().to_owned(), order)).collect()
}

#[test]
fn orders_in_any_state_come_in_once_and_go_out_as_they_are() {
    let (system, folder, shop) = (shared(), Folder::new(), unique("shop"));
    let file = folder.path().join("orders.jsonl");
    std::fs::write(&file, lines(&shop).join("\n")).unwrap();

    let dry = import(system, &file, &folder, &["--dry-run", "--source", &shop]);
    assert_eq!((&dry["created"], &dry["rejected"], &dry["closes"]), (&json!(3), &json!(3), &json!(true)), "{dry}");

    let first = import(system, &file, &folder, &["--source", &shop]);
    assert_eq!((&first["lines"], &first["created"], &first["existing"]), (&json!(6), &json!(3), &json!(0)), "{first}");
    let rejects = std::fs::read_to_string(folder.path().join("rejects.jsonl")).unwrap();
    let rejects: Vec<Value> = rejects.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told: Vec<_> = rejects.iter().map(|reject| (reject["line"].as_u64(), reject["code"].as_str())).collect();
    assert_eq!(
        told,
        [(Some(5), Some("MALFORMED_JSON")), (Some(6), Some("UNKNOWN_FIELD")), (Some(7), Some("VALIDATION_FAILED"))]
    );
    let again = import(system, &file, &folder, &["--source", &shop]);
    assert_eq!((&again["created"], &again["existing"], &again["rejected"]), (&json!(0), &json!(3), &json!(3)));
    let looked_at = import(system, &file, &folder, &["--dry-run", "--source", &shop]);
    assert_eq!((&looked_at["created"], &looked_at["existing"]), (&json!(0), &json!(3)), "a dry run finds them too");

    let orders = eventually("all three can be read", || {
        let orders = exported(system, &["--history"]);
        (1..=3).all(|number| orders.contains_key(&format!("{shop}-{number}"))).then_some(orders)
    });
    let status = |number: u32| orders[&format!("{shop}-{number}")]["status"].as_str().unwrap().to_owned();
    assert_eq!([status(1), status(2), status(3)], ["CONFIRMED", "CANCELLED", "COMPLETED"]);
    let first = &orders[&format!("{shop}-1")];
    assert_eq!(first["orderNumber"], format!("{shop}-1"));
    assert_eq!(first["orderDate"], "2025-03-01T10:00:00Z");
    assert_eq!(first["events"][0]["type"], "OrderPlaced");
    assert_eq!(first["events"].as_array().unwrap().len() as u64, first["version"].as_u64().unwrap());

    let cancelled = exported(system, &["--status", "CANCELLED"]);
    assert!(cancelled.contains_key(&format!("{shop}-2")) && !cancelled.contains_key(&format!("{shop}-1")));
}
