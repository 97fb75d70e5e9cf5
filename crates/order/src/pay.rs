//! What payment providers report: facts, which are never refused for being late or repeated. A capture
//! that comes when the order is over goes back, unless its stock could be reserved anew.

use crate::{
    FieldError, ImportedPayment, Order, Rejection,
    exception::{About, exception},
    order::{PaymentState, ReservationState},
    pricing::LARGEST_AMOUNT,
    refund::give_back,
};
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use shared_events::{
    ExceptionId, Money, RefundId,
    order::{
        OrderConfirmed, OrderEvent, PaymentAuthorized, PaymentCompleted, PaymentFailed, PaymentMethod, PaymentVoided,
        RefundCause, StockReleased,
    },
};

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
    /// Until when an order that is still not covered waits for the rest.
    pub expires_at: Option<DateTime<Utc>>,
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
    /// was given up, and which was not cancelled.
    #[must_use]
    pub fn wants_stock_back(&self, captured: Money) -> bool {
        let gave_up = self.reservation.is_some_and(|held| held.state == ReservationState::Released);
        if !self.exists() || !gave_up || self.cancellation.is_some() {
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
        let mut events = vec![OrderEvent::from(PaymentAuthorized {
            payment_id: self.payment_id,
            provider: self.provider,
            method: self.method.unwrap_or(order.payment_method),
            amount: self.amount.amount(),
            currency: self.amount.currency(),
            expires_at: if extends { self.expires_at.max(order.expires_at) } else { None },
            occurred_at: self.now,
        })];
        confirm_if_covered(order, &mut events, self.now);
        Ok(events)
    }
}

impl CompletePayment {
    pub(crate) fn decide(self, order: &Order) -> Result<Vec<OrderEvent>, Rejection> {
        check(order, &self.payment_id, self.amount)?;
        if order.payment(&self.payment_id).is_some_and(|payment| payment.status == PaymentState::Completed) {
            return Ok(Vec::new());
        }
        let gave_up = order.reservation.is_some_and(|held| held.state == ReservationState::Released);
        let revision = self.reservation_revision.filter(|_| gave_up && order.cancellation.is_none());
        let payment = ImportedPayment {
            payment_id: self.payment_id.clone(),
            provider: self.provider,
            method: self.method.unwrap_or(order.payment_method),
            amount: self.amount,
            occurred_at: self.now,
        };
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
        confirm_if_covered(order, &mut events, self.now);
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

/// Appends OrderConfirmed where these events first cover the total.
pub(crate) fn confirm_if_covered(order: &Order, events: &mut Vec<OrderEvent>, now: DateTime<Utc>) {
    if !order.covered() && order.after(events).covered() {
        events.push(OrderConfirmed { occurred_at: now }.into());
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
