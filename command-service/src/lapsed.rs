//! What follows when the stock of an order is gone although the order exists: it is cancelled, and money goes back.

use crate::orders::Orders;
use feeds::{HandleError, Reaction, StartFrom, derived_command_id};
use order::{CancelOrder, Party};
use shared_events::{Actor, OrderId, RecordedEvent, RefundId};

/// Cancels orders whose reservation lapsed.
pub struct CancelWhenLapsed {
    /// The orders.
    pub orders: Orders,
}

impl Reaction for CancelWhenLapsed {
    fn name(&self) -> &'static str {
        "cancel-when-lapsed"
    }

    fn start_from(&self) -> StartFrom {
        StartFrom::Start
    }

    async fn react(&self, _log: &str, event: &RecordedEvent) -> Result<(), HandleError> {
        if event.event_type != "ReservationLapsed" {
            return Ok(());
        }
        let order_id = OrderId::parse(&event.stream_id).map_err(HandleError::poison)?;
        let command = CancelOrder {
            by: Party::System,
            reason: Some("the stock is gone".to_owned()),
            refund_id: RefundId::generate(),
            now: web::request_context::now(),
        };
        let command_id = derived_command_id(event.event_id.as_uuid(), "cancel");
        self.orders.react(order_id, command, Some(command_id), Actor::internal(), Some(event)).await
    }
}
