//! `oms demo`: a few hundred shoppers of a fixed seed leave a shop that `oms verify` finds clean, also when the system is
//! killed in between.

use crate::{
    faults::kill_services,
    system::{Folder, System, eventually, unique},
    verifying::damage::verify_url,
};
use serde_json::Value;
use std::process::{Child, Command, Stdio};

const SHOPPERS: u64 = 200;

fn demo(folder: &Folder, options: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_oms"));
    command.args(["demo", "--rate", "60", "--pause", "0s", "--seed", "11", "--json", "--ready-file"]);
    command.arg(folder.path().join("ready.json")).args(options).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn summary(demo: Child) -> Value {
    let output = demo.wait_with_output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {told}"));
    assert!(output.status.success(), "{told}{summary:#}");
    assert_eq!((&summary["absurd"], &summary["unanswered"]), (&Value::from(0), &Value::from(0)), "{summary:#}");
    summary
}

#[test]
fn a_few_hundred_shoppers_do_everything_that_shoppers_do_and_leave_a_clean_shop() {
    let folder = Folder::new();
    let system = System::start(&folder, &[]);
    let shoppers = SHOPPERS.to_string();
    let summary = summary(demo(&folder, &["--for", "1h", "--shoppers", &shoppers]).spawn().unwrap());
    assert_eq!(summary["shoppers"], SHOPPERS);
    let steps = summary["steps"].as_object().unwrap();
    let placed = steps["placed"].as_u64().unwrap();
    assert!(placed > SHOPPERS / 2, "{steps:#?}");
    for step in
        ["paid", "payment failed", "payment authorised", "amended", "cancelled before paying", "held", "resumed"]
    {
        assert!(steps.contains_key(step), "nobody {step}: {steps:#?}");
    }
    for step in ["shipped", "shipped in parts", "dispatched", "delivered", "returned", "refunded", "noted", "completed"]
    {
        assert!(steps.contains_key(step), "nothing was {step}: {steps:#?}");
    }
    assert_eq!(summary["answers"]["201"].as_u64().map(|created| created > placed), Some(true));
    assert_eq!(summary["placedIn"]["count"], placed);
    verify_url(system.ready["databaseUrl"].as_str().unwrap()).expect_clean();
}

#[test]
fn a_system_that_is_killed_and_comes_back_is_asked_again_under_the_same_keys() {
    let folder = Folder::new();
    let first = System::start(&folder, &[]);
    let running = demo(&folder, &["--for", "1h", "--shoppers", "120"]).spawn().unwrap();
    let placed = |system: &System| {
        let orders = system.get("/api/orders?limit=100").expect(200).body;
        orders["items"].as_array().unwrap().len()
    };
    eventually("there are orders", || (placed(&first) >= 20).then_some(()));
    kill_services(&first);
    drop(first);
    let second = System::start(&folder, &[]);
    let summary = summary(running);
    assert!(summary["lost"].as_u64() > Some(0) && summary["outages"].as_u64() > Some(0), "{summary:#}");
    verify_url(second.ready["databaseUrl"].as_str().unwrap()).expect_clean();
}

#[test]
fn without_a_system_there_is_no_traffic_and_nothing_is_wrong() {
    let missing = std::env::temp_dir().join(unique("no-ready-file"));
    let output = Command::new(env!("CARGO_BIN_EXE_oms")).args(["demo", "--ready-file"]).arg(missing).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
}
