//! Bringing an order to a status: each status stands for the command that makes it so.

use crate::{
    AddNote, CancelOrder, Command, CompleteOrder, ConfirmOrder, DeliverEverything, HoldOrder, Order, OrderStatus,
    Rejection, ResumeOrder, ShipEverything, StartProcessing, command::consider,
};
use chrono::{DateTime, TimeDelta, Utc};
use shared_events::{
    NoteId, RefundId, ShipmentId,
    order::{OrderEvent, Party},
};
use uuid::Uuid;

/// Bring it to a status.
#[derive(Debug, Clone, PartialEq)]
pub struct SetStatus {
    /// The status, in any letter case.
    pub status: String,
    /// The reason of a cancellation or hold; on others it is added as a note.
    pub note: Option<String>,
    /// Who asks.
    pub by: Party,
    /// The id of a note, should one be necessary.
    pub note_id: NoteId,
    /// The id of a shipment, should one be necessary.
    pub shipment_id: ShipmentId,
    /// The id of a refund, should one be necessary.
    pub refund_id: RefundId,
    /// When.
    pub now: DateTime<Utc>,
}

/// The command that brings an order to a status.
///
/// # Errors
/// [`Rejection::IllegalTransition`] for a status that no command leads to.
pub fn command_for_status(order: &Order, change: &SetStatus) -> Result<Command, Rejection> {
    let now = change.now;
    let reason = change.note.clone().filter(|note| !note.trim().is_empty());
    let target = OrderStatus::parse(change.status.trim());
    Ok(match target {
        Some(OrderStatus::Processing) => StartProcessing { now }.into(),
        Some(OrderStatus::Shipped) => ShipEverything { shipment_id: change.shipment_id, now }.into(),
        Some(OrderStatus::Delivered) => DeliverEverything { now }.into(),
        Some(OrderStatus::Cancelled) => CancelOrder { by: change.by, reason, refund_id: change.refund_id, now }.into(),
        Some(OrderStatus::Completed) => {
            CompleteOrder { by: Party::Staff, return_window: TimeDelta::zero(), now }.into()
        }
        Some(OrderStatus::OnHold) => {
            HoldOrder { reason: reason.unwrap_or_else(|| "no reason was given".to_owned()), now }.into()
        }
        Some(OrderStatus::Confirmed) if order.hold.is_some() => ResumeOrder { now }.into(),
        Some(OrderStatus::Confirmed) => ConfirmOrder { now }.into(),
        Some(
            OrderStatus::Pending
            | OrderStatus::PartiallyShipped
            | OrderStatus::PartiallyReturned
            | OrderStatus::Returned
            | OrderStatus::Expired,
        )
        | None => return Err(order.illegal("no command leads to that status")),
    })
}

/// The statuses that staff could bring the order to now.
#[must_use]
pub fn allowed_statuses(order: &Order) -> Vec<OrderStatus> {
    if !order.exists() {
        return Vec::new();
    }
    let current = order.status();
    let nil = Uuid::nil();
    let possible = |target: &OrderStatus| {
        let change = SetStatus {
            status: target.as_str().to_owned(),
            note: None,
            by: Party::Staff,
            note_id: NoteId::from_uuid(nil),
            shipment_id: ShipmentId::from_uuid(nil),
            refund_id: RefundId::from_uuid(nil),
            now: order.updated_at,
        };
        *target != current && change.translated(order).is_ok_and(|events| !events.is_empty())
    };
    OrderStatus::ALL.iter().copied().filter(possible).collect()
}

impl SetStatus {
    pub(crate) fn decide(self, order: &Order) -> Result<Vec<OrderEvent>, Rejection> {
        let target = OrderStatus::parse(self.status.trim());
        if target == Some(order.status()) {
            return Ok(Vec::new());
        }
        let mut events = self.translated(order)?;
        if events.is_empty() {
            return Err(order.illegal("it can't be brought to that status"));
        }
        let is_reason = matches!(target, Some(OrderStatus::Cancelled | OrderStatus::OnHold));
        if let Some(text) = self.note.filter(|note| !is_reason && !note.trim().is_empty()) {
            events.extend(AddNote { note_id: self.note_id, text, by: self.by, now: self.now }.decide(order)?);
        }
        Ok(events)
    }

    /// What the status's command says, every refusal being one of the transition.
    fn translated(&self, order: &Order) -> Result<Vec<OrderEvent>, Rejection> {
        consider(order, command_for_status(order, self)?).map_err(|rejection| match rejection {
            Rejection::IllegalTransition { .. } | Rejection::Invalid(_) => rejection,
            other => order.illegal(other.to_string()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    fn paid() -> Vec<Command> {
        vec![place(), pay("p", "39.00")]
    }

    fn with(mut history: Vec<Command>, more: impl IntoIterator<Item = Command>) -> Vec<Command> {
        history.extend(more);
        history
    }

    #[test]
    fn each_status_stands_for_the_command_that_makes_it_so() {
        let walk = [
            ("processing", "ProcessingStarted", OrderStatus::Processing),
            ("Shipped", "ShipmentDispatched", OrderStatus::Shipped),
            ("DELIVERED", "ShipmentDelivered", OrderStatus::Delivered),
            ("completed", "OrderCompleted", OrderStatus::Completed),
        ];
        let mut history = paid();
        for (name, event, status) in walk {
            let order = given(history.clone()).when(set_status(name)).then(&[event]);
            assert_eq!(order.status(), status);
            history.push(set_status(name));
            given(history.clone()).when(set_status(name)).then_nothing();
        }
    }

    #[test]
    fn hold_resume_and_cancel() {
        let order = given(paid()).when(set_status("ON_HOLD")).then(&["OrderHeld"]);
        assert_eq!(order.status(), OrderStatus::OnHold);
        let held = with(paid(), [set_status("ON_HOLD")]);
        given(held.clone()).when(set_status("CONFIRMED")).then(&["OrderResumed"]);
        given(held).when(set_status("CANCELLED")).then(&["OrderCancelled", "RefundRequested"]);
    }

    #[test]
    fn shipping_takes_all_that_is_open_as_one_shipment() {
        let history = with(paid(), [create_shipment(2, &[pieces(1, 1)]), dispatch(Party::Staff, 2)]);
        let order = given(history.clone()).when(set_status("SHIPPED")).then(&["ShipmentDispatched"]);
        assert_eq!(order.shipments[0].lines, [pieces(1, 1), pieces(2, 3)]);
        let both = with(paid(), [create_shipment(2, &[pieces(1, 1)])]);
        let order = given(both).when(set_status("SHIPPED")).then(&["ShipmentDispatched"]);
        assert_eq!(order.shipments[0].lines, [pieces(1, 2), pieces(2, 3)]);
        let back = with(paid(), [dispatch(Party::Staff, 1), fail_shipment(1, true)]);
        given(back).when(set_status("SHIPPED")).then(&["ShipmentCreated", "ShipmentDispatched"]);
    }

    #[test]
    fn what_is_not_possible_now_says_what_would_be() {
        let rejected = |history: Vec<Command>, status: &str| {
            let rejection = given(history).when(set_status(status)).then_rejected("ILLEGAL_TRANSITION");
            let Rejection::IllegalTransition { allowed, .. } = rejection else { panic!("{rejection:?}") };
            allowed
        };
        let pending = [OrderStatus::OnHold, OrderStatus::Cancelled];
        for status in ["PROCESSING", "SHIPPED", "DELIVERED", "COMPLETED", "CONFIRMED", "EXPIRED", "REFUNDED", ""] {
            assert_eq!(rejected(vec![place()], status), pending, "{status}");
        }
        let confirmed = [OrderStatus::Processing, OrderStatus::Shipped, OrderStatus::OnHold, OrderStatus::Cancelled];
        assert_eq!(rejected(paid(), "DELIVERED"), confirmed);
        assert_eq!(rejected(with(paid(), [set_status("SHIPPED")]), "CANCELLED"), [OrderStatus::Delivered]);
        assert_eq!(rejected(vec![place(), cancel(Party::Staff)], "SHIPPED"), []);
        let without_address = crate::PlaceOrder { shipping_address: None, ..placing() };
        assert!(!rejected(vec![without_address.into(), pay("p", "39.00")], "SHIPPED").contains(&OrderStatus::Shipped));
    }

    #[test]
    fn a_note_is_the_reason_or_is_added() {
        let noted = |status: &str| SetStatus {
            status: status.to_owned(),
            note: Some("said so".to_owned()),
            by: Party::Staff,
            note_id: note_id(1),
            shipment_id: shipment_id(50),
            refund_id: refund_id(50),
            now: later(9),
        };
        given(paid()).when(noted("PROCESSING")).then(&["ProcessingStarted", "NoteAdded"]);
        let order = given(paid()).when(noted("ON_HOLD")).then(&["OrderHeld"]);
        assert_eq!(order.hold.unwrap().reason, "said so");
        let order = given([place()]).when(noted("CANCELLED")).then(&["OrderCancelled"]);
        assert_eq!(order.cancellation.unwrap().reason.as_deref(), Some("said so"));
    }
}
