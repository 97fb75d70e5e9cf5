//! One snapshot of the whole database, seen by several connections: while events are streamed on one, another looks up
//! what belongs to them, and both see the same moment, however much is written meanwhile.

use anyhow::Context;
use chrono::{DateTime, Utc};
use pg::{Database, tokio_postgres::Client};
use std::collections::BTreeSet;

/// Nothing may end a transaction that thinks for long; plans are for one pass over much.
const SETTINGS: &str = "set local idle_in_transaction_session_timeout = 0; set local statement_timeout = 0; \
                        set local lock_timeout = 0; set local jit = off";
const BEGIN: &str = "begin isolation level repeatable read read only";
const ABOUT: &str = "select pg_export_snapshot(), clock_timestamp(), current_database()::text";
const SCHEMAS: &str = "select nspname::text from pg_namespace where has_schema_privilege(oid, 'usage')";

/// A moment of the database. It holds back vacuum until it is dropped.
pub struct Snapshot {
    database: Database,
    id: String,
    _lead: Client,
    /// When it was taken, by the database's clock.
    pub taken_at: DateTime<Utc>,
    /// The database's name.
    pub name: String,
    schemas: BTreeSet<String>,
}

impl Snapshot {
    /// Takes one now.
    pub async fn take(database: Database) -> anyhow::Result<Self> {
        let lead = database.connect().await.context("the database cannot be reached")?;
        lead.batch_execute(&format!("{BEGIN}; {SETTINGS}")).await.context("cannot begin a transaction")?;
        let about = lead.query_one(ABOUT, &[]).await.context("cannot take a snapshot")?;
        let schemas = lead.query(SCHEMAS, &[]).await.context("cannot list the schemas")?;
        Ok(Self {
            database,
            id: about.get(0),
            taken_at: about.get(1),
            name: about.get(2),
            schemas: schemas.iter().map(|row| row.get(0)).collect(),
            _lead: lead,
        })
    }

    /// Another connection that sees this moment, with these schemas on its search path.
    pub async fn connect(&self, schemas: &[&str]) -> anyhow::Result<Client> {
        let client = self.database.connect().await.context("the database cannot be reached")?;
        let path: Vec<String> = schemas.iter().map(|schema| format!("\"{schema}\"")).collect();
        let statement = format!(
            "{BEGIN}; set transaction snapshot '{}'; {SETTINGS}; set local search_path = {}",
            self.id,
            path.join(", ")
        );
        client.batch_execute(&statement).await.context("cannot enter the snapshot")?;
        Ok(client)
    }

    /// Whether there is such a schema that may be read.
    pub fn has(&self, schema: &str) -> bool {
        self.schemas.contains(schema)
    }
}
