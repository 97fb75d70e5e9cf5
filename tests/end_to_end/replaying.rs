//! `oms replay` and `oms projector` on a running system: the read tables are built anew, and nothing else happens.

use crate::system::{Folder, System, eventually};
use serde_json::Value;
use std::process::{Command, Output};

fn oms(system: &System, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_oms"));
    command.args(words).arg("--ready-file").arg(&system.ready_file).output().unwrap()
}

fn json(system: &System, words: &[&str]) -> Value {
    let output = oms(system, words);
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// How many events there are in all logs, as their readers see it once they have caught up.
fn events(system: &System) -> i64 {
    let quiet = || {
        let list = json(system, &["projector", "list", "--json"]);
        let checkpoints = list["checkpoints"].as_array().unwrap().clone();
        let caught_up = checkpoints.iter().all(|checkpoint| checkpoint["lag"] == 0);
        let of_query = checkpoints.iter().filter(|checkpoint| checkpoint["reader"] == "query");
        caught_up.then(|| of_query.map(|checkpoint| checkpoint["head"].as_i64().unwrap()).sum())
    };
    eventually("every reader has caught up", quiet)
}

#[test]
fn a_replay_of_everything_repeats_no_effect() {
    let folder = Folder::new();
    let shop = System::start(&folder, &[]);
    let product = shop.product("12.50", 100);
    let orders: Vec<String> = (0..5).map(|_| shop.order(&product, 2).text("/orderId")).collect();
    for order in &orders {
        shop.pay(order, "25.00").expect(200);
    }
    let invoices =
        |order: &String| shop.get(&format!("/api/invoices?orderId={order}")).expect(200).body["items"].clone();
    eventually("every order has its invoice", || {
        orders.iter().all(|order| invoices(order).as_array().is_some_and(|items| items.len() == 1)).then_some(())
    });
    let before = (events(&shop), orders.iter().map(invoices).collect::<Vec<_>>());
    let read = |order: &String| shop.get(&format!("/api/orders/{order}")).expect(200).body;
    let rows: Vec<Value> = orders.iter().map(read).collect();

    let replayed = oms(&shop, &["replay", "--json"]);
    assert!(replayed.status.success(), "{replayed:?}");
    let lines = String::from_utf8(replayed.stdout).unwrap();
    let last: Value = serde_json::from_str(lines.lines().last().unwrap()).unwrap();
    assert_eq!((last["state"].as_str(), last["generation"].as_i64()), (Some("live"), Some(2)), "{lines}");
    let status = json(&shop, &["replay", "--status", "--json"]);
    assert_eq!((status["live"].as_i64(), &status["building"]), (Some(2), &Value::Null));

    eventually("requests read the new tables", || (orders.iter().map(read).collect::<Vec<_>>() == rows).then_some(()));
    // No event, no invoice, no command came of it: mail and commands would be events of a log as well.
    assert_eq!((events(&shop), orders.iter().map(invoices).collect::<Vec<_>>()), before);
    let parked = oms(&shop, &["projector", "retry", "query", &orders[0]]);
    assert_eq!(parked.status.code(), Some(2), "nothing is parked: {parked:?}");
}
