//! What the figures stand on: an embedded Postgres with its shipped settings, in a folder that is removed afterwards,
//! and logs in schemas of their own.

use crate::error::BenchError;
use eventstore::{EventLog, LogConfig, Spawner};
use pg::embedded::{Embedded, EmbeddedOptions};
use pg::{Database, Pool};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

const CONNECTIONS: usize = 16;
pub(crate) const PARTITIONS: i32 = 8;
pub(crate) const WRITERS: usize = 2;
const LOGS: [&str; 3] = ["orders", "inventory", "invoices"];
const LOOK_EVERY: Duration = Duration::from_millis(300);
const CATCH_UP_PATIENCE: Duration = Duration::from_mins(15);

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

    /// Where files of the run can be put.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// How many events stand in a log of the system.
    pub(crate) async fn events_in(&self, log: &str) -> Result<i64, BenchError> {
        let client = self.database.connect().await?;
        let counted = format!("select coalesce(sum(position), 0)::bigint from {log}.log_head");
        Ok(client.query_one(&counted, &[]).await?.get(0))
    }

    /// How many streams stand in a log of the system.
    pub(crate) async fn streams_in(&self, log: &str) -> Result<i64, BenchError> {
        let client = self.database.connect().await?;
        let counted = format!("select count(*) from {log}.events where version = 1");
        Ok(client.query_one(&counted, &[]).await?.get(0))
    }

    /// Waits until every reader of the system has read everything, and nothing more was written meanwhile.
    pub(crate) async fn until_caught_up(&self) -> Result<(), BenchError> {
        let client = self.database.connect().await?;
        let schemas = client
            .query(
                "select nspname from pg_class c join pg_namespace n on n.oid = relnamespace \
                                    where relname = 'reader_checkpoint' and relkind = 'r'",
                &[],
            )
            .await?;
        let behind: Vec<String> = schemas
            .iter()
            .flat_map(|row| {
                let schema: &str = row.get(0);
                LOGS.map(|log| {
                    format!(
                        "(select coalesce(sum(h.position - c.position), 0) from {schema}.reader_checkpoint c \
                  join {log}.log_head h using (partition) where c.log = '{log}' and c.reader_version = \
                   (select max(reader_version) from {schema}.reader_checkpoint m where m.reader = c.reader))"
                    )
                })
            })
            .collect();
        let behind =
            format!("select ({})::bigint, (select sum(position) from inventory.log_head)::bigint", behind.join(" + "));
        let began = std::time::Instant::now();
        let mut last = (-1, -1);
        loop {
            let row = client.query_one(&behind, &[]).await?;
            let now: (i64, i64) = (row.get(0), row.get(1));
            if now.0 == 0 && now == last {
                return Ok(());
            }
            last = now;
            if began.elapsed() > CATCH_UP_PATIENCE {
                return Err(BenchError::Unexpected(format!("the readers are still {} events behind", now.0)));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Brings the server's statistics up to date after much was written, and writes it back.
    pub(crate) async fn settle(&self) -> Result<(), BenchError> {
        let client = self.database.connect().await?;
        client.batch_execute("vacuum analyze").await?;
        Ok(client.batch_execute("checkpoint").await?)
    }

    /// Puts the answers of a stored-document route into a table of their own: the folded orders, as the read side keeps
    /// them.
    pub(crate) async fn store_documents(&self) -> Result<(), BenchError> {
        let client = self.database.connect().await?;
        let live = live_schema(&client).await?;
        let schema = crate::reference::SCHEMA;
        client
            .batch_execute(&format!(
                "drop schema if exists {schema} cascade; create schema {schema}; \
                 create table {schema}.document (order_id uuid primary key, document text not null); \
                 insert into {schema}.document select order_id, state::text from {live}.order_view"
            ))
            .await?;
        Ok(client.batch_execute(&format!("vacuum analyze {schema}.document")).await?)
    }

    /// Bytes on disk of the orders log, and of the read tables, indexes included.
    pub(crate) async fn bytes(&self) -> Result<(i64, i64), BenchError> {
        let client = self.database.connect().await?;
        let live = live_schema(&client).await?;
        let size = "select coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint from pg_class c \
                    join pg_namespace n on n.oid = relnamespace where relkind = 'r' and nspname = $1";
        let log = "select pg_total_relation_size('orders.events')";
        Ok((client.query_one(log, &[]).await?.get(0), client.query_one(size, &[&live]).await?.get(0)))
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

/// The schema of the read tables that requests are answered from.
async fn live_schema(client: &tokio_postgres::Client) -> Result<String, BenchError> {
    let live = query_service::rebuild::live(client).await?;
    let live = live.ok_or_else(|| BenchError::Unexpected("the system has no read tables".to_owned()))?;
    Ok(format!("query_{live}"))
}
