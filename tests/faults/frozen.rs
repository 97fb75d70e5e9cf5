//! A process that is frozen for longer than its lease, with work in its hands: another takes over, and when it goes on
//! it does no harm.

use crate::{
    budget::Budget,
    buyer::Shop,
    checker::Checker,
    http::{Access, Seen, request, send},
    machine::{Folder, binary, free_port, kill},
    random_kills::buy_while,
    sql::{Sql, runtime},
    waiting::eventually,
};
use std::{
    process::{Child, Command},
    time::Duration,
};

const SCOPES: &str = "orders:read,orders:write,orders:admin,payments:write,catalog:write,inventory:read,\
                      inventory:write,invoices:read,events:read";
/// Every reader's partitions are held, by one process alone.
const TAKEN_OVER: &str = "select format('%s is held by %s processes, %s of its partitions by none', reader,
        count(distinct owner) filter (where lease_until > clock_timestamp()),
        count(*) filter (where lease_until <= clock_timestamp()))
    from {checkpoints} c
    group by reader
    having count(distinct owner) filter (where lease_until > clock_timestamp()) > 1
        or count(*) filter (where lease_until <= clock_timestamp()) > 0";

/// `oms serve` on a database that others use too.
struct Server {
    url: String,
    child: Child,
}

impl Server {
    fn start(folder: &Folder, name: &str, database_url: &str, issuer: Option<&str>) -> Self {
        let address = format!("127.0.0.1:{}", free_port());
        let url = format!("http://{address}");
        let environment = [
            ("DATABASE_URL", database_url),
            ("OMS_LISTEN", address.as_str()),
            ("OMS_PUBLIC_URL", issuer.unwrap_or(url.as_str())),
        ];
        let child = folder.spawn(name, &["serve"], &environment);
        let server = Self { url, child };
        eventually("a server is ready", || {
            matches!(send(request(&server.url, "/readyz")), Seen::Answer { status: 200, .. }).then_some(())
        });
        server
    }

    fn signal(&self, signal: &str) {
        kill(signal, &[self.child.id()]);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_process_that_was_frozen_past_its_lease_does_no_harm_when_it_goes_on() {
    let budget = Budget::of_this_run("frozen past its lease");
    let runtime = runtime();
    let database = runtime.block_on(test_support::database());
    let folder = Folder::new();
    let first = Server::start(&folder, "first", database.url(), None);
    let second = Server::start(&folder, "second", database.url(), Some(&first.url));

    let client = Command::new(binary())
        .args(["client", "create", "faults", "--json", "--scope", SCOPES])
        .env("DATABASE_URL", database.url())
        .output()
        .unwrap();
    let client = serde_json::from_slice(&client.stdout).unwrap_or_else(|_| panic!("{client:?}"));
    let access = Access::open(&first.url, &client);
    let mut shop = Shop::open(vec![first.url.clone(), second.url.clone()], access);
    shop.patience = Duration::from_secs(3);
    let sql = Sql::new(database.url().to_owned());

    let (record, ()) = buy_while(&shop, budget.seed, || {
        let more = |what: &str, wanted: usize| {
            let before = shop.acknowledged();
            eventually(what, || (shop.acknowledged() >= before + wanted).then_some(()));
        };
        more("both sell", 150);
        first.signal("STOP");
        let session = sql.connect();
        let taken_over = TAKEN_OVER.replace("{checkpoints}", include_str!("sql/checkpoints.sql"));
        eventually("the other takes over", || session.ask(&taken_over).is_empty().then_some(()));
        more("one sells", 50);
        first.signal("CONT");
        more("both sell again", 100);
    });
    println!(
        "{} commands acknowledged, {} refused, {} unknown, {} requests repeated",
        record.acknowledged(),
        record.refused(),
        record.unknown(),
        record.repeats
    );
    let mut checker = Checker::new(database.url(), &shop, &record);
    checker.check_answers();
    checker.await_settled();
    checker.check_tables();
    checker.check_graphql(&first.url);
    checker.check_graphql(&second.url);
    checker.finish();
}
