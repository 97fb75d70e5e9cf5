//! A log that was restored, or whose server was promoted, has another epoch; all else leaves it as it is.

use crate::fixture::{CONFIG, Fixture, command, fixture, some_uuid};
use eventstore::{EventLog, Expected, Spawner};
use futures_util::future::join_all;
use pg::{Database, Pool};
use uuid::Uuid;

const MOVED: &str = "update log_meta set history = 'another server'";
const DISCONNECT: &str = "select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()";

impl Fixture {
    async fn execute(&self, statement: &str) {
        self.database.connect().await.unwrap().batch_execute(statement).await.unwrap();
    }

    /// The log as a process has it that starts now.
    async fn epoch_of_another_process(&self) -> Uuid {
        self.another_process(self.database.url()).await.epoch()
    }
}

async fn stored(pool: &Pool) -> (Uuid, Option<String>) {
    let row = pool.get().await.unwrap().query_one("select epoch, history from log_meta", &[]).await.unwrap();
    (row.get(0), row.get(1))
}

#[tokio::test]
async fn an_epoch_outlives_restarts_and_lost_connections() {
    let fixture = fixture().await;
    let before = stored(&fixture.pool).await;
    assert!(before.1.is_some(), "the server tells its history");
    assert_eq!(fixture.epoch_of_another_process().await, before.0);
    fixture.log.append(command("a", Expected::Any, 1)).await.unwrap();
    fixture.execute(DISCONNECT).await;
    fixture.log.append(command("a", Expected::Any, 1)).await.unwrap();
    assert_eq!(stored(&fixture.pool).await, before);
}

#[tokio::test]
async fn several_processes_that_start_after_a_promotion_make_one_new_epoch() {
    let fixture = fixture().await;
    let old = fixture.log.epoch();
    fixture.execute(MOVED).await;
    let epochs = join_all((0..8).map(|_| fixture.epoch_of_another_process())).await;
    assert!(epochs.iter().all(|epoch| *epoch == epochs[0] && *epoch != old), "{old}: {epochs:?}");
    assert_eq!(fixture.epoch_of_another_process().await, epochs[0]);
}

#[tokio::test]
async fn a_log_that_was_restored_into_another_database_has_a_new_epoch() {
    let fixture = fixture().await;
    fixture.log.append(command("a", Expected::Any, 3)).await.unwrap();
    let (old, _) = stored(&fixture.pool).await;
    let restored = test_support::database().await;
    let name = restored.url().rsplit_once('/').unwrap().1.to_owned();
    let original = fixture.database.url().rsplit_once('/').unwrap().1.to_owned();
    let server = restored.connect().await.unwrap();
    // A template must have no connections but this one's, which is to another database.
    let close = format!("select pg_terminate_backend(pid) from pg_stat_activity where datname = '{original}'");
    let admin = Database::new(&restored.url().replace(&name, "postgres"), 1).unwrap().connect().await.unwrap();
    drop(server);
    admin.batch_execute(&format!("drop database {name} with (force)")).await.unwrap();
    test_support::eventually(|| async {
        admin.batch_execute(&close).await.unwrap();
        admin.batch_execute(&format!("create database {name} template {original}")).await.is_ok()
    })
    .await;
    let pool = restored.pool("public", None).await.unwrap();
    let log = EventLog::open(pool.clone(), CONFIG, &Spawner::default()).await.unwrap();
    assert_ne!(log.epoch(), old);
    assert_eq!(log.read_stream("a", 0, 10).await.unwrap().len(), 3);
}

#[tokio::test]
async fn a_writer_that_reconnects_to_a_promoted_server_renews_the_epoch_before_it_appends() {
    let fixture = fixture().await;
    fixture.log.append(command("a", Expected::Any, 1)).await.unwrap();
    let (old, _) = stored(&fixture.pool).await;
    fixture.execute(MOVED).await;
    fixture.log.append(command("a", Expected::Any, 1)).await.unwrap();
    assert_eq!(stored(&fixture.pool).await.0, old, "the connection is still to the same server");
    fixture.execute(&format!("{MOVED}; {DISCONNECT}")).await;
    fixture.log.append(command("a", Expected::Any, 1)).await.unwrap();
    let (new, _) = stored(&fixture.pool).await;
    assert_ne!(new, old);
    let page = fixture.log.read_partition(fixture.log.partition_of("a"), 0, 10).await.unwrap();
    assert_eq!((page.epoch, page.events.len()), (new, 3));
}

#[tokio::test]
async fn an_append_in_a_transaction_on_a_promoted_server_renews_the_epoch_too() {
    let fixture = fixture().await;
    let (old, _) = stored(&fixture.pool).await;
    fixture.execute(MOVED).await;
    let pool = Database::new(fixture.database.url(), 1).unwrap().pool("public", None).await.unwrap();
    for known in [false, true] {
        let mut client = pool.get().await.unwrap();
        let transaction = client.transaction().await.unwrap();
        fixture.log.append_in(&transaction, &[command("a", Expected::Any, 1)]).await.unwrap();
        transaction.commit().await.unwrap();
        drop(client);
        let (new, _) = stored(&fixture.pool).await;
        assert_ne!(new, old);
        assert!(!known || fixture.epoch_of_another_process().await == new);
    }
}

#[tokio::test]
async fn a_role_without_rights_can_tell_the_servers_history() {
    let fixture = fixture().await;
    let role = format!("plain_{}", some_uuid().simple());
    fixture.execute(&format!("create role {role}; grant all on schema public to {role}")).await;
    let database = test_support::database().await;
    let connection = database.connect().await.unwrap();
    connection.batch_execute(&format!("create schema mine authorization {role}")).await.unwrap();
    let pool = database.pool("mine", Some(&role)).await.unwrap();
    eventstore::migrate(&pool).await.unwrap();
    EventLog::open(pool.clone(), CONFIG, &Spawner::default()).await.unwrap();
    assert!(stored(&pool).await.1.is_some());
    connection.batch_execute(&format!("drop owned by {role} cascade")).await.unwrap();
    fixture.execute(&format!("drop owned by {role}; drop role {role}")).await;
}

#[tokio::test]
async fn where_the_server_does_not_tell_its_history_the_epoch_stays_until_it_is_renewed_by_hand() {
    let database = test_support::database().await;
    let pool = database.pool("public", None).await.unwrap();
    eventstore::migrate(&pool).await.unwrap();
    let silent = "create or replace function history_of_log() returns text language sql as 'select null'";
    database.connect().await.unwrap().batch_execute(silent).await.unwrap();
    let log = EventLog::open(pool.clone(), CONFIG, &Spawner::default()).await.unwrap();
    let again = EventLog::open(pool.clone(), CONFIG, &Spawner::default()).await.unwrap();
    assert_eq!((log.epoch(), None), (again.epoch(), stored(&pool).await.1));
    log.append(command("a", Expected::Any, 1)).await.unwrap();
    let renewed = log.renew_epoch().await.unwrap();
    assert_ne!(renewed, log.epoch());
    assert_eq!(log.heads().await.unwrap().epoch, renewed);
}
