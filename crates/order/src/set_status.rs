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
        Some(OrderStatus::OnHold) => HoldOrder { reason: reason.unwrap_or_default(), now }.into(),
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
