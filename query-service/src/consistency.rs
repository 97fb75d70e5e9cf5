//! Read-your-writes: a read that names the streams it has seen written waits until they are projected here, at most
//! five seconds. It promises those streams, not what they cause later.

use crate::{cache::OrderCache, history::History, projectors, read_error::ReadError};
use feeds::ReaderHandle;
use pg::Pool;
use shared_events::{CreditNoteId, InvoiceId, OrderId, ProductId, StockId};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::time::{Instant, sleep, timeout_at};
use uuid::Uuid;
use web::Consistency;

/// How long a read waits.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often it looks while another instance may be the one that projects.
const POLL: Duration = Duration::from_millis(50);

/// Lets reads wait for writes.
#[derive(Clone)]
pub struct ReadYourWrites {
    pool: Pool,
    reader: ReaderHandle,
    cache: Arc<OrderCache>,
    patience: Duration,
}

/// A stream that has to be projected, by the table its row is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stream {
    Order(Uuid),
    Product(Uuid),
    Stock(Uuid),
    Invoice(Uuid),
}

impl Stream {
    /// Reads a stream's name by its prefix; none for streams that no read table is made from, such as carts.
    fn parse(text: &str) -> Option<Self> {
        match text.split_once('_')?.0 {
            OrderId::PREFIX => OrderId::parse(text).ok().map(|id| Self::Order(id.as_uuid())),
            ProductId::PREFIX => ProductId::parse(text).ok().map(|id| Self::Product(id.as_uuid())),
            StockId::PREFIX => StockId::parse(text).ok().map(|id| Self::Stock(id.as_uuid())),
            InvoiceId::PREFIX => InvoiceId::parse(text).ok().map(|id| Self::Invoice(id.as_uuid())),
            CreditNoteId::PREFIX => CreditNoteId::parse(text).ok().map(|id| Self::Invoice(id.as_uuid())),
            _ => None,
        }
    }

    const fn kind(self) -> &'static str {
        match self {
            Self::Order(_) => "ord",
            Self::Product(_) => "prod",
            Self::Stock(_) => "stk",
            Self::Invoice(_) => "inv",
        }
    }

    const fn id(self) -> Uuid {
        match self {
            Self::Order(id) | Self::Product(id) | Self::Stock(id) | Self::Invoice(id) => id,
        }
    }

    /// The stream's name in its log, where the row has one stream that can be parked.
    fn in_log(self) -> Option<(&'static str, String)> {
        match self {
            Self::Order(id) => Some((History::log(), OrderId::from_uuid(id).to_string())),
            Self::Product(id) => Some((projectors::LOGS[1], ProductId::from_uuid(id).to_string())),
            Self::Stock(_) | Self::Invoice(_) => None,
        }
    }
}

impl ReadYourWrites {
    /// Waits for what `reader` projects into the pool's schema, and tells `cache` what has been seen.
    #[must_use]
    pub const fn new(pool: Pool, reader: ReaderHandle, cache: Arc<OrderCache>) -> Self {
        Self { pool, reader, cache, patience: PATIENCE }
    }

    /// Returns once every stream that is named is projected at its version.
    ///
    /// # Errors
    /// [`ReadError::BehindWrites`] after five seconds, [`ReadError::Parked`] at once for a stream that stands still.
    pub async fn wait(&self, wanted: &Consistency) -> Result<(), ReadError> {
        let mut versions: BTreeMap<Stream, (i64, &str)> = BTreeMap::new();
        for (name, version) in &wanted.0 {
            if let Some(stream) = Stream::parse(name) {
                let entry = versions.entry(stream).or_insert((*version, name));
                entry.0 = entry.0.max(*version);
            }
        }
        if versions.is_empty() {
            return Ok(());
        }
        let deadline = Instant::now() + self.patience;
        let mut progress = self.reader.progress();
        loop {
            progress.mark_unchanged();
            let behind = self.behind(&versions).await?;
            let Some(stream) = behind.first() else { break };
            let name = versions[stream].1;
            for (log, id) in behind.iter().filter_map(|stream| stream.in_log()) {
                if self.reader.is_parked(log, &id).await.map_err(ReadError::Parking)? {
                    return Err(ReadError::Parked { stream: id });
                }
            }
            let rung = timeout_at(deadline, async {
                tokio::select! {
                    _ = progress.changed() => {}
                    () = sleep(POLL) => {}
                }
            });
            rung.await.map_err(|_elapsed| ReadError::BehindWrites { stream: name.to_owned() })?;
        }
        for (stream, (version, _)) in versions {
            if let Stream::Order(id) = stream {
                // Seen in the table: an older entry in memory must not be answered to this caller.
                self.cache.raise(OrderId::from_uuid(id), version);
            }
        }
        Ok(())
    }

    /// The streams whose rows have not seen their version yet.
    async fn behind(&self, versions: &BTreeMap<Stream, (i64, &str)>) -> Result<Vec<Stream>, ReadError> {
        const TABLE: &str = "the read tables";
        let kinds: Vec<&str> = versions.keys().map(|stream| stream.kind()).collect();
        let ids: Vec<Uuid> = versions.keys().map(|stream| stream.id()).collect();
        let wanted: Vec<i64> = versions.values().map(|(version, _)| *version).collect();
        let client = self.pool.get().await?;
        let statement =
            client.prepare_cached(include_str!("sql/behind.sql")).await.map_err(ReadError::statement(TABLE))?;
        let rows = client.query(&statement, &[&kinds, &ids, &wanted]).await.map_err(ReadError::statement(TABLE))?;
        let mut behind = Vec::with_capacity(rows.len());
        for row in rows {
            let kind: &str = row.try_get(0).map_err(ReadError::statement(TABLE))?;
            let id: Uuid = row.try_get(1).map_err(ReadError::statement(TABLE))?;
            behind.extend(versions.keys().find(|stream| stream.kind() == kind && stream.id() == id));
        }
        Ok(behind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_found_by_its_prefix_and_foreign_ones_are_passed_over() {
        let id = OrderId::generate();
        assert_eq!(Stream::parse(&id.to_string()), Some(Stream::Order(id.as_uuid())));
        let product = ProductId::generate();
        assert_eq!(Stream::parse(&product.stock().to_string()), Some(Stream::Stock(product.as_uuid())));
        for text in ["cart_01h455vb4pex5vsknk084sn02q", "ord_zz", "nonsense", ""] {
            assert_eq!(Stream::parse(text), None, "{text}");
        }
    }
}
