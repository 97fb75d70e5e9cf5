//! A log in a database of its own, and what tests say about it.

use bytes::Bytes;
use eventstore::{Append, AppendError, Appended, EventLog, Expected, LogConfig, Spawner};
use pg::{Database, Pool};
use shared_events::{Actor, EventId, Metadata, NewEvent};
use test_support::TestDatabase;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use uuid::Uuid;

pub const PARTITIONS: i32 = 4;
pub const CONFIG: LogConfig = LogConfig { name: "tests", partitions: PARTITIONS, writers: 2 };

/// A log; its writers stop with it.
pub struct Fixture {
    pub database: TestDatabase,
    pub pool: Pool,
    pub log: EventLog,
    stop: CancellationToken,
}

impl Drop for Fixture {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// A fresh log.
pub async fn fixture() -> Fixture {
    let database = test_support::database().await;
    let pool = database.pool("public", None).await.unwrap();
    eventstore::migrate(&pool).await.unwrap();
    let stop = CancellationToken::new();
    let log = EventLog::open(pool.clone(), CONFIG, &Spawner::new(TaskTracker::new(), stop.clone())).await.unwrap();
    Fixture { database, pool, log, stop }
}

impl Fixture {
    /// The same log as another process has it, reached at another URL if need be.
    pub async fn another_process(&self, url: &str) -> EventLog {
        let pool = Database::new(url, 4).unwrap().pool("public", None).await.unwrap();
        EventLog::open(pool, CONFIG, &Spawner::new(TaskTracker::new(), self.stop.clone())).await.unwrap()
    }

    /// Fails unless positions, versions, times and heads are as they have to be.
    pub async fn assert_sound(&self) {
        let client = self.pool.get().await.unwrap();
        let faults = client.query_one(include_str!("faults.sql"), &[]).await.unwrap();
        for column in faults.columns() {
            assert_eq!(faults.get::<_, i64>(column.name()), 0, "{}", column.name());
        }
    }

    pub async fn count(&self) -> i64 {
        let client = self.pool.get().await.unwrap();
        client.query_one("select count(*) from events", &[]).await.unwrap().get(0)
    }
}

pub fn metadata() -> Metadata {
    Metadata {
        correlation_id: EventId::generate().as_uuid(),
        causation_id: None,
        actor: Actor::internal(),
        traceparent: None,
        import: false,
    }
}

pub fn event(payload: &str) -> NewEvent {
    NewEvent {
        event_id: EventId::generate(),
        event_type: "Happened",
        schema_version: 1,
        payload: Bytes::copy_from_slice(payload.as_bytes()),
    }
}

/// A command with so many events.
pub fn command(stream_id: &str, expected: Expected, events: usize) -> Append {
    Append {
        stream_id: stream_id.to_owned(),
        stream_type: "Test",
        expected,
        command_id: None,
        events: (0..events).map(|n| event(&format!(r#"{{"n":{n}}}"#))).collect(),
        metadata: metadata(),
        claim: None,
    }
}

pub fn with_command_id(append: Append, command_id: Uuid) -> Append {
    Append { command_id: Some(command_id), ..append }
}

pub fn some_uuid() -> Uuid {
    EventId::generate().as_uuid()
}

#[track_caller]
pub fn assert_conflict(result: &Result<Appended, AppendError>, version: i64) {
    assert!(matches!(result, Err(AppendError::Conflict { actual }) if *actual == version), "{result:?}");
}
