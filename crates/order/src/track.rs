//! What carriers report about a shipment that has left. Late, repeated and disordered reports do no harm.

use crate::{
    DispatchShipment, Missing, Order, Rejection, ShipmentStatus,
    exception::{About, exception},
};
use chrono::{DateTime, Utc};
use shared_events::{
    ExceptionId, ShipmentId,
    order::{OrderEvent, Party, ShipmentDelivered, ShipmentFailed},
};

/// A shipment arrived.
#[derive(Debug, Clone, PartialEq)]
pub struct DeliverShipment {
    /// Which.
    pub shipment_id: ShipmentId,
    /// Where the carrier left it.
    pub location: Option<String>,
    /// The carrier's number for it.
    pub tracking_number: Option<String>,
    /// Who says so: a carrier's (`System`) report of one that had not left also says that it has.
    pub by: Party,
    /// The id of an exception, should one be necessary.
    pub exception_id: ExceptionId,
    /// When.
    pub now: DateTime<Utc>,
}

/// A shipment could not be delivered.
#[derive(Debug, Clone, PartialEq)]
pub struct FailShipment {
    /// Which.
    pub shipment_id: ShipmentId,
    /// The carrier's reason.
    pub reason: Option<String>,
    /// Whether the goods came back to the shop.
    pub returned_to_sender: bool,
    /// The id of the exception that calls a person.
    pub exception_id: ExceptionId,
    /// When.
    pub now: DateTime<Utc>,
}

impl DeliverShipment {
    pub(crate) fn decide(self, order: &Order) -> Result<Vec<OrderEvent>, Rejection> {
        let known = order.shipment(self.shipment_id);
        let shipment = known.ok_or_else(|| Rejection::no(Missing::Shipment, &self.shipment_id))?;
        let delivered = OrderEvent::from(ShipmentDelivered {
            shipment_id: self.shipment_id,
            location: self.location,
            occurred_at: self.now,
        });
        match shipment.status {
            ShipmentStatus::Delivered => Ok(Vec::new()),
            ShipmentStatus::Dispatched => Ok(vec![delivered]),
            ShipmentStatus::Failed if shipment.dispatched_at.is_some() => Ok(vec![delivered]),
            ShipmentStatus::Planned | ShipmentStatus::Cancelled if self.by == Party::System => {
                let left = DispatchShipment {
                    shipment_id: self.shipment_id,
                    carrier: None,
                    tracking_number: self.tracking_number,
                    by: self.by,
                    exception_id: self.exception_id,
                    now: self.now,
                };
                let mut events = left.decide(order)?;
                if events.iter().any(|event| matches!(event, OrderEvent::ShipmentDispatched(_))) {
                    events.insert(1, delivered);
                }
                Ok(events)
            }
            ShipmentStatus::Planned | ShipmentStatus::Cancelled => {
                Err(order.illegal("the shipment has not been dispatched"))
            }
            ShipmentStatus::Returned | ShipmentStatus::Failed => {
                let about = About { shipment_id: Some(self.shipment_id), ..About::default() };
                let detail = "it is said to have arrived although it came back or never left";
                let raised = exception(order, self.exception_id, "DELIVERED_AFTER_FAILURE", detail, about, self.now);
                Ok(raised.into_iter().collect())
            }
        }
    }
}

impl FailShipment {
    pub(crate) fn decide(self, order: &Order) -> Result<Vec<OrderEvent>, Rejection> {
        let known = order.shipment(self.shipment_id);
        let shipment = known.ok_or_else(|| Rejection::no(Missing::Shipment, &self.shipment_id))?;
        let about = About { shipment_id: Some(self.shipment_id), ..About::default() };
        let raise =
            |kind: &str, detail: &str| exception(order, self.exception_id, kind, detail, about.clone(), self.now);
        let had_left = shipment.dispatched_at.is_some();
        let news = match shipment.status {
            ShipmentStatus::Returned => false,
            ShipmentStatus::Failed => had_left && self.returned_to_sender,
            ShipmentStatus::Delivered => {
                let detail = "it is said to have failed although it had arrived";
                return Ok(raise("FAILED_AFTER_DELIVERY", detail).into_iter().collect());
            }
            ShipmentStatus::Cancelled => false,
            ShipmentStatus::Planned | ShipmentStatus::Dispatched => true,
        };
        if !news {
            return Ok(Vec::new());
        }
        let raised = if self.returned_to_sender && had_left {
            raise("RETURNED_TO_SENDER", "it came back to the shop undelivered")
        } else {
            raise("DELIVERY_FAILED", "it could not be delivered")
        };
        let mut events = vec![OrderEvent::from(ShipmentFailed {
            shipment_id: self.shipment_id,
            reason: self.reason,
            returned_to_sender: self.returned_to_sender && had_left,
            occurred_at: self.now,
        })];
        events.extend(raised);
        Ok(events)
    }
}
