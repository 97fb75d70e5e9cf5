//! What may be done with an order next, by whom, and what it waits for: an order is never silently stuck.

use crate::{Order, RefundStatus, ReturnStatus, ShipmentStatus};
use chrono::{DateTime, TimeDelta, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use shared_events::order::Party;

/// Something that may be done with an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Action {
    /// Pay what is missing.
    Pay,
    /// Change lines, addresses, contact or note.
    Amend,
    /// Cancel it, or pieces of it.
    Cancel,
    /// Make it wait.
    Hold,
    /// Let it go on.
    Resume,
    /// Begin to pick and pack.
    StartProcessing,
    /// Put goods into a shipment.
    CreateShipment,
    /// Say that a shipment has left.
    Dispatch,
    /// Say that a shipment arrived.
    Deliver,
    /// Send something back.
    RequestReturn,
    /// Take it back.
    ReceiveReturn,
    /// Not take it back.
    RejectReturn,
    /// Give money back.
    Refund,
    /// Complete it.
    Complete,
    /// Deal with an exception.
    ResolveException,
    /// Write on it.
    AddNote,
    /// Set its tags.
    ChangeTags,
}

/// What an order waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WaitingFor {
    /// What.
    pub reason: WaitingReason,
    /// Until when, where something happens by itself then.
    pub until: Option<DateTime<Utc>>,
}

/// What an order can wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum WaitingReason {
    /// Somebody has to resume it.
    Hold,
    /// Somebody has to look at an exception.
    Exception,
    /// Its stock was given up.
    Stock,
    /// The customer has to pay.
    Payment,
    /// Somebody has to say where it goes.
    Address,
    /// Somebody has to begin with it.
    Processing,
    /// Somebody has to dispatch it.
    Dispatch,
    /// The carrier has to deliver it.
    Delivery,
    /// A return has to arrive.
    Return,
    /// A refund has to be carried out.
    Refund,
    /// The return window has to end.
    ReturnWindow,
}

impl WaitingReason {
    /// Its name for clients.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hold => "HOLD",
            Self::Exception => "EXCEPTION",
            Self::Stock => "STOCK",
            Self::Payment => "PAYMENT",
            Self::Address => "ADDRESS",
            Self::Processing => "PROCESSING",
            Self::Dispatch => "DISPATCH",
            Self::Delivery => "DELIVERY",
            Self::Return => "RETURN",
            Self::Refund => "REFUND",
            Self::ReturnWindow => "RETURN_WINDOW",
        }
    }
}

impl Action {
    /// Its name for clients.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pay => "PAY",
            Self::Amend => "AMEND",
            Self::Cancel => "CANCEL",
            Self::Hold => "HOLD",
            Self::Resume => "RESUME",
            Self::StartProcessing => "START_PROCESSING",
            Self::CreateShipment => "CREATE_SHIPMENT",
            Self::Dispatch => "DISPATCH",
            Self::Deliver => "DELIVER",
            Self::RequestReturn => "REQUEST_RETURN",
            Self::ReceiveReturn => "RECEIVE_RETURN",
            Self::RejectReturn => "REJECT_RETURN",
            Self::Refund => "REFUND",
            Self::Complete => "COMPLETE",
            Self::ResolveException => "RESOLVE_EXCEPTION",
            Self::AddNote => "ADD_NOTE",
            Self::ChangeTags => "CHANGE_TAGS",
        }
    }
}

impl Order {
    /// What this party may do with it next.
    #[must_use]
    pub fn allowed_actions(&self, party: Party) -> Vec<Action> {
        if !self.exists() {
            return Vec::new();
        }
        let mut actions = Vec::new();
        let mut add = |action, allowed: bool| {
            if allowed {
                actions.push(action);
            }
        };
        add(Action::Pay, !self.is_over() && self.outstanding() > Decimal::ZERO);
        add(Action::Amend, self.is_amendable());
        add(Action::Cancel, self.is_cancellable(party));
        add(Action::RequestReturn, self.is_returnable(party));
        if party == Party::Customer {
            return actions;
        }
        let shippable = self.must_be_shippable().is_ok();
        let announced = self.returns.iter().any(|found| found.status == ReturnStatus::Requested);
        let fillable = self.lines.iter().any(|line| self.unassigned(line) > 0);
        let loaded = self
            .shipments
            .iter()
            .any(|shipment| shipment.status == ShipmentStatus::Planned && !shipment.lines.is_empty());
        add(Action::Hold, self.is_holdable());
        add(Action::Resume, self.hold.is_some());
        add(Action::StartProcessing, self.status() == crate::OrderStatus::Confirmed);
        add(Action::CreateShipment, shippable && fillable);
        add(Action::Dispatch, shippable && loaded);
        add(Action::Deliver, self.is_underway());
        add(Action::ReceiveReturn, announced);
        add(Action::RejectReturn, announced);
        add(Action::Refund, self.refundable_total() > Decimal::ZERO);
        add(Action::Complete, self.is_completable());
        add(Action::ResolveException, self.has_open_exception());
        add(Action::AddNote, true);
        add(Action::ChangeTags, true);
        actions
    }

    /// Whether a person has something to look at.
    #[must_use]
    pub fn has_open_exception(&self) -> bool {
        self.exceptions.iter().any(|exception| exception.resolved_at.is_none())
    }

    /// What it waits for, and until when; none where nothing more is to happen.
    #[must_use]
    pub fn waiting_for(&self, return_window: TimeDelta) -> Option<WaitingFor> {
        if !self.exists() {
            return None;
        }
        let now_or_never = |reason| Some(WaitingFor { reason, until: None });
        let refunds = self.refunds.iter().any(|refund| refund.status == RefundStatus::Requested);
        let awaited = self.returns.iter().any(|found| found.status == ReturnStatus::Requested);
        let open = !self.is_over() && self.lines.iter().any(|line| line.open() > 0);
        if self.hold.is_some() {
            now_or_never(WaitingReason::Hold)
        } else if self.has_open_exception() {
            now_or_never(WaitingReason::Exception)
        } else if open && self.stock_was_released() {
            Some(WaitingFor { reason: WaitingReason::Stock, until: self.expires() })
        } else if open && !self.covered() {
            Some(WaitingFor { reason: WaitingReason::Payment, until: self.expires() })
        } else if open && self.shipping_address.is_none() {
            now_or_never(WaitingReason::Address)
        } else if open && self.status() == crate::OrderStatus::Confirmed {
            now_or_never(WaitingReason::Processing)
        } else if open {
            now_or_never(WaitingReason::Dispatch)
        } else if self.is_underway() {
            now_or_never(WaitingReason::Delivery)
        } else if awaited {
            now_or_never(WaitingReason::Return)
        } else if refunds {
            now_or_never(WaitingReason::Refund)
        } else if self.is_completable() {
            Some(WaitingFor { reason: WaitingReason::ReturnWindow, until: self.completes(return_window) })
        } else if !self.is_over() && self.outstanding() > Decimal::ZERO {
            now_or_never(WaitingReason::Payment)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Command, testing::*};

    fn reason(history: &[Command]) -> Option<WaitingReason> {
        given(history.to_vec()).order.waiting_for(TimeDelta::days(14)).map(|waiting| waiting.reason)
    }

    #[test]
    fn every_step_says_what_it_waits_for() {
        let mut history = vec![place()];
        let mut step = |more: Option<Command>, awaited| {
            history.extend(more);
            assert_eq!(reason(&history), awaited, "{:?}", history.last());
        };
        step(None, Some(WaitingReason::Payment));
        step(Some(pay("p", "39.00")), Some(WaitingReason::Processing));
        step(Some(set_status("PROCESSING")), Some(WaitingReason::Dispatch));
        step(Some(set_status("SHIPPED")), Some(WaitingReason::Delivery));
        step(Some(set_status("DELIVERED")), Some(WaitingReason::ReturnWindow));
        step(Some(request_return(1, Party::Customer, &[pieces(1, 1)])), Some(WaitingReason::Return));
        step(Some(receive_return(1, None)), Some(WaitingReason::ReturnWindow));
        step(Some(refund(1, crate::RefundWhat::Lines(vec![pieces(1, 1)]))), Some(WaitingReason::Refund));
        step(Some(complete_refund(1)), Some(WaitingReason::ReturnWindow));
        step(Some(set_status("COMPLETED")), None);
    }

    #[test]
    fn a_covered_order_without_an_address_waits_for_one() {
        let placing = crate::PlaceOrder { shipping_address: None, ..placing() };
        assert_eq!(reason(&[placing.into(), pay("p", "39.00")]), Some(WaitingReason::Address));
    }

    #[test]
    fn an_order_that_is_over_waits_for_its_refund_and_then_for_nothing() {
        let history = [place(), pay("p", "39.00"), cancel(Party::Customer)];
        assert_eq!(reason(&history), Some(WaitingReason::Refund));
        assert_eq!(reason(&[history.as_slice(), &[complete_refund(80)]].concat()), None);
    }

    #[test]
    fn an_order_on_credit_waits_for_its_payment_to_the_last() {
        let mut history =
            vec![place_on_credit(), set_status("SHIPPED"), set_status("DELIVERED"), set_status("COMPLETED")];
        assert_eq!(reason(&history), Some(WaitingReason::Payment));
        history.push(pay("p", "39.00"));
        assert_eq!(reason(&history), None);
    }

    #[test]
    fn a_customer_may_pay_amend_and_cancel_and_later_send_back() {
        let order = given([place()]).order;
        assert_eq!(order.allowed_actions(Party::Customer), [Action::Pay, Action::Amend, Action::Cancel]);
        let processing = given([place(), pay("p", "39.00"), set_status("PROCESSING")]).order;
        assert_eq!(processing.allowed_actions(Party::Customer), [Action::Amend]);
        assert!(processing.allowed_actions(Party::Staff).contains(&Action::Cancel));
        let delivered = given([place_on_credit(), set_status("SHIPPED"), set_status("DELIVERED")]).order;
        assert_eq!(delivered.allowed_actions(Party::Customer), [Action::Pay, Action::RequestReturn]);
    }
}
