//! What may be done with a reservation. All lines or none: a command that stock does not suffice for changes
//! nothing and names every short line. A revision that is not newer than the stored one is a no-op.

use super::{Reservation, ReservationState as State};
use crate::domain::stock::{Quantities, Shelf, held};
use chrono::{DateTime, TimeDelta, Utc};
use shared_events::inventory::{
    InventoryEvent, ReservationAttached, ReservationChanged, ReservationConfirmed, ReservationExpired,
    ReservationLapsed, ReservationReleased, Shortage, StockReserved, StockRestocked, StockShipped,
};
use shared_events::{ProductId, ReturnId, ShipmentId};

/// What somebody wants of a reservation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Hold these pieces for an order that is about to be placed or changed.
    Reserve {
        /// Which of the order's demands this is, from 1.
        revision: i32,
        /// Pieces per product.
        demand: Quantities,
        /// How long to wait for the order.
        time_to_live: TimeDelta,
    },
    /// The order exists: keep what is held until its events release it.
    Attach {
        /// Which demand the caller means; none means whatever is held.
        revision: Option<i32>,
    },
    /// The order says that it exists and what it demands: the same, from the order itself.
    Place {
        /// Which of its demands this is.
        revision: i32,
        /// Pieces per product.
        demand: Quantities,
    },
    /// The order demands something else now.
    Change {
        /// Which of its demands this is; none where it did not number it.
        revision: Option<i32>,
        /// Pieces per product.
        demand: Quantities,
    },
    /// The order is covered.
    Confirm {
        /// Which demand the caller means; none means whatever is held.
        revision: Option<i32>,
    },
    /// Give everything back.
    Release {
        /// Only this demand or an older one; none means whatever is held.
        revision: Option<i32>,
        /// Why.
        reason: Option<String>,
        /// Where the order itself says so: how long a newer demand, which a caller reserved before the order's
        /// event arrived, is kept for the order to ask for it.
        keep_newer: Option<TimeDelta>,
    },
    /// Give everything back if the time is over.
    Expire,
    /// Goods left.
    Ship {
        /// With this shipment.
        shipment_id: ShipmentId,
        /// From this location.
        location: String,
        /// Pieces per product.
        pieces: Quantities,
    },
    /// Goods came back.
    Restock {
        /// With this return; none for a shipment returned to sender.
        return_id: Option<ReturnId>,
        /// To this location.
        location: String,
        /// Pieces per product.
        pieces: Quantities,
    },
}

/// Why it can't be done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// Some products do not suffice.
    #[error("stock does not suffice for {} of the products", .0.len())]
    InsufficientStock(Vec<Shortage>),
    /// Some products do not exist.
    #[error("{} of the products do not exist", .0.len())]
    UnknownProducts(Vec<ProductId>),
    /// Nothing was ever reserved for that order, or not under that revision.
    #[error("nothing was reserved for this order under that revision")]
    NotReserved,
    /// It is a tombstone.
    #[error("the reservation is {}", .0.as_str())]
    Gone(State),
}

/// Decides a command against a reservation and the levels of every product that it holds or asks for.
///
/// # Errors
/// [`Rejection`]; what the order itself says is never rejected.
pub fn decide(
    reservation: &Reservation,
    shelf: &Shelf,
    command: &Command,
    now: DateTime<Utc>,
) -> Result<Vec<InventoryEvent>, Rejection> {
    let desk = Desk { reservation, shelf, now };
    match command {
        Command::Reserve { revision, demand, time_to_live } => desk.reserve(*revision, demand, *time_to_live),
        Command::Attach { revision } => desk.attach(*revision),
        Command::Place { revision, demand } => Ok(desk.place(*revision, demand)),
        Command::Change { revision, demand } => Ok(desk.change(*revision, demand)),
        Command::Confirm { revision } => desk.confirm(*revision),
        Command::Release { revision, reason, keep_newer } => Ok(desk.release(*revision, reason.clone(), *keep_newer)),
        Command::Expire => Ok(desk.expire()),
        Command::Ship { shipment_id, location, pieces } => Ok(desk.ship(*shipment_id, location, pieces)),
        Command::Restock { return_id, location, pieces } => Ok(desk.restock(*return_id, location, pieces)),
    }
}

struct Desk<'a> {
    reservation: &'a Reservation,
    shelf: &'a Shelf,
    now: DateTime<Utc>,
}

impl Desk<'_> {
    fn reserve(
        &self,
        revision: i32,
        demand: &Quantities,
        time_to_live: TimeDelta,
    ) -> Result<Vec<InventoryEvent>, Rejection> {
        // What ran out of time was never an order's: a caller that comes back for it gets it anew.
        let again = self.reservation.state == State::Expired && revision == self.reservation.revision;
        if self.reservation.exists() && revision <= self.reservation.revision && !again {
            return Ok(Vec::new());
        }
        let unknown: Vec<_> = demand.keys().copied().filter(|product| self.shelf.level(*product).is_none()).collect();
        if !unknown.is_empty() {
            return Err(Rejection::UnknownProducts(unknown));
        }
        let short = self.shelf.shortages(demand, &self.reservation.held());
        if !short.is_empty() {
            return Err(Rejection::InsufficientStock(short));
        }
        if self.reservation.state.holds() {
            return Ok(vec![self.changed(revision, demand)]);
        }
        Ok(vec![self.reserved(revision, demand, Some(self.now + time_to_live))])
    }

    fn attach(&self, wanted: Option<i32>) -> Result<Vec<InventoryEvent>, Rejection> {
        self.expect(wanted)?;
        let Reservation { revision, ref lines, .. } = *self.reservation;
        match self.reservation.state {
            State::Attached | State::Confirmed => Ok(Vec::new()),
            State::Pending => Ok(vec![self.attached(revision)]),
            State::Expired => Ok(vec![self.reserved_anew(revision, lines)]),
            gone @ (State::Released | State::Lapsed) => Err(Rejection::Gone(gone)),
        }
    }

    fn place(&self, revision: i32, demand: &Quantities) -> Vec<InventoryEvent> {
        let newest = revision.max(self.reservation.revision);
        let is_new = !self.reservation.exists() || revision > self.reservation.revision;
        match self.reservation.state {
            State::Released | State::Lapsed if !is_new => Vec::new(),
            State::Released | State::Lapsed | State::Expired => vec![self.reserved_anew(newest, demand)],
            State::Pending if is_new => {
                let mut events = self.moved(revision, demand);
                if !matches!(events.last(), Some(InventoryEvent::ReservationLapsed(_))) {
                    events.push(self.attached(revision));
                }
                events
            }
            State::Pending => vec![self.attached(newest)],
            State::Attached | State::Confirmed if is_new => self.moved(revision, demand),
            State::Attached | State::Confirmed => Vec::new(),
        }
    }

    fn change(&self, revision: Option<i32>, demand: &Quantities) -> Vec<InventoryEvent> {
        let stored = self.reservation.revision;
        // A demand that the order numbered is its own from now on.
        let claims = revision.is_some() && self.reservation.state == State::Pending;
        let revision = revision.unwrap_or(stored);
        if !self.reservation.state.holds() || revision < stored {
            return Vec::new();
        }
        let is_same = revision == stored && *demand == self.reservation.lines;
        let mut events = if is_same { Vec::new() } else { self.moved(revision, demand) };
        if claims && !matches!(events.last(), Some(InventoryEvent::ReservationLapsed(_))) {
            events.push(self.attached(revision));
        }
        events
    }

    fn confirm(&self, wanted: Option<i32>) -> Result<Vec<InventoryEvent>, Rejection> {
        self.expect(wanted)?;
        match self.reservation.state {
            State::Confirmed => Ok(Vec::new()),
            State::Pending | State::Attached => {
                let event = ReservationConfirmed {
                    order_id: self.reservation.order_id,
                    revision: self.reservation.revision,
                    occurred_at: self.now,
                };
                Ok(vec![event.into()])
            }
            gone @ (State::Released | State::Expired | State::Lapsed) => Err(Rejection::Gone(gone)),
        }
    }

    fn release(
        &self,
        revision: Option<i32>,
        reason: Option<String>,
        keep_newer: Option<TimeDelta>,
    ) -> Vec<InventoryEvent> {
        let stored = self.reservation.revision;
        let is_old = revision.is_some_and(|revision| revision < stored);
        let is_done = self.reservation.state == State::Released && revision.is_none_or(|revision| revision <= stored);
        let is_attached = matches!(self.reservation.state, State::Attached | State::Confirmed);
        if let Some(time_to_live) = keep_newer.filter(|_| is_old && is_attached) {
            return self.pending_again(reason, time_to_live);
        }
        if self.reservation.exists() && (is_old || is_done) {
            return Vec::new();
        }
        // Before the first reserve the tombstone has to keep out at least that one.
        let revision = revision.unwrap_or(if self.reservation.exists() { stored } else { 1 });
        vec![self.released(revision, reason)]
    }

    /// The order gave up the demand that was attached. The newer one came from a caller whose order may never ask
    /// for it, so it waits for that with a time limit, as any other does.
    fn pending_again(&self, reason: Option<String>, time_to_live: TimeDelta) -> Vec<InventoryEvent> {
        let Reservation { revision, ref lines, .. } = *self.reservation;
        let released = self.released(revision, reason);
        let mut shelf = self.shelf.clone();
        shelf.apply(&released);
        let after = Desk { shelf: &shelf, ..*self };
        vec![released, after.reserved(revision, lines, Some(self.now + time_to_live))]
    }

    fn expire(&self) -> Vec<InventoryEvent> {
        let is_due = self.reservation.expires_at.is_some_and(|expires_at| expires_at <= self.now);
        if self.reservation.state != State::Pending || !is_due {
            return Vec::new();
        }
        let event = ReservationExpired {
            order_id: self.reservation.order_id,
            revision: self.reservation.revision,
            lines: self.shelf.free(&self.reservation.lines),
            occurred_at: self.now,
        };
        vec![event.into()]
    }

    fn ship(&self, shipment_id: ShipmentId, location: &str, pieces: &Quantities) -> Vec<InventoryEvent> {
        let lines = self.shelf.ship(pieces, &self.reservation.held(), location);
        let event = StockShipped { order_id: self.reservation.order_id, shipment_id, lines, occurred_at: self.now };
        vec![event.into()]
    }

    fn restock(&self, return_id: Option<ReturnId>, location: &str, pieces: &Quantities) -> Vec<InventoryEvent> {
        let lines = self.shelf.restock(pieces, location);
        let event = StockRestocked { order_id: self.reservation.order_id, return_id, lines, occurred_at: self.now };
        vec![event.into()]
    }

    /// A demand that never came can't be attached or confirmed.
    fn expect(&self, wanted: Option<i32>) -> Result<(), Rejection> {
        let came = self.reservation.exists() && wanted.is_none_or(|revision| revision <= self.reservation.revision);
        if came { Ok(()) } else { Err(Rejection::NotReserved) }
    }

    /// Moves a live reservation to another demand. The order has decided already, so a shortage does not refuse it:
    /// it lapses, and the order is cancelled and refunded.
    fn moved(&self, revision: i32, demand: &Quantities) -> Vec<InventoryEvent> {
        let short = self.shelf.shortages(demand, &self.reservation.lines);
        if short.is_empty() {
            return vec![self.changed(revision, demand)];
        }
        vec![self.released(revision, Some("stock does not suffice".to_owned())), self.lapsed(revision, short)]
    }

    fn reserved_anew(&self, revision: i32, demand: &Quantities) -> InventoryEvent {
        let short = self.shelf.shortages(demand, &Quantities::new());
        if short.is_empty() { self.reserved(revision, demand, None) } else { self.lapsed(revision, short) }
    }

    fn reserved(&self, revision: i32, demand: &Quantities, expires_at: Option<DateTime<Utc>>) -> InventoryEvent {
        StockReserved {
            order_id: self.reservation.order_id,
            revision,
            lines: self.shelf.promise(demand),
            expires_at,
            occurred_at: self.now,
        }
        .into()
    }

    fn changed(&self, revision: i32, demand: &Quantities) -> InventoryEvent {
        let mut changes = demand.clone();
        for (product, held) in &self.reservation.lines {
            *changes.entry(*product).or_default() -= held;
        }
        ReservationChanged {
            order_id: self.reservation.order_id,
            revision,
            lines: self.shelf.promise(&changes),
            held: held(demand),
            occurred_at: self.now,
        }
        .into()
    }

    fn released(&self, revision: i32, reason: Option<String>) -> InventoryEvent {
        ReservationReleased {
            order_id: self.reservation.order_id,
            revision,
            lines: self.shelf.free(&self.reservation.held()),
            reason,
            occurred_at: self.now,
        }
        .into()
    }

    fn attached(&self, revision: i32) -> InventoryEvent {
        ReservationAttached { order_id: self.reservation.order_id, revision, occurred_at: self.now }.into()
    }

    fn lapsed(&self, revision: i32, unavailable: Vec<Shortage>) -> InventoryEvent {
        ReservationLapsed { order_id: self.reservation.order_id, revision, unavailable, occurred_at: self.now }.into()
    }
}

#[cfg(test)]
mod tests;
