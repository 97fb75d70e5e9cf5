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
