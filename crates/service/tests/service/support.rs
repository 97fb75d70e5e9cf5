//! A log with its claims in a schema of its own.

use eventstore::{Claims, EventLog, LogConfig, migrations};
use pg::{Database, Pool, migrate};
use service::Lifecycle;
use test_support::{TestDatabase, database};

pub struct Shop {
    pub lifecycle: Lifecycle,
    pub pool: Pool,
    pub log: EventLog,
    pub claims: Claims,
    _database: TestDatabase,
}

pub async fn shop() -> Shop {
    let test_database = database().await;
    let database = Database::new(test_database.url(), 8).expect("the test server's URL is valid");
    let client = database.connect().await.expect("the test server answers");
    client.batch_execute("create schema orders").await.expect("a fresh database has no such schema");
    let pool = database.pool("orders", None).await.expect("a pool");
    let runner = migrations().expect("the migrations are well-formed");
    migrate(&pool, eventstore::HISTORY_TABLE, runner).await.expect("the migrations run");
    let lifecycle = Lifecycle::new();
    let config = LogConfig { name: "orders", partitions: 2, writers: 1 };
    let log = EventLog::open(pool.clone(), config, &lifecycle.spawner()).await.expect("the log opens");
    let claims = Claims::open(pool.clone()).await.expect("the claims open");
    Shop { lifecycle, pool, log, claims, _database: test_database }
}
