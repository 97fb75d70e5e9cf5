//! `oms prove oversell`: on a system that sells no more than it has, every law holds; where nothing can be proven it says
//! so and why.

use crate::system::{shared, unique};
use serde_json::{Value, json};
use std::{
    path::Path,
    process::{Command, Output},
};

fn prove(ready_file: &Path, options: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_oms"));
    command.args(["prove", "oversell", "--ready-file"]).arg(ready_file).args(options).output().unwrap()
}

#[test]
fn three_hundred_buyers_get_exactly_the_twenty_pieces_there_are() {
    let system = shared();
    let output = prove(&system.ready_file, &["--buyers", "300", "--units", "20", "--json"]);
    let told = String::from_utf8_lossy(&output.stderr);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {told}"));
    assert!(output.status.success(), "{report:#}");
    assert_eq!(report["proven"], true);
    assert_eq!((&report["rush"]["sold"], &report["rush"]["refused"]), (&json!(20), &json!(280)));
    let books = &report["books"];
    assert_eq!(
        [&books["onHand"], &books["reserved"], &books["available"], &books["living"]],
        [&json!(20), &json!(20), &json!(0), &json!(20)]
    );
    for fate in ["Pays", "Cancels", "PaysThenCancels", "CancelsThenPays", "PaysWhileCancelling", "FailsForGoodThenPays"]
    {
        assert_eq!(report["aftermath"]["fates"][fate], 2, "{fate}");
    }
    assert_eq!(report["aftermath"]["soldAgain"], report["aftermath"]["cameBack"]);
    let laws = report["laws"].as_array().unwrap();
    assert!(laws.len() >= 18, "{laws:#?}");
    assert!(laws.iter().all(|law| law["broken"] == 0 && law["checked"].as_u64() > Some(0)), "{laws:#?}");

    // What the report says can be asked for: all pieces are promised, and the product is not sold any more.
    let product = report["productId"].as_str().unwrap();
    assert_eq!(system.stock(product), [20, 20, 0]);
    assert_eq!(system.get(&format!("/api/products/{product}")).expect(200).body["status"], "ARCHIVED");
    // Money came in for cancelled orders too, and all of that goes back.
    let amount = |name: &str| books[name].as_str().unwrap().parse::<f64>().unwrap();
    assert!(0.0 < amount("goingBack") && amount("goingBack") < amount("captured"), "{books}");
}

#[test]
fn where_there_are_more_pieces_than_buyers_everybody_gets_one() {
    let output = prove(&shared().ready_file, &["--buyers", "7", "--units", "9"]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("the rush: 7 buyers for 9 pieces") && text.contains("7 sold, 0 refused"), "{text}");
    assert!(text.contains("\nproven in ") && !text.contains("BROKEN"), "{text}");
}

#[test]
fn without_a_system_nothing_is_proven_and_nothing_is_wrong() {
    let missing = std::env::temp_dir().join(unique("no-ready-file"));
    let output = prove(&missing, &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot read"), "{output:?}");
    assert!(output.stdout.is_empty());
}
