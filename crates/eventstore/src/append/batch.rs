//! A batch of commands as the arrays that the append statement takes.

use super::{Append, Appended, connection::APPEND};
use crate::idempotency::ClaimDone;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use tokio_postgres::{
    Client, Error, GenericClient, Row, Statement,
    types::{ToSql, Type},
};
use uuid::Uuid;

const ANSWER_CLAIMS: &str = "select answer_claims($1, $2, $3, $4, $5, $6)";

/// One command of a batch: its place, and what is stored for it.
#[derive(Clone, Copy)]
pub(super) struct Item<'a> {
    pub(super) append: &'a Append,
    pub(super) partition: i32,
    pub(super) metadata: &'a [Bytes; 2],
    /// The stream's version before it.
    pub(super) base: i64,
}

/// The arrays of the append statement, one element per event, and the heads that they move.
#[derive(Default)]
pub(super) struct Rows<'a> {
    heads: BTreeMap<i32, i64>,
    partitions: Vec<i32>,
    ordinals: Vec<i64>,
    stream_ids: Vec<&'a str>,
    stream_types: Vec<&'a str>,
    versions: Vec<i64>,
    event_ids: Vec<Uuid>,
    command_ids: Vec<Option<Uuid>>,
    types: Vec<&'a str>,
    schema_versions: Vec<i16>,
    payloads: Vec<&'a [u8]>,
    metadata: Vec<&'a [u8]>,
    /// Per command: partition, the first ordinal, the number of events, and the version after it.
    places: Vec<Place>,
    claims: ClaimRows<'a>,
}

struct Place {
    partition: i32,
    first: i64,
    count: i64,
    version: i64,
}

#[derive(Default)]
struct ClaimRows<'a> {
    scope_hashes: Vec<&'a [u8]>,
    owners: Vec<Uuid>,
    statuses: Vec<i16>,
    headers: Vec<String>,
    bodies: Vec<&'a [u8]>,
    concerns: Vec<String>,
}

impl<'a> Rows<'a> {
    /// Lays out the commands in order; positions within a partition follow it.
    pub(super) fn of(items: impl IntoIterator<Item = Item<'a>>) -> Self {
        let mut rows = Self::default();
        for item in items {
            rows.push(item);
        }
        rows
    }

    fn push(&mut self, Item { append, partition, metadata, base }: Item<'a>) {
        let taken = self.heads.entry(partition).or_default();
        let first = *taken + 1;
        let mut version = base;
        for (index, event) in append.events.iter().enumerate() {
            *taken += 1;
            version += 1;
            self.partitions.push(partition);
            self.ordinals.push(*taken);
            self.stream_ids.push(&append.stream_id);
            self.stream_types.push(append.stream_type);
            self.versions.push(version);
            self.event_ids.push(event.event_id.as_uuid());
            self.command_ids.push(append.command_id.filter(|_| index == 0));
            self.types.push(event.event_type);
            self.schema_versions.push(event.schema_version);
            self.payloads.push(&event.payload);
            self.metadata.push(&metadata[usize::from(index > 0)]);
        }
        self.places.push(Place { partition, first, count: version - base, version });
        if let Some(claim) = &append.claim {
            self.claims.push(claim);
        }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    pub(super) const fn has_claims(&self) -> bool {
        !self.claims.owners.is_empty()
    }

    /// Runs the prepared statement.
    pub(super) async fn insert(&self, client: &Client, append: &Statement) -> Result<Vec<Appended>, Error> {
        let (partitions, counts) = self.head_arrays();
        let params = self.params(&partitions, &counts);
        client.query(append, &params.map(|(value, _)| value)).await.map(|heads| self.places_in(&heads))
    }

    /// Runs the statement without having it prepared: parsed and executed in one round trip.
    pub(super) async fn insert_unprepared(&self, client: &impl GenericClient) -> Result<Vec<Appended>, Error> {
        let (partitions, counts) = self.head_arrays();
        let params = self.params(&partitions, &counts);
        client.query_typed(APPEND, &params).await.map(|heads| self.places_in(&heads))
    }

    /// Answers the claims of the batch; fails when one is no longer its command's.
    pub(super) async fn answer_claims(&self, client: &impl GenericClient) -> Result<(), Error> {
        self.claims.answer(client).await
    }

    fn head_arrays(&self) -> (Vec<i32>, Vec<i64>) {
        (self.heads.keys().copied().collect(), self.heads.values().copied().collect())
    }

    fn params<'p>(&'p self, partitions: &'p Vec<i32>, counts: &'p Vec<i64>) -> [(&'p (dyn ToSql + Sync), Type); 13] {
        [
            (partitions, Type::INT4_ARRAY),
            (counts, Type::INT8_ARRAY),
            (&self.partitions, Type::INT4_ARRAY),
            (&self.ordinals, Type::INT8_ARRAY),
            (&self.stream_ids, Type::TEXT_ARRAY),
            (&self.stream_types, Type::TEXT_ARRAY),
            (&self.versions, Type::INT8_ARRAY),
            (&self.event_ids, Type::UUID_ARRAY),
            (&self.command_ids, Type::UUID_ARRAY),
            (&self.types, Type::TEXT_ARRAY),
            (&self.schema_versions, Type::INT2_ARRAY),
            (&self.payloads, Type::BYTEA_ARRAY),
            (&self.metadata, Type::BYTEA_ARRAY),
        ]
    }

    /// Where each command came to stand, from what the statement says of the heads.
    fn places_in(&self, heads: &[Row]) -> Vec<Appended> {
        let heads: BTreeMap<i32, (i64, DateTime<Utc>)> =
            heads.iter().map(|row| (row.get(0), (row.get(1), row.get(2)))).collect();
        self.places
            .iter()
            .filter_map(|place| {
                let (base, recorded_at) = *heads.get(&place.partition)?;
                let first_position = base + place.first;
                Some(Appended {
                    partition: place.partition,
                    first_position,
                    last_position: first_position + place.count - 1,
                    version: place.version,
                    recorded_at,
                    duplicate: false,
                })
            })
            .collect()
    }
}

impl<'a> ClaimRows<'a> {
    fn push(&mut self, done: &'a ClaimDone) {
        self.scope_hashes.push(&done.scope_hash);
        self.owners.push(done.owner);
        self.statuses.push(done.answer.status.cast_signed());
        self.headers.push(done.answer.headers_json());
        self.bodies.push(&done.answer.body);
        self.concerns.push(done.answer.concerns_json());
    }

    async fn answer(&self, client: &impl GenericClient) -> Result<(), Error> {
        let params: [(&(dyn ToSql + Sync), Type); 6] = [
            (&self.scope_hashes, Type::BYTEA_ARRAY),
            (&self.owners, Type::UUID_ARRAY),
            (&self.statuses, Type::INT2_ARRAY),
            (&self.headers, Type::TEXT_ARRAY),
            (&self.bodies, Type::BYTEA_ARRAY),
            (&self.concerns, Type::TEXT_ARRAY),
        ];
        client.query_typed(ANSWER_CLAIMS, &params).await.map(drop)
    }
}

/// Answers one claim outside every append.
pub(crate) async fn answer_claim(client: &impl GenericClient, done: &ClaimDone) -> Result<(), Error> {
    let mut rows = ClaimRows::default();
    rows.push(done);
    rows.answer(client).await
}
