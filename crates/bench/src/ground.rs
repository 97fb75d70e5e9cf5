//! What the figures stand on: an embedded Postgres with its shipped settings, in a folder that is removed afterwards,
//! and logs in schemas of their own.

use crate::error::BenchError;
use eventstore::{EventLog, LogConfig, Spawner};
use pg::embedded::{Embedded, EmbeddedOptions};
use pg::{Database, Pool};
use std::path::{Path, PathBuf};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

const CONNECTIONS: usize = 16;
pub(crate) const PARTITIONS: i32 = 8;
pub(crate) const WRITERS: usize = 2;

/// A database to measure on.
pub(crate) struct Ground {
    pub(crate) database: Database,
    pub(crate) postgres: Embedded,
    folder: PathBuf,
    tracker: TaskTracker,
    stop: CancellationToken,
}

impl Ground {
    /// Starts the server on a new folder.
    pub(crate) async fn prepare(folder: &Path) -> Result<Self, BenchError> {
        let folder = folder.join(format!("run-{}", std::process::id()));
        let data_dir = Some(folder.join("postgres"));
        let postgres = Embedded::start(EmbeddedOptions { data_dir, settings: Vec::new() }).await?;
        let database = Database::new(postgres.socket_url(), CONNECTIONS)?;
        database.check_durability().await?;
        Ok(Self { database, postgres, folder, tracker: TaskTracker::new(), stop: CancellationToken::new() })
    }

    /// Starts tasks that end before the server does.
    pub(crate) fn spawner(&self) -> Spawner {
        Spawner::new(self.tracker.clone(), self.stop.clone())
    }

    /// A schema with the tables of a log, empty.
    pub(crate) async fn log_schema(&self, schema: &str) -> Result<Pool, BenchError> {
        let client = self.database.connect().await?;
        client.batch_execute(&format!("drop schema if exists {schema} cascade; create schema {schema}")).await?;
        let pool = self.database.pool(schema, None).await?;
        eventstore::migrate(&pool).await?;
        Ok(pool)
    }

    /// A new log in such a schema.
    pub(crate) async fn log(&self, schema: &str) -> Result<EventLog, BenchError> {
        let pool = self.log_schema(schema).await?;
        let config = LogConfig { name: "bench", partitions: PARTITIONS, writers: WRITERS };
        Ok(EventLog::open(pool, config, &self.spawner()).await?)
    }

    /// Begins a half of a pair with nothing left to write back from the one before.
    pub(crate) async fn checkpoint(&self) -> Result<(), BenchError> {
        Ok(self.database.connect().await?.batch_execute("checkpoint").await?)
    }

    /// Ends what was started and removes the folder.
    pub(crate) async fn close(self) -> Result<(), BenchError> {
        self.stop.cancel();
        self.tracker.close();
        self.tracker.wait().await;
        self.postgres.stop().await?;
        std::fs::remove_dir_all(&self.folder).map_err(BenchError::file("remove", &self.folder))
    }
}
