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
        if !self.is_paid_for() {
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
        if shipment.status == ShipmentStatus::Failed && shipment.dispatched_at.is_none() {
            let about = About { shipment_id: Some(self.shipment_id), ..About::default() };
            let detail = "it left although it was said to have failed before";
            let raised = exception(order, self.exception_id, "DISPATCHED_AFTER_FAILURE", detail, about, self.now);
            return Ok(raised.into_iter().collect());
        }
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

#[cfg(test)]
mod tests {
    use crate::{Command, Order, OrderStatus, Party, Rejection, ShipmentStatus, testing::*};

    fn paid() -> Vec<Command> {
        vec![place(), pay("p", "39.00")]
    }

    fn with(mut history: Vec<Command>, more: impl IntoIterator<Item = Command>) -> Vec<Command> {
        history.extend(more);
        history
    }

    fn without_address() -> Command {
        crate::PlaceOrder { shipping_address: None, ..placing() }.into()
    }

    fn hold() -> Command {
        crate::HoldOrder { reason: "look".to_owned(), now: later(3) }.into()
    }

    #[test]
    fn without_lines_the_planned_shipment_is_filled_and_keeps_its_id() {
        let order = given(paid()).when(create_shipment(2, &[])).then(&["ShipmentCreated"]);
        assert_eq!(order.shipments.len(), 1);
        assert!(order.shipments[0].filled);
        assert_eq!(order.shipments[0].lines, [pieces(1, 2), pieces(2, 3)]);
    }

    #[test]
    fn with_lines_pieces_move_out_of_the_planned_shipment_into_a_new_one() {
        let order = given(paid()).when(create_shipment(2, &[pieces(1, 1)])).then(&["ShipmentCreated"]);
        assert_eq!(order.shipments[0].lines, [pieces(1, 1), pieces(2, 3)]);
        assert_eq!(order.shipments[1].lines, [pieces(1, 1)]);
    }

    #[test]
    fn undispatched_shipments_count_against_what_was_ordered() {
        let history = with(paid(), [create_shipment(2, &[pieces(1, 1)])]);
        given(history.clone()).when(create_shipment(3, &[pieces(1, 2)])).then_rejected("QUANTITY_EXCEEDED");
        given(history.clone()).when(create_shipment(3, &[pieces(1, 1)])).then(&["ShipmentCreated"]);
        let full = with(history, [create_shipment(3, &[])]);
        given(full).when(create_shipment(4, &[])).then_rejected("QUANTITY_EXCEEDED");
    }

    #[test]
    fn the_same_shipment_is_created_once() {
        let history = with(paid(), [create_shipment(2, &[pieces(1, 1)])]);
        given(history).when(create_shipment(2, &[pieces(1, 1)])).then_nothing();
    }

    #[test]
    fn only_covered_orders_ship() {
        given([place()]).when(create_shipment(2, &[])).then_rejected("NOT_COVERED");
        given([place()]).when(dispatch(Party::Staff, 1)).then_rejected("NOT_COVERED");
        given([place(), pay("p", "38.99")]).when(dispatch(Party::Staff, 1)).then_rejected("NOT_COVERED");
        given([place_on_credit()]).when(dispatch(Party::Staff, 1)).then(&["ShipmentDispatched"]);
        given([place(), authorize("p", "39.00")]).when(dispatch(Party::Staff, 1)).then(&["ShipmentDispatched"]);
    }

    #[test]
    fn nothing_ships_without_an_address() {
        let history = [without_address(), pay("p", "39.00")];
        given(history.clone()).when(create_shipment(2, &[])).then_rejected("ADDRESS_REQUIRED");
        given(history).when(dispatch(Party::Staff, 1)).then_rejected("ADDRESS_REQUIRED");
    }

    #[test]
    fn nothing_ships_while_on_hold_or_after_the_stock_was_given_up() {
        given(with(paid(), [hold()])).when(dispatch(Party::Staff, 1)).then_rejected("ILLEGAL_TRANSITION");
        let released = [place(), fail_payment("p", Some("final")), authorize("q", "39.00")];
        given(released).when(dispatch(Party::Staff, 1)).then_rejected("ILLEGAL_TRANSITION");
    }

    #[test]
    fn a_dispatched_shipment_has_left_and_is_dispatched_once() {
        let order = given(paid()).when(dispatch(Party::Staff, 1)).then(&["ShipmentDispatched"]);
        assert_eq!(order.status(), OrderStatus::Shipped);
        assert_eq!(order.shipments[0].carrier.as_deref(), Some("DHL"));
        assert!(order.held_quantities().is_empty());
        given(with(paid(), [dispatch(Party::Staff, 1)])).when(dispatch(Party::System, 1)).then_nothing();
        given(paid()).when(dispatch(Party::Staff, 9)).then_rejected("NOT_FOUND");
    }

    #[test]
    fn an_order_ships_in_any_number_of_shipments() {
        let history = with(paid(), [create_shipment(2, &[pieces(1, 1)])]);
        let order = given(history.clone()).when(dispatch(Party::Staff, 2)).then(&["ShipmentDispatched"]);
        assert_eq!(order.status(), OrderStatus::PartiallyShipped);
        let order = given(with(history, [dispatch(Party::Staff, 2)])).when(dispatch(Party::Staff, 1));
        assert_eq!(order.then(&["ShipmentDispatched"]).status(), OrderStatus::Shipped);
    }

    #[test]
    fn a_planned_shipment_with_nothing_in_it_is_not_dispatched() {
        let all = [pieces(1, 2), pieces(2, 3)];
        let history = with(paid(), [create_shipment(2, &all)]);
        assert_eq!(given(history.clone()).order.shipments[0].status, ShipmentStatus::Cancelled);
        given(history.clone()).when(dispatch(Party::Staff, 1)).then_rejected("QUANTITY_EXCEEDED");
        given(history).when(dispatch(Party::System, 1)).then(&["ExceptionRaised"]);
    }

    #[test]
    fn a_dispatch_after_a_cancellation_is_recorded_and_calls_a_person() {
        let after_cancel = |by| -> Order {
            given([place(), pay("p", "39.00"), cancel(Party::Customer)])
                .when(dispatch(by, 1))
                .then(&["ShipmentDispatched", "ExceptionRaised"])
        };
        for by in [Party::Staff, Party::System] {
            let order = after_cancel(by);
            assert_eq!(order.status(), OrderStatus::Cancelled);
            assert_eq!(order.exceptions[0].kind, "DISPATCHED_AFTER_CANCELLATION");
            assert_eq!((order.lines[0].shipped, order.lines[0].cancelled), (2, 0));
        }
    }

    #[test]
    fn what_a_carrier_reports_against_the_rules_is_recorded_and_calls_a_person() {
        let cases: [(Vec<Command>, &str); 3] = [
            (vec![place()], "DISPATCHED_UNCOVERED"),
            (vec![without_address(), pay("p", "39.00")], "DISPATCHED_WITHOUT_ADDRESS"),
            (with(paid(), [hold()]), "DISPATCHED_OUT_OF_TURN"),
        ];
        for (history, kind) in cases {
            let order =
                given(history).when(dispatch(Party::System, 1)).then(&["ShipmentDispatched", "ExceptionRaised"]);
            assert_eq!(order.exceptions[0].kind, kind);
        }
    }

    #[test]
    fn a_refusal_says_what_would_be_possible() {
        let rejection =
            given(with(paid(), [hold()])).when(dispatch(Party::Staff, 1)).then_rejected("ILLEGAL_TRANSITION");
        let Rejection::IllegalTransition { status, allowed, .. } = rejection else { panic!("{rejection:?}") };
        assert_eq!(status, OrderStatus::OnHold);
        assert_eq!(allowed, [OrderStatus::Confirmed, OrderStatus::Cancelled]);
    }
}
