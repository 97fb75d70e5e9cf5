//! An import of many invoices while oms and its Postgres are killed: the accounts close, every invoice is an order
//! once, and a second import finds all of them there.

use crate::{
    budget::{Budget, setting},
    buyer::Shop,
    checker::Checker,
    kills::deck,
    machine::Machine,
    record::Record,
    sql::Sql,
    waiting::eventually,
};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::Value;
use std::{fmt::Write, path::Path};

const INVOICES: usize = 600;
const PLACED: &str = "select count(*)::text from orders.events where type = 'OrderPlaced'";
const TWICE: &str = "select format('invoice %s is %s orders', payload ->> 'externalId', count(*))
    from orders.event_log where type = 'OrderPlaced' group by payload ->> 'externalId' having count(*) > 1";

#[test]
fn an_import_that_is_killed_again_and_again_takes_every_invoice_once() {
    let budget = Budget::of_this_run("killed during an import");
    let wanted_kills = budget.kills.div_ceil(2);
    let machine = Machine::start();
    let file = match setting::<String>("OMS_FAULT_IMPORT") {
        Some(file) => file,
        None => write_invoices(machine.folder.path(), budget.seed),
    };
    let rejects = machine.folder.path().join("rejects.csv");
    let arguments = ["import", "retail-csv", &file, "--rejects", rejects.to_str().unwrap()];
    let dry = machine.oms_json(&[&arguments[..], &["--dry-run"]].concat());
    let planned = dry["orders"]["planned"].as_u64().unwrap();
    let sql = Sql::new(machine.database_url());

    let (first, kills) = std::thread::scope(|scope| {
        let importing = scope.spawn(|| machine.oms_json(&arguments));
        let mut random = StdRng::seed_from_u64(budget.seed);
        let mut kills = 0;
        for (n, fault) in (1..).zip(deck(budget.seed, wanted_kills)) {
            let share = planned * n / (wanted_kills as u64 * 2);
            eventually("the import goes on", || {
                let placed = sql.try_ask(PLACED)?.first()?.parse::<u64>().ok()?;
                (placed >= share || importing.is_finished()).then_some(())
            });
            if importing.is_finished() {
                break;
            }
            println!("{share} of {planned} orders; now {fault:?}");
            machine.suffer(fault, &mut random);
            kills += usize::from(fault.kills());
        }
        (importing.join().unwrap(), kills)
    });
    println!("{kills} kills during an import of {planned} orders: {first}");
    assert_eq!(first["closes"], true, "{first}");
    let count = |report: &Value, what: &str| report["orders"]["sent"][what].as_u64().unwrap();
    let taken = count(&first, "created") + count(&first, "existing");

    let second = machine.oms_json(&arguments);
    assert_eq!(second["closes"], true, "{second}");
    assert_eq!((count(&second, "created"), count(&second, "existing")), (0, taken), "{second}");

    let session = sql.connect();
    assert_eq!(session.ask(PLACED), [taken.to_string()]);
    assert_eq!(session.ask(TWICE), Vec::<String>::new());
    let shop = Shop::of(vec![machine.url.clone()], machine.access(), Vec::new());
    let record = Record::default();
    let mut checker = Checker::new(&machine.database_url(), &shop, &record);
    checker.await_settled();
    checker.check_tables();
    checker.compare_with_a_rebuild();
    checker.finish();
    machine.verify();
    machine.stop();
}

/// A table of invoices of our own making: some with many lines, some cancelled later, some lines that no order takes.
fn write_invoices(folder: &Path, seed: u64) -> String {
    let mut random = StdRng::seed_from_u64(seed);
    let mut table = String::from("InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n");
    for n in 0..INVOICES {
        let (invoice, customer) = (536_000 + n, 12_000 + n % 97);
        let date = format!("2011-{:02}-{:02}T{:02}:{:02}:00", 1 + n / 150, 1 + n / 10 % 28, 8 + n % 10, n % 60);
        for _ in 0..random.random_range(1..12) {
            let stock = 20_000 + random.random_range(0..300);
            let pieces = random.random_range(1..48);
            let price = format!("{}.{:02}", random.random_range(0..20), random.random_range(1..100));
            writeln!(
                table,
                "{invoice},{stock},WHITE METAL LANTERN {stock},{pieces},{date},{price},{customer},United Kingdom"
            )
            .unwrap();
            if random.random_range(0..20) == 0 {
                writeln!(
                    table,
                    "C{invoice},{stock},WHITE METAL LANTERN {stock},-{pieces},{date},{price},{customer},United Kingdom"
                )
                .unwrap();
            }
        }
    }
    let file = folder.join("invoices.csv");
    std::fs::write(&file, table).unwrap();
    file.to_str().unwrap().to_owned()
}
