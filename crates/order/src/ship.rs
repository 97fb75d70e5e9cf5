//! Shipping: what goes into which shipment, and that it has left. Only covered orders ship, never more
//! than was ordered and not cancelled, and never without an address. What a carrier reports against that
//! is recorded all the same, and a person is called.

use crate::{
    Missing, Order, Rejection, Shipment, ShipmentStatus,
    command::within,
    exception::{About, exception},
};
use chrono::{DateTime, Utc};
use shared_events::{
    DEFAULT, ExceptionId, ShipmentId,
    order::{LineQuantity, OrderEvent, Party, ShipmentCreated, ShipmentDelivered, ShipmentDispatched},
};

/// Put goods into a shipment.
#[derive(Debug, Clone, PartialEq)]
pub struct CreateShipment {
    /// The new shipment's id. Without lines the planned one is filled instead and keeps its own.
    pub shipment_id: ShipmentId,
    /// What goes into it; none is all that is in no other.
    pub lines: Option<Vec<LineQuantity>>,
    /// The carrier.
    pub carrier: Option<String>,
    /// The carrier's number for it.
    pub tracking_number: Option<String>,
    /// The stock location it leaves from; none is the default one.
    pub location: Option<String>,
    /// When.
    pub now: DateTime<Utc>,
}

/// A shipment has left.
#[derive(Debug, Clone, PartialEq)]
pub struct DispatchShipment {
    /// Which.
    pub shipment_id: ShipmentId,
    /// The carrier.
    pub carrier: Option<String>,
    /// The carrier's number for it.
    pub tracking_number: Option<String>,
    /// Who says so: staff must keep the rules, a carrier (`System`) reports what has happened.
    pub by: Party,
    /// The id of an exception, should one be necessary.
    pub exception_id: ExceptionId,
    /// When.
    pub now: DateTime<Utc>,
}

/// All that is open has left, as one shipment.
#[derive(Debug, Clone, PartialEq)]
pub struct ShipEverything {
    /// The shipment's id, where no undispatched one is there.
    pub shipment_id: ShipmentId,
    /// When.
    pub now: DateTime<Utc>,
}

/// All that has left arrived.
#[derive(Debug, Clone, PartialEq)]
pub struct DeliverEverything {
    /// When.
    pub now: DateTime<Utc>,
}

impl Order {
    /// The rule that keeps it from being shipped now, if one does.
    pub(crate) fn must_be_shippable(&self) -> Result<(), Rejection> {
        if self.is_over() || self.completed_at.is_some() {
            return Err(self.illegal("nothing more of it is to be shipped"));
        }
        if self.hold.is_some() {
            return Err(self.illegal("it is on hold and has to be resumed first"));
        }
        if !self.covered() {
            return Err(Rejection::NotCovered { outstanding: self.outstanding() });
        }
        if self.stock_was_released() {
            return Err(self.illegal("its stock was given up and has to be reserved anew first"));
        }
        if self.shipping_address.is_none() {
            return Err(Rejection::AddressRequired);
        }
        Ok(())
    }

    fn undispatched(&self) -> impl Iterator<Item = &Shipment> {
        self.shipments.iter().filter(|shipment| shipment.status == ShipmentStatus::Planned)
    }
}

impl CreateShipment {
    pub(crate) fn decide(self, order: &Order) -> Result<Vec<OrderEvent>, Rejection> {
        let unfilled = order.undispatched().find(|shipment| !shipment.filled);
        let known = order.shipment(self.shipment_id);
        if known.is_some_and(|shipment| shipment.filled || shipment.status != ShipmentStatus::Planned) {
            return Ok(Vec::new());
        }
        let named = self.lines.as_deref().map(|lines| order.named_lines(lines)).transpose()?;
        order.must_be_shippable()?;
        let (shipment_id, lines) = match named {
            Some(lines) => {
                for part in &lines {
                    within(*part, order.line(part.line_id).map_or(0, |line| order.unassigned(line)))?;
                }
                (self.shipment_id, lines)
            }
            None => {
                let rest = order
                    .lines
                    .iter()
                    .map(|line| LineQuantity { line_id: line.line_id, quantity: order.unassigned(line) });
                let rest: Vec<_> = rest.filter(|part| part.quantity > 0).collect();
                (unfilled.map_or(self.shipment_id, |shipment| shipment.shipment_id), rest)
            }
        };
        if lines.is_empty() {
            return Err(Rejection::QuantityExceeded { line_id: None, requested: 1, available: 0 });
        }
        Ok(vec![OrderEvent::from(ShipmentCreated {
            shipment_id,
            lines,
            carrier: self.carrier,
            tracking_number: self.tracking_number,
            location: self.location.unwrap_or_else(|| DEFAULT.to_owned()),
            occurred_at: self.now,
        })])
    }
}

impl DispatchShipment {
    pub(crate) fn decide(self, order: &Order) -> Result<Vec<OrderEvent>, Rejection> {
        let known = order.shipment(self.shipment_id);
        let shipment = known.ok_or_else(|| Rejection::no(Missing::Shipment, &self.shipment_id))?;
        if !matches!(shipment.status, ShipmentStatus::Planned | ShipmentStatus::Cancelled) {
            return Ok(Vec::new());
        }
        let against = if order.is_over() {
            let when = if order.cancellation.is_some() { "CANCELLATION" } else { "EXPIRY" };
            Some((format!("DISPATCHED_AFTER_{when}"), "it left although the order was over".to_owned()))
        } else {
            match (order.must_be_shippable(), self.by) {
                (Ok(()), _) => None,
                (Err(rejection), Party::System) => {
                    Some((format!("DISPATCHED_{}", why(&rejection)), format!("it left although {rejection}")))
                }
                (Err(rejection), Party::Staff | Party::Customer) => return Err(rejection),
            }
        };
        let empty = shipment.lines.is_empty();
        if empty && against.is_none() && self.by != Party::System {
            return Err(Rejection::QuantityExceeded { line_id: None, requested: 1, available: 0 });
        }
        let mut events = Vec::new();
        if !empty {
            events.push(OrderEvent::from(ShipmentDispatched {
                shipment_id: self.shipment_id,
                lines: shipment.lines.clone(),
                carrier: self.carrier,
                tracking_number: self.tracking_number,
                location: shipment.location.clone(),
                occurred_at: self.now,
            }));
        }
        let nothing_in_it = || ("DISPATCHED_EMPTY".to_owned(), "it left although nothing was to be in it".to_owned());
        if let Some((kind, detail)) = against.or_else(|| empty.then(nothing_in_it)) {
            let about = About { shipment_id: Some(self.shipment_id), ..About::default() };
            events.extend(exception(order, self.exception_id, &kind, &detail, about, self.now));
        }
        Ok(events)
    }
}

const fn why(rejection: &Rejection) -> &'static str {
    match rejection {
        Rejection::NotCovered { .. } => "UNCOVERED",
        Rejection::AddressRequired => "WITHOUT_ADDRESS",
        Rejection::NotFound { .. }
        | Rejection::AlreadyPlaced
        | Rejection::IllegalTransition { .. }
        | Rejection::NotCancellable { .. }
        | Rejection::NotAmendable { .. }
        | Rejection::QuantityExceeded { .. }
        | Rejection::RefundExceedsCaptured { .. }
        | Rejection::Invalid(_) => "OUT_OF_TURN",
    }
}

impl ShipEverything {
    pub(crate) fn decide(self, order: &Order) -> Result<Vec<OrderEvent>, Rejection> {
        order.must_be_shippable()?;
        let lines = order.open_lines();
        if lines.is_empty() {
            return Err(order.illegal("all of it has left already"));
        }
        let waiting = order.undispatched().next();
        let location = waiting.map_or_else(|| DEFAULT.to_owned(), |shipment| shipment.location.clone());
        let shipment_id = waiting.map_or(self.shipment_id, |shipment| shipment.shipment_id);
        let mut events = Vec::new();
        if waiting.is_none() {
            if order.shipment(shipment_id).is_some() {
                return Err(order.illegal("its last shipment did not arrive; it needs a new one"));
            }
            events.push(OrderEvent::from(ShipmentCreated {
                shipment_id,
                lines: lines.clone(),
                carrier: None,
                tracking_number: None,
                location: location.clone(),
                occurred_at: self.now,
            }));
        }
        events.push(OrderEvent::from(ShipmentDispatched {
            shipment_id,
            lines,
            carrier: None,
            tracking_number: None,
            location,
            occurred_at: self.now,
        }));
        Ok(events)
    }
}

impl DeliverEverything {
    pub(crate) fn decide(self, order: &Order) -> Result<Vec<OrderEvent>, Rejection> {
        let underway = order.shipments.iter().filter(|shipment| shipment.status == ShipmentStatus::Dispatched);
        let events: Vec<_> = underway
            .map(|shipment| {
                let shipment_id = shipment.shipment_id;
                OrderEvent::from(ShipmentDelivered { shipment_id, location: None, occurred_at: self.now })
            })
            .collect();
        if events.is_empty() { Err(order.illegal("nothing of it is on its way")) } else { Ok(events) }
    }
}
