//! `oms verify` on the database of a real shop: clean as it is and while orders come in; and for every kind of damage,
//! done to a copy of the database, exactly the checks that it concerns fail and name what is wrong.

pub mod damage;
mod derived;
mod logs;
mod shop;

use crate::system::{Folder, Sets, System, eventually, order_body, unique};
use damage::{Verified, verify_url};
use reqwest::Method;
use shop::{copy, empty, furnish};
use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

const CHECKS: [&str; 39] = [
    "claims",
    "inventory.events",
    "inventory.heads",
    "inventory.ids",
    "inventory.partitions",
    "inventory.positions",
    "inventory.versions",
    "invoice_view",
    "invoices.causes",
    "invoices.events",
    "invoices.heads",
    "invoices.ids",
    "invoices.once",
    "invoices.partitions",
    "invoices.positions",
    "invoices.table",
    "invoices.totals",
    "invoices.versions",
    "order_view",
    "order_view.sample",
    "orders.credit-notes",
    "orders.events",
    "orders.heads",
    "orders.ids",
    "orders.invoices",
    "orders.partitions",
    "orders.positions",
    "orders.stock",
    "orders.versions",
    "orders.waiting",
    "parked",
    "product_view",
    "products",
    "readers",
    "reservations",
    "reservations.orphans",
    "stock.levels",
    "stock.moves",
    "stock.reserved",
];

#[test]
fn a_shop_that_nobody_damaged_is_clean_and_every_check_looked_at_something() {
    let shop = copy();
    let verified = shop.verify();
    verified.expect_clean();
    let checks = verified.checks();
    for name in CHECKS {
        assert!(checks.contains(&name.to_owned()), "{name} was not made: {checks:?}");
        let idle = ["claims", "orders.waiting", "parked", "readers"].contains(&name);
        assert!(idle || verified.counted(name) > 0, "{name} looked at nothing");
    }
    assert!(verified.missing().is_empty());
}

#[test]
fn the_report_for_people_has_a_line_for_each_check() {
    let shop = copy();
    let (code, text) = shop.verify_as_text();
    assert_eq!(code, 0, "{text}");
    for name in CHECKS {
        assert!(text.lines().any(|line| line.starts_with("ok     ") && line.contains(name)), "{name}: {text}");
    }
    assert!(text.contains("all is well"), "{text}");
    assert!(!text.contains('\u{1b}'), "no colours where no terminal is");
}

#[test]
fn a_running_shop_is_clean_at_every_moment() {
    let database = empty();
    let folder = Folder::new();
    let shop = System::start(&folder, &[("DATABASE_URL", &database)]);
    let product = shop.product("12.50", 100_000);
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let request = shop.request(Method::POST, "/api/orders").header("Idempotency-Key", unique("load"));
                    let placed = request.json(&order_body(&product, 2)).send().unwrap();
                    let order = crate::system::Answer::of(placed).expect(201).text("/orderId");
                    shop.pay(&order, "25.00").expect(200);
                    shop.post(&format!("/api/orders/{order}/cancel"), &serde_json::json!({})).expect(200);
                }
            });
        }
        let _at_the_end = Sets(&stop);
        let verified: Vec<Verified> = (0..5).map(|_| verify_url(&database)).collect();
        let orders: Vec<u64> = verified.iter().map(|verified| verified.counted("order_view")).collect();
        for verified in verified {
            verified.expect_clean();
        }
        assert!(orders.first() < orders.last(), "orders were placed meanwhile: {orders:?}");
    });
    eventually("every reader has caught up", || verify_url(&database).notes("readers").is_empty().then_some(()));
    verify_url(&database).expect_clean();
}

#[test]
fn what_another_database_has_is_said_and_not_checked() {
    let shop = copy();
    shop.run("drop schema invoices cascade; drop schema keys cascade");
    let verified = shop.verify();
    verified.expect_clean();
    assert_eq!(verified.missing(), ["invoices", "keys"]);
    assert!(verified.checks().iter().all(|name| !name.starts_with("invoices.")), "{:?}", verified.checks());
    shop.run("drop schema orders cascade; drop schema inventory cascade");
    let verified = shop.verify();
    verified.expect_clean();
    assert!(verified.missing().contains(&"orders".to_owned()));
}

#[test]
fn without_a_system_it_could_not_run() {
    assert_eq!(verify_url(&empty()).code, 2);
    assert_eq!(verify_url("postgres://nobody@127.0.0.1:1/nothing").code, 2);
}

#[test]
fn the_furnished_shop_has_what_the_damages_need() {
    let shop = copy();
    let count = |table: &str| shop.number(&format!("select count(*) from {table}"));
    assert!(count("orders.events where type = 'OrderCancelled'") > 0);
    assert!(count("invoices.events") > 2, "{}", furnish().database);
    assert_eq!(count("inventory.reservation where state = 'PENDING'"), 1);
}
