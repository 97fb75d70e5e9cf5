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

#[cfg(test)]
mod tests {
    use crate::{Command, OrderStatus, Party, ShipmentStatus, testing::*};

    fn shipped() -> Vec<Command> {
        vec![place(), pay("p", "39.00"), dispatch(Party::Staff, 1)]
    }

    fn with(mut history: Vec<Command>, more: impl IntoIterator<Item = Command>) -> Vec<Command> {
        history.extend(more);
        history
    }

    #[test]
    fn a_delivered_shipment_is_delivered_once() {
        let order = given(shipped()).when(deliver(Party::System, 1)).then(&["ShipmentDelivered"]);
        assert_eq!(order.status(), OrderStatus::Delivered);
        given(with(shipped(), [deliver(Party::System, 1)])).when(deliver(Party::System, 1)).then_nothing();
        given(shipped()).when(deliver(Party::System, 9)).then_rejected("NOT_FOUND");
    }

    #[test]
    fn a_delivery_reported_before_the_dispatch_says_both() {
        let history = [place(), pay("p", "39.00")];
        let order =
            given(history.clone()).when(deliver(Party::System, 1)).then(&["ShipmentDispatched", "ShipmentDelivered"]);
        assert_eq!(order.status(), OrderStatus::Delivered);
        let late = with(history.to_vec(), [deliver(Party::System, 1)]);
        given(late).when(dispatch(Party::System, 1)).then_nothing();
        given(history).when(deliver(Party::Staff, 1)).then_rejected("ILLEGAL_TRANSITION");
    }

    #[test]
    fn a_failed_delivery_calls_a_person_and_may_still_succeed() {
        let order = given(shipped()).when(fail_shipment(1, false)).then(&["ShipmentFailed", "ExceptionRaised"]);
        assert_eq!((order.shipments[0].status, order.lines[0].shipped), (ShipmentStatus::Failed, 2));
        let history = with(shipped(), [fail_shipment(1, false)]);
        given(history.clone()).when(fail_shipment(1, false)).then_nothing();
        given(history).when(deliver(Party::System, 1)).then(&["ShipmentDelivered"]);
    }

    #[test]
    fn what_comes_back_to_the_sender_can_be_shipped_again() {
        let order = given(shipped()).when(fail_shipment(1, true)).then(&["ShipmentFailed", "ExceptionRaised"]);
        assert_eq!((order.shipments[0].status, order.lines[0].shipped), (ShipmentStatus::Returned, 0));
        assert_eq!(order.held_quantities().values().sum::<u32>(), 5);
        let history = with(shipped(), [fail_shipment(1, true)]);
        given(history.clone()).when(fail_shipment(1, true)).then_nothing();
        given(history.clone()).when(deliver(Party::System, 1)).then(&["ExceptionRaised"]);
        let order = given(history).when(create_shipment(2, &[])).then(&["ShipmentCreated"]);
        assert_eq!(order.shipments[1].lines, [pieces(1, 2), pieces(2, 3)]);
    }

    #[test]
    fn a_failure_after_the_delivery_calls_a_person_once() {
        let history = with(shipped(), [deliver(Party::System, 1)]);
        let order = given(history.clone()).when(fail_shipment(1, true)).then(&["ExceptionRaised"]);
        assert_eq!(order.status(), OrderStatus::Delivered);
        given(with(history, [fail_shipment(1, true)])).when(fail_shipment(1, true)).then_nothing();
    }

    #[test]
    fn a_shipment_that_never_left_gives_its_pieces_back() {
        let history = [place(), pay("p", "39.00"), create_shipment(2, &[pieces(1, 2)])];
        let order = given(history).when(fail_shipment(2, true)).then(&["ShipmentFailed", "ExceptionRaised"]);
        assert_eq!(order.shipments[1].status, ShipmentStatus::Failed);
        assert_eq!(order.shipments[0].lines, [pieces(1, 2), pieces(2, 3)]);
        let history = [place(), pay("p", "39.00"), create_shipment(2, &[pieces(1, 2)]), fail_shipment(2, false)];
        given(history).when(dispatch(Party::System, 2)).then(&["ExceptionRaised"]);
    }
}
