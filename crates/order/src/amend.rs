//! Amending: until the first dispatch, lines, addresses, contact and note can be changed, all by one
//! event. Products that are on the order keep their line and their unit price; new ones take today's.

use crate::{
    FieldError, Line, Order, Rejection,
    amounts::{minus, sum},
    note::LONGEST_NOTE,
    pricing::{LARGEST_AMOUNT, MOST_LINES, MOST_PIECES, allocate, line_errors, tax, totals},
    refund::owed,
};
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use shared_events::{
    Address, Attributes, Contact, LineId, ProductId, RefundId,
    order::{AppliedDiscount, ComponentAmount, OrderAmended, OrderEvent, OrderLine, Party, RefundOrder},
};
use std::collections::{BTreeMap, HashMap, HashSet};

/// Change it. Absent parts stay as they are.
#[derive(Debug, Clone, PartialEq)]
pub struct AmendOrder {
    /// The whole new list of what is wanted.
    pub items: Option<Vec<AmendedItem>>,
    /// Where it goes from now on.
    pub shipping_address: Option<Address>,
    /// Who gets the bill from now on.
    pub billing_address: Option<Address>,
    /// How the customer is reached from now on.
    pub contact: Option<Contact>,
    /// The customer's note from now on.
    pub note: Option<String>,
    /// The reservation's revision that holds the new list, where [`AmendOrder::changes_items`].
    pub reservation_revision: Option<i32>,
    /// When the order expires, should it have been covered and be no longer.
    pub expires_at: DateTime<Utc>,
    /// The id of a refund, should one be necessary.
    pub refund_id: RefundId,
    /// Who asks.
    pub by: Party,
    /// When.
    pub now: DateTime<Utc>,
}

/// A product that is wanted.
#[derive(Debug, Clone, PartialEq)]
pub struct AmendedItem {
    /// The product.
    pub product_id: ProductId,
    /// Pieces.
    pub quantity: u32,
    /// The product as it is today, where it is not on the order yet.
    pub new: Option<NewProduct>,
}

/// A product that comes onto the order.
#[derive(Debug, Clone, PartialEq)]
pub struct NewProduct {
    /// The new line's id.
    pub line_id: LineId,
    /// The product's sku today.
    pub sku: String,
    /// The product's name today.
    pub name: String,
    /// The price of one piece today.
    pub unit_price: Decimal,
    /// The tax rate as a fraction.
    pub tax_rate: Decimal,
    /// The sales channel.
    pub channel: String,
    /// Who sells it.
    pub legal_entity: String,
    /// What the shop wants to remember about it.
    pub attributes: Attributes,
}

impl Order {
    /// Whether it can be amended now: nothing has ever left, and it is not over.
    #[must_use]
    pub fn is_amendable(&self) -> bool {
        self.exists() && !self.is_over() && self.completed_at.is_none() && !self.was_dispatched()
    }
}

impl AmendOrder {
    /// Whether the list of items asks for other pieces than the order has, so that its reservation moves.
    #[must_use]
    pub fn changes_items(&self, order: &Order) -> bool {
        let Some(items) = &self.items else { return false };
        let mut wanted = BTreeMap::<ProductId, u32>::new();
        for item in items {
            let sum = wanted.entry(item.product_id).or_default();
            *sum = sum.saturating_add(item.quantity);
        }
        wanted != order.open_quantities()
    }

    pub(crate) fn decide(self, order: &Order) -> Result<Vec<OrderEvent>, Rejection> {
        if let Some(note) = &self.note
            && note.chars().count() > LONGEST_NOTE
        {
            return Err(Rejection::invalid("/note", format!("must have at most {LONGEST_NOTE} characters")));
        }
        let lines = self.items.as_deref().map(|items| new_lines(order, items)).transpose()?;
        if !order.is_amendable() {
            return Err(Rejection::NotAmendable { status: order.status() });
        }
        let mut event = OrderAmended {
            lines: None,
            shipping: None,
            discounts: None,
            totals: None,
            contact: self.contact.filter(|contact| order.contact.as_ref() != Some(contact)),
            shipping_address: self.shipping_address.filter(|to| order.shipping_address.as_ref() != Some(to)),
            billing_address: self.billing_address.filter(|to| order.billing_address.as_ref() != Some(to)),
            note: self.note.filter(|note| order.note.as_ref() != Some(note)),
            reservation_revision: None,
            refund: None,
            expires_at: None,
            by: self.by,
            occurred_at: self.now,
        };
        if let Some(lines) = lines.filter(|lines| !same_lines(order, lines)) {
            let sums = totals(&lines, &order.shipping, order.prices_include_tax, order.currency);
            if sums.subtotal > LARGEST_AMOUNT || sums.total > LARGEST_AMOUNT {
                return Err(Rejection::invalid("/items", format!("the total is larger than {LARGEST_AMOUNT}")));
            }
            let discounts = discounts_on(order, &lines);
            event.discounts = (discounts != order.discounts).then_some(discounts);
            event.totals = Some(sums);
            event.lines = Some(lines);
            event.reservation_revision = self.reservation_revision;
            let next = order.after(&[OrderEvent::from(event.clone())]);
            let more = minus(owed(&next, None).0, owed(order, None).0);
            if more > Decimal::ZERO && order.refund(self.refund_id).is_none() {
                let (amount, components) = of_parts(&next, more);
                event.refund = Some(RefundOrder { refund_id: self.refund_id, amount, components });
            }
            if order.covered() && !next.covered() {
                event.expires_at = Some(self.expires_at);
            }
        }
        let changes = event.lines.is_some()
            || event.contact.is_some()
            || event.shipping_address.is_some()
            || event.billing_address.is_some()
            || event.note.is_some();
        Ok(if changes { vec![event.into()] } else { Vec::new() })
    }
}

/// The refund of a fall, which is always of parts: what exceeded the order before stays what it is.
fn of_parts(next: &Order, amount: Decimal) -> (Decimal, Vec<ComponentAmount>) {
    let mut left = amount;
    let mut components = Vec::new();
    for part in next.overpaid().1 {
        let share = part.amount.min(left);
        if share > Decimal::ZERO {
            left = minus(left, share);
            components.push(ComponentAmount { line_id: part.line_id, amount: share });
        }
    }
    (next.currency.round(sum(components.iter().map(|component| component.amount))), components)
}

fn new_lines(order: &Order, items: &[AmendedItem]) -> Result<Vec<OrderLine>, Rejection> {
    let mut errors = Vec::new();
    let mut lines: Vec<OrderLine> = Vec::with_capacity(items.len());
    let mut used = HashSet::new();
    let mut last_of = HashMap::<ProductId, usize>::new();
    for (index, item) in items.iter().enumerate() {
        let kept = order.lines.iter().find(|line| line.product_id == item.product_id && !used.contains(&line.line_id));
        if item.quantity == 0 || item.quantity > MOST_PIECES {
            let detail = format!("must be 1 to {MOST_PIECES}");
            errors.push(FieldError::new(format!("/items/{index}/quantity"), detail));
        }
        match (kept, last_of.get(&item.product_id), &item.new) {
            (Some(line), _, _) => {
                used.insert(line.line_id);
                last_of.insert(item.product_id, lines.len());
                lines.push(kept_line(order, line, item.quantity));
            }
            (None, Some(&earlier), _) => {
                let earlier: &mut OrderLine = &mut lines[earlier];
                let quantity = earlier.quantity.saturating_add(item.quantity);
                if quantity > MOST_PIECES {
                    let detail = format!("the pieces of one product must be at most {MOST_PIECES}");
                    errors.push(FieldError::new(format!("/items/{index}/quantity"), detail));
                }
                *earlier = match order.line(earlier.line_id) {
                    Some(line) => kept_line(order, line, quantity),
                    None => retaxed(order, OrderLine { quantity, ..earlier.clone() }),
                };
            }
            (None, None, Some(new)) => {
                last_of.insert(item.product_id, lines.len());
                lines.push(retaxed(order, new_line(item, new)));
            }
            (None, None, None) => {
                let detail = format!("the product {} is unknown", item.product_id);
                errors.push(FieldError::new(format!("/items/{index}/productId"), detail));
            }
        }
    }
    if items.is_empty() || items.len() > MOST_LINES {
        errors.push(FieldError::new("/items", format!("an order has 1 to {MOST_LINES} lines")));
    }
    if errors.is_empty() {
        errors = line_errors(lines.iter().map(|line| (line.quantity, line.unit_price, line.tax_rate)));
    }
    if errors.is_empty() { Ok(lines) } else { Err(Rejection::Invalid(errors)) }
}

/// A line with another quantity: the unit price stays, and pieces keep their frozen share of the discount.
fn kept_line(order: &Order, line: &Line, quantity: u32) -> OrderLine {
    let discount = line.discount_of(quantity.min(line.ordered), order.currency);
    let kept = OrderLine {
        line_id: line.line_id,
        product_id: line.product_id,
        sku: line.sku.clone(),
        name: line.name.clone(),
        quantity,
        unit_price: line.unit_price,
        discount,
        tax_rate: line.tax_rate,
        tax_amount: line.tax_amount,
        channel: line.channel.clone(),
        legal_entity: line.legal_entity.clone(),
        external_id: line.external_id.clone(),
        attributes: line.attributes.clone(),
    };
    if quantity == line.ordered { kept } else { retaxed(order, kept) }
}

fn new_line(item: &AmendedItem, new: &NewProduct) -> OrderLine {
    OrderLine {
        line_id: new.line_id,
        product_id: item.product_id,
        sku: new.sku.clone(),
        name: new.name.clone(),
        quantity: item.quantity,
        unit_price: new.unit_price,
        discount: Decimal::ZERO,
        tax_rate: new.tax_rate,
        tax_amount: Decimal::ZERO,
        channel: new.channel.clone(),
        legal_entity: new.legal_entity.clone(),
        external_id: None,
        attributes: new.attributes.clone(),
    }
}

fn retaxed(order: &Order, line: OrderLine) -> OrderLine {
    let amount = order.currency.round(line.unit_price.saturating_mul(Decimal::from(line.quantity)));
    let net = minus(amount, line.discount);
    OrderLine { tax_amount: tax(net, line.tax_rate, order.prices_include_tax, order.currency), ..line }
}

/// Whether the order has these pieces already, in whatever order they are named.
fn same_lines(order: &Order, lines: &[OrderLine]) -> bool {
    let live = order.lines.iter().filter(|line| line.live() > 0);
    let live: HashMap<_, _> = live.map(|line| (line.line_id, line.live())).collect();
    live.len() == lines.len() && lines.iter().all(|line| live.get(&line.line_id) == Some(&line.quantity))
}

/// What each discount takes off the new lines. Free shipping stays; the others share what is left on lines.
fn discounts_on(order: &Order, lines: &[OrderLine]) -> Vec<AppliedDiscount> {
    let is_shipping = |discount: &AppliedDiscount| discount.kind == "FREE_SHIPPING";
    let weights: Vec<_> = order
        .discounts
        .iter()
        .map(|discount| if is_shipping(discount) { Decimal::ZERO } else { discount.amount })
        .collect();
    let off = sum(lines.iter().map(|line| line.discount));
    let shares = allocate(off, &weights, order.currency);
    let discounts = order.discounts.iter().zip(shares).map(|(discount, share)| AppliedDiscount {
        amount: if is_shipping(discount) { discount.amount } else { order.currency.round(share) },
        ..discount.clone()
    });
    discounts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Command, OrderStatus, PaymentStatus, testing::*};
    use shared_events::order::RefundCause;

    fn item(number: u128, quantity: u32) -> AmendedItem {
        AmendedItem { product_id: product_id(number), quantity, new: None }
    }

    fn new_item(number: u128, quantity: u32, unit_price: &str) -> AmendedItem {
        let priced = to_price(number, quantity, unit_price);
        let new = NewProduct {
            line_id: priced.line_id,
            sku: priced.sku,
            name: priced.name,
            unit_price: priced.unit_price,
            tax_rate: priced.tax_rate,
            channel: priced.channel,
            legal_entity: priced.legal_entity,
            attributes: priced.attributes,
        };
        AmendedItem { product_id: product_id(number), quantity, new: Some(new) }
    }

    fn amending() -> AmendOrder {
        AmendOrder {
            items: None,
            shipping_address: None,
            billing_address: None,
            contact: None,
            note: None,
            reservation_revision: Some(2),
            expires_at: later(90),
            refund_id: refund_id(40),
            by: Party::Customer,
            now: later(4),
        }
    }

    fn amend(items: Vec<AmendedItem>) -> AmendOrder {
        AmendOrder { items: Some(items), ..amending() }
    }

    fn paid() -> Vec<Command> {
        vec![place(), pay("p", "39.00")]
    }

    #[test]
    fn products_on_the_order_keep_their_line_and_price_and_new_ones_take_todays() {
        let dearer = AmendedItem { new: new_item(1, 3, "99.00").new, ..item(1, 3) };
        let order = given([place()]).when(amend(vec![dearer, new_item(5, 1, "7.00")])).then(&["OrderAmended"]);
        assert_eq!((order.lines[0].line_id, order.lines[0].unit_price), (line_id(1), dec("10.00")));
        assert_eq!((order.lines[1].line_id, order.lines[1].unit_price), (line_id(5), dec("7.00")));
        assert_eq!((order.lines.len(), order.totals.total), (2, dec("41.00")));
        assert_eq!(order.reservation_revision(), 2);
        assert_eq!(order.expires(), Some(later(30)), "an unpaid order keeps its payment window");
    }

    #[test]
    fn a_change_of_only_the_note_is_one_event_too() {
        let noted = AmendOrder { note: Some("ring twice".to_owned()), ..amending() };
        let order = given([place()]).when(noted.clone()).then(&["OrderAmended"]);
        assert_eq!((order.note.as_deref(), order.reservation_revision()), (Some("ring twice"), 1));
        given([place(), noted.clone().into()]).when(noted).then_nothing();
    }

    #[test]
    fn the_same_items_change_nothing() {
        let same = amend(vec![item(1, 2), item(2, 3)]);
        assert!(!same.changes_items(&given([place()]).order));
        given([place()]).when(same).then_nothing();
        given([place()]).when(amend(vec![item(2, 3), item(1, 2)])).then_nothing();
        given([place()]).when(amending()).then_nothing();
    }

    #[test]
    fn a_fall_of_a_paid_orders_total_goes_back_within_the_same_event() {
        let order = given(paid()).when(amend(vec![item(1, 1), item(2, 3)])).then(&["OrderAmended"]);
        assert_eq!((order.refunds[0].amount, order.refunds[0].cause), (dec("10.00"), RefundCause::Amendment));
        assert_eq!(order.refunds[0].components[0].line_id, Some(line_id(1)));
        assert!(order.covered());
    }

    #[test]
    fn what_was_paid_for_a_removed_product_pays_for_the_others() {
        let order = given(paid()).when(amend(vec![item(1, 2), new_item(5, 2, "6.00")])).then(&["OrderAmended"]);
        assert_eq!((order.totals.total, order.refunds[0].amount), (dec("36.00"), dec("3.00")));
        assert!(order.covered());
    }

    #[test]
    fn a_rise_of_a_paid_orders_total_asks_for_a_further_payment() {
        let order = given(paid()).when(amend(vec![item(1, 3), item(2, 3)])).then(&["OrderAmended"]);
        assert_eq!((order.status(), order.payment_status()), (OrderStatus::Pending, PaymentStatus::PartiallyPaid));
        assert_eq!((order.outstanding(), order.expires()), (dec("10.00"), Some(later(90))));
        let history = [place(), pay("p", "39.00"), amend(vec![item(1, 3), item(2, 3)]).into()];
        given(history.clone()).when(pay("q", "10.00")).then(&["PaymentCompleted", "OrderConfirmed"]);
        let expire = crate::ExpireOrder { refund_id: refund_id(41), now: later(90) };
        let order = given(history).when(expire).then(&["OrderExpired", "RefundRequested"]);
        assert_eq!(order.refunds[0].amount, dec("39.00"));
    }

    #[test]
    fn pieces_keep_their_frozen_share_of_a_discount() {
        let mut placed = placing();
        let discount = crate::pricing::Discount {
            code: "TEN".to_owned(),
            kind: crate::pricing::DiscountKind::Fixed,
            value: dec("7.00"),
        };
        placed.priced = crate::pricing::price(crate::pricing::ToPrice {
            currency: shared_events::Currency::EUR,
            prices_include_tax: true,
            lines: vec![to_price(1, 2, "10.00"), to_price(2, 3, "5.00")],
            shipping_method: None,
            shipping_amount: dec("0"),
            shipping_free_from: None,
            shipping_tax_rate: dec("0"),
            discounts: vec![discount],
        })
        .unwrap();
        let order = given([placed.into()]).when(amend(vec![item(1, 1), item(2, 3)])).then(&["OrderAmended"]);
        let shares: Vec<_> = order.lines.iter().map(|line| line.discount).collect();
        assert_eq!(shares, [dec("2.00"), dec("3.00")]);
        assert_eq!((order.totals.total, order.discounts[0].amount), (dec("20.00"), dec("5.00")));
    }

    #[test]
    fn an_order_can_be_amended_until_the_first_dispatch() {
        let noted = || AmendOrder { note: Some("late".to_owned()), by: Party::Staff, ..amending() };
        let processing = [place(), pay("p", "39.00"), set_status("PROCESSING")];
        given(processing).when(noted()).then(&["OrderAmended"]);
        let shipped = [place(), pay("p", "39.00"), create_shipment(2, &[pieces(1, 1)]), dispatch(Party::Staff, 2)];
        given(shipped).when(noted()).then_rejected("NOT_AMENDABLE");
        given([place(), cancel(Party::Customer)]).when(noted()).then_rejected("NOT_AMENDABLE");
        let expire = crate::ExpireOrder { refund_id: refund_id(1), now: later(30) };
        given([place(), expire.into()]).when(noted()).then_rejected("NOT_AMENDABLE");
    }

    #[test]
    fn shipments_that_have_not_left_shrink_with_the_order() {
        let history = [place(), pay("p", "39.00"), create_shipment(2, &[pieces(1, 2)])];
        let order = given(history).when(amend(vec![item(1, 1), item(2, 3)])).then(&["OrderAmended"]);
        assert_eq!(order.shipments[1].lines, [pieces(1, 1)]);
        assert_eq!(order.shipments[0].lines, [pieces(2, 3)]);
    }

    #[test]
    fn the_new_items_are_checked() {
        given([place()]).when(amend(vec![])).then_invalid("/items");
        given([place()]).when(amend(vec![item(1, 0)])).then_invalid("/items/0/quantity");
        given([place()]).when(amend(vec![item(1, 1), item(2, 10_000)])).then_invalid("/items/1/quantity");
        given([place()]).when(amend(vec![item(7, 1)])).then_invalid("/items/0/productId");
        given([place()]).when(amend(vec![new_item(7, 1, "-1")])).then_invalid("/items/0/unitPrice");
        given([place()]).when(amend(vec![new_item(7, 9_999, "1000000000000000")])).then_invalid("/items");
        let long = AmendOrder { note: Some("x".repeat(10_001)), ..amending() };
        given([place()]).when(long).then_invalid("/note");
    }

    #[test]
    fn a_product_named_twice_is_one_line() {
        let order = given([place()]).when(amend(vec![item(1, 1), item(2, 3), item(1, 4)])).then(&["OrderAmended"]);
        assert_eq!(order.lines.iter().map(|line| line.quantity).collect::<Vec<_>>(), [5, 3]);
    }
}
