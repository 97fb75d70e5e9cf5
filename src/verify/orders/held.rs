//! An order beside the stock that is held for it: an order that is over or has nothing left to send must hold nothing, a
//! live one exactly what is still to be sent.

use super::fold::Folded;
use crate::verify::check::Check;
use crate::verify::logs::Log;
use crate::verify::progress::Progress;
use eventstore::partition_of;
use pg::tokio_postgres::Row;
use serde_json::Value;
use shared_events::ProductId;
use std::collections::BTreeMap;
use uuid::Uuid;

/// Who carries out what orders say about stock, and what stock says about orders.
pub struct Followers {
    /// Makes reservations follow their orders.
    pub reservations: Progress,
    /// Cancels orders whose stock is gone.
    pub lapsed: Progress,
}

/// What the row of a reservation says.
struct Reservation {
    revision: i32,
    state: String,
    lines: BTreeMap<Uuid, i64>,
    order_version: i64,
}

impl Reservation {
    fn of(row: &Row) -> Self {
        let lines: Value = row.get("lines");
        Self {
            revision: row.get("revision"),
            state: row.get("state"),
            lines: serde_json::from_value(lines).unwrap_or_default(),
            order_version: row.get("order_version"),
        }
    }

    fn holds(&self) -> bool {
        matches!(self.state.as_str(), "PENDING" | "ATTACHED" | "CONFIRMED")
    }
}

/// Compares an order with its reservation, where the reservation has had the time to follow it.
pub fn compare(check: &mut Check, folded: &Folded, row: Option<&Row>, inventory: &Log, followers: &Followers) {
    let Folded { stream_id, order, .. } = folded;
    let reservation = row.map(Reservation::of);
    if let Some(reservation) = reservation.as_ref().filter(|found| found.order_version > order.version) {
        let seen = reservation.order_version;
        check.wrong(|| format!("{stream_id}: its reservation has seen version {seen} of {}", order.version));
    }
    if !followers.reservations.has_passed("orders", folded.partition, folded.position, stream_id) {
        return;
    }
    check.saw(1);
    let wanted: BTreeMap<Uuid, i64> =
        order.held_quantities().into_iter().map(|(product, pieces)| (product.as_uuid(), i64::from(pieces))).collect();
    match reservation {
        // Somebody reserved for a change that the order does not know of yet.
        Some(found) if found.revision > order.reservation_revision() => {}
        // Waiting with a time limit is nobody's yet.
        Some(found) if found.state == "PENDING" && wanted.is_empty() => {}
        Some(found) if found.holds() && found.lines == wanted => {}
        Some(found) if found.holds() && wanted.is_empty() && found.lines.is_empty() => {}
        Some(found) if found.holds() => {
            let status = order.status();
            check.wrong(|| {
                format!("{stream_id} is {status}, needs {} and holds {}", pieces(&wanted), pieces(&found.lines))
            });
        }
        _ if wanted.is_empty() => {}
        Some(found) if found.state == "LAPSED" && !has_heard_of_it(stream_id, inventory, followers) => {}
        Some(found) => {
            check.wrong(|| format!("{stream_id} needs {} and its reservation is {}", pieces(&wanted), found.state));
        }
        None => check.wrong(|| format!("{stream_id} needs {} and has no reservation", pieces(&wanted))),
    }
}

fn has_heard_of_it(stream_id: &str, inventory: &Log, followers: &Followers) -> bool {
    followers.lapsed.is_at_head(inventory, partition_of(stream_id, inventory.partitions))
}

fn pieces(lines: &BTreeMap<Uuid, i64>) -> String {
    if lines.is_empty() {
        return "nothing".to_owned();
    }
    let named = lines.iter().map(|(product, pieces)| format!("{pieces} of {}", ProductId::from_uuid(*product)));
    named.collect::<Vec<_>>().join(", ")
}
