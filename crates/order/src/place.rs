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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{OrderStatus, PaymentStatus, ShipmentStatus, testing::*};
    use chrono::TimeDelta;
    use rust_decimal::Decimal;

    #[test]
    fn placing_appends_exactly_one_event() {
        let order = given([]).when(place()).then(&["OrderPlaced"]);
        assert_eq!(order.status(), OrderStatus::Pending);
        assert_eq!(order.payment_status(), PaymentStatus::Pending);
        assert_eq!(order.totals.total, dec("39.00"));
        assert_eq!(order.expires_at, Some(later(30)));
        assert_eq!(order.version, 1);
    }

    #[test]
    fn the_first_shipment_is_planned_for_everything() {
        let order = given([]).when(place()).then(&["OrderPlaced"]);
        assert_eq!(order.shipments[0].status, ShipmentStatus::Planned);
        assert_eq!(order.shipments[0].lines, [pieces(1, 2), pieces(2, 3)]);
    }

    #[test]
    fn an_order_on_credit_is_confirmed_from_the_start_and_never_expires() {
        for payment_method in [PaymentMethod::Invoice, PaymentMethod::CashOnDelivery] {
            let order = given([]).when(PlaceOrder { payment_method, ..placing() }).then(&["OrderPlaced"]);
            assert_eq!(order.status(), OrderStatus::Confirmed);
            assert_eq!((order.expires_at, order.covered()), (None, true));
        }
    }

    #[test]
    fn a_total_of_nothing_is_covered_from_the_start() {
        let mut free = placing();
        free.priced.lines.truncate(1);
        free.priced.lines[0].unit_price = Decimal::ZERO;
        free.priced.lines[0].tax_amount = Decimal::ZERO;
        free.priced.shipping = shared_events::order::ShippingCharge::default();
        free.priced.totals = totals(&free.priced.lines, &free.priced.shipping, true, shared_events::Currency::EUR);
        let order = given([]).when(free).then(&["OrderPlaced"]);
        assert_eq!((order.status(), order.payment_status()), (OrderStatus::Confirmed, PaymentStatus::Paid));
    }

    #[test]
    fn an_order_is_placed_once() {
        assert_eq!(given([place()]).when(place()).then_rejected("ILLEGAL_TRANSITION"), Rejection::AlreadyPlaced);
    }

    #[test]
    fn quantities_prices_and_the_number_of_lines_are_bounded() {
        let with_line = |change: fn(&mut shared_events::order::OrderLine)| {
            let mut command = placing();
            change(&mut command.priced.lines[1]);
            given([]).when(command)
        };
        with_line(|line| line.quantity = 0).then_invalid("/items/1/quantity");
        with_line(|line| line.quantity = 10_000).then_invalid("/items/1/quantity");
        with_line(|line| line.unit_price = dec("-1")).then_invalid("/items/1/unitPrice");
        with_line(|line| line.unit_price = dec("1000000000000001")).then_invalid("/items/1/unitPrice");
        with_line(|line| line.tax_rate = dec("11")).then_invalid("/items/1/taxRate");
        with_line(|line| line.unit_price = dec("999999999999999")).then_invalid("/totals");
        let mut none = placing();
        none.priced.lines.clear();
        given([]).when(none).then_invalid("/items");
        let mut many = placing();
        many.priced.lines = vec![many.priced.lines[0].clone(); 1_501];
        given([]).when(many).then_invalid("/items");
    }

    #[test]
    fn parts_that_do_not_sum_up_to_the_total_are_refused() {
        let mut command = placing();
        command.priced.totals.total = dec("38.99");
        given([]).when(command).then_invalid("/totals");
    }

    #[test]
    fn an_order_of_1_500_lines_can_be_placed() {
        let mut command = placing();
        let lines = (1..=1_500).map(|number| to_price(number, 9_999, "0.99")).collect();
        command.priced = crate::pricing::price(crate::pricing::ToPrice {
            currency: shared_events::Currency::EUR,
            prices_include_tax: true,
            lines,
            shipping_method: None,
            shipping_amount: Decimal::ZERO,
            shipping_free_from: None,
            shipping_tax_rate: Decimal::ZERO,
            discounts: Vec::new(),
        })
        .unwrap();
        let order = given([]).when(command).then(&["OrderPlaced"]);
        assert_eq!(order.totals.total, dec("14848515.00"));
        assert_eq!(order.expires_at, Some(now() + TimeDelta::minutes(30)));
    }

    #[test]
    fn what_was_never_placed_is_not_found() {
        given([]).when(pay("p", "1.00")).then_rejected("NOT_FOUND");
        given([]).when(set_status("SHIPPED")).then_rejected("NOT_FOUND");
    }
}
