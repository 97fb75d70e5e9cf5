//! What Postgres itself takes, as the measure for the log: multi-row inserts into a table of the same shape with the
//! same indexes, by prepared statements with binary arrays, and single rows. Nothing is checked, and positions are
//! counted by the client: no event store could do less.

use crate::commands::{EVENT_TYPE, STREAM_TYPE, command_id, metadata, payload};
use crate::error::BenchError;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use pg::Client;
use shared_events::{EventId, OrderId};
use tokio_postgres::Statement;
use uuid::Uuid;

const INSERT: &str = include_str!("sql/raw_insert.sql");
const INSERT_ONE: &str = include_str!("sql/raw_insert_one.sql");
pub(crate) const EVENTS_PER_COMMIT: usize = 200;
const EVENTS_PER_STREAM: usize = 3;

/// A connection that writes to partitions that are its own.
pub(crate) struct Raw {
    client: Client,
    insert: Statement,
    insert_one: Statement,
    payload: Bytes,
    metadata: Vec<u8>,
    /// Each with its last position.
    partitions: Vec<(i32, i64)>,
    turn: usize,
}

#[derive(Default)]
struct Columns<'a> {
    partitions: Vec<i32>,
    positions: Vec<i64>,
    stream_ids: Vec<String>,
    stream_types: Vec<&'a str>,
    versions: Vec<i64>,
    event_ids: Vec<Uuid>,
    command_ids: Vec<Option<Uuid>>,
    types: Vec<&'a str>,
    schema_versions: Vec<i16>,
    payloads: Vec<&'a [u8]>,
    metadata: Vec<&'a [u8]>,
    times: Vec<DateTime<Utc>>,
}

impl Raw {
    /// Takes a connection and the partitions that nobody else writes to.
    pub(crate) async fn new(client: Client, partitions: impl IntoIterator<Item = i32>) -> Result<Self, BenchError> {
        let insert = client.prepare(INSERT).await?;
        let insert_one = client.prepare(INSERT_ONE).await?;
        let metadata = serde_json::to_vec(&metadata()).map_err(|error| BenchError::Unexpected(error.to_string()))?;
        let partitions = partitions.into_iter().map(|partition| (partition, 0)).collect();
        Ok(Self { client, insert, insert_one, payload: payload(), metadata, partitions, turn: 0 })
    }

    fn next_partition(&mut self) -> usize {
        self.turn = (self.turn + 1) % self.partitions.len();
        self.turn
    }

    /// One commit of [`EVENTS_PER_COMMIT`] events.
    pub(crate) async fn insert_many(&mut self) -> Result<(), BenchError> {
        let now = web::request_context::now();
        let mut places = Vec::with_capacity(EVENTS_PER_COMMIT);
        while places.len() < EVENTS_PER_COMMIT {
            let turn = self.next_partition();
            let stream = OrderId::generate().to_string();
            for version in 1..=EVENTS_PER_STREAM.min(EVENTS_PER_COMMIT - places.len()) {
                let (partition, position) = &mut self.partitions[turn];
                *position += 1;
                places.push((*partition, *position, stream.clone(), i64::try_from(version).unwrap_or_default()));
            }
        }
        let mut rows = Columns::default();
        for (partition, position, stream, version) in places {
            rows.partitions.push(partition);
            rows.positions.push(position);
            rows.stream_ids.push(stream);
            rows.stream_types.push(STREAM_TYPE);
            rows.versions.push(version);
            rows.event_ids.push(EventId::generate().as_uuid());
            rows.command_ids.push((version == 1).then(command_id));
            rows.types.push(EVENT_TYPE);
            rows.schema_versions.push(1);
            rows.payloads.push(&self.payload);
            rows.metadata.push(&self.metadata);
            rows.times.push(now);
        }
        self.client
            .execute(
                &self.insert,
                &[
                    &rows.partitions,
                    &rows.positions,
                    &rows.stream_ids,
                    &rows.stream_types,
                    &rows.versions,
                    &rows.event_ids,
                    &rows.command_ids,
                    &rows.types,
                    &rows.schema_versions,
                    &rows.payloads,
                    &rows.metadata,
                    &rows.times,
                ],
            )
            .await?;
        Ok(())
    }

    /// One commit of one event.
    pub(crate) async fn insert_one(&mut self) -> Result<(), BenchError> {
        let turn = self.next_partition();
        let (partition, position) = &mut self.partitions[turn];
        *position += 1;
        self.client
            .execute(
                &self.insert_one,
                &[
                    &*partition,
                    &*position,
                    &OrderId::generate().to_string(),
                    &STREAM_TYPE,
                    &1_i64,
                    &EventId::generate().as_uuid(),
                    &Some(command_id()),
                    &EVENT_TYPE,
                    &1_i16,
                    &&*self.payload,
                    &&*self.metadata,
                    &web::request_context::now(),
                ],
            )
            .await?;
        Ok(())
    }
}
