//! How far a reader got in this snapshot: what its rows must show, and what they cannot show yet.

use super::logs::Log;
use super::snapshot::Snapshot;
use anyhow::Context;
use pg::tokio_postgres::Client;
use std::collections::{HashMap, HashSet};

/// A reader at the moment of the snapshot.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    positions: HashMap<(String, i32), i64>,
    parked: HashSet<(String, String)>,
}

impl Progress {
    /// How far a version of a reader is, by the tables on the connection's search path.
    pub async fn of(client: &Client, reader: &str, version: i32) -> anyhow::Result<Self> {
        let positions = client
            .query(include_str!("sql/checkpoints.sql"), &[&reader, &version])
            .await
            .with_context(|| format!("the checkpoints of {reader} cannot be read"))?;
        let parked = client.query(include_str!("sql/parked_streams.sql"), &[&reader, &version]).await?;
        Ok(Self {
            positions: positions.iter().map(|row| ((row.get(0), row.get(1)), row.get(2))).collect(),
            parked: parked.iter().map(|row| (row.get(0), row.get(1))).collect(),
        })
    }

    /// How far a reader of a schema is; nowhere where the schema is not there.
    pub async fn in_schema(snapshot: &Snapshot, schema: &str, reader: &str) -> anyhow::Result<Self> {
        if !snapshot.has(schema) {
            return Ok(Self::default());
        }
        Self::of(&snapshot.connect(&[schema]).await?, reader, 1).await
    }

    /// The last position that it has handled.
    pub fn position(&self, log: &str, partition: i32) -> i64 {
        self.positions.get(&(log.to_owned(), partition)).copied().unwrap_or(0)
    }

    /// Whether it has handled the event at this position of a stream that it has not parked.
    pub fn has_passed(&self, log: &str, partition: i32, position: i64, stream_id: &str) -> bool {
        position <= self.position(log, partition) && !self.is_parked(log, stream_id)
    }

    /// Whether it has handled everything in a partition.
    pub fn is_at_head(&self, log: &Log, partition: i32) -> bool {
        self.position(log.name, partition) >= log.heads.get(&partition).copied().unwrap_or(0)
    }

    /// Whether it refused an event of the stream.
    pub fn is_parked(&self, log: &str, stream_id: &str) -> bool {
        !self.parked.is_empty() && self.parked.contains(&(log.to_owned(), stream_id.to_owned()))
    }
}
