//! The statements of an append on Postgres, and what an error says about the statement that was running.

use super::{
    batch::Rows,
    careful::{Attempts, Streams},
    connection::{Connection, own},
    session::{Cause, Failure, Found, Moved, Server, Session, Statements},
};
use crate::epoch;
use pg::Pool;
use tokio_postgres::{
    Error, GenericClient, Statement,
    error::{Severity, SqlState},
    types::Type,
};
use uuid::Uuid;

pub(super) const APPEND: &str = include_str!("../sql/append.sql");
const LOCK_HEADS: &str = include_str!("../sql/lock_heads.sql");
const STREAM_VERSIONS: &str = include_str!("../sql/stream_versions.sql");
const FIRST_RESULTS: &str = include_str!("../sql/first_results.sql");
const OPEN_CLAIMS: &str = "select scope_hash, owner from idempotency_claim
    where scope_hash = any ($1) and answered_at is null order by scope_hash for update";

/// The database of a pool.
pub(crate) struct Postgres {
    pub(crate) log: &'static str,
    pub(crate) pool: Pool,
}

impl Server for Postgres {
    type Session = Connection;

    async fn connect(&self) -> Result<Connection, Cause> {
        let client = own(&self.pool).await?;
        // The server may be another one than before.
        epoch::keep(&client, self.log).await?;
        let append = client.prepare(APPEND).await?;
        Ok(Connection { client, append })
    }
}

impl Session for Connection {
    fn statements(&self) -> impl Statements {
        OnClient { client: &*self.client, append: &self.append }
    }

    async fn begin(&self) -> Result<(), Failure> {
        Ok(self.client.batch_execute("begin").await?)
    }

    async fn commit(&self) -> Result<(), Failure> {
        Ok(self.client.batch_execute("commit").await?)
    }

    async fn rollback(&self) -> Result<(), Failure> {
        Ok(self.client.batch_execute("rollback").await?)
    }

    fn is_closed(&self) -> bool {
        self.client.is_closed()
    }
}

/// The statements on a connection, or inside a transaction of it, with the append statement prepared there.
pub(super) struct OnClient<'a, C> {
    pub(super) client: &'a C,
    pub(super) append: &'a Statement,
}

impl<C: GenericClient + Sync> Statements for OnClient<'_, C> {
    async fn insert(&self, rows: &Rows<'_>) -> Result<Vec<Moved>, Failure> {
        let (partitions, counts) = rows.head_arrays();
        let heads = self.client.query(self.append, &rows.params(&partitions, &counts)).await?;
        Ok(heads.iter().map(|row| Moved { partition: row.get(0), base: row.get(1), recorded_at: row.get(2) }).collect())
    }

    async fn lock_heads(&self, partitions: &[i32]) -> Result<(), Failure> {
        Ok(self.client.query_typed(LOCK_HEADS, &[(&partitions, Type::INT4_ARRAY)]).await.map(drop)?)
    }

    async fn stream_versions(&self, streams: &Streams<'_>) -> Result<Vec<i64>, Failure> {
        let arrays = [(&streams.partitions as _, Type::INT4_ARRAY), (&streams.ids as _, Type::TEXT_ARRAY)];
        let rows = self.client.query_typed(STREAM_VERSIONS, &arrays).await?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }

    async fn first_results(&self, attempts: &Attempts<'_>) -> Result<Vec<Found>, Failure> {
        let arrays = [
            (&attempts.ordinals as _, Type::INT8_ARRAY),
            (&attempts.partitions as _, Type::INT4_ARRAY),
            (&attempts.stream_ids as _, Type::TEXT_ARRAY),
            (&attempts.command_ids as _, Type::UUID_ARRAY),
            (&attempts.event_ids as _, Type::UUID_ARRAY),
            (&attempts.tried as _, Type::INT8_ARRAY),
        ];
        let rows = self.client.query_typed(FIRST_RESULTS, &arrays).await?;
        let found = |row: &tokio_postgres::Row| Found {
            ordinal: row.get(0),
            position: row.get(1),
            version: row.get(2),
            recorded_at: row.get(3),
            metadata: row.get(4),
            same_event: row.get(5),
        };
        Ok(rows.iter().map(found).collect())
    }

    async fn open_claims(&self, scope_hashes: &[&[u8]]) -> Result<Vec<(Vec<u8>, Uuid)>, Failure> {
        let rows = self.client.query_typed(OPEN_CLAIMS, &[(&scope_hashes, Type::BYTEA_ARRAY)]).await?;
        Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let Some(cause) = error.as_db_error() else { return Self::Lost(Some(error.into())) };
        let code = cause.code();
        // FATAL and PANIC end the session, perhaps after the commit; an ERROR always rolls back.
        if cause.parsed_severity() != Some(Severity::Error) {
            return Self::Lost(Some(error.into()));
        }
        let contested = [
            SqlState::UNIQUE_VIOLATION,
            SqlState::T_R_DEADLOCK_DETECTED,
            SqlState::T_R_SERIALIZATION_FAILURE,
            SqlState::from_code("OM001"),
        ];
        match code.code().get(..2) {
            _ if contested.contains(code) => Self::Contested(error.into()),
            Some("08" | "57") if *code != SqlState::QUERY_CANCELED => Self::Lost(Some(error.into())),
            Some("22" | "23" | "54") => Self::Data(error.into()),
            _ => Self::NotNow(error.into()),
        }
    }
}
