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
        cart_id: draft.cart_id,
        quote_id: draft.quote_id,
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
    let events = order::decide(&Order::of(order_id), command)?;
    Ok(Decided::of(order_id, events))
}

impl Decided {
    fn of(order_id: OrderId, events: Vec<OrderEvent>) -> Self {
        let order = events.iter().fold(Order::of(order_id), Order::evolve);
        Self { events, order }
    }

    /// The same with its stock held under another revision than the first: an earlier attempt had used that up.
    #[must_use]
    pub fn under_revision(mut self, revision: i32) -> Self {
        for event in &mut self.events {
            if let OrderEvent::OrderPlaced(placed) = event {
                placed.reservation_revision = Some(revision);
            }
        }
        Self::of(self.order.id, self.events)
    }
}
