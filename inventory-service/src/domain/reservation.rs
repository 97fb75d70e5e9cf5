//! The reservation of an order: what it is, and how events change it. What may be done with it is in
//! [`decide`](self::decide::decide).

pub mod decide;

use crate::domain::stock::{Quantities, summed};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use shared_events::inventory::{InventoryEvent, StockLine};
use shared_events::{OrderId, ProductId};

/// Where a reservation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ReservationState {
    /// Held for an order that may not come; given up when its time is over.
    Pending,
    /// Held for an order that exists.
    Attached,
    /// Held for an order that is covered.
    Confirmed,
    /// A tombstone: given up on purpose, and no late reserve revives it.
    Released,
    /// A tombstone: nobody placed the order in time.
    Expired,
    /// A tombstone: the order exists and its stock is gone.
    Lapsed,
}

impl ReservationState {
    /// Every state.
    pub const ALL: [Self; 6] =
        [Self::Pending, Self::Attached, Self::Confirmed, Self::Released, Self::Expired, Self::Lapsed];

    /// Its name in JSON and in the table.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Attached => "ATTACHED",
            Self::Confirmed => "CONFIRMED",
            Self::Released => "RELEASED",
            Self::Expired => "EXPIRED",
            Self::Lapsed => "LAPSED",
        }
    }

    /// Reads its name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }

    /// Whether its lines count as reserved.
    #[must_use]
    pub const fn holds(self) -> bool {
        matches!(self, Self::Pending | Self::Attached | Self::Confirmed)
    }
}

/// What is held for an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reservation {
    /// The order, which may not exist yet.
    pub order_id: OrderId,
    /// Which of the order's demands this answers; 0 where the order never asked for stock.
    pub revision: i32,
    /// Where it stands.
    pub state: ReservationState,
    /// What is held; of a tombstone, what was.
    pub lines: Quantities,
    /// When it is given up unless the order was placed.
    pub expires_at: Option<DateTime<Utc>>,
    /// How many events it consists of.
    pub version: i64,
}

impl Reservation {
    /// A reservation before its first event.
    #[must_use]
    pub const fn none(order_id: OrderId) -> Self {
        Self {
            order_id,
            revision: 0,
            state: ReservationState::Released,
            lines: Quantities::new(),
            expires_at: None,
            version: 0,
        }
    }

    /// Whether anything ever happened to it.
    #[must_use]
    pub const fn exists(&self) -> bool {
        self.version > 0
    }

    /// What counts as reserved.
    #[must_use]
    pub fn held(&self) -> Quantities {
        if self.state.holds() { self.lines.clone() } else { Quantities::new() }
    }

    /// Takes over what an event of its stream says.
    #[must_use]
    pub fn evolve(mut self, event: &InventoryEvent) -> Self {
        use InventoryEvent as E;
        match event {
            E::StockReserved(event) => {
                self.revision = event.revision;
                self.state =
                    if event.expires_at.is_some() { ReservationState::Pending } else { ReservationState::Attached };
                self.lines = summed(event.lines.iter().map(pieces));
                self.expires_at = event.expires_at;
            }
            E::ReservationAttached(event) => self.settle(event.revision, ReservationState::Attached),
            E::ReservationConfirmed(event) => self.settle(event.revision, ReservationState::Confirmed),
            E::ReservationReleased(event) => self.settle(event.revision, ReservationState::Released),
            E::ReservationExpired(event) => self.settle(event.revision, ReservationState::Expired),
            E::ReservationLapsed(event) => self.settle(event.revision, ReservationState::Lapsed),
            E::ReservationChanged(event) => {
                self.revision = event.revision;
                self.lines = summed(event.held.iter().map(|held| (held.product_id, held.quantity)));
            }
            E::StockShipped(event) if self.state.holds() => {
                for line in &event.lines {
                    let held = self.lines.get(&line.product_id).copied().unwrap_or(0);
                    self.lines.insert(line.product_id, (held - line.quantity).max(0));
                }
                self.lines.retain(|_, held| *held > 0);
            }
            // Facts about goods of an order that holds nothing, and events of other streams.
            E::StockShipped(_)
            | E::StockRestocked(_)
            | E::ProductCreated(_)
            | E::ProductUpdated(_)
            | E::ProductArchived(_)
            | E::PriceSet(_)
            | E::StockReceived(_)
            | E::StockAdjusted(_)
            | E::LowStockReached(_) => {}
        }
        self.version += 1;
        self
    }

    fn settle(&mut self, revision: i32, state: ReservationState) {
        self.revision = revision;
        self.state = state;
        self.expires_at = None;
    }
}

fn pieces(line: &StockLine) -> (ProductId, i64) {
    (line.product_id, line.quantity)
}
