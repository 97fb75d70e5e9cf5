//! Giving money back: by staff's decision, or because the order shrank. A refund is asked for here,
//! carried out by the payment provider, and its outcome is reported as a fact.

use crate::{
    FieldError, Missing, Order, Rejection,
    amounts::{minus, portion, sum},
    command::within,
    exception::{About, exception},
    order::{Refund, RefundStatus},
};
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use shared_events::{
    ExceptionId, Money, RefundId, ReturnId,
    order::{ComponentAmount, LineQuantity, OrderEvent, RefundCause, RefundCompleted, RefundFailed, RefundRequested},
};

/// What is to be given back.
#[derive(Debug, Clone, PartialEq)]
pub enum RefundWhat {
    /// All that can be.
    Everything,
    /// An amount: first of what was captured beyond the order's cost, then of the lines in their order, then
    /// of shipping.
    Amount(Money),
    /// What these pieces cost.
    Lines(Vec<LineQuantity>),
    /// An amount of these lines.
    AmountOfLines(Money, Vec<LineQuantity>),
    /// These amounts of lines and shipping.
    Components(Vec<ComponentAmount>),
}

/// Give money back.
#[derive(Debug, Clone, PartialEq)]
pub struct RequestRefund {
    /// Its id.
    pub refund_id: RefundId,
    /// What.
    pub what: RefundWhat,
    /// Why.
    pub reason: Option<String>,
    /// The return it is for.
    pub return_id: Option<ReturnId>,
    /// When.
    pub now: DateTime<Utc>,
}

/// The money went back.
#[derive(Debug, Clone, PartialEq)]
pub struct CompleteRefund {
    /// The refund.
    pub refund_id: RefundId,
    /// The provider's own reference.
    pub provider_reference: Option<String>,
    /// The id of an exception, should one be necessary.
    pub exception_id: ExceptionId,
    /// When.
    pub now: DateTime<Utc>,
}

/// The money could not be sent back.
#[derive(Debug, Clone, PartialEq)]
pub struct FailRefund {
    /// The refund.
    pub refund_id: RefundId,
    /// The provider's reason.
    pub reason: Option<String>,
    /// The id of the exception that calls a person.
    pub exception_id: ExceptionId,
    /// When.
    pub now: DateTime<Utc>,
}

impl RequestRefund {
    pub(crate) fn decide(self, order: &Order) -> Result<Vec<OrderEvent>, Rejection> {
        if order.refund(self.refund_id).is_some() {
            return Ok(Vec::new());
        }
        if let Some(id) = self.return_id {
            order.find_return(id).ok_or_else(|| Rejection::no(Missing::Return, &id))?;
        }
        let (amount, components) = self.what.resolve(order)?;
        Ok(vec![OrderEvent::from(RefundRequested {
            refund_id: self.refund_id,
            amount: order.currency.round(amount),
            currency: order.currency,
            components,
            cause: if self.return_id.is_some() { RefundCause::Return } else { RefundCause::Requested },
            reason: self.reason,
            payment_id: None,
            return_id: self.return_id,
            occurred_at: self.now,
        })])
    }
}

impl RefundWhat {
    /// The amount, and how much of it is of which part.
    fn resolve(self, order: &Order) -> Result<(Decimal, Vec<ComponentAmount>), Rejection> {
        let (parts, excess) = order.refundable();
        let all = order.refundable_total();
        match self {
            Self::Everything if all > Decimal::ZERO => Ok((all, parts)),
            Self::Everything => Err(Rejection::RefundExceedsCaptured { requested: all, refundable: all }),
            Self::Amount(amount) => {
                let amount = checked(order, amount)?;
                if amount > all {
                    return Err(Rejection::RefundExceedsCaptured { requested: amount, refundable: all });
                }
                Ok((amount, take(minus(amount, excess.min(amount)), &parts)))
            }
            Self::Lines(lines) => {
                let components = lines_cost(order, &lines, &parts)?;
                Ok((sum(components.iter().map(|component| component.amount)), components))
            }
            Self::AmountOfLines(amount, lines) => {
                let amount = checked(order, amount)?;
                let named = order.named_lines(&lines)?;
                let is_named = |part: &&ComponentAmount| named.iter().any(|line| part.line_id == Some(line.line_id));
                let parts: Vec<_> = parts.iter().filter(is_named).copied().collect();
                let refundable = sum(parts.iter().map(|part| part.amount));
                if amount > refundable {
                    return Err(Rejection::RefundExceedsCaptured { requested: amount, refundable });
                }
                Ok((amount, take(amount, &parts)))
            }
            Self::Components(components) => {
                let mut seen = Vec::new();
                for (index, component) in components.iter().enumerate() {
                    checked(order, Money::rounded(component.amount, order.currency))?;
                    if seen.contains(&component.line_id) {
                        return Err(Rejection::invalid(format!("/components/{index}"), "is named twice"));
                    }
                    seen.push(component.line_id);
                    let part = parts.iter().find(|part| part.line_id == component.line_id);
                    let refundable = part.map_or(Decimal::ZERO, |part| part.amount);
                    if component.amount > refundable {
                        return Err(Rejection::RefundExceedsCaptured { requested: component.amount, refundable });
                    }
                }
                if components.is_empty() {
                    return Err(Rejection::invalid("/components", "at least one is needed"));
                }
                Ok((sum(components.iter().map(|component| component.amount)), components))
            }
        }
    }
}

fn checked(order: &Order, amount: Money) -> Result<Decimal, Rejection> {
    let mut errors = Vec::new();
    if amount.amount() <= Decimal::ZERO {
        errors.push(FieldError::new("/amount/amount", "must be above 0"));
    }
    if amount.currency() != order.currency {
        errors.push(FieldError::new("/amount/currency", format!("the order is in {}", order.currency)));
    }
    if errors.is_empty() { Ok(amount.amount()) } else { Err(Rejection::Invalid(errors)) }
}

/// What these pieces cost; the last ones of a line may be a rounding less.
fn lines_cost(
    order: &Order,
    lines: &[LineQuantity],
    parts: &[ComponentAmount],
) -> Result<Vec<ComponentAmount>, Rejection> {
    let mut components = Vec::new();
    for named in order.named_lines(lines)? {
        let Some(line) = order.line(named.line_id) else { continue };
        within(named, line.ordered)?;
        let cost = portion(order.cost_of(line, line.ordered), named.quantity, line.ordered, order.currency);
        let part = parts.iter().find(|part| part.line_id == Some(named.line_id));
        let refundable = part.map_or(Decimal::ZERO, |part| part.amount);
        let rounding = order.currency.minor_unit().saturating_mul(Decimal::from(named.quantity));
        if minus(cost, refundable) >= rounding || refundable <= Decimal::ZERO {
            return Err(Rejection::RefundExceedsCaptured { requested: cost, refundable });
        }
        let amount = cost.min(refundable);
        if amount > Decimal::ZERO {
            components.push(ComponentAmount { line_id: Some(named.line_id), amount });
        }
    }
    if components.is_empty() {
        return Err(Rejection::RefundExceedsCaptured { requested: Decimal::ZERO, refundable: Decimal::ZERO });
    }
    Ok(components)
}

/// Takes an amount from the parts, one after the other.
fn take(amount: Decimal, parts: &[ComponentAmount]) -> Vec<ComponentAmount> {
    let mut left = amount;
    let mut taken = Vec::new();
    for part in parts {
        let share = part.amount.min(left);
        if share > Decimal::ZERO {
            left = minus(left, share);
            taken.push(ComponentAmount { line_id: part.line_id, amount: share });
        }
    }
    taken
}

/// What is here beyond what the order needs, at most so much: the amount and its parts. What exceeded the
/// order comes first, and is in no part.
pub(crate) fn owed(order: &Order, at_most: Option<Decimal>) -> (Decimal, Vec<ComponentAmount>) {
    let (overpaid, parts) = order.overpaid();
    let amount = at_most.map_or(overpaid, |limit| overpaid.min(limit));
    let of_parts = sum(parts.iter().map(|part| part.amount));
    let from_excess = minus(overpaid, of_parts).min(amount);
    (order.currency.round(amount), take(minus(amount, from_excess), &parts))
}

/// The refund of what is here beyond what the order needs, if anything is.
pub(crate) fn give_back(
    order: &Order,
    refund_id: RefundId,
    cause: RefundCause,
    at_most: Option<Decimal>,
    reason: Option<String>,
    now: DateTime<Utc>,
) -> Option<OrderEvent> {
    let (amount, components) = owed(order, at_most);
    let due = amount > Decimal::ZERO && order.refund(refund_id).is_none();
    due.then(|| {
        OrderEvent::from(RefundRequested {
            refund_id,
            amount,
            currency: order.currency,
            components,
            cause,
            reason,
            payment_id: None,
            return_id: None,
            occurred_at: now,
        })
    })
}

impl CompleteRefund {
    pub(crate) fn decide(self, order: &Order) -> Result<Vec<OrderEvent>, Rejection> {
        let refund = order.refund(self.refund_id).ok_or_else(|| Rejection::no(Missing::Refund, &self.refund_id))?;
        if refund.status == RefundStatus::Completed {
            return Ok(Vec::new());
        }
        if refund.status == RefundStatus::Failed && !fits_again(order, refund) {
            let about = About { refund_id: Some(self.refund_id), ..About::default() };
            let detail = "a refund that had failed went back after all, and another one took its place";
            let raised = exception(order, self.exception_id, "REFUNDED_TWICE", detail, about, self.now);
            return Ok(raised.into_iter().collect());
        }
        Ok(vec![OrderEvent::from(RefundCompleted {
            refund_id: self.refund_id,
            provider_reference: self.provider_reference,
            occurred_at: self.now,
        })])
    }
}

/// Whether a failed refund can still be booked: nothing else was given back in its place.
fn fits_again(order: &Order, refund: &Refund) -> bool {
    let (parts, excess) = order.refundable();
    let of_parts = sum(refund.components.iter().map(|component| component.amount));
    minus(refund.amount, of_parts) <= excess
        && refund.components.iter().all(|component| {
            parts.iter().any(|part| part.line_id == component.line_id && part.amount >= component.amount)
        })
}

impl FailRefund {
    pub(crate) fn decide(self, order: &Order) -> Result<Vec<OrderEvent>, Rejection> {
        let refund = order.refund(self.refund_id).ok_or_else(|| Rejection::no(Missing::Refund, &self.refund_id))?;
        let about = About { refund_id: Some(self.refund_id), ..About::default() };
        let (now, id) = (self.now, self.exception_id);
        match refund.status {
            RefundStatus::Failed => Ok(Vec::new()),
            RefundStatus::Completed if refund.failed_at.is_some() => Ok(Vec::new()),
            RefundStatus::Completed => {
                let detail = "the provider says that a refund failed which it had reported as completed";
                Ok(exception(order, id, "REFUND_FAILED_AFTER_COMPLETION", detail, about, now).into_iter().collect())
            }
            RefundStatus::Requested => {
                let failed = RefundFailed { refund_id: self.refund_id, reason: self.reason, occurred_at: self.now };
                let detail = "the money could not be sent back";
                let mut events = vec![OrderEvent::from(failed)];
                events.extend(exception(order, id, "REFUND_FAILED", detail, about, now));
                Ok(events)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Command, PaymentStatus, testing::*};
    use shared_events::order::Party;

    fn paid() -> Vec<Command> {
        vec![place(), pay("p", "39.00")]
    }

    fn with(mut history: Vec<Command>, more: impl IntoIterator<Item = Command>) -> Vec<Command> {
        history.extend(more);
        history
    }

    fn fail(number: u128) -> Command {
        let (reason, now) = (Some("account closed".to_owned()), later(13));
        FailRefund { refund_id: refund_id(number), reason, exception_id: exception_id(61), now }.into()
    }

    fn parts(order: &Order) -> Vec<(Option<u128>, String)> {
        let components = &order.refunds.last().unwrap().components;
        components.iter().map(|part| (part.line_id.map(|id| id.as_uuid().as_u128()), part.amount.to_string())).collect()
    }

    #[test]
    fn an_amount_is_of_lines_in_their_order_and_of_shipping_last() {
        let order = given(paid()).when(refund(1, RefundWhat::Amount(eur("36.00")))).then(&["RefundRequested"]);
        let expected = [(Some(1), "20.00"), (Some(2), "15.00"), (None, "1.00")];
        assert_eq!(parts(&order), expected.map(|(line, amount)| (line, amount.to_owned())));
        assert_eq!(order.payment_status(), PaymentStatus::Paid, "nothing went back yet");
        assert!(order.covered(), "goodwill does not have to be paid again");
    }

    #[test]
    fn lines_are_refunded_with_what_their_pieces_cost() {
        let lines = vec![pieces(2, 2), pieces(1, 1)];
        let order = given(paid()).when(refund(1, RefundWhat::Lines(lines))).then(&["RefundRequested"]);
        assert_eq!(parts(&order), [(Some(1), "10.00".to_owned()), (Some(2), "10.00".to_owned())]);
    }

    #[test]
    fn an_amount_of_lines_is_taken_from_them_alone() {
        let of = |amount| RefundWhat::AmountOfLines(eur(amount), vec![pieces(2, 1)]);
        let order = given(paid()).when(refund(1, of("7.00"))).then(&["RefundRequested"]);
        assert_eq!(parts(&order), [(Some(2), "7.00".to_owned())]);
        given(paid()).when(refund(1, of("15.01"))).then_rejected("REFUND_EXCEEDS_CAPTURED");
    }

    #[test]
    fn shipping_is_a_component_too() {
        let shipping = |amount| RefundWhat::Components(vec![ComponentAmount { line_id: None, amount: dec(amount) }]);
        let order = given(paid()).when(refund(1, shipping("4.00"))).then(&["RefundRequested"]);
        assert_eq!(parts(&order), [(None, "4.00".to_owned())]);
        given(paid()).when(refund(1, shipping("4.01"))).then_rejected("REFUND_EXCEEDS_CAPTURED");
    }

    #[test]
    fn never_more_goes_back_than_was_captured() {
        given(paid()).when(refund(1, RefundWhat::Amount(eur("39.01")))).then_rejected("REFUND_EXCEEDS_CAPTURED");
        given([place()]).when(refund(1, RefundWhat::Everything)).then_rejected("REFUND_EXCEEDS_CAPTURED");
        let authorized = [place(), authorize("p", "39.00")];
        given(authorized).when(refund(1, RefundWhat::Amount(eur("1.00")))).then_rejected("REFUND_EXCEEDS_CAPTURED");
        let half = with(paid(), [refund(1, RefundWhat::Amount(eur("20.00")))]);
        given(half.clone()).when(refund(2, RefundWhat::Amount(eur("19.01")))).then_rejected("REFUND_EXCEEDS_CAPTURED");
        let again = RefundWhat::Lines(vec![pieces(1, 1)]);
        given(half.clone()).when(refund(2, again)).then_rejected("REFUND_EXCEEDS_CAPTURED");
        let order = given(half).when(refund(2, RefundWhat::Everything)).then(&["RefundRequested"]);
        assert_eq!(order.refunds[1].amount, dec("19.00"));
    }

    #[test]
    fn a_refund_is_above_nothing_in_the_orders_currency_of_lines_of_the_order() {
        given(paid()).when(refund(1, RefundWhat::Amount(eur("0.00")))).then_invalid("/amount/amount");
        let dollars = Money::parse("1.00", "USD").unwrap();
        given(paid()).when(refund(1, RefundWhat::Amount(dollars))).then_invalid("/amount/currency");
        given(paid()).when(refund(1, RefundWhat::Lines(vec![pieces(9, 1)]))).then_invalid("/lines/0/lineId");
        let many = RefundWhat::Lines(vec![pieces(1, 3)]);
        given(paid()).when(refund(1, many)).then_rejected("QUANTITY_EXCEEDED");
    }

    #[test]
    fn a_refund_is_asked_for_and_completed_once() {
        let history = with(paid(), [refund(1, RefundWhat::Amount(eur("10.00")))]);
        given(history.clone()).when(refund(1, RefundWhat::Amount(eur("10.00")))).then_nothing();
        let order = given(history.clone()).when(complete_refund(1)).then(&["RefundCompleted"]);
        assert_eq!((order.payment_status(), order.refunded_total()), (PaymentStatus::PartiallyRefunded, dec("10.00")));
        given(with(history, [complete_refund(1)])).when(complete_refund(1)).then_nothing();
        given(paid()).when(complete_refund(1)).then_rejected("NOT_FOUND");
        given(paid()).when(fail(1)).then_rejected("NOT_FOUND");
    }

    #[test]
    fn a_failed_refund_calls_a_person_and_can_be_asked_for_again() {
        let history = with(paid(), [refund(1, RefundWhat::Everything)]);
        let order = given(history.clone()).when(fail(1)).then(&["RefundFailed", "ExceptionRaised"]);
        assert_eq!(order.refundable_total(), dec("39.00"));
        let failed = with(history, [fail(1)]);
        given(failed.clone()).when(fail(1)).then_nothing();
        given(failed.clone()).when(complete_refund(1)).then(&["RefundCompleted"]);
        let again = with(failed, [refund(2, RefundWhat::Everything)]);
        let order = given(again).when(complete_refund(1)).then(&["ExceptionRaised"]);
        assert_eq!(order.exceptions[1].kind, "REFUNDED_TWICE");
    }

    #[test]
    fn a_failure_after_completion_calls_a_person_and_changes_no_money() {
        let history = with(paid(), [refund(1, RefundWhat::Everything), complete_refund(1)]);
        let order = given(history.clone()).when(fail(1)).then(&["ExceptionRaised"]);
        assert_eq!(order.payment_status(), PaymentStatus::Refunded);
        given(with(history, [fail(1)])).when(fail(1)).then_nothing();
    }

    #[test]
    fn a_refund_for_a_return_names_it() {
        let history = with(paid(), [dispatch(Party::Staff, 1), deliver(Party::Staff, 1)]);
        let history = with(history, [request_return(1, Party::Customer, &[pieces(1, 1)]), receive_return(1, None)]);
        let for_return = |number| RequestRefund {
            refund_id: refund_id(1),
            what: RefundWhat::Lines(vec![pieces(1, 1)]),
            reason: None,
            return_id: Some(return_id(number)),
            now: later(12),
        };
        let order = given(history.clone()).when(for_return(1)).then(&["RefundRequested"]);
        assert_eq!((order.refunds[0].cause, order.refunds[0].amount), (RefundCause::Return, dec("10.00")));
        given(history).when(for_return(2)).then_rejected("NOT_FOUND");
    }
}
