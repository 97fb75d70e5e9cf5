//! The fifth stage: the aggregate decides. Nothing of the outside is asked; an order that gets through here is
//! only waiting for its stock.

use super::validate::Draft;
use crate::config::Config;
use order::{Order, PlaceOrder, Rejection, pricing::Priced};
use shared_events::{Contact, DEFAULT, OrderId, ShipmentId, order::OrderEvent};
use web::request_context::now;

/// The first reservation of an order.
pub const FIRST_REVISION: i32 = 1;

/// An order that may be placed.
pub struct Decided {
    /// The one event.
    pub events: Vec<OrderEvent>,
    /// The order as it will be.
    pub order: Order,
}

/// Decides.
///
/// # Errors
/// The rule that forbids it.
pub fn run(
    order_id: OrderId,
    order_number: String,
    draft: Draft,
    contact: Option<Contact>,
    priced: Priced,
    config: &Config,
) -> Result<Decided, Rejection> {
    let now = now();
    let command = PlaceOrder {
        order_number,
        customer_id: draft.customer_id,
        channel: draft.channel,
        legal_entity: DEFAULT.to_owned(),
        external_id: draft.external_id,
        attributes: draft.attributes,
        cart_id: None,
        quote_id: None,
        priced,
        payment_method: draft.payment_method,
        contact: draft.contact.or(contact),
        shipping_address: draft.shipping_address,
        billing_address: draft.billing_address,
        note: draft.note,
        shipment_id: ShipmentId::generate(),
        reservation_revision: FIRST_REVISION,
        expires_at: now + config.payment_window_of(draft.payment_method),
        now,
    };
    let order = Order::of(order_id);
    let events = order::decide(&order, command)?;
    let order = events.iter().fold(order, Order::evolve);
    Ok(Decided { events, order })
}
