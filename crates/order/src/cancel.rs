//! Cancelling: the whole order, or pieces of lines. Customers may until processing begins, staff until
//! all is shipped; from then on things come back as returns. What was paid for it goes back.

use crate::{
    Order, OrderStatus, Rejection,
    amounts::surplus,
    command::within,
    pay::confirm_if_covered,
    refund::{give_back, owed},
};
use chrono::{DateTime, Utc};
use shared_events::{
    ExceptionId, RefundId,
    order::{LineCancelled, LineQuantity, OrderCancelled, OrderEvent, Party, RefundCause},
};

/// Cancel all that has not left.
#[derive(Debug, Clone, PartialEq)]
pub struct CancelOrder {
    /// Who asks.
    pub by: Party,
    /// Why.
    pub reason: Option<String>,
    /// The id of a refund, should one be necessary.
    pub refund_id: RefundId,
    /// When.
    pub now: DateTime<Utc>,
}

/// Cancel pieces of lines.
#[derive(Debug, Clone, PartialEq)]
pub struct CancelLines {
    /// Which.
    pub lines: Vec<LineQuantity>,
    /// Who asks.
    pub by: Party,
    /// Why.
    pub reason: Option<String>,
    /// The id of a refund, should one be necessary.
    pub refund_id: RefundId,
    /// When.
    pub now: DateTime<Utc>,
}

impl Order {
    /// Whether this party may cancel it, or pieces of it, now.
    #[must_use]
    pub fn is_cancellable(&self, by: Party) -> bool {
        let open = self.lines.iter().any(|line| line.open() > 0);
        if !self.exists() || self.is_over() || self.completed_at.is_some() || !open {
            return false;
        }
        match by {
            Party::Staff | Party::System => true,
            Party::Customer => {
                let early =
                    matches!(self.status(), OrderStatus::Pending | OrderStatus::Confirmed | OrderStatus::OnHold);
                early && self.lines.iter().all(|line| line.shipped == 0)
            }
        }
    }

    fn must_be_cancellable(&self, by: Party) -> Result<(), Rejection> {
        if self.is_cancellable(by) { Ok(()) } else { Err(Rejection::NotCancellable { status: self.status() }) }
    }
}

impl CancelOrder {
    pub(crate) fn decide(self, order: &Order) -> Result<Vec<OrderEvent>, Rejection> {
        if order.cancellation.is_some() {
            return Ok(Vec::new());
        }
        order.must_be_cancellable(self.by)?;
        let mut events = vec![OrderEvent::from(OrderCancelled {
            reason: self.reason.clone(),
            lines: order.open_lines(),
            by: self.by,
            occurred_at: self.now,
        })];
        let next = order.after(&events);
        events.extend(give_back(&next, self.refund_id, RefundCause::Cancellation, None, self.reason, self.now));
        Ok(events)
    }
}

impl CancelLines {
    pub(crate) fn decide(self, order: &Order) -> Result<Vec<OrderEvent>, Rejection> {
        if order.cancellation.is_some() {
            return Ok(Vec::new());
        }
        let lines = order.named_lines(&self.lines)?;
        order.must_be_cancellable(self.by)?;
        for part in &lines {
            within(*part, order.line(part.line_id).map_or(0, crate::Line::open))?;
        }
        let untouched = order.lines.iter().all(|line| line.shipped == 0);
        if untouched && lines == order.open_lines() {
            let whole = CancelOrder { by: self.by, reason: self.reason, refund_id: self.refund_id, now: self.now };
            return whole.decide(order);
        }
        let held = order.reservation.is_some() && !order.stock_was_released();
        let reservation_revision = held.then(|| order.reservation_revision().saturating_add(1));
        let mut events: Vec<_> = lines
            .into_iter()
            .map(|part| {
                OrderEvent::from(LineCancelled {
                    line_id: part.line_id,
                    quantity: part.quantity,
                    reason: self.reason.clone(),
                    reservation_revision,
                    by: self.by,
                    occurred_at: self.now,
                })
            })
            .collect();
        let next = order.after(&events);
        let more = surplus(owed(&next, None).0, owed(order, None).0);
        // The exception takes the refund's id: both are this command's, and of different kinds.
        let exception_id = ExceptionId::from_uuid(self.refund_id.as_uuid());
        confirm_if_covered(order, &mut events, exception_id, self.now);
        events.extend(give_back(&next, self.refund_id, RefundCause::Cancellation, Some(more), self.reason, self.now));
        Ok(events)
    }
}

#[cfg(test)]
mod tests {
    use crate::{Order, OrderStatus, PaymentStatus, RefundWhat, ShipmentStatus, testing::*};
    use shared_events::order::{Party, RefundCause};

    fn processed() -> Vec<crate::Command> {
        vec![place(), pay("p", "39.00"), set_status("PROCESSING")]
    }

    fn refunded(order: &Order) -> Vec<(Option<shared_events::LineId>, String)> {
        let components = &order.refunds.last().unwrap().components;
        components.iter().map(|part| (part.line_id, part.amount.to_string())).collect()
    }

    #[test]
    fn cancelling_an_unpaid_order_releases_its_stock() {
        let order = given([place()]).when(cancel(Party::Customer)).then(&["OrderCancelled"]);
        assert_eq!(order.status(), OrderStatus::Cancelled);
        assert!(order.held_quantities().is_empty());
        assert_eq!(order.shipments[0].status, ShipmentStatus::Cancelled);
        assert!(!order.covered());
        assert_eq!(order.totals.total, dec("39.00"));
    }

    #[test]
    fn cancelling_a_paid_order_gives_the_money_back() {
        let order = given([place(), pay("p", "39.00")])
            .when(cancel(Party::Customer))
            .then(&["OrderCancelled", "RefundRequested"]);
        assert_eq!((order.refunds[0].amount, order.refunds[0].cause), (dec("39.00"), RefundCause::Cancellation));
        let order = given([place(), pay("p", "39.00"), cancel(Party::Staff)])
            .when(complete_refund(80))
            .then(&["RefundCompleted"]);
        assert_eq!(order.payment_status(), PaymentStatus::Refunded);
    }

    #[test]
    fn cancelling_again_changes_nothing() {
        given([place(), cancel(Party::Customer)]).when(cancel(Party::Customer)).then_nothing();
        given([place(), cancel(Party::Customer)]).when(cancel_lines(Party::Staff, &[pieces(1, 1)])).then_nothing();
    }

    #[test]
    fn customers_may_cancel_until_processing_begins_staff_until_all_is_shipped() {
        given(processed()).when(cancel(Party::Customer)).then_rejected("NOT_CANCELLABLE");
        given(processed()).when(cancel_lines(Party::Customer, &[pieces(1, 1)])).then_rejected("NOT_CANCELLABLE");
        given(processed()).when(cancel(Party::Staff)).then(&["OrderCancelled", "RefundRequested"]);
        let shipped = [place(), pay("p", "39.00"), set_status("SHIPPED")];
        for party in [Party::Customer, Party::Staff, Party::System] {
            given(shipped.clone()).when(cancel(party)).then_rejected("NOT_CANCELLABLE");
        }
        let held = crate::HoldOrder { reason: "look".to_owned(), now: later(3) };
        given([place(), held.into()]).when(cancel(Party::Customer)).then(&["OrderCancelled"]);
    }

    #[test]
    fn an_expired_order_is_not_cancelled() {
        let expire = crate::ExpireOrder { refund_id: refund_id(1), now: later(30) };
        given([place(), expire.into()]).when(cancel(Party::Staff)).then_rejected("NOT_CANCELLABLE");
    }

    #[test]
    fn a_partly_shipped_order_keeps_the_money_for_what_has_left() {
        let history = [place(), pay("p", "39.00"), create_shipment(2, &[pieces(1, 1)]), dispatch(Party::Staff, 2)];
        let order = given(history).when(cancel(Party::Staff)).then(&["OrderCancelled", "RefundRequested"]);
        let expected = [(Some(line_id(1)), "10.00".to_owned()), (Some(line_id(2)), "15.00".to_owned())];
        assert_eq!(refunded(&order), expected);
    }

    #[test]
    fn cancelled_pieces_lower_the_total_and_give_their_money_back() {
        let order = given([place(), pay("p", "39.00")])
            .when(cancel_lines(Party::Customer, &[pieces(1, 1), pieces(2, 1)]))
            .then(&["LineCancelled", "LineCancelled", "RefundRequested"]);
        assert_eq!((order.totals.total, order.refunds[0].amount), (dec("24.00"), dec("15.00")));
        assert_eq!((order.lines[0].quantity, order.lines[1].quantity), (1, 2));
        assert_eq!(order.status(), OrderStatus::Confirmed);
        assert_eq!(order.reservation_revision(), 2);
        assert_eq!(order.held_quantities().into_values().collect::<Vec<_>>(), [1, 2]);
        assert_eq!(order.shipments[0].lines, [pieces(1, 1), pieces(2, 2)]);
    }

    #[test]
    fn what_was_paid_for_cancelled_pieces_first_pays_for_the_others() {
        let order = given([place(), pay("p", "20.00")]).when(cancel_lines(Party::Staff, &[pieces(1, 2)])).then(&[
            "LineCancelled",
            "OrderConfirmed",
            "RefundRequested",
        ]);
        assert_eq!((order.totals.total, order.refunds[0].amount), (dec("19.00"), dec("1.00")));
    }

    #[test]
    fn cancelling_every_piece_cancels_the_order() {
        let order = given([place(), pay("p", "39.00")])
            .when(cancel_lines(Party::Customer, &[pieces(2, 3), pieces(1, 2)]))
            .then(&["OrderCancelled", "RefundRequested"]);
        assert_eq!((order.status(), order.refunds[0].amount), (OrderStatus::Cancelled, dec("39.00")));
    }

    #[test]
    fn goodwill_is_not_taken_back_by_a_later_cancellation() {
        let order = given([place(), pay("p", "39.00"), refund(1, RefundWhat::Amount(eur("3.00")))])
            .when(cancel_lines(Party::Staff, &[pieces(2, 3)]))
            .then(&["LineCancelled", "RefundRequested"]);
        assert_eq!(order.refunds[1].amount, dec("15.00"));
    }

    #[test]
    fn most_lines_of_the_largest_order_can_be_cancelled_at_once() {
        let mut large = placing();
        large.priced = crate::pricing::price(crate::pricing::ToPrice {
            currency: shared_events::Currency::EUR,
            prices_include_tax: true,
            lines: (1..=1_500).map(|number| to_price(number, 2, "1.00")).collect(),
            shipping_method: None,
            shipping_amount: dec("0"),
            shipping_free_from: None,
            shipping_tax_rate: dec("0"),
            discounts: Vec::new(),
        })
        .unwrap();
        let all: Vec<_> = (1..1_500).map(|number| pieces(number, 2)).collect();
        let then = given([large.into(), pay("p", "3000.00")]).when(cancel_lines(Party::Staff, &all));
        assert_eq!((then.order.totals.total, then.order.refunds[0].amount), (dec("2.00"), dec("2998.00")));
    }

    #[test]
    fn no_more_pieces_are_cancelled_than_are_there() {
        given([place()]).when(cancel_lines(Party::Staff, &[pieces(1, 3)])).then_rejected("QUANTITY_EXCEEDED");
        let twice = [pieces(1, 1), pieces(1, 2)];
        given([place()]).when(cancel_lines(Party::Staff, &twice)).then_rejected("QUANTITY_EXCEEDED");
        given([place()]).when(cancel_lines(Party::Staff, &[pieces(1, 0)])).then_invalid("/lines/0/quantity");
        given([place()]).when(cancel_lines(Party::Staff, &[pieces(9, 1)])).then_invalid("/lines/0/lineId");
        given([place()]).when(cancel_lines(Party::Staff, &[])).then_invalid("/lines");
    }
}
