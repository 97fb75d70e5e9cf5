//! `oms order show` and `oms events tail`: what the logs say, for people in a terminal and for programs.

use crate::system::{eventually, shared};
use serde_json::Value;
use std::{
    io::{BufRead, BufReader},
    process::{Command, Output, Stdio},
};

fn oms(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_oms"));
    command.args(words).arg("--ready-file").arg(&shared().ready_file);
    command
}

fn show(order: &str, more: &[&str]) -> Output {
    oms(&["order", "show", order]).args(more).output().unwrap()
}

#[test]
fn an_order_is_told_by_its_id_and_by_its_number() {
    let shop = shared();
    let placed = shop.order(&shop.product("12.50", 10), 2);
    let (id, number) = (placed.text("/orderId"), placed.text("/orderNumber"));
    shop.pay(&id, "25.00").expect(200);
    let invoice = eventually("the invoice is issued", || {
        let listed = shop.get(&format!("/api/invoices?orderId={id}")).body;
        listed.pointer("/items/0/number").and_then(Value::as_str).map(str::to_owned)
    });
    for named in [&id, &number] {
        let told = show(named, &[]);
        assert!(told.status.success(), "{told:?}");
        let text = String::from_utf8(told.stdout).unwrap();
        for words in [
            id.as_str(),
            number.as_str(),
            invoice.as_str(),
            "CONFIRMED",
            "25.00 EUR",
            "waits for   PROCESSING",
            "order placed",
            "payment completed",
            "stock reserved",
        ] {
            assert!(text.contains(words), "{words} is not in {text}");
        }
        assert!(!text.contains('\u{1b}'), "no colours where no terminal is");
    }
    let told: Value = serde_json::from_slice(&show(&id, &["--json"]).stdout).unwrap();
    assert_eq!(told["status"], "CONFIRMED");
    assert_eq!(told["events"].as_array().unwrap().len(), 3);
    assert_eq!(told["order"]["contact"], Value::Null, "personal fields stay sealed");
    assert!(told.pointer("/events/0/payload/contact/enc").is_some());
}

#[test]
fn an_order_that_is_not_there_ends_with_1() {
    for named in ["ord_01h455vb4pex5vsknk084sn02x", "R-999999999"] {
        let told = show(named, &[]);
        assert_eq!(told.status.code(), Some(1), "{told:?}");
        assert!(String::from_utf8(told.stderr).unwrap().contains("there is no order"));
    }
}

#[test]
fn events_are_told_as_they_are_appended_until_ctrl_c() {
    let shop = shared();
    let before = shop.order(&shop.product("12.50", 10), 1).text("/orderId");
    let mut tail = oms(&["events", "tail", "--log", "orders", "--stream", &before, "--json"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(tail.stdout.take().unwrap()).lines();
    // It begins at the end of the log, whenever that is: what comes after is told.
    let mut version = 1;
    let first = std::thread::scope(|scope| {
        let reading = scope.spawn(|| lines.next().unwrap().unwrap());
        eventually("an event is told", || {
            if reading.is_finished() {
                return Some(());
            }
            version += 1;
            let note = serde_json::json!({"note": format!("version {version}")});
            shop.put(&format!("/api/orders/{before}"), &note).expect(200);
            None
        });
        reading.join().unwrap()
    });
    let event: Value = serde_json::from_str(&first).unwrap();
    assert_eq!((event["type"].as_str(), event["streamId"].as_str()), (Some("OrderAmended"), Some(before.as_str())));
    assert!(event.pointer("/payload/note/enc").is_some(), "personal fields stay sealed: {event}");
    let asked = Command::new("kill").args(["-INT", &tail.id().to_string()]).status().unwrap();
    assert!(asked.success());
    assert_eq!(tail.wait().unwrap().code(), Some(0));
}

#[test]
fn events_from_the_start_are_a_line_each() {
    let shop = shared();
    let order = shop.order(&shop.product("12.50", 10), 1).text("/orderId");
    let words = ["events", "tail", "--from-start", "--stream", &order, "--type", "OrderPlaced"];
    let mut tail = oms(&words).stdout(Stdio::piped()).spawn().unwrap();
    let line = BufReader::new(tail.stdout.take().unwrap()).lines().next().unwrap().unwrap();
    for words in ["orders", &format!("{order}@1"), "OrderPlaced"] {
        assert!(line.contains(words), "{words} is not in {line}");
    }
    tail.kill().unwrap();
    tail.wait().unwrap();
}
