//! `oms import retail-csv`: a table of invoices with every kind of dirt, and the real one where it is at hand.

use crate::system::{Folder, System, eventually, shared, unique};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/end_to_end/importing/invoices.csv");

fn import(file: &Path, folder: &Folder, options: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_oms"));
    command.args(["import", "retail-csv", "--json"]).args(options).arg(file);
    command.arg("--rejects").arg(rejects(folder));
    command
}

fn rejects(folder: &Folder) -> PathBuf {
    folder.path().join("rejects.csv")
}

fn report(output: &Output) -> Value {
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {told}", output.status);
    serde_json::from_slice(&output.stdout).unwrap()
}

fn share(lines: usize, amount: &str) -> Value {
    json!({"lines": lines, "amount": amount})
}

/// The balance of the fixture, by hand.
fn balances(report: &Value) {
    assert_eq!(report["file"], share(26, "42508.901"));
    assert_eq!(report["imported"], share(14, "48.00"));
    assert_eq!(report["rejected"], share(12, "42460.901"));
    assert_eq!(report["closes"], true);
    let reasons: BTreeMap<&str, u64> = report["reasons"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(reason, share)| (reason.as_str(), share["lines"].as_u64().unwrap()))
        .collect();
    let expected = [
        ("ADJUSTMENT", 2),
        ("CANCELS_FOR_NOBODY", 1),
        ("CANCELS_NOTHING", 1),
        ("CANCELS_TOO_MUCH", 1),
        ("CANCELS_UNKNOWN_ORDER", 1),
        ("PRICE_NEGATIVE", 1),
        ("PRICE_TOO_FINE", 1),
        ("QUANTITY_NOT_POSITIVE", 1),
        ("QUANTITY_TOO_LARGE", 1),
        ("STOCK_BOOKING", 1),
        ("UNREADABLE", 1),
    ];
    assert_eq!(reasons, BTreeMap::from(expected));
}

#[test]
fn a_dry_run_accounts_for_every_line_without_a_system() {
    let folder = Folder::new();
    let report = report(&import(Path::new(FIXTURE), &folder, &["--dry-run"]).output().unwrap());
    balances(&report);
    assert_eq!((&report["orders"]["planned"], &report["products"]), (&json!(7), &json!(6)));
    let rejects = std::fs::read_to_string(rejects(&folder)).unwrap();
    assert_eq!(rejects.lines().count(), 13);
    assert!(rejects.contains("\n17,900013,IMP-T700,1,0.001,0.001,PRICE_TOO_FINE,"), "{rejects}");
}

#[test]
fn invoices_become_orders_with_what_became_of_them() {
    let (system, folder) = (shared(), Folder::new());
    let (ready_file, source) = (system.ready_file.to_str().unwrap(), unique("shop"));
    let options = ["--ready-file", ready_file, "--source", &source];
    let first = report(&import(Path::new(FIXTURE), &folder, &options).output().unwrap());
    balances(&first);
    assert_eq!(first["orders"]["sent"], json!({"created": 7, "existing": 0, "rejected": 0}));

    let fields = "id status paymentStatus placedAt customer { id } invoices { id } total { amount currency }
        lines { sku name quantity returnedQuantity unitPrice { amount } } returns { status }";
    let order = |number: &str| {
        let query = format!("{{ order(number: \"{number}\") {{ {fields} }} }}");
        eventually("the order can be read", || {
            let answer = system.post("/graphql", &json!({"query": query})).expect(200).body;
            assert!(answer.get("errors").is_none(), "{answer}");
            Some(answer["data"]["order"].clone()).filter(|order| !order.is_null())
        })
    };
    let lanterns = order("900001");
    assert_eq!(
        (&lanterns["status"], &lanterns["placedAt"]),
        (&json!("PARTIALLY_RETURNED"), &json!("2011-02-01T09:00:00Z"))
    );
    assert_eq!(lanterns["total"], json!({"amount": "38.50", "currency": "GBP"}));
    let pieces: Vec<_> = lanterns["lines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| {
            (
                line["sku"].as_str().unwrap(),
                line["quantity"].as_u64().unwrap(),
                line["returnedQuantity"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(pieces, [("IMP-T100", 6, 5), ("IMP-T100", 6, 6), ("IMP-T200", 2, 0)]);
    assert_eq!(lanterns["returns"].as_array().unwrap().len(), 2);
    assert_eq!(order("900006")["status"], "RETURNED");
    assert_eq!(order("900008")["status"], "CANCELLED");
    let postage = order("900002");
    assert_eq!((&postage["status"], &postage["lines"][1]["name"]), (&json!("COMPLETED"), &json!("IMP-T300")));
    assert_eq!(order("900003")["customer"], Value::Null);
    assert_eq!(order("900003")["lines"][0]["name"], "JAM JAR £1");

    // The customer's orders are together, though nobody can log in as them.
    let customer = lanterns["customer"]["id"].as_str().unwrap();
    assert_eq!(order("900006")["customer"]["id"], customer);
    let of_customer = system.get(&format!("/api/orders/user/{customer}")).expect(200).body;
    assert_eq!(of_customer["items"].as_array().unwrap().len(), 2);

    // Nothing was reserved, nothing is invoiced by us.
    let id = lanterns["id"].as_str().unwrap();
    system.get(&format!("/api/inventory/reservations/{id}")).expect_problem(404, "NOT_FOUND");
    system.post("/api/invoices", &json!({"orderId": id})).expect_problem(409, "NOT_INVOICEABLE");
    let events = system.get(&format!("/api/orders/{id}/events")).expect(200).body;
    let types: Vec<_> =
        events["items"].as_array().unwrap().iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(types[..3], ["OrderPlaced", "LineCancelled", "ShipmentDispatched"]);
    assert_eq!(types.last(), Some(&"OrderCompleted"));

    let again = report(&import(Path::new(FIXTURE), &folder, &options).output().unwrap());
    balances(&again);
    assert_eq!(again["orders"]["sent"], json!({"created": 0, "existing": 7, "rejected": 0}));
}

#[test]
fn other_words_for_an_order_that_is_there_are_refused() {
    let (system, source) = (shared(), unique("shop"));
    let product = system.product("2.00", 1);
    let line = |name: &str| {
        json!({
            "source": source, "externalId": "1", "orderNumber": unique("N"), "placedAt": "2011-02-01T09:00:00Z",
            "currency": "GBP", "items": [{"productId": product, "sku": "A", "name": name, "quantity": 1,
            "unitPrice": {"amount": "2.00", "currency": "GBP"}}],
        })
    };
    let send = |lines: &[Value]| {
        let body: Vec<String> = lines.iter().map(Value::to_string).collect();
        let request =
            system.request(reqwest::Method::POST, "/api/orders/import").header("content-type", "application/x-ndjson");
        crate::system::Answer::of(request.body(body.join("\n")).send().unwrap())
    };
    let first = line("Cup");
    let mut wrong = line("Cup");
    wrong["items"][0]["productId"] = json!("prod_01h455vb4pex5vsknk084sn02q");
    wrong["externalId"] = json!("2");
    let mut ours = line("Cup");
    ours["orderNumber"] = json!("R-000000001");
    ours["items"][0]["unitPrice"]["amount"] = json!("2.001");
    let answer = send(&[first.clone(), first.clone(), line("Mug"), wrong, ours, json!({"x": 1})]).expect(200).body;
    assert_eq!((&answer["created"], &answer["existing"], &answer["rejected"]), (&json!(1), &json!(1), &json!(4)));
    let item = |index: usize| (answer["items"][index]["code"].as_str(), answer["items"][index]["errors"].clone());
    assert_eq!(item(2).0, Some("ILLEGAL_TRANSITION"));
    assert_eq!((item(3).0, &item(3).1[0]["pointer"]), (Some("VALIDATION_FAILED"), &json!("/items/0/productId")));
    let pointers: Vec<_> = item(4).1.as_array().unwrap().iter().map(|error| error["pointer"].clone()).collect();
    assert_eq!(pointers, ["/orderNumber", "/items/0/unitPrice"]);
    assert_eq!((item(5).0, &item(5).1[0]["pointer"]), (Some("UNKNOWN_FIELD"), &json!("/x")));
    assert_eq!(send(&[first]).body["existing"], 1);
}

#[test]
fn an_import_waits_for_a_system_that_is_away() {
    let folder = Folder::new();
    let system = System::start(&folder, &[]);
    let ready_file = folder.path().join("data/ready.json");
    assert!(ready_file.exists());
    system.stop();
    let importing = import(Path::new(FIXTURE), &folder, &["--ready-file", ready_file.to_str().unwrap()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let _back = System::start(&folder, &[]);
    let report = report(&importing.wait_with_output().unwrap());
    balances(&report);
    assert_eq!(report["orders"]["sent"]["created"], 7);
}

#[test]
fn the_year_of_real_orders_is_accounted_for() {
    let Some(file) = std::env::var_os("OMS_RETAIL_CSV") else {
        eprintln!("\n*** OMS_RETAIL_CSV is not set: the year of real orders is not tested, only our own fixture ***\n");
        return;
    };
    let folder = Folder::new();
    let report = report(&import(Path::new(&file), &folder, &["--dry-run"]).output().unwrap());
    assert_eq!((&report["file"]["lines"], &report["closes"]), (&json!(541_909), &json!(true)));
    assert_eq!(report["file"]["amount"], "9747747.934");
}
