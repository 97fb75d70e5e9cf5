//! How an order changes with each event. Never fails and never decides: an event is what happened, even
//! where a decision would be another today, so odd facts are bounded here and not refused.

mod goods;

use crate::order::{
    Cancellation, Exception, Hold, Line, Milestone, MilestoneType, Note, Order, Payment, PaymentState, Refund,
    RefundStatus, Reservation, ReservationState, Return, ReturnStatus, ShipmentStatus,
};
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use shared_events::{
    LineId, RefundId, ReturnId,
    order::{
        LineQuantity, OrderAmended, OrderCancelled, OrderEvent, OrderLine, OrderPlaced, PaymentCompleted, RefundCause,
        RefundRequested,
    },
};
use std::collections::HashMap;

impl Order {
    /// The order after one more event.
    #[must_use]
    pub fn evolve(mut self, event: &OrderEvent) -> Self {
        self.apply(event);
        self
    }

    /// The order after an event of a type that this build does not know: only its version moves.
    #[must_use]
    pub fn evolve_unknown(mut self) -> Self {
        self.version = self.version.saturating_add(1);
        self
    }

    /// [`Order::evolve`] in place.
    pub fn apply(&mut self, event: &OrderEvent) {
        self.version = self.version.saturating_add(1);
        let at = occurred_at(event);
        self.updated_at = self.updated_at.max(at);
        match event {
            OrderEvent::OrderPlaced(event) => self.placed(event),
            OrderEvent::OrderAmended(event) => self.amended(event),
            OrderEvent::PaymentAuthorized(event) => {
                self.payment_entry(&event.payment_id, at, |payment| {
                    payment.provider.clone_from(&event.provider);
                    payment.method = Some(event.method);
                    payment.status = PaymentState::Authorized;
                    payment.amount = event.amount;
                    payment.authorized = event.amount;
                    payment.authorized_at = payment.authorized_at.or(Some(at));
                    payment.reason = None;
                });
                if event.expires_at.is_some() {
                    self.expires_at = event.expires_at;
                }
                self.milestone(MilestoneType::PaymentAuthorized, at);
            }
            OrderEvent::PaymentCompleted(event) => self.paid(event),
            OrderEvent::PaymentFailed(event) => {
                self.payment_entry(&event.payment_id, at, |payment| {
                    payment.provider.clone_from(&event.provider);
                    payment.method = Some(event.method);
                    payment.status = PaymentState::Failed;
                    payment.amount = event.amount;
                    payment.authorized = Decimal::ZERO;
                    payment.reason.clone_from(&event.reason);
                });
                self.milestone(MilestoneType::PaymentFailed, at);
            }
            OrderEvent::PaymentVoided(event) => self.payment_entry(&event.payment_id, at, |payment| {
                payment.status = PaymentState::Voided;
                payment.amount = event.amount;
                payment.authorized = Decimal::ZERO;
                payment.reason.clone_from(&event.reason);
            }),
            OrderEvent::StockConfirmed(event) => {
                let state = if event.firm { ReservationState::Firm } else { ReservationState::Held };
                self.reservation = Some(Reservation { revision: event.reservation_revision, state });
            }
            OrderEvent::StockReleased(event) => {
                self.reservation =
                    Some(Reservation { revision: event.reservation_revision, state: ReservationState::Released });
            }
            OrderEvent::OrderConfirmed(_) => {
                self.confirmed_at = self.confirmed_at.or(Some(at));
                self.milestone(MilestoneType::Confirmed, at);
            }
            OrderEvent::OrderHeld(event) => {
                self.hold = Some(Hold { reason: event.reason.clone(), since: at });
                self.milestone(MilestoneType::OnHold, at);
            }
            OrderEvent::OrderResumed(_) => {
                self.hold = None;
                self.milestone(MilestoneType::Resumed, at);
            }
            OrderEvent::ProcessingStarted(_) => {
                self.processing_at = self.processing_at.or(Some(at));
                self.milestone(MilestoneType::Processing, at);
            }
            OrderEvent::ShipmentCreated(event) => self.shipment_created(event),
            OrderEvent::ShipmentDispatched(event) => self.dispatched(event),
            OrderEvent::ShipmentDelivered(event) => self.delivered(event.shipment_id, event.location.as_deref(), at),
            OrderEvent::ShipmentFailed(event) => self.shipment_failed(event),
            OrderEvent::LineCancelled(event) => {
                self.cancel_pieces(event.line_id, event.quantity);
                if let (Some(revision), Some(held)) = (event.reservation_revision, &mut self.reservation) {
                    held.revision = revision;
                }

                self.fit_shipments();
                self.milestone(MilestoneType::LineCancelled, at);
            }
            OrderEvent::OrderCancelled(event) => self.cancelled(event),
            OrderEvent::OrderExpired(_) => {
                self.expired_at = Some(at);
                self.hold = None;
                self.release();
                self.drop_planned_shipments();
                self.milestone(MilestoneType::Expired, at);
            }
            OrderEvent::ReturnRequested(event) => {
                self.returns.push(Return {
                    return_id: event.return_id,
                    status: ReturnStatus::Requested,
                    lines: event.lines.clone(),
                    reason: event.reason.clone(),
                    restocked: false,
                    requested_at: at,
                    closed_at: None,
                });
                self.milestone(MilestoneType::ReturnRequested, at);
            }
            OrderEvent::ReturnReceived(event) => {
                self.each_line(&event.lines, |line, quantity| {
                    line.returned = line.returned.saturating_add(quantity).min(line.delivered);
                });
                self.close_return(event.return_id, at, |found| {
                    found.status = ReturnStatus::Received;
                    found.lines.clone_from(&event.lines);
                    found.restocked = event.restock;
                });
                self.milestone(MilestoneType::Returned, at);
            }
            OrderEvent::ReturnRejected(event) => self.close_return(event.return_id, at, |found| {
                found.status = ReturnStatus::Rejected;
                if event.reason.is_some() {
                    found.reason.clone_from(&event.reason);
                }
            }),
            OrderEvent::RefundRequested(event) => self.refund_requested(event),
            OrderEvent::RefundCompleted(event) => {
                let Some(refund) = self.refund_mut(event.refund_id) else { return };
                let had_failed = refund.status == RefundStatus::Failed;
                refund.status = RefundStatus::Completed;
                refund.completed_at = Some(at);
                refund.provider_reference.clone_from(&event.provider_reference);
                let refund = refund.clone();
                if had_failed {
                    self.ledger.refund(&refund);
                }
                self.milestone(MilestoneType::Refunded, at);
            }
            OrderEvent::RefundFailed(event) => {
                let Some(refund) = self.refund_mut(event.refund_id) else { return };
                let was_booked = refund.status != RefundStatus::Failed;
                refund.status = RefundStatus::Failed;
                refund.failed_at = Some(at);
                refund.reason.clone_from(&event.reason);
                let refund = refund.clone();
                if was_booked {
                    self.ledger.take_refund_back(&refund);
                    self.settle();
                }
            }
            OrderEvent::OrderCompleted(_) => {
                self.completed_at = Some(at);
                self.milestone(MilestoneType::Completed, at);
            }
            OrderEvent::NoteAdded(event) => self.notes.push(Note {
                note_id: event.note_id,
                text: event.text.clone(),
                by: event.by,
                occurred_at: at,
            }),
            OrderEvent::TagsChanged(event) => self.tags.clone_from(&event.tags),
            OrderEvent::ExceptionRaised(event) => self.exceptions.push(Exception {
                exception_id: event.exception_id,
                kind: event.kind.clone(),
                detail: event.detail.clone(),
                shipment_id: event.shipment_id,
                payment_id: event.payment_id.clone(),
                refund_id: event.refund_id,
                raised_at: at,
                resolved_at: None,
                resolution: None,
            }),
            OrderEvent::ExceptionResolved(event) => {
                for exception in self.exceptions.iter_mut().filter(|found| found.exception_id == event.exception_id) {
                    exception.resolved_at = Some(at);
                    exception.resolution.clone_from(&event.note);
                }
            }
            OrderEvent::PersonalDataErased(_) => {
                self.contact = None;
                self.shipping_address = None;
                self.billing_address = None;
                self.note = None;
                for note in &mut self.notes {
                    note.text = None;
                }
                self.erased_at = Some(at);
            }
        }
    }

    fn placed(&mut self, event: &OrderPlaced) {
        let at = event.occurred_at;
        self.number.clone_from(&event.order_number);
        self.customer_id = event.customer_id;
        self.channel.clone_from(&event.channel);
        self.legal_entity.clone_from(&event.legal_entity);
        self.external_id.clone_from(&event.external_id);
        self.attributes.clone_from(&event.attributes);
        self.cart_id = event.cart_id;
        self.quote_id = event.quote_id;
        self.currency = event.currency;
        self.prices_include_tax = event.prices_include_tax;
        self.lines = event.lines.iter().map(new_line).collect();
        self.shipping = event.shipping.clone();
        self.discounts.clone_from(&event.discounts);
        self.totals = event.totals;
        self.payment_method = event.payment_method;
        self.contact.clone_from(&event.contact);
        self.shipping_address.clone_from(&event.shipping_address);
        self.billing_address.clone_from(&event.billing_address);
        self.note.clone_from(&event.note);
        self.foreign_invoice_number.clone_from(&event.foreign_invoice_number);
        self.placed_at = at;
        self.updated_at = at;
        self.expires_at = event.expires_at;
        self.reservation =
            event.reservation_revision.map(|revision| Reservation { revision, state: ReservationState::Held });
        self.shipments = vec![goods::planned(event.shipment_id, at)];
        self.fit_shipments();
        if self.covered() {
            self.confirmed_at = Some(at);
        }
        self.milestone(MilestoneType::Placed, at);
    }

    fn amended(&mut self, event: &OrderAmended) {
        if let Some(lines) = &event.lines {
            self.lines = lines.iter().map(new_line).collect();
        }
        if let Some(shipping) = &event.shipping {
            self.shipping = shipping.clone();
        }
        if let Some(discounts) = &event.discounts {
            self.discounts.clone_from(discounts);
        }
        if let Some(totals) = event.totals {
            self.totals = totals;
        }
        for (new, field) in
            [(&event.shipping_address, &mut self.shipping_address), (&event.billing_address, &mut self.billing_address)]
        {
            if new.is_some() {
                field.clone_from(new);
            }
        }
        if event.contact.is_some() {
            self.contact.clone_from(&event.contact);
        }
        if event.note.is_some() {
            self.note.clone_from(&event.note);
        }
        if let Some(revision) = event.reservation_revision {
            let state = match self.reservation {
                Some(Reservation { state: ReservationState::Firm, .. }) => ReservationState::Firm,
                _ => ReservationState::Held,
            };
            self.reservation = Some(Reservation { revision, state });
        }
        if event.expires_at.is_some() {
            self.expires_at = event.expires_at;
        }
        self.settle();
        self.fit_shipments();
        if let Some(refund) = &event.refund {
            self.book_refund(Refund {
                refund_id: refund.refund_id,
                status: RefundStatus::Requested,
                amount: refund.amount,
                components: refund.components.clone(),
                cause: RefundCause::Amendment,
                reason: None,
                payment_id: None,
                return_id: None,
                provider_reference: None,
                requested_at: event.occurred_at,
                completed_at: None,
                failed_at: None,
            });
        }
        self.milestone(MilestoneType::Amended, event.occurred_at);
    }

    fn paid(&mut self, event: &PaymentCompleted) {
        let at = event.occurred_at;
        self.payment_entry(&event.payment_id, at, |payment| {
            payment.provider.clone_from(&event.provider);
            payment.method = Some(event.method);
            payment.status = PaymentState::Completed;
            payment.amount = event.amount;
            payment.authorized = Decimal::ZERO;
            payment.captured = event.amount;
            payment.reason = None;
        });
        self.ledger.capture(event.amount, &event.components);
        if let Some(revision) = event.reservation_revision {
            self.reservation = Some(Reservation { revision, state: ReservationState::Held });
            if self.expired_at.take().is_some() {
                for shipment in &mut self.shipments {
                    if shipment.status == ShipmentStatus::Cancelled {
                        shipment.status = ShipmentStatus::Planned;
                    }
                }
                self.fit_shipments();
            }
        }
        self.settle();
        self.milestone(MilestoneType::Paid, at);
    }

    fn cancelled(&mut self, event: &OrderCancelled) {
        self.each_line(&event.lines, |line, quantity| {
            line.cancelled = line.cancelled.saturating_add(quantity.min(line.open()));
        });
        self.cancellation =
            Some(Cancellation { reason: event.reason.clone(), by: event.by, occurred_at: event.occurred_at });
        self.hold = None;
        self.release();
        self.drop_planned_shipments();
        self.settle();
        self.milestone(MilestoneType::Cancelled, event.occurred_at);
    }

    fn refund_requested(&mut self, event: &RefundRequested) {
        self.book_refund(Refund {
            refund_id: event.refund_id,
            status: RefundStatus::Requested,
            amount: event.amount,
            components: event.components.clone(),
            cause: event.cause,
            reason: event.reason.clone(),
            payment_id: event.payment_id.clone(),
            return_id: event.return_id,
            provider_reference: None,
            requested_at: event.occurred_at,
            completed_at: None,
            failed_at: None,
        });
    }

    fn book_refund(&mut self, refund: Refund) {
        self.ledger.refund(&refund);
        self.refunds.push(refund);
    }

    fn refund_mut(&mut self, id: RefundId) -> Option<&mut Refund> {
        self.refunds.iter_mut().find(|refund| refund.refund_id == id)
    }

    fn close_return(&mut self, id: ReturnId, at: DateTime<Utc>, change: impl FnOnce(&mut Return)) {
        if let Some(found) = self.returns.iter_mut().find(|found| found.return_id == id) {
            found.closed_at = Some(at);
            change(found);
        }
    }

    fn payment_entry(&mut self, id: &str, at: DateTime<Utc>, change: impl FnOnce(&mut Payment)) {
        let index = self.payments.iter().position(|payment| payment.payment_id == id).unwrap_or_else(|| {
            self.payments.push(Payment {
                payment_id: id.to_owned(),
                provider: None,
                method: None,
                status: PaymentState::Authorized,
                amount: Decimal::ZERO,
                authorized: Decimal::ZERO,
                captured: Decimal::ZERO,
                reason: None,
                authorized_at: None,
                updated_at: at,
            });
            self.payments.len() - 1
        });
        let payment = &mut self.payments[index];
        payment.updated_at = payment.updated_at.max(at);
        change(payment);
    }

    /// Changes the lines that are named, each by the sum of what is named for it.
    fn each_line(&mut self, parts: &[LineQuantity], mut change: impl FnMut(&mut Line, u32)) {
        let mut wanted: HashMap<LineId, u32> = HashMap::with_capacity(parts.len());
        for part in parts {
            let sum = wanted.entry(part.line_id).or_default();
            *sum = sum.saturating_add(part.quantity);
        }
        for line in &mut self.lines {
            if let Some(quantity) = wanted.get(&line.line_id) {
                change(line, *quantity);
            }
        }
    }

    fn release(&mut self) {
        if let Some(reservation) = &mut self.reservation {
            reservation.state = ReservationState::Released;
        }
    }

    fn milestone(&mut self, milestone_type: MilestoneType, occurred_at: DateTime<Utc>) {
        let place = self.timeline.partition_point(|milestone| milestone.occurred_at <= occurred_at);
        self.timeline.insert(place, Milestone { milestone_type, occurred_at });
    }
}

fn new_line(line: &OrderLine) -> Line {
    Line {
        line_id: line.line_id,
        product_id: line.product_id,
        sku: line.sku.clone(),
        name: line.name.clone(),
        quantity: line.quantity,
        ordered: line.quantity,
        cancelled: 0,
        shipped: 0,
        delivered: 0,
        returned: 0,
        unit_price: line.unit_price,
        discount: line.discount,
        tax_rate: line.tax_rate,
        tax_amount: line.tax_amount,
        channel: line.channel.clone(),
        legal_entity: line.legal_entity.clone(),
        external_id: line.external_id.clone(),
        attributes: line.attributes.clone(),
    }
}

macro_rules! occurred_at {
    ($event:expr, $($variant:ident)+) => {
        match $event { $(OrderEvent::$variant(event) => event.occurred_at,)+ }
    };
}

/// When an event happened in the world.
pub(crate) fn occurred_at(event: &OrderEvent) -> DateTime<Utc> {
    occurred_at!(event, OrderPlaced OrderAmended PaymentAuthorized PaymentCompleted PaymentFailed PaymentVoided
        StockConfirmed StockReleased OrderConfirmed OrderHeld OrderResumed ProcessingStarted ShipmentCreated
        ShipmentDispatched ShipmentDelivered ShipmentFailed LineCancelled OrderCancelled OrderExpired ReturnRequested
        ReturnReceived ReturnRejected RefundRequested RefundCompleted RefundFailed OrderCompleted NoteAdded TagsChanged
        ExceptionRaised ExceptionResolved PersonalDataErased)
}
