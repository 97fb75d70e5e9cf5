//! Stock levels. A [`Shelf`] holds the levels of the products that a decision is about; it follows from the lines
//! of events, each of which carries the levels that resulted at its location.
//!
//! Pieces lie at locations, and are promised shop-wide: which location sends them is decided when they leave. So what is
//! reserved is counted at the default location, whose pieces are those that lie nowhere else.

use chrono::{DateTime, Utc};
use shared_events::inventory::{
    HeldQuantity, InventoryEvent, LowStockReached, Shortage, StockAdjusted, StockLine, StockReceived,
};
use shared_events::{DEFAULT, ProductId, default_name};
use std::collections::BTreeMap;

/// More pieces than this of one product are a mistake.
pub const MOST_PIECES: i64 = 1_000_000_000_000;

/// Pieces per product.
pub type Quantities = BTreeMap<ProductId, i64>;

/// The stock of one product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Level {
    /// Pieces on the shelf.
    pub on_hand: i64,
    /// Pieces promised to orders: pending, attached and confirmed.
    pub reserved: i64,
    /// Whether more may be promised than there is.
    pub backorder: bool,
    /// Below this, stock is low.
    pub low_stock_threshold: Option<i64>,
    /// Counts the changes.
    pub version: i64,
}

impl Level {
    /// Pieces that can still be promised.
    #[must_use]
    pub fn available(&self) -> i64 {
        (self.on_hand - self.reserved).max(0)
    }

    fn is_low(&self) -> bool {
        self.low_stock_threshold.is_some_and(|threshold| self.available() < threshold)
    }
}

/// What somebody says about a product's stock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adjustment {
    /// There are so many: they were counted.
    Count(i64),
    /// There are so many, by what was counted at that moment and what came and left since.
    CountAsOf(i64, DateTime<Utc>),
    /// There are so many more, or fewer.
    Difference(i64),
}

/// Why stock cannot be changed like that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AdjustmentRejection {
    /// Fewer than none.
    #[error("there would be {0} pieces on hand; there can't be fewer than none")]
    Negative(i64),
    /// Unbelievably many.
    #[error("there would be more than {MOST_PIECES} pieces on hand")]
    TooMany,
    /// Pieces that are promised would be missing.
    #[error("{reserved} pieces are reserved, so {on_hand} on hand are too few")]
    BelowReserved {
        /// What would be on hand.
        on_hand: i64,
        /// What is promised.
        reserved: i64,
    },
}

/// Pieces of a product at other locations than the default one, by the location's code; none is 0.
pub type Elsewhere = BTreeMap<String, i64>;

/// The levels of the products that a decision is about.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shelf {
    levels: BTreeMap<ProductId, Level>,
    elsewhere: BTreeMap<ProductId, Elsewhere>,
}

impl Shelf {
    /// Puts a product on it.
    pub fn put(&mut self, product: ProductId, level: Level, elsewhere: Elsewhere) {
        self.levels.insert(product, level);
        if !elsewhere.is_empty() {
            self.elsewhere.insert(product, elsewhere);
        }
    }

    /// The level of a product over all locations; none where there is no such product.
    #[must_use]
    pub fn level(&self, product: ProductId) -> Option<&Level> {
        self.levels.get(&product)
    }

    /// What of a product lies at other locations than the default one.
    #[must_use]
    pub fn elsewhere(&self, product: ProductId) -> Elsewhere {
        self.elsewhere.get(&product).cloned().unwrap_or_default()
    }

    /// Pieces of a product at a location.
    #[must_use]
    pub fn on_hand_at(&self, product: ProductId, location: &str) -> i64 {
        let elsewhere = self.elsewhere.get(&product);
        if location == DEFAULT {
            let on_hand = self.level(product).map_or(0, |level| level.on_hand);
            return on_hand - elsewhere.map_or(0, |elsewhere| elsewhere.values().sum());
        }
        elsewhere.and_then(|elsewhere| elsewhere.get(location)).copied().unwrap_or(0)
    }

    /// Every product of `wanted` that does not suffice, where `held` is already in the hands of the one who asks.
    #[must_use]
    pub fn shortages(&self, wanted: &Quantities, held: &Quantities) -> Vec<Shortage> {
        let short = |(product, requested): (&ProductId, &i64)| {
            let held = held.get(product).copied().unwrap_or(0);
            let available = match self.level(*product) {
                Some(level) if level.backorder => return None,
                Some(level) => level.available() + held,
                None => 0,
            };
            (*requested > held && *requested > available).then_some(Shortage {
                product_id: *product,
                requested: *requested,
                available,
            })
        };
        wanted.iter().filter_map(short).collect()
    }

    /// Promises more of some products and less of others (`changes` is signed); products unknown here are left out.
    #[must_use]
    pub fn promise(&self, changes: &Quantities) -> Vec<StockLine> {
        let line = |(product, change): (&ProductId, &i64)| {
            let level = self.level(*product)?;
            Some(self.promised(*product, *change, level.reserved + change, level.version))
        };
        changes.iter().filter(|(_, change)| **change != 0).filter_map(line).collect()
    }

    /// Gives back what was promised; the lines count the pieces that are free again.
    #[must_use]
    pub fn free(&self, held: &Quantities) -> Vec<StockLine> {
        let line = |(product, pieces): (&ProductId, &i64)| {
            let level = self.level(*product)?;
            Some(self.promised(*product, *pieces, level.reserved - pieces, level.version))
        };
        held.iter().filter(|(_, pieces)| **pieces != 0).filter_map(line).collect()
    }

    fn promised(&self, product_id: ProductId, quantity: i64, reserved: i64, version: i64) -> StockLine {
        StockLine {
            product_id,
            location: default_name(),
            quantity,
            on_hand: self.on_hand_at(product_id, DEFAULT),
            reserved,
            stock_version: version + 1,
        }
    }

    /// Takes pieces off the shelf that have left the house. That is a fact, so it is never refused: where the books
    /// have too few of them, they stop at what other orders were promised. What the location has too few of is taken
    /// from the default one, then from the others in the order of their codes.
    #[must_use]
    pub fn ship(&self, shipped: &Quantities, held: &Quantities, location: &str) -> Vec<StockLine> {
        let shipped = shipped.iter().filter(|(_, pieces)| **pieces > 0);
        shipped.flat_map(|(product, pieces)| self.shipped(*product, *pieces, held, location)).collect()
    }

    fn shipped(&self, product_id: ProductId, pieces: i64, held: &Quantities, location: &str) -> Vec<StockLine> {
        let Some(level) = self.level(product_id) else { return Vec::new() };
        let held = held.get(&product_id).copied().unwrap_or(0);
        let reserved = level.reserved - held.min(pieces);
        let least = if level.backorder { 0 } else { reserved };
        let on_hand = (level.on_hand - pieces).max(least).min(level.on_hand);

        let elsewhere = self.elsewhere(product_id);
        let mut missing = level.on_hand - on_hand;
        let mut taken: Vec<(&str, i64)> = Vec::new();
        let others = elsewhere.keys().map(String::as_str).filter(|code| *code != location);
        for code in std::iter::once(location).chain((location != DEFAULT).then_some(DEFAULT)).chain(others) {
            let here = self.on_hand_at(product_id, code).clamp(0, missing);
            missing -= here;
            taken.push((code, here));
        }
        // What the books never had counts as sent from the default location, with what was promised.
        let from_others: i64 = taken.iter().filter(|(code, _)| *code != DEFAULT).map(|(_, pieces)| pieces).sum();
        let from_default = taken.iter().find(|(code, _)| *code == DEFAULT).map_or(0, |(_, pieces)| *pieces);
        let mut lines = Vec::new();
        let mut left = |location: &str, quantity: i64, taken: i64, reserved: i64| {
            let line = StockLine {
                product_id,
                location: location.to_owned(),
                quantity,
                on_hand: self.on_hand_at(product_id, location) - taken,
                reserved,
                stock_version: level.version + 1 + i64::try_from(lines.len()).unwrap_or(i64::MAX),
            };
            lines.push(line);
        };
        if from_others < pieces || reserved != level.reserved {
            left(DEFAULT, pieces - from_others, from_default, reserved);
        }
        for (code, pieces) in taken.iter().filter(|(code, pieces)| *code != DEFAULT && *pieces > 0) {
            left(code, *pieces, *pieces, 0);
        }
        lines
    }

    /// Puts pieces back, at a location.
    #[must_use]
    pub fn restock(&self, returned: &Quantities, location: &str) -> Vec<StockLine> {
        let line = |(product, pieces): (&ProductId, &i64)| {
            let level = self.level(*product)?;
            Some(self.moved(*product, level, *pieces, location))
        };
        returned.iter().filter(|(_, pieces)| **pieces > 0).filter_map(line).collect()
    }

    /// So many pieces more or fewer lie at a location.
    fn moved(&self, product_id: ProductId, level: &Level, change: i64, location: &str) -> StockLine {
        StockLine {
            product_id,
            location: location.to_owned(),
            quantity: change,
            on_hand: self.on_hand_at(product_id, location) + change,
            reserved: if location == DEFAULT { level.reserved } else { 0 },
            stock_version: level.version + 1,
        }
    }

    /// Decides what somebody says about the stock of a product at a location; none where it changes nothing, or where
    /// there is no such product.
    ///
    /// # Errors
    /// [`AdjustmentRejection`].
    pub fn adjust(
        &self,
        product_id: ProductId,
        location: &str,
        adjustment: Adjustment,
        reason: Option<String>,
        occurred_at: DateTime<Utc>,
    ) -> Result<Option<InventoryEvent>, AdjustmentRejection> {
        let Some(level) = self.level(product_id) else { return Ok(None) };
        let before = self.on_hand_at(product_id, location);
        let after = match adjustment {
            Adjustment::Count(on_hand) | Adjustment::CountAsOf(on_hand, _) => on_hand,
            Adjustment::Difference(difference) => before.saturating_add(difference),
        };
        if after < 0 {
            return Err(AdjustmentRejection::Negative(after));
        }
        let on_hand = level.on_hand.saturating_add(after - before);
        if on_hand > MOST_PIECES {
            return Err(AdjustmentRejection::TooMany);
        }
        if on_hand < level.reserved && !level.backorder {
            return Err(AdjustmentRejection::BelowReserved { on_hand, reserved: level.reserved });
        }
        if after == before {
            return Ok(None);
        }
        let line = self.moved(product_id, level, after - before, location);
        let adjusted = |line, reason, counted_at| StockAdjusted { line, reason, counted_at, occurred_at }.into();
        Ok(Some(match adjustment {
            Adjustment::Difference(1..) => StockReceived { line, reason, occurred_at }.into(),
            Adjustment::Difference(_) => adjusted(line, reason, None),
            Adjustment::Count(_) => adjusted(line, reason, Some(occurred_at)),
            Adjustment::CountAsOf(_, moment) => adjusted(line, reason, Some(moment)),
        }))
    }

    /// Takes over the levels that resulted from an event. Events come in the order of the product's stock version; one
    /// that came before changes nothing.
    pub fn apply(&mut self, event: &InventoryEvent) {
        for line in lines_of(event) {
            let change = line.on_hand - self.on_hand_at(line.product_id, &line.location);
            let level = self.levels.entry(line.product_id).or_default();
            if line.stock_version <= level.version {
                continue;
            }
            level.on_hand += change;
            level.version = line.stock_version;
            if line.location == DEFAULT {
                level.reserved = line.reserved;
                continue;
            }
            let elsewhere = self.elsewhere.entry(line.product_id).or_default();
            elsewhere.insert(line.location.clone(), line.on_hand);
            elsewhere.retain(|_, pieces| *pieces != 0);
        }
    }
}

/// The event that says that a product is now low in stock, if it was not before.
#[must_use]
pub fn became_low(
    product_id: ProductId,
    before: &Level,
    after: &Level,
    occurred_at: DateTime<Utc>,
) -> Option<InventoryEvent> {
    let threshold = after.low_stock_threshold?;
    (after.is_low() && !before.is_low()).then(|| {
        LowStockReached {
            product_id,
            location: default_name(),
            available: after.available(),
            threshold,
            stock_version: after.version,
            occurred_at,
        }
        .into()
    })
}

/// The lines by which an event changed stock.
#[must_use]
pub fn lines_of(event: &InventoryEvent) -> &[StockLine] {
    use InventoryEvent as E;
    match event {
        E::StockReceived(event) => std::slice::from_ref(&event.line),
        E::StockAdjusted(event) => std::slice::from_ref(&event.line),
        E::StockReserved(event) => &event.lines,
        E::ReservationChanged(event) => &event.lines,
        E::ReservationReleased(event) => &event.lines,
        E::ReservationExpired(event) => &event.lines,
        E::StockShipped(event) => &event.lines,
        E::StockRestocked(event) => &event.lines,
        E::ProductCreated(_)
        | E::ProductUpdated(_)
        | E::ProductArchived(_)
        | E::PriceSet(_)
        | E::ReservationAttached(_)
        | E::ReservationConfirmed(_)
        | E::ReservationLapsed(_)
        | E::LowStockReached(_) => &[],
    }
}

/// Quantities as an event lists them.
#[must_use]
pub fn held(quantities: &Quantities) -> Vec<HeldQuantity> {
    let held = |(product_id, quantity): (&ProductId, &i64)| HeldQuantity {
        product_id: *product_id,
        location: default_name(),
        quantity: *quantity,
    };
    quantities.iter().map(held).collect()
}

/// Adds pieces up, product by product.
#[must_use]
pub fn summed(pieces: impl IntoIterator<Item = (ProductId, i64)>) -> Quantities {
    let mut sum = Quantities::new();
    for (product, pieces) in pieces {
        *sum.entry(product).or_default() += pieces;
    }
    sum
}
