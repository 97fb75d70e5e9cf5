//! A batch of commands as the arrays that the append statement takes.

use super::{Append, Appended, session::Moved};
use crate::idempotency::ClaimDone;
use bytes::Bytes;
use std::collections::BTreeMap;
use tokio_postgres::{
    Error, GenericClient,
    types::{ToSql, Type},
};
use uuid::Uuid;

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
pub(crate) struct Rows<'a> {
    heads: BTreeMap<i32, i64>,
    pub(super) partitions: Vec<i32>,
    pub(super) ordinals: Vec<i64>,
    pub(super) stream_ids: Vec<&'a str>,
    stream_types: Vec<&'a str>,
    pub(super) versions: Vec<i64>,
    pub(super) event_ids: Vec<Uuid>,
    pub(super) command_ids: Vec<Option<Uuid>>,
    types: Vec<&'a str>,
    schema_versions: Vec<i16>,
    pub(super) payloads: Vec<&'a [u8]>,
    pub(super) metadata: Vec<&'a [u8]>,
    /// Per command: partition, the first ordinal, the number of events, and the version after it.
    places: Vec<Place>,
    pub(super) claims: ClaimRows<'a>,
}

struct Place {
    partition: i32,
    first: i64,
    count: i64,
    version: i64,
}

/// The claims that are answered, one element per claim.
#[derive(Default)]
pub(super) struct ClaimRows<'a> {
    pub(super) scope_hashes: Vec<&'a [u8]>,
    pub(super) owners: Vec<Uuid>,
    pub(super) statuses: Vec<i16>,
    pub(super) headers: Vec<String>,
    pub(super) bodies: Vec<&'a [u8]>,
    pub(super) concerns: Vec<String>,
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

    /// The partitions, ascending, and how many positions are taken in each.
    pub(super) fn head_arrays(&self) -> (Vec<i32>, Vec<i64>) {
        self.heads.iter().unzip()
    }

    /// What the append statement takes.
    pub(super) fn params<'p>(&'p self, partitions: &'p Vec<i32>, counts: &'p Vec<i64>) -> [&'p (dyn ToSql + Sync); 19] {
        [
            partitions,
            counts,
            &self.partitions,
            &self.ordinals,
            &self.stream_ids,
            &self.stream_types,
            &self.versions,
            &self.event_ids,
            &self.command_ids,
            &self.types,
            &self.schema_versions,
            &self.payloads,
            &self.metadata,
            &self.claims.scope_hashes,
            &self.claims.owners,
            &self.claims.statuses,
            &self.claims.headers,
            &self.claims.bodies,
            &self.claims.concerns,
        ]
    }

    /// Where each command came to stand, from what the statement says of the heads.
    pub(super) fn places_in(&self, heads: &[Moved]) -> Vec<Appended> {
        self.places
            .iter()
            .filter_map(|place| {
                let Moved { base, recorded_at, .. } = *heads.iter().find(|moved| moved.partition == place.partition)?;
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
}

/// Answers one claim outside every append.
pub(crate) async fn answer_claim(client: &impl GenericClient, done: &ClaimDone) -> Result<(), Error> {
    let mut claims = ClaimRows::default();
    claims.push(done);
    let arrays = [
        (&claims.scope_hashes as _, Type::BYTEA_ARRAY),
        (&claims.owners as _, Type::UUID_ARRAY),
        (&claims.statuses as _, Type::INT2_ARRAY),
        (&claims.headers as _, Type::TEXT_ARRAY),
        (&claims.bodies as _, Type::BYTEA_ARRAY),
        (&claims.concerns as _, Type::TEXT_ARRAY),
    ];
    client.query_typed("select answer_claims($1, $2, $3, $4, $5, $6)", &arrays).await.map(drop)
}
