//! Stock levels. A [`Shelf`] holds the levels of the products that a decision is about; it follows from the lines
//! of events, each of which carries the levels that resulted.

use chrono::{DateTime, Utc};
use shared_events::inventory::{
    HeldQuantity, InventoryEvent, LowStockReached, Shortage, StockAdjusted, StockLine, StockReceived,
};
use shared_events::{ProductId, default_name};
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

/// The levels of the products that a decision is about.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shelf(pub BTreeMap<ProductId, Level>);

impl Shelf {
    /// The level of a product; none where there is no such product.
    #[must_use]
    pub fn level(&self, product: ProductId) -> Option<&Level> {
        self.0.get(&product)
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
            Some(line(*product, *change, Level { reserved: level.reserved + change, ..*level }))
        };
        changes.iter().filter(|(_, change)| **change != 0).filter_map(line).collect()
    }

    /// Gives back what was promised; the lines count the pieces that are free again.
    #[must_use]
    pub fn free(&self, held: &Quantities) -> Vec<StockLine> {
        let line = |(product, pieces): (&ProductId, &i64)| {
            let level = self.level(*product)?;
            Some(line(*product, *pieces, Level { reserved: level.reserved - pieces, ..*level }))
        };
        held.iter().filter(|(_, pieces)| **pieces != 0).filter_map(line).collect()
    }

    /// Takes pieces off the shelf that have left the house. That is a fact, so it is never refused: where the books
    /// have too few of them, they stop at what other orders were promised.
    #[must_use]
    pub fn ship(&self, shipped: &Quantities, held: &Quantities) -> Vec<StockLine> {
        let line = |(product, pieces): (&ProductId, &i64)| {
            let level = self.level(*product)?;
            let held = held.get(product).copied().unwrap_or(0);
            let reserved = level.reserved - held.min(*pieces);
            let least = if level.backorder { 0 } else { reserved };
            let on_hand = (level.on_hand - pieces).max(least).min(level.on_hand);
            Some(line(*product, *pieces, Level { on_hand, reserved, ..*level }))
        };
        shipped.iter().filter(|(_, pieces)| **pieces > 0).filter_map(line).collect()
    }

    /// Puts pieces back.
    #[must_use]
    pub fn restock(&self, returned: &Quantities) -> Vec<StockLine> {
        let line = |(product, pieces): (&ProductId, &i64)| {
            let level = self.level(*product)?;
            Some(line(*product, *pieces, Level { on_hand: level.on_hand + pieces, ..*level }))
        };
        returned.iter().filter(|(_, pieces)| **pieces > 0).filter_map(line).collect()
    }

    /// Takes over the levels that resulted from an event.
    pub fn apply(&mut self, event: &InventoryEvent) {
        for line in lines_of(event) {
            let level = self.0.entry(line.product_id).or_default();
            if line.stock_version > level.version {
                (level.on_hand, level.reserved, level.version) = (line.on_hand, line.reserved, line.stock_version);
            }
        }
    }
}

/// Decides what somebody says about the stock of a product; none where it changes nothing.
///
/// # Errors
/// [`AdjustmentRejection`].
pub fn adjust(
    product_id: ProductId,
    level: &Level,
    adjustment: Adjustment,
    reason: Option<String>,
    occurred_at: DateTime<Utc>,
) -> Result<Option<InventoryEvent>, AdjustmentRejection> {
    let on_hand = match adjustment {
        Adjustment::Count(on_hand) => on_hand,
        Adjustment::Difference(difference) => level.on_hand.saturating_add(difference),
    };
    if on_hand < 0 {
        return Err(AdjustmentRejection::Negative(on_hand));
    }
    if on_hand > MOST_PIECES {
        return Err(AdjustmentRejection::TooMany);
    }
    if on_hand < level.reserved && !level.backorder {
        return Err(AdjustmentRejection::BelowReserved { on_hand, reserved: level.reserved });
    }
    let difference = on_hand - level.on_hand;
    if difference == 0 {
        return Ok(None);
    }
    let line = line(product_id, difference, Level { on_hand, ..*level });
    Ok(Some(match adjustment {
        Adjustment::Difference(1..) => StockReceived { line, reason, occurred_at }.into(),
        Adjustment::Difference(_) | Adjustment::Count(_) => StockAdjusted { line, reason, occurred_at }.into(),
    }))
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

fn line(product_id: ProductId, quantity: i64, after: Level) -> StockLine {
    StockLine {
        product_id,
        location: default_name(),
        quantity,
        on_hand: after.on_hand,
        reserved: after.reserved,
        stock_version: after.version + 1,
    }
}
