//! The process manager of an order, pure: from the order as it stands follows what others still have to do
//! for it. Asking again gives the same answer, so a repeated event does no harm, and a lost one is made up
//! for by the next.

use crate::{Order, PaymentState, RefundStatus, ReservationState};
use chrono::{DateTime, TimeDelta, Utc};
use rust_decimal::Decimal;
use shared_events::RefundId;

/// Something that has to be done for an order, outside of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obligation {
    /// The provider is to give back what it holds.
    Void {
        /// The payment.
        payment_id: String,
        /// What it holds.
        amount: Decimal,
    },
    /// The provider is to send money back.
    Refund {
        /// The refund, whose id makes a repeat harmless.
        refund_id: RefundId,
        /// How much.
        amount: Decimal,
    },
    /// Its stock is to be reserved anew: it is covered, and its stock was given up.
    ReserveStock {
        /// The revision to reserve by.
        revision: i32,
    },
    /// Its stock is to be held firmly: it is covered.
    ConfirmStock {
        /// The reservation's revision.
        revision: i32,
    },
    /// A timer is to ask then whether it expires.
    ExpireAt(DateTime<Utc>),
    /// A timer is to ask then whether it is complete.
    CompleteAt(DateTime<Utc>),
}

/// What has to be done for the order as it stands.
#[must_use]
pub fn obligations(order: &Order, return_window: TimeDelta) -> Vec<Obligation> {
    let mut list = Vec::new();
    if order.is_over() && !order.was_dispatched() {
        let held = order.payments.iter().filter(|payment| payment.status == PaymentState::Authorized);
        list.extend(
            held.filter(|payment| payment.authorized > Decimal::ZERO)
                .map(|payment| Obligation::Void { payment_id: payment.payment_id.clone(), amount: payment.authorized }),
        );
    }
    let refunds = order.refunds.iter().filter(|refund| refund.status == RefundStatus::Requested);
    list.extend(refunds.map(|refund| Obligation::Refund { refund_id: refund.refund_id, amount: refund.amount }));
    if let Some(reservation) = order.reservation.filter(|_| order.is_paid_for()) {
        let open = order.lines.iter().any(|line| line.open() > 0);
        match reservation.state {
            ReservationState::Released if open => {
                list.push(Obligation::ReserveStock { revision: reservation.revision.saturating_add(1) });
            }
            ReservationState::Held if open => {
                list.push(Obligation::ConfirmStock { revision: reservation.revision });
            }
            ReservationState::Released | ReservationState::Held | ReservationState::Firm => {}
        }
    }
    list.extend(order.expires().map(Obligation::ExpireAt));
    list.extend(order.completes(return_window).map(Obligation::CompleteAt));
    list
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Party, testing::*};

    const WINDOW: TimeDelta = TimeDelta::minutes(100);

    #[test]
    fn an_unpaid_order_waits_for_the_end_of_its_payment_window() {
        assert_eq!(obligations(&given([place()]).order, WINDOW), [Obligation::ExpireAt(later(30))]);
    }

    #[test]
    fn a_covered_order_wants_its_stock_held_firmly() {
        let order = given([place(), pay("p", "39.00")]).order;
        assert_eq!(obligations(&order, WINDOW), [Obligation::ConfirmStock { revision: 1 }]);
        let order = given([place(), fail_payment("p", Some("final")), authorize("q", "39.00")]).order;
        let expected = [Obligation::ReserveStock { revision: 2 }, Obligation::ExpireAt(later(60))];
        assert_eq!(obligations(&order, WINDOW), expected);
    }

    #[test]
    fn a_cancelled_order_wants_held_money_given_back_and_captured_money_refunded() {
        let order = given([place(), authorize("p", "39.00"), cancel(Party::Customer)]).order;
        assert_eq!(
            obligations(&order, WINDOW),
            [Obligation::Void { payment_id: "p".to_owned(), amount: dec("39.00") }]
        );
        let order = given([place(), pay("p", "39.00"), cancel(Party::Customer)]).order;
        assert_eq!(
            obligations(&order, WINDOW),
            [Obligation::Refund { refund_id: refund_id(80), amount: dec("39.00") }]
        );
    }

    #[test]
    fn a_delivered_order_waits_for_the_end_of_its_return_window() {
        let order = given([place_on_credit(), set_status("SHIPPED"), set_status("DELIVERED")]).order;
        assert_eq!(obligations(&order, WINDOW), [Obligation::CompleteAt(later(109))]);
    }
}
