//! Every command an order knows, and the one way to decide about it.

use crate::{
    AddNote, AmendOrder, AuthorizePayment, CancelLines, CancelOrder, ChangeTags, CompleteOrder, CompletePayment,
    CompleteRefund, ConfirmOrder, ConfirmStock, CreateShipment, DeliverEverything, DeliverShipment, DispatchShipment,
    EraseCustomer, ExpireOrder, FailPayment, FailRefund, FailShipment, HoldOrder, ImportOrder, Missing, Order,
    PlaceOrder, RaiseException, ReceiveReturn, RejectReturn, Rejection, ReleaseStock, RequestRefund, RequestReturn,
    ReserveStock, ResolveException, ResumeOrder, SetStatus, ShipEverything, StartProcessing, VoidPayment,
    allowed_statuses,
};
use shared_events::order::{LineQuantity, OrderEvent};
use std::collections::HashMap;

macro_rules! commands {
    ($($(#[$doc:meta])* $name:ident,)+) => {
        /// Everything that can be asked of an order, or reported about it.
        #[derive(Debug, Clone, PartialEq)]
        pub enum Command {
            $($(#[$doc])* $name($name),)+
        }

        $(impl From<$name> for Command {
            fn from(command: $name) -> Self {
                Self::$name(command)
            }
        })+

        /// What follows from a command, without the hint of what would be possible instead.
        pub(crate) fn consider(order: &Order, command: Command) -> Result<Vec<OrderEvent>, Rejection> {
            let places = matches!(command, Command::PlaceOrder(_) | Command::ImportOrder(_));
            if !places && !order.exists() {
                return Err(Rejection::no(Missing::Order, &order.id));
            }
            match command {
                $(Command::$name(command) => command.decide(order),)+
            }
        }
    };
}

commands! {
    /// Place it.
    PlaceOrder,
    /// Take it over from another system.
    ImportOrder,
    /// Change its lines, addresses, contact or note.
    AmendOrder,
    /// Money is held.
    AuthorizePayment,
    /// Money was captured.
    CompletePayment,
    /// A payment failed.
    FailPayment,
    /// Held money was given back.
    VoidPayment,
    /// Stock is held again.
    ReserveStock,
    /// Stock is held firmly.
    ConfirmStock,
    /// Stock was given up.
    ReleaseStock,
    /// Confirm an order on credit.
    ConfirmOrder,
    /// Wait for a person.
    HoldOrder,
    /// Go on.
    ResumeOrder,
    /// Begin to pick and pack.
    StartProcessing,
    /// Put goods into a shipment.
    CreateShipment,
    /// A shipment has left.
    DispatchShipment,
    /// Everything has left, in one shipment.
    ShipEverything,
    /// A shipment arrived.
    DeliverShipment,
    /// All that had left arrived.
    DeliverEverything,
    /// A shipment could not be delivered.
    FailShipment,
    /// Cancel it.
    CancelOrder,
    /// Cancel pieces of lines.
    CancelLines,
    /// Its payment window is over.
    ExpireOrder,
    /// Something is to come back.
    RequestReturn,
    /// It came back.
    ReceiveReturn,
    /// It is not taken back.
    RejectReturn,
    /// Give money back.
    RequestRefund,
    /// The money went back.
    CompleteRefund,
    /// The money could not be sent back.
    FailRefund,
    /// Its return window is over.
    CompleteOrder,
    /// Write on it.
    AddNote,
    /// Set its tags.
    ChangeTags,
    /// Call a person.
    RaiseException,
    /// A person dealt with it.
    ResolveException,
    /// Forget the customer.
    EraseCustomer,
    /// Bring it to a status by whatever command does so.
    SetStatus,
}

/// What follows from a command. No events: nothing changes, because it is so already.
///
/// # Errors
/// The rule that the command breaks.
pub fn decide(order: &Order, command: impl Into<Command>) -> Result<Vec<OrderEvent>, Rejection> {
    consider(order, command.into()).map_err(|rejection| match rejection {
        Rejection::IllegalTransition { status, allowed: _, detail } => {
            Rejection::IllegalTransition { status, allowed: allowed_statuses(order), detail }
        }
        other => other,
    })
}

impl Order {
    /// The rejection of what can't be done where the order stands.
    pub(crate) fn illegal(&self, detail: impl Into<String>) -> Rejection {
        Rejection::IllegalTransition { status: self.status(), allowed: Vec::new(), detail: detail.into() }
    }

    /// The order after these events.
    pub(crate) fn after(&self, events: &[OrderEvent]) -> Self {
        let mut next = self.clone();
        for event in events {
            next.apply(event);
        }
        next
    }

    /// Lines as a command names them, summed up per line in the order of the order's own lines.
    pub(crate) fn named_lines(&self, parts: &[LineQuantity]) -> Result<Vec<LineQuantity>, Rejection> {
        let mut errors = Vec::new();
        if parts.is_empty() {
            errors.push(crate::FieldError::new("/lines", "at least one line must be named"));
        }
        let mut wanted: HashMap<_, u32> = HashMap::with_capacity(parts.len());
        let known: std::collections::HashSet<_> = self.lines.iter().map(|line| line.line_id).collect();
        for (index, part) in parts.iter().enumerate() {
            if !known.contains(&part.line_id) {
                let detail = format!("the order has no line {}", part.line_id);
                errors.push(crate::FieldError::new(format!("/lines/{index}/lineId"), detail));
            }
            if part.quantity == 0 {
                errors.push(crate::FieldError::new(format!("/lines/{index}/quantity"), "must be at least 1"));
            }
            let sum = wanted.entry(part.line_id).or_default();
            *sum = sum.saturating_add(part.quantity);
        }
        if !errors.is_empty() {
            return Err(Rejection::Invalid(errors));
        }
        let lines = self.lines.iter().filter_map(|line| {
            wanted.get(&line.line_id).map(|quantity| LineQuantity { line_id: line.line_id, quantity: *quantity })
        });
        Ok(lines.collect())
    }
}

/// Refuses a part that names more pieces than there are.
pub(crate) fn within(part: LineQuantity, available: u32) -> Result<(), Rejection> {
    if part.quantity <= available {
        return Ok(());
    }
    Err(Rejection::QuantityExceeded { line_id: Some(part.line_id), requested: part.quantity.into(), available })
}
