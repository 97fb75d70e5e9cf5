//! Where the pieces of an order are after what happened to its shipments.

use crate::order::{Line, MilestoneType, Order, Shipment, ShipmentStatus};
use chrono::{DateTime, Utc};
use shared_events::{
    DEFAULT, ShipmentId,
    order::{LineQuantity, ShipmentCreated, ShipmentDispatched, ShipmentFailed},
};

impl Order {
    pub(super) fn shipment_created(&mut self, event: &ShipmentCreated) {
        let shipment = self.shipment_entry(event.shipment_id, event.occurred_at);
        shipment.lines.clone_from(&event.lines);
        shipment.filled = true;
        shipment.status = ShipmentStatus::Planned;
        shipment.created_at = event.occurred_at;
        shipment.location.clone_from(&event.location);
        keep_newest(&mut shipment.carrier, event.carrier.as_ref());
        keep_newest(&mut shipment.tracking_number, event.tracking_number.as_ref());
        self.fit_shipments();
    }

    pub(super) fn dispatched(&mut self, event: &ShipmentDispatched) {
        let at = event.occurred_at;
        let shipment = self.shipment_entry(event.shipment_id, at);
        shipment.lines.clone_from(&event.lines);
        shipment.filled = true;
        shipment.status = ShipmentStatus::Dispatched;
        shipment.dispatched_at = Some(at);
        shipment.location.clone_from(&event.location);
        keep_newest(&mut shipment.carrier, event.carrier.as_ref());
        keep_newest(&mut shipment.tracking_number, event.tracking_number.as_ref());
        // What has left can't also have been cancelled: the goods are the stronger fact.
        self.each_line(&event.lines, |line, quantity| {
            line.shipped = line.shipped.saturating_add(quantity).min(line.ordered);
            line.cancelled = line.cancelled.min(line.ordered - line.shipped);
        });
        self.fit_shipments();
        self.milestone(MilestoneType::Shipped, at);
    }

    pub(super) fn delivered(&mut self, id: ShipmentId, location: Option<&str>, at: DateTime<Utc>) {
        let shipment = self.shipment_entry(id, at);
        shipment.status = ShipmentStatus::Delivered;
        shipment.delivered_at = Some(at);
        shipment.delivered_to = location.map(str::to_owned);
        let lines = shipment.lines.clone();
        self.each_line(&lines, |line, quantity| {
            line.delivered = line.delivered.saturating_add(quantity).min(line.shipped);
        });
        self.milestone(MilestoneType::Delivered, at);
    }

    pub(super) fn shipment_failed(&mut self, event: &ShipmentFailed) {
        let at = event.occurred_at;
        let shipment = self.shipment_entry(event.shipment_id, at);
        let had_left = shipment.dispatched_at.is_some() && shipment.status != ShipmentStatus::Returned;
        let came_back = had_left && event.returned_to_sender;
        shipment.status = if came_back { ShipmentStatus::Returned } else { ShipmentStatus::Failed };
        shipment.failed_at = Some(at);
        shipment.filled = true;
        shipment.reason.clone_from(&event.reason);
        let lines = shipment.lines.clone();
        if came_back {
            let cancelled = self.cancellation.is_some();
            self.each_line(&lines, |line, quantity| {
                line.shipped = line.shipped.saturating_sub(quantity).max(line.delivered);
                if cancelled {
                    line.cancelled = line.ordered - line.shipped;
                }
            });
        }
        self.fit_shipments();
        self.milestone(MilestoneType::DeliveryFailed, at);
    }

    pub(super) fn shipment_entry(&mut self, id: ShipmentId, at: DateTime<Utc>) -> &mut Shipment {
        let index = self.shipments.iter().position(|shipment| shipment.shipment_id == id).unwrap_or_else(|| {
            self.shipments.push(planned(id, at));
            self.shipments.len() - 1
        });
        &mut self.shipments[index]
    }

    /// An order that is over has no shipments to come; what was in them stays known, in case one left anyway.
    pub(super) fn drop_planned_shipments(&mut self) {
        for shipment in &mut self.shipments {
            if shipment.status == ShipmentStatus::Planned {
                shipment.status = ShipmentStatus::Cancelled;
            }
        }
    }

    /// Undispatched shipments hold only pieces that are still to be dispatched, older ones first; the planned
    /// one that nobody filled holds all the rest.
    pub(super) fn fit_shipments(&mut self) {
        if self.is_over() {
            return;
        }
        let mut open: Vec<u32> = self.lines.iter().map(Line::open).collect();
        let undispatched =
            |shipment: &&mut Shipment| matches!(shipment.status, ShipmentStatus::Planned | ShipmentStatus::Cancelled);
        for shipment in self.shipments.iter_mut().filter(undispatched).filter(|shipment| shipment.filled) {
            for part in &mut shipment.lines {
                let index = self.lines.iter().position(|line| line.line_id == part.line_id);
                let left = index.map_or(0, |index| open[index]);
                part.quantity = part.quantity.min(left);
                if let Some(index) = index {
                    open[index] -= part.quantity;
                }
            }
            shipment.lines.retain(|part| part.quantity > 0);
            if shipment.lines.is_empty() {
                shipment.status = ShipmentStatus::Cancelled;
            }
        }
        let only = self.shipments.len() == 1;
        let rest = self.lines.iter().zip(open).filter(|(_, left)| *left > 0);
        let rest = rest.map(|(line, quantity)| LineQuantity { line_id: line.line_id, quantity }).collect::<Vec<_>>();
        if let Some(shipment) = self.shipments.iter_mut().filter(undispatched).find(|shipment| !shipment.filled) {
            shipment.status =
                if rest.is_empty() && !only { ShipmentStatus::Cancelled } else { ShipmentStatus::Planned };
            shipment.lines = rest;
        }
    }
}

fn keep_newest(known: &mut Option<String>, new: Option<&String>) {
    if let Some(new) = new {
        *known = Some(new.clone());
    }
}

pub(super) fn planned(shipment_id: ShipmentId, at: DateTime<Utc>) -> Shipment {
    Shipment {
        shipment_id,
        status: ShipmentStatus::Planned,
        lines: Vec::new(),
        filled: false,
        carrier: None,
        tracking_number: None,
        location: DEFAULT.to_owned(),
        delivered_to: None,
        reason: None,
        created_at: at,
        dispatched_at: None,
        delivered_at: None,
        failed_at: None,
    }
}
