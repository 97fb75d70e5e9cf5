//! Exceptions: what happened against the rules, and which a person has to look at. Each is raised once.

use crate::{Missing, Order, Rejection};
use chrono::{DateTime, Utc};
use shared_events::{
    ExceptionId, RefundId, ShipmentId,
    order::{ExceptionRaised, ExceptionResolved, OrderEvent},
};

/// Call a person.
#[derive(Debug, Clone, PartialEq)]
pub struct RaiseException {
    /// Its id.
    pub exception_id: ExceptionId,
    /// What kind, in upper case with underscores.
    pub kind: String,
    /// What happened, in words without personal data.
    pub detail: Option<String>,
    /// When.
    pub now: DateTime<Utc>,
}

/// A person dealt with it.
#[derive(Debug, Clone, PartialEq)]
pub struct ResolveException {
    /// The exception.
    pub exception_id: ExceptionId,
    /// What was done.
    pub note: Option<String>,
    /// When.
    pub now: DateTime<Utc>,
}

/// What an exception is about.
#[derive(Debug, Clone, Default)]
pub(crate) struct About {
    pub(crate) shipment_id: Option<ShipmentId>,
    pub(crate) payment_id: Option<String>,
    pub(crate) refund_id: Option<RefundId>,
}

/// An exception, unless the same was raised before.
pub(crate) fn exception(
    order: &Order,
    exception_id: ExceptionId,
    kind: &str,
    detail: &str,
    about: About,
    now: DateTime<Utc>,
) -> Option<OrderEvent> {
    let raised_before = order.exceptions.iter().any(|known| {
        known.kind == kind
            && known.shipment_id == about.shipment_id
            && known.payment_id == about.payment_id
            && known.refund_id == about.refund_id
    });
    (!raised_before).then(|| {
        OrderEvent::from(ExceptionRaised {
            exception_id,
            kind: kind.to_owned(),
            detail: Some(detail.to_owned()),
            shipment_id: about.shipment_id,
            payment_id: about.payment_id,
            refund_id: about.refund_id,
            occurred_at: now,
        })
    })
}

impl RaiseException {
    pub(crate) fn decide(self, order: &Order) -> Result<Vec<OrderEvent>, Rejection> {
        if order.exceptions.iter().any(|known| known.exception_id == self.exception_id) {
            return Ok(Vec::new());
        }
        Ok(vec![OrderEvent::from(ExceptionRaised {
            exception_id: self.exception_id,
            kind: self.kind,
            detail: self.detail,
            shipment_id: None,
            payment_id: None,
            refund_id: None,
            occurred_at: self.now,
        })])
    }
}

impl ResolveException {
    pub(crate) fn decide(self, order: &Order) -> Result<Vec<OrderEvent>, Rejection> {
        let known = order.exceptions.iter().find(|known| known.exception_id == self.exception_id);
        let known = known.ok_or_else(|| Rejection::no(Missing::Exception, &self.exception_id))?;
        if known.resolved_at.is_some() {
            return Ok(Vec::new());
        }
        Ok(vec![OrderEvent::from(ExceptionResolved {
            exception_id: self.exception_id,
            note: self.note,
            occurred_at: self.now,
        })])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{WaitingReason, testing::*};
    use chrono::TimeDelta;

    fn raise() -> RaiseException {
        RaiseException { exception_id: exception_id(1), kind: "LOOK".to_owned(), detail: None, now: later(1) }
    }

    fn resolve(number: u128) -> ResolveException {
        ResolveException { exception_id: exception_id(number), note: Some("done".to_owned()), now: later(2) }
    }

    #[test]
    fn an_exception_is_waited_for_until_a_person_has_dealt_with_it() {
        let order = given([place()]).when(raise()).then(&["ExceptionRaised"]);
        assert_eq!(order.waiting_for(TimeDelta::days(14)).unwrap().reason, WaitingReason::Exception);
        let order = given([place(), raise().into()]).when(resolve(1)).then(&["ExceptionResolved"]);
        assert!(!order.has_open_exception());
    }

    #[test]
    fn it_is_raised_and_resolved_once() {
        given([place(), raise().into()]).when(raise()).then_nothing();
        given([place(), raise().into(), resolve(1).into()]).when(resolve(1)).then_nothing();
        given([place()]).when(resolve(1)).then_rejected("NOT_FOUND");
    }
}
