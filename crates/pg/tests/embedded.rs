//! The embedded server and the pools on it, against real processes.

use std::path::PathBuf;
use std::process::Command;

use pg::embedded::{Embedded, EmbeddedError, EmbeddedOptions};
use pg::sqlstate::{SqlClass, classify};
use pg::{Database, Listener, RoleSeparation, is_unavailable};

/// A folder that goes away with the test, and with it whatever server a failed test left behind.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("oms-pg-test-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("the temporary folder takes new folders");
        Self(folder)
    }

    fn options(&self) -> EmbeddedOptions {
        EmbeddedOptions { data_dir: Some(self.0.clone()), ..EmbeddedOptions::default() }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Ok(pid_file) = std::fs::read_to_string(self.0.join("postgres/postmaster.pid")) {
            let process_id = pid_file.lines().next().unwrap_or_default();
            let _ = Command::new("kill").args(["-QUIT", process_id]).status();
        }
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn kill(process_id: u32) {
    let killed = Command::new("kill").args(["-KILL", &process_id.to_string()]).status();
    assert!(killed.is_ok_and(|status| status.success()));
}

#[tokio::test]
async fn a_second_start_keeps_the_data_and_the_address() {
    let folder = Folder::new("restart");
    let first = Embedded::start(folder.options()).await.unwrap();
    let url = first.url().to_owned();
    let client = Database::new(first.url(), 1).unwrap().connect().await.unwrap();
    client.batch_execute("CREATE TABLE kept (n int); INSERT INTO kept VALUES (7)").await.unwrap();
    assert!(matches!(Embedded::start(folder.options()).await, Err(EmbeddedError::InUse { .. })));
    first.stop().await.unwrap();

    let second = Embedded::start(folder.options()).await.unwrap();
    assert_eq!(second.url(), url);
    let client = Database::new(second.socket_url(), 1).unwrap().connect().await.unwrap();
    assert_eq!(client.query_one("SELECT n FROM kept", &[]).await.unwrap().get::<_, i32>(0), 7);
    second.stop().await.unwrap();
}

#[tokio::test]
async fn a_server_that_outlived_its_process_is_adopted() {
    let folder = Folder::new("adopt");
    let left_behind = Embedded::start(folder.options()).await.unwrap();
    let process_id = left_behind.process_id();
    drop(left_behind);

    let adopted = Embedded::start(folder.options()).await.unwrap();
    assert_eq!(adopted.process_id(), process_id);
    Database::new(adopted.url(), 1).unwrap().check_durability().await.unwrap();
    adopted.stop().await.unwrap();
}

#[tokio::test]
async fn a_pool_works_again_after_the_server_was_killed_and_restarted() {
    let folder = Folder::new("killed");
    let killed = Embedded::start(folder.options()).await.unwrap();
    let pool = Database::new(killed.url(), 2).unwrap().pool("public", None).await.unwrap();
    let listener = Listener::connect(&Database::new(killed.url(), 1).unwrap(), &["wake"]).await;
    kill(killed.process_id().unwrap());
    assert!(is_unavailable(&listener.unwrap().recv().await.unwrap_err()));
    let failure = loop {
        match pool.get().await {
            Ok(client) => drop(client),
            Err(error) => break error,
        }
    };
    assert!(is_unavailable(&failure), "{failure:?}");
    drop(killed);

    let restarted = Embedded::start(folder.options()).await.unwrap();
    let row = pool.get().await.unwrap().query_one("SELECT 1", &[]).await.unwrap();
    assert_eq!(row.get::<_, i32>(0), 1);
    restarted.stop().await.unwrap();
}

#[tokio::test]
async fn each_owner_sees_its_own_schemas_only() {
    let folder = Folder::new("owners");
    let server = Embedded::start(folder.options()).await.unwrap();
    let database = Database::new(server.url(), 4).unwrap();
    let (orders, again, stock) = tokio::join!(
        database.ensure_owner("oms_command", &["orders", "keys"]),
        database.ensure_owner("oms_command", &["orders", "keys"]),
        database.ensure_owner("oms_inventory", &["inventory"]),
    );
    assert_eq!(orders.unwrap(), again.unwrap());
    assert_eq!(stock.as_ref().unwrap(), &RoleSeparation::Separate { role: "oms_inventory".to_owned() });

    let orders = database.pool("orders", Some("oms_command")).await.unwrap();
    let client = orders.get().await.unwrap();
    client.batch_execute("CREATE TABLE line (id int PRIMARY KEY CONSTRAINT positive CHECK (id > 0))").await.unwrap();
    client.batch_execute("INSERT INTO line VALUES (1)").await.unwrap();
    let twice = client.batch_execute("INSERT INTO line VALUES (1)").await.unwrap_err();
    assert_eq!(classify(&twice), SqlClass::UniqueViolation { constraint: "line_pkey".to_owned() });
    let negative = client.batch_execute("INSERT INTO line VALUES (-1)").await.unwrap_err();
    assert_eq!(classify(&negative), SqlClass::CheckViolation { constraint: "positive".to_owned() });

    let inventory = database.pool("inventory", stock.unwrap().role()).await.unwrap();
    let refused = inventory.get().await.unwrap().query("SELECT * FROM orders.line", &[]).await.unwrap_err();
    assert_eq!(refused.code(), Some(&pg::tokio_postgres::error::SqlState::INSUFFICIENT_PRIVILEGE));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_transaction_that_nobody_goes_on_with_does_not_last() {
    let folder = Folder::new("idle");
    let server = Embedded::start(folder.options()).await.unwrap();
    let pool = Database::new(server.url(), 1).unwrap().pool("public", None).await.unwrap();
    let row = pool.get().await.unwrap().query_one("SHOW idle_in_transaction_session_timeout", &[]).await.unwrap();
    assert_eq!(row.get::<_, &str>(0), "10s");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_session_finds_rows_by_their_keys_and_compiles_no_plan_for_it() {
    let folder = Folder::new("by-key");
    let mut options = folder.options();
    options.settings.push(("jit".to_owned(), "on".to_owned()));
    let server = Embedded::start(options).await.unwrap();
    let pool = Database::new(server.url(), 1).unwrap().pool("public", None).await.unwrap();
    let client = pool.get().await.unwrap();
    client.batch_execute("CREATE TABLE line (id bigint PRIMARY KEY); INSERT INTO line VALUES (1)").await.unwrap();
    let explain = "EXPLAIN SELECT l.id FROM unnest(ARRAY[1]) AS w (id) JOIN line l ON l.id = w.id";
    let plan: Vec<String> = client.query(explain, &[]).await.unwrap().iter().map(|row| row.get(0)).collect();
    assert!(plan.iter().any(|line| line.contains("line_pkey")), "{plan:?}");
    assert!(!plan.iter().any(|line| line.contains("Seq Scan")), "{plan:?}");
    assert_eq!(client.query_one("SHOW jit", &[]).await.unwrap().get::<_, &str>(0), "off");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn instances_that_start_together_migrate_once() {
    let folder = Folder::new("migrate");
    let server = Embedded::start(folder.options()).await.unwrap();
    let pool = Database::new(server.url(), 4).unwrap().pool("public", None).await.unwrap();
    let runner = || {
        let create = pg::refinery::Migration::unapplied("V1__create", "CREATE TABLE once (n int)").unwrap();
        let fill = pg::refinery::Migration::unapplied("V2__fill", "INSERT INTO once VALUES (1)").unwrap();
        pg::refinery::Runner::new(&[create, fill])
    };
    let (first, second, third) = tokio::join!(
        pg::migrate(&pool, "test_history", runner()),
        pg::migrate(&pool, "test_history", runner()),
        pg::migrate(&pool, "test_history", runner()),
    );
    first.and(second).and(third).unwrap();
    let row = pool.get().await.unwrap().query_one("SELECT count(*) FROM once", &[]).await.unwrap();
    assert_eq!(row.get::<_, i64>(0), 1);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_server_that_would_lose_writes_is_refused() {
    let folder = Folder::new("durability");
    let mut options = folder.options();
    options.settings.push(("synchronous_commit".to_owned(), "off".to_owned()));
    let server = Embedded::start(options).await.unwrap();
    let refused = Database::new(server.url(), 1).unwrap().check_durability().await;
    assert!(matches!(refused, Err(pg::PgError::NotDurable { setting: "synchronous_commit" })));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_notification_wakes_the_listener() {
    let folder = Folder::new("listen");
    let server = Embedded::start(folder.options()).await.unwrap();
    let database = Database::new(server.url(), 1).unwrap();
    let mut listener = Listener::connect(&database, &["wake"]).await.unwrap();
    database.connect().await.unwrap().batch_execute("NOTIFY wake, 'orders'").await.unwrap();
    assert_eq!(listener.recv().await.unwrap().payload(), "orders");
    drop(listener);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn an_absent_server_is_noticed_at_once() {
    let database = Database::new("postgresql://oms:secret@127.0.0.1:1/oms", 1).unwrap();
    assert!(is_unavailable(&database.pool("public", None).await.unwrap_err()));
    assert!(is_unavailable(&database.connect().await.unwrap_err()));
}
