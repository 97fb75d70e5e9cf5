//! A log, the tables of its readers, and handlers that note what they are given.

use bytes::Bytes;
use eventstore::{Append, AppendError, Appended, EventLog, Expected, LogConfig, Spawner};
use feeds::{FeedRegistry, HandleError, Page, Projector, Reader, ReaderHandle};
use pg::{Database, Pool, deadpool_postgres::Transaction};
use shared_events::{Actor, EventId, Metadata, NewEvent};
use std::{
    collections::{BTreeMap, HashSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};
use test_support::{TestDatabase, eventually};
use tokio::sync::Semaphore;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub const LOG: &str = "tests";
pub const PARTITIONS: i32 = 4;
const ATTEMPTS: usize = 10;

/// A log in a database of its own with the tables of readers; everything stops with it.
pub struct Fixture {
    pub database: TestDatabase,
    pub pool: Pool,
    pub log: EventLog,
    pub registry: FeedRegistry,
    pub spawner: Spawner,
}

impl Drop for Fixture {
    fn drop(&mut self) {
        self.spawner.stop().cancel();
    }
}

/// A reader that runs; it stops when told to, or with the fixture.
pub struct Running {
    pub handle: ReaderHandle,
    tracker: TaskTracker,
    stop: CancellationToken,
}

impl Running {
    pub async fn stop(self) {
        self.stop.cancel();
        self.tracker.close();
        self.tracker.wait().await;
    }
}

pub async fn fixture() -> Fixture {
    let database = test_support::database().await;
    let pool = database.pool("public", None).await.unwrap();
    pg::migrate(&pool, eventstore::HISTORY_TABLE, eventstore::migrations().unwrap()).await.unwrap();
    feeds::migrate(&pool).await.unwrap();
    let spawner = Spawner::new(TaskTracker::new(), CancellationToken::new());
    let log = open(pool.clone(), &spawner).await;
    let registry = FeedRegistry::new(spawner.clone());
    registry.publish(log.clone());
    let tables = "CREATE TABLE noted (place bigserial, log text, partition integer, position bigint, stream_id text,
                                       version bigint, reader text);
                  CREATE TABLE stream_state (stream_id text PRIMARY KEY, version bigint, events bigint)";
    pool.get().await.unwrap().batch_execute(tables).await.unwrap();
    Fixture { database, pool, log, registry, spawner }
}

async fn open(pool: Pool, spawner: &Spawner) -> EventLog {
    let config = LogConfig { name: LOG, partitions: PARTITIONS, writers: 2 };
    EventLog::open(pool, config, spawner).await.unwrap()
}

impl Fixture {
    pub fn run(&self, reader: Reader) -> Running {
        let (tracker, stop) = (TaskTracker::new(), self.spawner.stop().child_token());
        let handle = reader.handle();
        tracker.spawn(reader.run(stop.clone()));
        Running { handle, tracker, stop }
    }

    pub fn start(&self, projector: Noting) -> Running {
        self.run(Reader::projector(projector, self.pool.clone(), vec![self.registry.subscribe(LOG)]))
    }

    /// The same log and tables as another process has them.
    pub async fn another_process(&self) -> (Pool, EventLog, FeedRegistry) {
        let pool = Database::new(self.database.url(), 6).unwrap().pool("public", None).await.unwrap();
        let log = open(pool.clone(), &self.spawner).await;
        let registry = FeedRegistry::new(self.spawner.clone());
        registry.publish(log.clone());
        (pool, log, registry)
    }

    pub async fn append(&self, stream_id: &str, events: usize) -> Appended {
        for _ in 0..ATTEMPTS {
            match self.log.append(command(stream_id, events)).await {
                // What is refused as unavailable was not appended: callers ask again.
                Err(AppendError::Unavailable) => {}
                appended => return appended.unwrap(),
            }
        }
        panic!("the log stays unavailable");
    }

    /// Appends one event to each of so many streams.
    pub async fn append_streams(&self, streams: usize) {
        for n in 0..streams {
            self.append(&format!("stream-{n}"), 1).await;
        }
    }

    pub async fn query<T: for<'a> pg::tokio_postgres::types::FromSql<'a>>(&self, statement: &str) -> T {
        self.pool.get().await.unwrap().query_one(statement, &[]).await.unwrap().get(0)
    }

    pub async fn execute(&self, statement: &str) {
        self.pool.get().await.unwrap().batch_execute(statement).await.unwrap();
    }

    pub async fn noted(&self) -> i64 {
        self.query("SELECT count(*) FROM noted").await
    }

    pub async fn appended(&self) -> i64 {
        self.query("SELECT count(*) FROM events").await
    }

    /// Waits until everything in the log is noted.
    pub async fn all_is_noted(&self) {
        eventually(|| async { self.noted().await >= self.appended().await }).await;
    }

    /// Fails unless every event was noted once and in the order of its partition.
    pub async fn assert_noted_once_and_in_order(&self) {
        assert_eq!(self.noted().await, self.appended().await, "every event once");
        let missing = "SELECT count(*) FROM events AS event WHERE NOT EXISTS (SELECT FROM noted
                       WHERE noted.partition = event.partition AND noted.position = event.position)";
        assert_eq!(self.query::<i64>(missing).await, 0, "none is missing");
        self.assert_streams_in_order().await;
    }

    /// Fails unless the versions of every stream were noted 1, 2, 3, …
    pub async fn assert_streams_in_order(&self) {
        let client = self.pool.get().await.unwrap();
        let rows = client.query("SELECT stream_id, version FROM noted ORDER BY place", &[]).await.unwrap();
        let mut versions: BTreeMap<String, i64> = BTreeMap::new();
        for row in rows {
            let last = versions.entry(row.get(0)).or_default();
            assert_eq!(row.get::<_, i64>(1), *last + 1, "the order within {}", row.get::<_, String>(0));
            *last += 1;
        }
    }
}

pub fn command(stream_id: &str, events: usize) -> Append {
    Append {
        stream_id: stream_id.to_owned(),
        stream_type: "Test",
        expected: Expected::Any,
        command_id: None,
        events: (0..events).map(event).collect(),
        metadata: Metadata {
            correlation_id: EventId::generate().as_uuid(),
            causation_id: None,
            actor: Actor::internal(),
            traceparent: None,
            import: false,
        },
        claim: None,
    }
}

fn event(n: usize) -> NewEvent {
    NewEvent {
        event_id: EventId::generate(),
        event_type: "Happened",
        schema_version: 1,
        payload: Bytes::from(format!(r#"{{"n": {n}}}"#)),
    }
}

/// Notes every event it is given, with an insert that would show a second delivery; refuses what it is told to.
#[derive(Clone)]
pub struct Noting {
    pub name: &'static str,
    pub runner: &'static str,
    pub refused: Arc<Mutex<HashSet<String>>>,
    /// Taken and given back around every page: with no permit left the handler stands in the middle of its work.
    pub gate: Arc<Semaphore>,
    pages: Arc<AtomicUsize>,
}

impl Noting {
    pub fn new(runner: &'static str) -> Self {
        Self {
            name: "noting",
            runner,
            refused: Arc::default(),
            gate: Arc::new(Semaphore::new(1)),
            pages: Arc::default(),
        }
    }

    pub fn refusing(streams: impl IntoIterator<Item = String>) -> Self {
        let noting = Self::new("one");
        noting.refuse(streams);
        noting
    }

    pub fn refuse(&self, streams: impl IntoIterator<Item = String>) {
        *self.refused.lock().unwrap() = streams.into_iter().collect();
    }

    /// How many pages it stood at the gate with.
    pub fn pages(&self) -> usize {
        self.pages.load(Ordering::Relaxed)
    }

    fn refuses(&self, stream_id: &str) -> bool {
        self.refused.lock().unwrap().contains(stream_id)
    }
}

impl Projector for Noting {
    fn name(&self) -> &'static str {
        self.name
    }

    async fn handle(&self, transaction: &Transaction<'_>, pages: &[Page]) -> Result<(), HandleError> {
        const NOTE: &str = "INSERT INTO noted (log, partition, position, stream_id, version, reader)
                            VALUES ($1, $2, $3, $4, $5, $6)";
        let note = transaction.prepare_cached(NOTE).await?;
        for page in pages {
            for event in &page.events {
                if self.refuses(&event.stream_id) {
                    // A real failure of the database, after which the transaction is of no use.
                    transaction.execute("SELECT 1 / 0", &[]).await?;
                }
                transaction
                    .execute(
                        &note,
                        &[
                            &&*page.log,
                            &event.partition,
                            &event.position,
                            &event.stream_id,
                            &event.version,
                            &self.runner,
                        ],
                    )
                    .await?;
            }
        }
        self.pages.fetch_add(1, Ordering::Relaxed);
        let _permit = self.gate.acquire().await.map_err(HandleError::retry)?;
        Ok(())
    }
}
