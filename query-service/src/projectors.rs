//! The one reader that fills every read table, so that the tables agree with each other. Each table's projector
//! folds the events of its streams in memory and writes its rows sorted by key, guarded by their versions: a page
//! delivered twice changes nothing.

mod invoice_view;
mod order_view;
mod product_view;
mod stock_view;

use crate::cache::OrderCache;
use feeds::{HandleError, Page, Projector};
use pg::deadpool_postgres::Transaction;
use service::KeyClient;
use shared_events::{
    EventBody, RecordedEvent,
    inventory::{PRODUCT_STREAM, RESERVATION_STREAM, STOCK_STREAM},
    invoice, order,
    sealed::{KeyRing, key_ids},
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// The reader's name.
pub const READER: &str = "query";
/// What the tables look like and what is written to them: counted up with every change of either, so that a new binary
/// builds a generation of its own beside the one it cannot read.
pub const SHAPE: i32 = 1;
/// The logs that it reads.
pub const LOGS: [&str; 3] = ["orders", "inventory", "invoices"];

/// Fills the read tables.
pub struct ReadTables {
    generation: i32,
    keys: KeyClient,
    cache: Arc<OrderCache>,
}

impl ReadTables {
    /// The projector of one generation, which is its version. Opens personal fields with `keys` and tells `cache` what
    /// changes.
    #[must_use]
    pub const fn new(generation: i32, keys: KeyClient, cache: Arc<OrderCache>) -> Self {
        Self { generation, keys, cache }
    }
}

impl Projector for ReadTables {
    fn name(&self) -> &'static str {
        READER
    }

    fn version(&self) -> i32 {
        self.generation
    }

    /// Reads wait for it.
    fn pace(&self) -> Duration {
        Duration::from_millis(4)
    }

    async fn handle(&self, transaction: &Transaction<'_>, pages: &[Page]) -> Result<(), HandleError> {
        let mut by_kind: BTreeMap<&str, Vec<&RecordedEvent>> = BTreeMap::new();
        for event in pages.iter().flat_map(|page| &page.events) {
            by_kind.entry(event.stream_type.as_str()).or_default().push(event);
        }
        if let Some(events) = by_kind.get(order::STREAM_TYPE) {
            let keys = self.keys_of::<order::OrderEvent>(events).await?;
            // Before the commit: whoever loads now and gets the old row must not keep it.
            for (id, version) in order_view::project(transaction, events, &keys).await? {
                self.cache.raise(id, version);
            }
        }
        if let Some(events) = by_kind.get(PRODUCT_STREAM) {
            product_view::project(transaction, events).await?;
        }
        let mut moves = by_kind.remove(STOCK_STREAM).unwrap_or_default();
        moves.extend(by_kind.remove(RESERVATION_STREAM).unwrap_or_default());
        stock_view::project(transaction, &moves).await?;
        if let Some(events) = by_kind.get(invoice::STREAM_TYPE) {
            let keys = self.keys_of::<invoice::InvoiceEvent>(events).await?;
            invoice_view::project(transaction, events, &keys).await?;
        }
        Ok(())
    }
}

impl ReadTables {
    /// The keys that these events' personal fields name; those that were erased are missing.
    async fn keys_of<E: EventBody>(&self, events: &[&RecordedEvent]) -> Result<KeyRing, HandleError> {
        let ids: Vec<_> = events.iter().flat_map(|event| key_ids::<E>(event)).collect();
        if ids.is_empty() {
            return Ok(KeyRing::default());
        }
        self.keys.ring(&ids).await.map_err(HandleError::retry)
    }
}

/// An event that came although the ones before it in its stream did not.
#[derive(Debug, thiserror::Error)]
#[error("{stream} has version {found} where version {expected} was expected")]
struct MissingEvents {
    stream: String,
    expected: i64,
    found: i64,
}

impl MissingEvents {
    /// Lets the next version of a stream pass.
    fn check(event: &RecordedEvent, seen: i64) -> Result<(), HandleError> {
        if event.version == seen + 1 {
            return Ok(());
        }
        Err(HandleError::poison(Self { stream: event.stream_id.clone(), expected: seen + 1, found: event.version }))
    }
}

/// The events of each stream, in order.
fn by_stream<'a>(events: &[&'a RecordedEvent]) -> BTreeMap<&'a str, Vec<&'a RecordedEvent>> {
    let mut streams: BTreeMap<&str, Vec<&RecordedEvent>> = BTreeMap::new();
    for event in events {
        streams.entry(event.stream_id.as_str()).or_default().push(event);
    }
    streams
}
