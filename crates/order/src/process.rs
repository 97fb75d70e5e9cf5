//! Picking and packing begins: from here on a customer can no longer cancel.

use crate::{Order, OrderStatus, Rejection};
use chrono::{DateTime, Utc};
use shared_events::order::{OrderEvent, ProcessingStarted};

/// Begin to pick and pack.
#[derive(Debug, Clone, PartialEq)]
pub struct StartProcessing {
    /// When.
    pub now: DateTime<Utc>,
}

impl StartProcessing {
    pub(crate) fn decide(self, order: &Order) -> Result<Vec<OrderEvent>, Rejection> {
        match order.status() {
            OrderStatus::Processing => Ok(Vec::new()),
            OrderStatus::Confirmed => Ok(vec![OrderEvent::from(ProcessingStarted { occurred_at: self.now })]),
            OrderStatus::Pending if order.is_paid_for() => {
                Err(order.illegal("its stock was given up and has to be reserved anew first"))
            }
            OrderStatus::Pending => Err(Rejection::NotCovered { outstanding: order.outstanding() }),
            _ => Err(order.illegal("processing begins with a confirmed order")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Party, testing::*};

    const fn start() -> StartProcessing {
        StartProcessing { now: chrono::DateTime::UNIX_EPOCH }
    }

    #[test]
    fn processing_begins_with_a_confirmed_order_once() {
        let order = given([place(), pay("p", "39.00")]).when(start()).then(&["ProcessingStarted"]);
        assert_eq!(order.status(), OrderStatus::Processing);
        given([place(), pay("p", "39.00"), start().into()]).when(start()).then_nothing();
    }

    #[test]
    fn an_uncovered_order_is_not_processed() {
        given([place()]).when(start()).then_rejected("NOT_COVERED");
    }

    #[test]
    fn nor_is_one_that_is_held_over_or_has_left() {
        given([place(), cancel(Party::Staff)]).when(start()).then_rejected("ILLEGAL_TRANSITION");
        let paid = [place(), pay("p", "39.00")];
        for status in ["ON_HOLD", "SHIPPED"] {
            let history = paid.clone().into_iter().chain([set_status(status)]);
            given(history).when(start()).then_rejected("ILLEGAL_TRANSITION");
        }
    }
}
