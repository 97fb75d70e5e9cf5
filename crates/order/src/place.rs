//! Placing an order: exactly one event, in which its prices are frozen for ever.

use crate::{
    FieldError, Order, Rejection,
    pricing::{LARGEST_AMOUNT, Priced, line_errors, totals},
};
use chrono::{DateTime, Utc};
use shared_events::{
    Address, Attributes, CartId, Contact, QuoteId, ShipmentId, UserId,
    order::{OrderEvent, OrderPlaced, PaymentMethod},
};

/// Place it. Its stock is reserved already.
#[derive(Debug, Clone, PartialEq)]
pub struct PlaceOrder {
    /// What people call it.
    pub order_number: String,
    /// The customer; none for a guest.
    pub customer_id: Option<UserId>,
    /// Where it was sold.
    pub channel: String,
    /// Who sold it.
    pub legal_entity: String,
    /// Its id in another system.
    pub external_id: Option<String>,
    /// What the shop wants to remember about it.
    pub attributes: Attributes,
    /// The cart it comes from.
    pub cart_id: Option<CartId>,
    /// The quote it comes from.
    pub quote_id: Option<QuoteId>,
    /// What was bought, and what it costs.
    pub priced: Priced,
    /// How it is to be paid.
    pub payment_method: PaymentMethod,
    /// How the customer is reached.
    pub contact: Option<Contact>,
    /// Where it goes.
    pub shipping_address: Option<Address>,
    /// Who gets the bill.
    pub billing_address: Option<Address>,
    /// What the customer wrote with it.
    pub note: Option<String>,
    /// The first shipment's id.
    pub shipment_id: ShipmentId,
    /// The reservation's revision.
    pub reservation_revision: i32,
    /// When the payment window of its method ends; without meaning where the shop gives credit.
    pub expires_at: DateTime<Utc>,
    /// When.
    pub now: DateTime<Utc>,
}

impl PlaceOrder {
    pub(crate) fn decide(self, order: &Order) -> Result<Vec<OrderEvent>, Rejection> {
        if order.exists() {
            return Err(Rejection::AlreadyPlaced);
        }
        check(&self.priced)?;
        let (reservation_revision, expires_at) = (self.reservation_revision, self.expires_at);
        let mut placed = self.into_event();
        placed.reservation_revision = Some(reservation_revision);
        let covered = order.after(&[OrderEvent::from(placed.clone())]).covered();
        placed.expires_at = (!covered).then_some(expires_at);
        Ok(vec![placed.into()])
    }

    /// The event, with no stock held and no end of a payment window.
    pub(crate) fn into_event(self) -> OrderPlaced {
        OrderPlaced {
            order_number: self.order_number,
            customer_id: self.customer_id,
            channel: self.channel,
            legal_entity: self.legal_entity,
            external_id: self.external_id,
            attributes: self.attributes,
            cart_id: self.cart_id,
            quote_id: self.quote_id,
            currency: self.priced.currency,
            prices_include_tax: self.priced.prices_include_tax,
            lines: self.priced.lines,
            shipping: self.priced.shipping,
            discounts: self.priced.discounts,
            totals: self.priced.totals,
            payment_method: self.payment_method,
            contact: self.contact,
            shipping_address: self.shipping_address,
            billing_address: self.billing_address,
            note: self.note,
            shipment_id: self.shipment_id,
            reservation_revision: None,
            expires_at: None,
            foreign_invoice_number: None,
            occurred_at: self.now,
        }
    }
}

/// Refuses lines out of bounds, and sums that are not those of the parts.
pub(crate) fn check(priced: &Priced) -> Result<(), Rejection> {
    let mut errors = line_errors(priced.lines.iter().map(|line| (line.quantity, line.unit_price, line.tax_rate)));
    if errors.is_empty() {
        let sums = totals(&priced.lines, &priced.shipping, priced.prices_include_tax, priced.currency);
        if sums != priced.totals {
            errors.push(FieldError::new("/totals", "the parts do not sum up to the total"));
        }
        if sums.subtotal > LARGEST_AMOUNT || sums.total > LARGEST_AMOUNT {
            errors.push(FieldError::new("/items", format!("the total is larger than {LARGEST_AMOUNT}")));
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(Rejection::Invalid(errors)) }
}
