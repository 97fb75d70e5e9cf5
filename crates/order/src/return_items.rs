//! Returns: delivered pieces that come back. A received return refunds nothing by itself; staff decides.

use crate::{Missing, Order, Rejection, Return, ReturnStatus, command::within};
use chrono::{DateTime, Utc};
use shared_events::{
    DEFAULT, LineId, ReturnId,
    order::{LineQuantity, OrderEvent, Party, ReturnReceived, ReturnRejected, ReturnRequested},
};

/// Something is to come back.
#[derive(Debug, Clone, PartialEq)]
pub struct RequestReturn {
    /// Its id.
    pub return_id: ReturnId,
    /// What.
    pub lines: Vec<LineQuantity>,
    /// Why.
    pub reason: Option<String>,
    /// Who asks.
    pub by: Party,
    /// When.
    pub now: DateTime<Utc>,
}

/// It came back.
#[derive(Debug, Clone, PartialEq)]
pub struct ReceiveReturn {
    /// Which.
    pub return_id: ReturnId,
    /// What came; none is all that was announced.
    pub lines: Option<Vec<LineQuantity>>,
    /// Whether it goes back into stock.
    pub restock: bool,
    /// The stock location it came to; none is the default one.
    pub location: Option<String>,
    /// When.
    pub now: DateTime<Utc>,
}

/// It is not taken back.
#[derive(Debug, Clone, PartialEq)]
pub struct RejectReturn {
    /// Which.
    pub return_id: ReturnId,
    /// Why.
    pub reason: Option<String>,
    /// When.
    pub now: DateTime<Utc>,
}

impl Order {
    /// Pieces of a line that can still be sent back: delivered, and in no return that is open or received.
    #[must_use]
    pub fn returnable(&self, id: LineId) -> u32 {
        let announced = self
            .returns
            .iter()
            .filter(|found| found.status == ReturnStatus::Requested)
            .flat_map(|found| &found.lines)
            .filter(|part| part.line_id == id)
            .fold(0_u32, |sum, part| sum.saturating_add(part.quantity));
        self.line(id).map_or(0, |line| line.delivered.saturating_sub(line.returned).saturating_sub(announced))
    }

    /// Whether this party may send something back now.
    #[must_use]
    pub fn is_returnable(&self, by: Party) -> bool {
        let late = self.completed_at.is_some() && by == Party::Customer;
        !late && self.lines.iter().any(|line| self.returnable(line.line_id) > 0)
    }

    fn must_find_return(&self, id: ReturnId) -> Result<&Return, Rejection> {
        self.find_return(id).ok_or_else(|| Rejection::no(Missing::Return, &id))
    }
}

impl RequestReturn {
    pub(crate) fn decide(self, order: &Order) -> Result<Vec<OrderEvent>, Rejection> {
        if order.find_return(self.return_id).is_some() {
            return Ok(Vec::new());
        }
        let lines = order.named_lines(&self.lines)?;
        if order.lines.iter().all(|line| line.delivered == 0) {
            return Err(order.illegal("nothing of it was delivered"));
        }
        if self.by == Party::Customer && order.completed_at.is_some() {
            return Err(order.illegal("its return window is over"));
        }
        for part in &lines {
            within(*part, order.returnable(part.line_id))?;
        }
        Ok(vec![OrderEvent::from(ReturnRequested {
            return_id: self.return_id,
            lines,
            reason: self.reason,
            by: self.by,
            occurred_at: self.now,
        })])
    }
}

impl ReceiveReturn {
    pub(crate) fn decide(self, order: &Order) -> Result<Vec<OrderEvent>, Rejection> {
        let found = order.must_find_return(self.return_id)?;
        match found.status {
            ReturnStatus::Received => return Ok(Vec::new()),
            ReturnStatus::Rejected => return Err(order.illegal("the return was rejected")),
            ReturnStatus::Requested => {}
        }
        let lines = match self.lines {
            Some(lines) => order.named_lines(&lines)?,
            None => found.lines.clone(),
        };
        for part in &lines {
            let announced = found.lines.iter().find(|announced| announced.line_id == part.line_id);
            within(*part, announced.map_or(0, |announced| announced.quantity))?;
        }
        Ok(vec![OrderEvent::from(ReturnReceived {
            return_id: self.return_id,
            lines,
            restock: self.restock,
            location: self.location.unwrap_or_else(|| DEFAULT.to_owned()),
            occurred_at: self.now,
        })])
    }
}

impl RejectReturn {
    pub(crate) fn decide(self, order: &Order) -> Result<Vec<OrderEvent>, Rejection> {
        match order.must_find_return(self.return_id)?.status {
            ReturnStatus::Rejected => Ok(Vec::new()),
            ReturnStatus::Received => Err(order.illegal("the return was received")),
            ReturnStatus::Requested => Ok(vec![OrderEvent::from(ReturnRejected {
                return_id: self.return_id,
                reason: self.reason,
                occurred_at: self.now,
            })]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Command, OrderStatus, testing::*};

    fn delivered() -> Vec<Command> {
        vec![place(), pay("p", "39.00"), dispatch(Party::Staff, 1), deliver(Party::Staff, 1)]
    }

    fn with(mut history: Vec<Command>, more: impl IntoIterator<Item = Command>) -> Vec<Command> {
        history.extend(more);
        history
    }

    #[test]
    fn delivered_pieces_can_be_sent_back() {
        let order = given(delivered()).when(request_return(1, Party::Customer, &[pieces(1, 1)]));
        assert_eq!(order.then(&["ReturnRequested"]).status(), OrderStatus::Delivered);
        let history = with(delivered(), [request_return(1, Party::Customer, &[pieces(1, 1)])]);
        let order = given(history).when(receive_return(1, None)).then(&["ReturnReceived"]);
        assert_eq!((order.status(), order.lines[0].returned), (OrderStatus::PartiallyReturned, 1));
        assert!(order.refunds.is_empty(), "a received return refunds nothing by itself");
    }

    #[test]
    fn everything_back_is_returned() {
        let all = [pieces(1, 2), pieces(2, 3)];
        let history = with(delivered(), [request_return(1, Party::Customer, &all)]);
        let order = given(history).when(receive_return(1, None)).then(&["ReturnReceived"]);
        assert_eq!(order.status(), OrderStatus::Returned);
    }

    #[test]
    fn no_more_comes_back_than_was_delivered_or_announced() {
        let history = with(delivered(), [request_return(1, Party::Customer, &[pieces(1, 1)])]);
        let more = request_return(2, Party::Customer, &[pieces(1, 2)]);
        given(history.clone()).when(more).then_rejected("QUANTITY_EXCEEDED");
        given(history.clone()).when(receive_return(1, Some(&[pieces(1, 2)]))).then_rejected("QUANTITY_EXCEEDED");
        given(history.clone()).when(receive_return(1, Some(&[pieces(2, 1)]))).then_rejected("QUANTITY_EXCEEDED");
        given(history).when(receive_return(1, Some(&[]))).then_invalid("/lines");
        given(delivered()).when(request_return(1, Party::Staff, &[pieces(9, 1)])).then_invalid("/lines/0/lineId");
    }

    #[test]
    fn nothing_comes_back_before_it_was_delivered() {
        let history = [place(), pay("p", "39.00"), dispatch(Party::Staff, 1)];
        given(history).when(request_return(1, Party::Customer, &[pieces(1, 1)])).then_rejected("ILLEGAL_TRANSITION");
    }

    #[test]
    fn after_completion_only_staff_takes_something_back() {
        let history = with(delivered(), [set_status("COMPLETED")]);
        let by = |party| request_return(1, party, &[pieces(1, 1)]);
        given(history.clone()).when(by(Party::Customer)).then_rejected("ILLEGAL_TRANSITION");
        given(history).when(by(Party::Staff)).then(&["ReturnRequested"]);
    }

    #[test]
    fn a_return_is_requested_received_and_rejected_once() {
        let history = with(delivered(), [request_return(1, Party::Customer, &[pieces(1, 1)])]);
        let reject = || RejectReturn { return_id: return_id(1), reason: None, now: later(12) };
        given(history.clone()).when(request_return(1, Party::Customer, &[pieces(1, 1)])).then_nothing();
        let received = with(history.clone(), [receive_return(1, None)]);
        given(received.clone()).when(receive_return(1, None)).then_nothing();
        given(received).when(reject()).then_rejected("ILLEGAL_TRANSITION");
        given(history.clone()).when(reject()).then(&["ReturnRejected"]);
        let rejected = with(history, [reject().into()]);
        given(rejected.clone()).when(reject()).then_nothing();
        given(rejected.clone()).when(receive_return(1, None)).then_rejected("ILLEGAL_TRANSITION");
        assert_eq!(given(rejected).order.returnable(line_id(1)), 2);
        given(delivered()).when(receive_return(7, None)).then_rejected("NOT_FOUND");
        given(delivered()).when(reject()).then_rejected("NOT_FOUND");
    }
}
