//! Orders kept in memory, by id. A load that races with the projector must never be kept as if it were new: an
//! invalidation during a running load is lost, so entries carry their version and every key a minimum version,
//! raised by this instance's projector and by its own tail of the log. What is below the minimum is loaded again,
//! and answered without being kept where that doesn't help.

use crate::{read_error::ReadError, read_models::orders::Orders};
use moka::future::Cache;
use order::Order;
use shared_events::OrderId;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How long an entry lives. Shorter than [`MINIMUM_LIFE`], so that no entry outlives the minimum that condemns it.
const ENTRY_LIFE: Duration = Duration::from_secs(30);
/// How long a minimum is remembered at least.
const MINIMUM_LIFE: Duration = Duration::from_secs(60);
/// What the cache holds at most: an order weighs its lines and five.
const CAPACITY: u64 = 100_000;

/// Orders in memory.
pub struct OrderCache {
    entries: Cache<OrderId, Arc<Order>>,
    minimum: MinimumVersions,
    orders: Orders,
}

enum Load {
    Missing,
    Failed(ReadError),
}

impl OrderCache {
    /// An empty cache over the table.
    #[must_use]
    pub fn new(orders: Orders) -> Self {
        let entries = Cache::builder()
            .weigher(|_, order: &Arc<Order>| u32::try_from(order.lines.len()).unwrap_or(u32::MAX).saturating_add(5))
            .max_capacity(CAPACITY)
            .time_to_live(ENTRY_LIFE)
            .build();
        Self { entries, minimum: MinimumVersions::default(), orders }
    }

    /// From now on nothing older than this is answered from memory.
    pub fn raise(&self, id: OrderId, version: i64) {
        self.minimum.raise(id, version);
    }

    /// Forgets everything: what changed in the meantime is not known.
    pub fn clear(&self) {
        self.entries.invalidate_all();
    }

    /// The order, at least as new as everything this instance has heard of and as the caller has seen, or else as
    /// new as the table has it.
    ///
    /// # Errors
    /// [`ReadError`] when the table can't be read.
    pub async fn get(&self, id: OrderId, at_least: i64) -> Result<Option<Arc<Order>>, ReadError> {
        for _ in 0..2 {
            let found = match self.entries.try_get_with(id, self.load(id)).await {
                Ok(order) => order,
                Err(load) => match Arc::try_unwrap(load) {
                    Ok(Load::Missing) => return Ok(None),
                    Ok(Load::Failed(error)) => return Err(error),
                    Err(shared) if matches!(*shared, Load::Missing) => return Ok(None),
                    Err(_) => break,
                },
            };
            if found.version >= self.minimum.of(id).max(at_least) {
                return Ok(Some(found));
            }
            self.entries.invalidate(&id).await;
        }
        Ok(self.orders.by_id(id).await?.map(Arc::new))
    }

    async fn load(&self, id: OrderId) -> Result<Arc<Order>, Load> {
        match self.orders.by_id(id).await {
            Ok(Some(order)) => Ok(Arc::new(order)),
            Ok(None) => Err(Load::Missing),
            Err(error) => Err(Load::Failed(error)),
        }
    }
}

/// The minimum version of every key that changed lately, in two generations: the older one is dropped when the
/// younger is [`MINIMUM_LIFE`] old.
struct MinimumVersions(Mutex<Generations>);

struct Generations {
    young: HashMap<OrderId, i64>,
    old: HashMap<OrderId, i64>,
    since: Instant,
}

impl Default for MinimumVersions {
    fn default() -> Self {
        Self(Mutex::new(Generations { young: HashMap::new(), old: HashMap::new(), since: Instant::now() }))
    }
}

impl MinimumVersions {
    fn raise(&self, id: OrderId, version: i64) {
        let mut generations = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if generations.since.elapsed() > MINIMUM_LIFE {
            generations.old = std::mem::take(&mut generations.young);
            generations.since = Instant::now();
        }
        let minimum = generations.young.entry(id).or_insert(version);
        *minimum = version.max(*minimum);
    }

    fn of(&self, id: OrderId) -> i64 {
        let generations = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of = |map: &HashMap<OrderId, i64>| map.get(&id).copied().unwrap_or_default();
        of(&generations.young).max(of(&generations.old))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minimum_only_rises() {
        let minimum = MinimumVersions::default();
        let id = OrderId::generate();
        assert_eq!(minimum.of(id), 0);
        minimum.raise(id, 3);
        minimum.raise(id, 2);
        assert_eq!(minimum.of(id), 3);
    }
}
