//! What payment providers report: facts, which are never refused for being late or repeated. A capture
//! that comes when the order is over goes back, unless its stock could be reserved anew; one that would cover
//! an order whose stock is gone cancels it and goes back as well.

use crate::{
    FieldError, ImportedPayment, Order, Rejection,
    exception::{About, exception},
    order::{PaymentState, ReservationState},
    pricing::LARGEST_AMOUNT,
    refund::give_back,
};
use chrono::{DateTime, TimeDelta, Utc};
use rust_decimal::Decimal;
use shared_events::{
    ExceptionId, Money, RefundId,
    order::{
        OrderCancelled, OrderConfirmed, OrderEvent, Party, PaymentAuthorized, PaymentCompleted, PaymentFailed,
        PaymentMethod, PaymentVoided, RefundCause, StockReleased,
    },
};

/// How long an order waits for its payment, by the method it is to be paid with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PaymentWindows {
    /// The shop's patience with cards and everything else that is fast.
    pub usual: TimeDelta,
    /// A bank transfer takes days.
    pub bank_transfer: TimeDelta,
}

impl PaymentWindows {
    /// The window of a method.
    #[must_use]
    pub fn of(self, method: PaymentMethod) -> TimeDelta {
        if method == PaymentMethod::BankTransfer { self.bank_transfer } else { self.usual }
    }

    /// When a window that begins now ends.
    #[must_use]
    pub fn end(self, method: PaymentMethod, now: DateTime<Utc>) -> DateTime<Utc> {
        now.checked_add_signed(self.of(method)).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }
}

/// A provider holds money for it.
#[derive(Debug, Clone, PartialEq)]
pub struct AuthorizePayment {
    /// The provider's own reference.
    pub payment_id: String,
    /// Which provider.
    pub provider: Option<String>,
    /// The method, where it is not the order's own.
    pub method: Option<PaymentMethod>,
    /// How much.
    pub amount: Money,
    /// How long an order that is still not covered waits for the rest, by method.
    pub windows: PaymentWindows,
    /// The id of an exception, should one be necessary.
    pub exception_id: ExceptionId,
    /// When.
    pub now: DateTime<Utc>,
}

/// Money was captured.
#[derive(Debug, Clone, PartialEq)]
pub struct CompletePayment {
    /// The provider's own reference.
    pub payment_id: String,
    /// Which provider.
    pub provider: Option<String>,
    /// The method, where it is not the order's own.
    pub method: Option<PaymentMethod>,
    /// How much.
    pub amount: Money,
    /// The revision by which the order's stock was reserved anew, where [`Order::wants_stock_back`] said so.
    pub reservation_revision: Option<i32>,
    /// The id of a refund, should one be necessary.
    pub refund_id: RefundId,
    /// The id of an exception, should one be necessary.
    pub exception_id: ExceptionId,
    /// When.
    pub now: DateTime<Utc>,
}

/// An attempt to pay failed. With the reason `final` no other will come.
#[derive(Debug, Clone, PartialEq)]
pub struct FailPayment {
    /// The provider's own reference.
    pub payment_id: String,
    /// Which provider.
    pub provider: Option<String>,
    /// The method, where it is not the order's own.
    pub method: Option<PaymentMethod>,
    /// How much.
    pub amount: Money,
    /// The provider's reason.
    pub reason: Option<String>,
    /// When.
    pub now: DateTime<Utc>,
}

/// Held money was given back.
#[derive(Debug, Clone, PartialEq)]
pub struct VoidPayment {
    /// The provider's own reference.
    pub payment_id: String,
    /// How much.
    pub amount: Money,
    /// Why.
    pub reason: Option<String>,
    /// When.
    pub now: DateTime<Utc>,
}

impl Order {
    /// Whether stock should be reserved anew before this capture is decided: it covers an order whose stock
    /// was given up, and which was not cancelled, and it was not reported before.
    #[must_use]
    pub fn wants_stock_back(&self, payment_id: &str, captured: Money) -> bool {
        let known = self.payment(payment_id).is_some_and(|payment| payment.status == PaymentState::Completed);
        if known || captured.currency() != self.currency {
            return false;
        }
        if !self.exists() || !self.stock_was_released() || self.cancellation.is_some() {
            return false;
        }
        let mut revived = self.clone();
        revived.expired_at = None;
        revived.payment_method.is_credit() || revived.outstanding() <= captured.amount()
    }
}

impl AuthorizePayment {
    pub(crate) fn decide(self, order: &Order) -> Result<Vec<OrderEvent>, Rejection> {
        check(order, &self.payment_id, self.amount)?;
        let known = order.payment(&self.payment_id);
        if known.is_some_and(|payment| payment.authorized_at.is_some() || payment.status != PaymentState::Failed) {
            return Ok(Vec::new());
        }
        let extends = !order.is_over() && order.expires_at.is_some();
        let method = self.method.unwrap_or(order.payment_method);
        let window = Some(self.windows.end(method, self.now));
        let mut events = vec![OrderEvent::from(PaymentAuthorized {
            payment_id: self.payment_id,
            provider: self.provider,
            method,
            amount: self.amount.amount(),
            currency: self.amount.currency(),
            expires_at: if extends { window.max(order.expires_at) } else { None },
            occurred_at: self.now,
        })];
        confirm_if_covered(order, &mut events, self.exception_id, self.now);
        Ok(events)
    }
}

impl CompletePayment {
    pub(crate) fn decide(self, order: &Order) -> Result<Vec<OrderEvent>, Rejection> {
        check(order, &self.payment_id, self.amount)?;
        if order.payment(&self.payment_id).is_some_and(|payment| payment.status == PaymentState::Completed) {
            return Ok(Vec::new());
        }
        let may_revive = order.stock_was_released() && order.cancellation.is_none();
        let revision = self.reservation_revision.filter(|_| may_revive);
        let payment = ImportedPayment {
            payment_id: self.payment_id.clone(),
            provider: self.provider,
            method: self.method.unwrap_or(order.payment_method),
            amount: self.amount,
            occurred_at: self.now,
        };
        if revision.is_none() && order.lacks_stock() {
            let paid = order.after(&[capture(order, payment.clone()).into()]);
            if paid.is_paid_for() {
                return Ok(cancel_without_stock(order, payment, self.refund_id));
            }
        }
        let mut living = order.clone();
        if revision.is_some() {
            living.expired_at = None;
        }
        let mut event = capture(&living, payment);
        event.reservation_revision = revision;
        let mut events = vec![OrderEvent::from(event)];
        let next = order.after(&events);
        if next.is_over() {
            let captured = Some(self.amount.amount());
            events.extend(give_back(&next, self.refund_id, RefundCause::LateCapture, captured, None, self.now));
            return Ok(events);
        }
        confirm_if_covered(order, &mut events, self.exception_id, self.now);
        if next.refundable().1 > order.refundable().1 {
            let about = About { payment_id: Some(self.payment_id), ..About::default() };
            let detail = "more was captured than the order costs";
            events.extend(exception(order, self.exception_id, "OVERPAID", detail, about, self.now));
        }
        Ok(events)
    }
}

impl FailPayment {
    pub(crate) fn decide(self, order: &Order) -> Result<Vec<OrderEvent>, Rejection> {
        check(order, &self.payment_id, self.amount)?;
        let is_final = self.reason.as_deref().is_some_and(|reason| reason.eq_ignore_ascii_case("final"));
        let held = order.reservation.filter(|held| held.state != ReservationState::Released);
        let known = order.payment(&self.payment_id).map(|payment| payment.status);
        let mut failed = order.clone();
        for payment in failed.payments.iter_mut().filter(|payment| payment.payment_id == self.payment_id) {
            payment.authorized = Decimal::ZERO;
        }
        let gives_up = is_final && !order.is_over() && !failed.covered() && !order.was_dispatched();
        let released = held.filter(|_| gives_up);
        match known {
            Some(PaymentState::Completed | PaymentState::Voided) => return Ok(Vec::new()),
            Some(PaymentState::Failed) if released.is_none() => return Ok(Vec::new()),
            Some(PaymentState::Failed | PaymentState::Authorized) | None => {}
        }
        let mut events = vec![OrderEvent::from(PaymentFailed {
            payment_id: self.payment_id,
            provider: self.provider,
            method: self.method.unwrap_or(order.payment_method),
            amount: self.amount.amount(),
            currency: self.amount.currency(),
            reason: self.reason,
            is_final,
            occurred_at: self.now,
        })];
        events.extend(released.map(|held| {
            OrderEvent::from(StockReleased {
                reservation_revision: held.revision,
                reason: Some("the payment failed for good".to_owned()),
                occurred_at: self.now,
            })
        }));
        Ok(events)
    }
}

impl VoidPayment {
    pub(crate) fn decide(self, order: &Order) -> Result<Vec<OrderEvent>, Rejection> {
        check(order, &self.payment_id, self.amount)?;
        let known = order.payment(&self.payment_id);
        if known.is_some_and(|payment| payment.status != PaymentState::Authorized) {
            return Ok(Vec::new());
        }
        Ok(vec![OrderEvent::from(PaymentVoided {
            payment_id: self.payment_id,
            amount: known.map_or(self.amount.amount(), |payment| payment.authorized),
            currency: order.currency,
            reason: self.reason,
            occurred_at: self.now,
        })])
    }
}

/// The event of a capture, allocated to the parts of the order that lack money.
pub(crate) fn completed(order: &Order, payment: ImportedPayment) -> Result<OrderEvent, Rejection> {
    check(order, &payment.payment_id, payment.amount)?;
    Ok(capture(order, payment).into())
}

fn capture(order: &Order, payment: ImportedPayment) -> PaymentCompleted {
    PaymentCompleted {
        components: order.allocate(payment.amount.amount()),
        payment_id: payment.payment_id,
        provider: payment.provider,
        method: payment.method,
        amount: payment.amount.amount(),
        currency: payment.amount.currency(),
        reservation_revision: None,
        occurred_at: payment.occurred_at,
    }
}

/// The stock is gone, so nothing can be delivered for the money: the order is over before the capture is
/// recorded, so that at no event it is covered, and all that was captured goes back.
fn cancel_without_stock(order: &Order, payment: ImportedPayment, refund_id: RefundId) -> Vec<OrderEvent> {
    let reason = Some("the stock is gone".to_owned());
    let now = payment.occurred_at;
    let mut events = vec![OrderEvent::from(OrderCancelled {
        reason: reason.clone(),
        lines: order.open_lines(),
        by: Party::System,
        occurred_at: now,
    })];
    events.push(capture(&order.after(&events), payment).into());
    let next = order.after(&events);
    events.extend(give_back(&next, refund_id, RefundCause::LateCapture, None, reason, now));
    events
}

/// Appends OrderConfirmed where these events first cover the total. Where they do and the stock was given up, a
/// person is called instead, and the order still expires.
pub(crate) fn confirm_if_covered(
    order: &Order,
    events: &mut Vec<OrderEvent>,
    exception_id: ExceptionId,
    now: DateTime<Utc>,
) {
    let next = order.after(events);
    if !order.covered() && next.covered() {
        events.push(OrderConfirmed { occurred_at: now }.into());
    } else if !order.is_paid_for() && next.is_paid_for() && next.lacks_stock() {
        let detail = "payment covers the order, and its stock was given up";
        events.extend(exception(order, exception_id, "STOCK_GONE", detail, About::default(), now));
    }
}

fn check(order: &Order, payment_id: &str, amount: Money) -> Result<(), Rejection> {
    let mut errors = Vec::new();
    if payment_id.is_empty() || payment_id.len() > 200 || !payment_id.bytes().all(|byte| byte.is_ascii_graphic()) {
        errors.push(FieldError::new("/paymentId", "must be 1 to 200 visible ASCII characters"));
    }
    if amount.amount() <= Decimal::ZERO || amount.amount() > LARGEST_AMOUNT {
        errors.push(FieldError::new("/amount/amount", format!("must be above 0 and at most {LARGEST_AMOUNT}")));
    }
    if amount.currency() != order.currency {
        errors.push(FieldError::new("/amount/currency", format!("the order is in {}", order.currency)));
    }
    if errors.is_empty() { Ok(()) } else { Err(Rejection::Invalid(errors)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Command, OrderStatus, PaymentStatus, PlaceOrder, WaitingReason, testing::*};

    fn void(payment_id: &str) -> Command {
        let (payment_id, reason) = (payment_id.to_owned(), None);
        VoidPayment { payment_id, amount: eur("39.00"), reason, now: later(3) }.into()
    }

    fn expire() -> Command {
        crate::ExpireOrder { refund_id: refund_id(85), now: later(30) }.into()
    }

    #[test]
    fn the_payment_that_first_covers_the_total_confirms_the_order() {
        let order = given([place()]).when(pay("p", "39.00")).then(&["PaymentCompleted", "OrderConfirmed"]);
        assert_eq!((order.status(), order.payment_status()), (OrderStatus::Confirmed, PaymentStatus::Paid));
        assert_eq!(order.expires(), None);
    }

    #[test]
    fn parts_of_the_total_confirm_it_together() {
        let order = given([place()]).when(pay("p", "38.99")).then(&["PaymentCompleted"]);
        assert_eq!((order.status(), order.payment_status()), (OrderStatus::Pending, PaymentStatus::PartiallyPaid));
        given([place(), pay("p", "38.99")]).when(pay("q", "0.01")).then(&["PaymentCompleted", "OrderConfirmed"]);
    }

    #[test]
    fn a_capture_falls_to_lines_in_their_order_and_to_shipping_last() {
        let order = given([place()]).when(pay("p", "36.00")).then(&["PaymentCompleted"]);
        let captured: Vec<_> = order.ledger.components.iter().map(|part| (part.line_id, part.captured)).collect();
        assert_eq!(captured, [(Some(line_id(1)), dec("20.00")), (Some(line_id(2)), dec("15.00")), (None, dec("1.00"))]);
    }

    #[test]
    fn an_authorisation_covers_and_extends_the_payment_window() {
        let order = given([place()]).when(authorize("p", "39.00")).then(&["PaymentAuthorized", "OrderConfirmed"]);
        assert_eq!((order.status(), order.payment_status()), (OrderStatus::Confirmed, PaymentStatus::Authorized));
        assert_eq!(order.expires_at, Some(later(60)));
        let order = given([place()]).when(authorize("p", "10.00")).then(&["PaymentAuthorized"]);
        assert_eq!((order.expires(), order.payment_status()), (Some(later(60)), PaymentStatus::Pending));
    }

    #[test]
    fn the_window_of_an_authorisation_is_that_of_its_method_and_never_shorter_than_what_is_left() {
        let Command::AuthorizePayment(usual) = authorize("p", "10.00") else { unreachable!() };
        let transfer = AuthorizePayment { method: Some(PaymentMethod::BankTransfer), ..usual.clone() };
        assert_eq!(given([place()]).when(transfer).order.expires(), Some(later(60 * 24 * 5 + 1)));
        let placing = PlaceOrder { payment_method: PaymentMethod::BankTransfer, expires_at: later(7200), ..placing() };
        let own = given([placing.clone().into()]).when(usual.clone());
        assert_eq!(own.order.expires(), Some(later(60 * 24 * 5 + 1)), "the order's own where the report names none");
        let card = AuthorizePayment { method: Some(PaymentMethod::Card), ..usual.clone() };
        assert_eq!(given([placing.into()]).when(card).order.expires(), Some(later(7200)));
        let endless = PaymentWindows { usual: TimeDelta::MAX, bank_transfer: TimeDelta::MAX };
        let order = given([place()]).when(AuthorizePayment { windows: endless, ..usual }).then(&["PaymentAuthorized"]);
        assert_eq!(order.expires(), Some(DateTime::<Utc>::MAX_UTC));
    }

    #[test]
    fn capturing_an_authorisation_uses_it_up() {
        let order = given([place(), authorize("p", "39.00")]).when(pay("p", "39.00")).then(&["PaymentCompleted"]);
        assert_eq!((order.authorized_total(), order.paid_total()), (dec("0"), dec("39.00")));
    }

    #[test]
    fn the_same_payment_changes_nothing_however_it_is_repeated() {
        given([place(), pay("p", "39.00")]).when(pay("p", "39.00")).then_nothing();
        given([place(), pay("p", "39.00")]).when(pay("p", "5.00")).then_nothing();
        given([place(), pay("p", "39.00")]).when(authorize("p", "39.00")).then_nothing();
        given([place(), pay("p", "39.00")]).when(fail_payment("p", None)).then_nothing();
        given([place(), pay("p", "39.00")]).when(void("p")).then_nothing();
        given([place(), authorize("p", "39.00")]).when(authorize("p", "39.00")).then_nothing();
        given([place(), fail_payment("p", None)]).when(fail_payment("p", None)).then_nothing();
        given([place(), authorize("p", "39.00"), void("p")]).when(void("p")).then_nothing();
        given([place(), authorize("p", "39.00"), void("p")]).when(authorize("p", "39.00")).then_nothing();
    }

    #[test]
    fn a_failed_payment_keeps_the_reservation_so_that_the_customer_can_try_again() {
        let order = given([place()]).when(fail_payment("p", Some("card declined"))).then(&["PaymentFailed"]);
        assert_eq!((order.status(), order.payment_status()), (OrderStatus::Pending, PaymentStatus::Failed));
        assert_eq!(order.held_quantities().len(), 2);
        given([place(), fail_payment("p", None)]).when(pay("q", "39.00")).then(&["PaymentCompleted", "OrderConfirmed"]);
    }

    #[test]
    fn an_attempt_that_failed_may_succeed_under_the_same_reference() {
        let history = [place(), fail_payment("p", None)];
        given(history).when(pay("p", "39.00")).then(&["PaymentCompleted", "OrderConfirmed"]);
    }

    #[test]
    fn a_final_failure_gives_up_the_stock_at_once() {
        let order = given([place()]).when(fail_payment("p", Some("final"))).then(&["PaymentFailed", "StockReleased"]);
        assert_eq!(order.status(), OrderStatus::Pending);
        assert!(order.held_quantities().is_empty());
        let waiting = order.waiting_for(TimeDelta::days(14)).unwrap();
        assert_eq!((waiting.reason, waiting.until), (WaitingReason::Stock, Some(later(30))));
        let history = [place(), fail_payment("p", None)];
        given(history).when(fail_payment("p", Some("final"))).then(&["PaymentFailed", "StockReleased"]);
        let covered = [place(), pay("q", "39.00")];
        given(covered).when(fail_payment("p", Some("final"))).then(&["PaymentFailed"]);
    }

    #[test]
    fn a_payment_after_the_stock_was_given_up_takes_it_back() {
        let history = [place(), fail_payment("p", Some("final"))];
        let order = given(history.clone()).order;
        assert!(order.wants_stock_back("q", eur("39.00")));
        let again = CompletePayment { reservation_revision: Some(2), ..captured("q", "39.00") };
        let order = given(history).when(again).then(&["PaymentCompleted", "OrderConfirmed"]);
        assert_eq!((order.reservation_revision(), order.held_quantities().len()), (2, 2));
    }

    #[test]
    fn a_payment_whose_stock_is_gone_cancels_the_order_and_goes_back_without_ever_covering_it() {
        let history = [place(), pay("o", "10.00"), fail_payment("p", Some("final"))];
        let before = given(history.clone()).order;
        let then = given(history).when(pay("q", "29.00"));
        let mut step = before;
        for event in then.outcome.as_ref().unwrap() {
            step.apply(event);
            assert!(!step.covered(), "no invoice may result");
        }
        let order = then.then(&["OrderCancelled", "PaymentCompleted", "RefundRequested"]);
        assert_eq!((order.status(), order.confirmed_at), (OrderStatus::Cancelled, None));
        assert_eq!((order.refunds[0].amount, order.refunds[0].cause), (dec("39.00"), RefundCause::LateCapture));
        let cancellation = order.cancellation.unwrap();
        assert_eq!((cancellation.by, cancellation.reason.as_deref()), (Party::System, Some("the stock is gone")));
    }

    #[test]
    fn a_part_of_the_money_without_stock_is_recorded_and_waits_for_stock() {
        let history = [place(), fail_payment("p", Some("final"))];
        let order = given(history).when(pay("q", "38.00")).then(&["PaymentCompleted"]);
        assert_eq!((order.status(), order.expires()), (OrderStatus::Pending, Some(later(30))));
    }

    #[test]
    fn an_authorisation_without_stock_calls_a_person_and_confirms_once_stock_is_back() {
        let history = [place(), fail_payment("p", Some("final"))];
        let order =
            given(history.clone()).when(authorize("q", "39.00")).then(&["PaymentAuthorized", "ExceptionRaised"]);
        assert_eq!((order.status(), order.exceptions[0].kind.as_str()), (OrderStatus::Pending, "STOCK_GONE"));
        assert_eq!(order.expires(), Some(later(60)));
        let authorized = [history.to_vec(), vec![authorize("q", "39.00")]].concat();
        given(authorized.clone()).when(pay("q", "39.00")).then(&[
            "OrderCancelled",
            "PaymentCompleted",
            "RefundRequested",
        ]);
        given(authorized.clone()).when(set_status("PROCESSING")).then_rejected("ILLEGAL_TRANSITION");
        given(authorized.clone()).when(crate::ConfirmOrder { now: later(4) }).then_rejected("ILLEGAL_TRANSITION");
        let again = crate::ReserveStock { reservation_revision: 2, now: later(4) };
        let order = given(authorized).when(again).then(&["StockConfirmed", "OrderConfirmed"]);
        assert_eq!(order.status(), OrderStatus::Confirmed);
    }

    #[test]
    fn cancelled_lines_do_not_confirm_an_order_without_stock() {
        let history = [place(), pay("o", "20.00"), fail_payment("p", Some("final"))];
        let order = given(history).when(cancel_lines(Party::Staff, &[pieces(1, 2)])).then(&[
            "LineCancelled",
            "ExceptionRaised",
            "RefundRequested",
        ]);
        assert_eq!((order.status(), order.expires()), (OrderStatus::Pending, Some(later(30))));
    }

    #[test]
    fn giving_an_authorisation_back_uncovers_the_order() {
        let order = given([place(), authorize("p", "39.00")]).when(void("p")).then(&["PaymentVoided"]);
        assert_eq!((order.status(), order.payment_status()), (OrderStatus::Pending, PaymentStatus::Voided));
        assert!(!order.covered());
    }

    #[test]
    fn a_capture_on_a_cancelled_order_is_recorded_and_goes_back() {
        let history = [place(), cancel(Party::Customer)];
        let order = given(history).when(pay("p", "39.00")).then(&["PaymentCompleted", "RefundRequested"]);
        assert_eq!(order.status(), OrderStatus::Cancelled);
        assert_eq!((order.refunds[0].amount, order.refunds[0].cause), (dec("39.00"), RefundCause::LateCapture));
        assert_eq!(order.refundable_total(), dec("0"));
    }

    #[test]
    fn a_cancelled_order_stays_cancelled_even_if_stock_was_taken_back() {
        let again = CompletePayment { reservation_revision: Some(2), ..captured("p", "39.00") };
        let order = given([place(), cancel(Party::Staff)]).when(again).then(&["PaymentCompleted", "RefundRequested"]);
        assert_eq!((order.status(), order.reservation_revision()), (OrderStatus::Cancelled, 1));
    }

    #[test]
    fn a_capture_on_an_expired_order_goes_back_where_the_stock_is_gone() {
        let history = [place(), expire()];
        assert!(given(history.clone()).order.wants_stock_back("p", eur("39.00")));
        assert!(!given(history.clone()).order.wants_stock_back("p", eur("38.00")));
        let order = given(history).when(pay("p", "39.00")).then(&["PaymentCompleted", "RefundRequested"]);
        assert_eq!(order.status(), OrderStatus::Expired);
        assert!(!order.wants_stock_back("p", eur("39.00")), "the same report again reserves nothing");
        assert!(order.wants_stock_back("q", eur("39.00")));
    }

    #[test]
    fn a_capture_on_an_expired_order_revives_it_where_the_stock_is_still_there() {
        let again = CompletePayment { reservation_revision: Some(2), ..captured("p", "39.00") };
        let order = given([place(), expire()]).when(again).then(&["PaymentCompleted", "OrderConfirmed"]);
        assert_eq!((order.status(), order.expired_at), (OrderStatus::Confirmed, None));
        assert_eq!(order.held_quantities().values().sum::<u32>(), 5);
        assert_eq!(order.shipments[0].lines, [pieces(1, 2), pieces(2, 3)]);
    }

    #[test]
    fn a_late_authorisation_is_recorded_and_to_be_given_back() {
        let order =
            given([place(), cancel(Party::Customer)]).when(authorize("p", "39.00")).then(&["PaymentAuthorized"]);
        let void = crate::Obligation::Void { payment_id: "p".to_owned(), amount: dec("39.00") };
        assert_eq!(crate::obligations(&order, TimeDelta::days(14)), [void]);
    }

    #[test]
    fn paying_twice_calls_a_person() {
        let history = [place(), pay("p", "39.00")];
        let order = given(history).when(pay("q", "39.00")).then(&["PaymentCompleted", "ExceptionRaised"]);
        assert_eq!(order.exceptions[0].kind, "OVERPAID");
        assert_eq!(order.refundable_total(), dec("78.00"));
    }

    #[test]
    fn a_payment_is_in_the_orders_currency_above_nothing_and_has_a_visible_reference() {
        given([place()]).when(pay("p", "0.00")).then_invalid("/amount/amount");
        given([place()]).when(pay("p", "-1.00")).then_invalid("/amount/amount");
        given([place()]).when(pay("", "1.00")).then_invalid("/paymentId");
        given([place()]).when(pay("a b", "1.00")).then_invalid("/paymentId");
        given([place()]).when(pay(&"p".repeat(201), "1.00")).then_invalid("/paymentId");
        let dollars = Money::parse("39.00", "USD").unwrap();
        let command = CompletePayment { amount: dollars, ..captured("p", "39.00") };
        given([place()]).when(command).then_invalid("/amount/currency");
    }
}
