//! An event that nobody can decode, in the log of a running system: its stream stands still and nothing else does.

use crate::{
    http::{Access, Seen, expect, request, send},
    machine::Machine,
    sql::Sql,
    waiting::eventually,
};
use reqwest::Method;
use serde_json::{Value, json};

#[test]
fn a_poison_event_parks_its_stream_and_no_other() {
    let machine = Machine::start();
    let access = machine.access();
    let (poisoned, healthy) = (order(&machine, &access), order(&machine, &access));
    let sql = Sql::new(machine.database_url());
    sql.connect().run(&include_str!("sql/poison.sql").replace("{order}", &poisoned));

    // Every reader that decodes orders sets it aside; each says so.
    let parked = eventually("the stream is parked", || {
        let parked = parked_streams(&machine);
        parked.iter().any(|(reader, _)| reader == "query").then_some(parked)
    });
    assert!(parked.iter().all(|(_, stream)| *stream == poisoned), "{parked:?}");
    let ready = eventually("it is degraded, and ready", || {
        let ready = expect(request(&machine.url, "/readyz"), 200);
        (ready["status"] == "degraded").then_some(ready)
    });
    assert_eq!(ready["checks"]["query.projection"]["status"], "degraded", "{ready}");

    // A read that wants to see the event is told at once that it will not come by itself, not after a wait in vain.
    let read = |order: &str, version: u32| {
        let request = access.request(Method::GET, &machine.url, &format!("/api/orders/{order}"));
        send(request.header("OMS-Consistency", format!("{order}@{version}")))
    };
    let Seen::Answer { status: 503, body } = read(&poisoned, 2) else { panic!("a parked stream was read") };
    assert!(body["detail"].as_str().unwrap().contains("set aside"), "{body}");
    assert!(matches!(read(&poisoned, 1), Seen::Answer { status: 200, .. }));

    // Others go on, also those that share its partition.
    let path = format!("/api/orders/{healthy}/payment/completed");
    let payment = json!({"paymentId": "ch_1", "amount": {"amount": "2.50", "currency": "EUR"}});
    let paid = expect(access.request(Method::POST, &machine.url, &path).json(&payment), 200);
    let version = u32::try_from(paid["version"].as_u64().unwrap()).unwrap();
    assert!(matches!(read(&healthy, version), Seen::Answer { status: 200, .. }));
    for _ in 0..20 {
        let next = order(&machine, &access);
        assert!(matches!(read(&next, 1), Seen::Answer { status: 200, .. }));
    }

    // Only a person lets it go on.
    eventually("nothing is parked", || {
        let parked = parked_streams(&machine);
        for (reader, stream) in &parked {
            machine.oms_json(&["projector", "skip", reader, stream]);
        }
        parked.is_empty().then_some(())
    });
    eventually("it is well again", || (expect(request(&machine.url, "/readyz"), 200)["status"] == "ok").then_some(()));
    machine.stop();
}

/// An order of a product of its own.
fn order(machine: &Machine, access: &Access) -> String {
    let post = |path: &str, body: &Value| expect(access.request(Method::POST, &machine.url, path).json(body), 201);
    let product = post(
        "/api/products",
        &json!({
            "sku": format!("SKU-{:x}", rand::random::<u64>()), "name": "White metal lantern",
            "price": {"amount": "2.50", "currency": "EUR"}, "backorder": true,
        }),
    );
    let placed = post(
        "/api/orders",
        &json!({
            "items": [{"productId": product["productId"], "quantity": 1}], "paymentMethod": "card",
            "contact": {"email": "ada@example.org", "name": "Ada Lovelace"},
        }),
    );
    placed["orderId"].as_str().unwrap().to_owned()
}

/// Reader and stream of everything that is parked.
fn parked_streams(machine: &Machine) -> Vec<(String, String)> {
    let listed = machine.oms_json(&["projector", "list"]);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    listed["parked"].as_array().unwrap().iter().map(|one| (text(&one["reader"]), text(&one["stream"]))).collect()
}
