//! The order aggregate as the log runs it: `crates/order` decides and evolves, this adds who may touch which
//! order, and the input that was found wrong before the order was looked at. So the checks come in the order
//! that the API promises: unknown or foreign (404), version (412), input (422), state (409).

use eventstore::Decider;
use order::{Command, Missing, Order, Rejection};
use shared_events::{
    UserId,
    order::{OrderEvent, STREAM_TYPE},
};

/// A command for an order, on behalf of somebody.
#[derive(Debug, Clone)]
pub struct OrderCommand {
    /// The customer whose orders alone it may touch; none for the shop and for services.
    pub confined_to: Option<UserId>,
    /// What is wanted, or what was wrong with the request for it.
    pub command: Result<Command, Rejection>,
}

/// Runs `crates/order` on the log.
#[derive(Debug)]
pub struct OrderDecider;

impl Decider for OrderDecider {
    type State = Order;
    type Command = OrderCommand;
    type Event = OrderEvent;
    type Rejection = Rejection;

    const STREAM_TYPE: &'static str = STREAM_TYPE;

    fn decide(order: &Order, command: OrderCommand) -> Result<Vec<OrderEvent>, Rejection> {
        let foreign = command.confined_to.is_some_and(|customer| order.exists() && order.customer_id != Some(customer));
        let places = matches!(command.command, Ok(Command::PlaceOrder(_) | Command::ImportOrder(_)));
        if foreign || (!places && !order.exists()) {
            return Err(Rejection::NotFound { what: Missing::Order, id: String::new() });
        }
        order::decide(order, command.command?)
    }

    fn evolve(order: Order, event: &OrderEvent) -> Order {
        order.evolve(event)
    }
}
