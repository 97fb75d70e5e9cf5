//! Confirming an order by hand, which only means something where the shop gives credit: all others are
//! confirmed by their payment.

use crate::{Order, Rejection};
use chrono::{DateTime, Utc};
use shared_events::order::{OrderConfirmed, OrderEvent};

/// Confirm an order on credit.
#[derive(Debug, Clone, PartialEq)]
pub struct ConfirmOrder {
    /// When.
    pub now: DateTime<Utc>,
}

impl ConfirmOrder {
    pub(crate) fn decide(self, order: &Order) -> Result<Vec<OrderEvent>, Rejection> {
        if order.is_over() {
            return Err(order.illegal("it is over"));
        }
        if !order.is_paid_for() {
            return Err(Rejection::NotCovered { outstanding: order.outstanding() });
        }
        if order.lacks_stock() {
            return Err(order.illegal("its stock was given up and has to be reserved anew first"));
        }
        if order.confirmed_at.is_some() {
            return Ok(Vec::new());
        }
        Ok(vec![OrderEvent::from(OrderConfirmed { occurred_at: self.now })])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Party, testing::*};

    #[test]
    fn only_a_covered_order_can_be_confirmed_by_hand() {
        let confirm = || ConfirmOrder { now: later(1) };
        given([place()]).when(confirm()).then_rejected("NOT_COVERED");
        given([place_on_credit()]).when(confirm()).then_nothing();
        given([place(), pay("p", "39.00")]).when(confirm()).then_nothing();
        given([place(), cancel(Party::Staff)]).when(confirm()).then_rejected("ILLEGAL_TRANSITION");
    }
}
