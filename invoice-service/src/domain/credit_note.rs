//! What an invoice has to be corrected by. An order's credit follows what the customer owes for each part of it: what was
//! cancelled is owed no longer, what is refunded in goodwill or for a return is waived. Credit only ever grows, part by
//! part and at most to what was invoiced, so a cancellation and its refund are credited once, and a refund that failed
//! and is asked for again is covered by the note there is. What an amendment puts onto an order is never invoiced, so what
//! it takes out in exchange is not credited either, for as long as the new things are owed.

use super::invoice::{Cause, taxes};
use chrono::{DateTime, Utc};
use order::{Order, OrderEvent};
use rust_decimal::{Decimal, prelude::ToPrimitive};
use shared_events::{
    Attributes, CreditNoteId, Currency, LineId, RecordedEvent, RefundId,
    invoice::{CreditNoteIssued, InvoiceDocument, InvoiceIssued, InvoiceLine},
    order::Totals,
};
use std::collections::HashMap;

const AMENDED: &str = "OrderAmended";

/// How much of each part of an invoice has been credited.
#[derive(Debug, Clone)]
pub struct Credit {
    parts: Vec<Part>,
    places: HashMap<Option<LineId>, usize>,
}

#[derive(Debug, Clone, Copy)]
struct Part {
    invoiced: Decimal,
    credited: Decimal,
    /// Owed no longer, and not credited because something else is owed in its place that was not invoiced.
    exchanged: Decimal,
}

/// What one correction takes from a line of the invoice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Correction {
    /// The line's place in the invoice.
    pub place: usize,
    /// What had been credited of it before.
    pub before: Decimal,
    /// What is credited now.
    pub amount: Decimal,
}

/// Why a credit note is issued, beside the event that causes it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Why {
    /// The refund that gives the money back, where there is one.
    pub refund_id: Option<RefundId>,
    /// In words.
    pub reason: Option<String>,
}

impl Credit {
    /// Nothing of this invoice has been credited.
    #[must_use]
    pub fn of(invoice: &InvoiceDocument) -> Self {
        let parts = invoice.lines.iter().map(|line| Part {
            invoiced: line.total,
            credited: Decimal::ZERO,
            exchanged: Decimal::ZERO,
        });
        let places = invoice.lines.iter().enumerate().map(|(place, line)| (line.line_id, place));
        Self { parts: parts.collect(), places: places.collect() }
    }

    /// What has to be credited now that a command with events of these types left the order so, noted as credited. An
    /// amendment is credited at most by what the invoice, less its credit, says more than the order still costs as a whole.
    pub fn follow<'a>(&mut self, order: &Order, event_types: impl IntoIterator<Item = &'a str>) -> Vec<Correction> {
        let charges = order.charges();
        let mut owed = vec![Decimal::ZERO; self.parts.len()];
        for charge in &charges {
            if let Some(place) = self.places.get(&charge.line_id) {
                owed[*place] = charge.amount;
            }
        }
        let total: Decimal = charges.iter().map(|charge| charge.amount).sum();
        if event_types.into_iter().any(|event_type| event_type == AMENDED) {
            self.exchange(total, &owed);
        } else {
            let asked: Decimal = self.parts.iter().zip(&owed).map(|(part, owed)| part.invoiced.min(*owed)).sum();
            self.end_exchange(total - asked);
        }
        let mut corrections = Vec::new();
        for (place, (part, owed)) in self.parts.iter_mut().zip(owed).enumerate() {
            let due = part.invoiced - owed - part.exchanged;
            if due > part.credited {
                corrections.push(Correction { place, before: part.credited, amount: due - part.credited });
                part.credited = due;
            }
        }
        corrections
    }

    /// Notes what is not to be credited though it is owed no longer: whatever is beyond what is owed less as a whole.
    fn exchange(&mut self, total: Decimal, owed: &[Decimal]) {
        let standing: Decimal = self.parts.iter().map(|part| part.invoiced - part.credited).sum();
        let mut left = (standing - total).max(Decimal::ZERO);
        for (part, owed) in self.parts.iter_mut().zip(owed) {
            let lacking = (part.invoiced - owed - part.credited).max(Decimal::ZERO);
            let credited = lacking.min(left);
            left -= credited;
            part.exchanged = lacking - credited;
        }
    }

    /// Once less is owed that was not invoiced, what it took the place of is credited after all.
    fn end_exchange(&mut self, not_invoiced: Decimal) {
        let exchanged: Decimal = self.parts.iter().map(|part| part.exchanged).sum();
        let mut ended = (exchanged - not_invoiced).max(Decimal::ZERO);
        for part in &mut self.parts {
            let freed = part.exchanged.min(ended);
            ended -= freed;
            part.exchanged -= freed;
        }
    }

    /// What has been credited in all.
    #[must_use]
    pub fn total(&self) -> Decimal {
        self.parts.iter().map(|part| part.credited).sum()
    }
}

/// Events after which less may be owed.
#[must_use]
pub fn may_credit(event_type: &str) -> bool {
    matches!(event_type, "LineCancelled" | "OrderCancelled" | "OrderExpired" | AMENDED | "RefundRequested")
}

/// Whether one command appended both events: then they share a credit note.
#[must_use]
pub fn is_same_command(one: &RecordedEvent, other: &RecordedEvent) -> bool {
    one.recorded_at == other.recorded_at
        && one.metadata.correlation_id == other.metadata.correlation_id
        && one.metadata.causation_id == other.metadata.causation_id
}

/// How many of these events, from the first on, one command appended.
#[must_use]
pub fn appended_together(events: &[RecordedEvent]) -> usize {
    let Some(first) = events.first() else { return 0 };
    events.iter().take_while(|event| is_same_command(first, event)).count()
}

impl Why {
    /// What the events of one command say about it.
    #[must_use]
    pub fn of<'a>(events: impl IntoIterator<Item = &'a OrderEvent>) -> Self {
        let mut why = Self::default();
        for event in events {
            let (refund_id, reason) = match event {
                OrderEvent::LineCancelled(event) => (None, event.reason.clone()),
                OrderEvent::OrderCancelled(event) => (None, event.reason.clone()),
                OrderEvent::OrderExpired(_) => (None, Some("not paid in time".to_owned())),
                OrderEvent::OrderAmended(event) => {
                    (event.refund.as_ref().map(|refund| refund.refund_id), Some("the order was changed".to_owned()))
                }
                OrderEvent::RefundRequested(event) => (Some(event.refund_id), event.reason.clone()),
                _ => continue,
            };
            why.refund_id = why.refund_id.or(refund_id);
            why.reason = why.reason.or(reason);
        }
        why
    }
}

/// The credit note that corrects an invoice so.
#[must_use]
pub fn issue(
    invoice: &InvoiceIssued,
    invoice_number: String,
    corrections: &[Correction],
    (cause, why): (Cause, Why),
    credit_note_id: CreditNoteId,
    at: DateTime<Utc>,
) -> CreditNoteIssued {
    let corrected = &invoice.document;
    let currency = corrected.currency;
    let lines: Vec<InvoiceLine> = corrections
        .iter()
        .filter_map(|correction| Some((corrected.lines.get(correction.place)?, correction)))
        .map(|(line, correction)| credited(line, *correction, corrected))
        .collect();
    CreditNoteIssued {
        credit_note_id,
        invoice_id: invoice.invoice_id,
        invoice_number,
        refund_id: why.refund_id,
        reason: why.reason,
        document: InvoiceDocument {
            order_version: cause.order_version,
            cause_event_id: cause.event_id,
            totals: totals(currency, &lines),
            taxes: taxes(currency, &lines),
            lines,
            due_on: None,
            supplied_on: None,
            attributes: Attributes::new(),
            occurred_at: at,
            ..corrected.clone()
        },
    }
}

/// A line of the invoice, or the part of it that is credited.
fn credited(line: &InvoiceLine, correction: Correction, invoice: &InvoiceDocument) -> InvoiceLine {
    let Correction { before, amount, .. } = correction;
    if before.is_zero() && amount == line.total {
        return line.clone();
    }
    let currency = invoice.currency;
    // Tax is credited as a share of the line's own, so that all credit of a line has all of its tax.
    let tax_of = |amount: Decimal| {
        if amount >= line.total { line.tax_amount } else { currency.round(line.tax_amount * amount / line.total) }
    };
    let tax_amount = tax_of(before + amount) - tax_of(before);
    let priced = if invoice.prices_include_tax { amount } else { amount - tax_amount };
    let pieces = whole_pieces(line, priced);
    InvoiceLine {
        quantity: pieces.unwrap_or(1),
        unit_price: if pieces.is_some() { line.unit_price } else { priced },
        discount: Decimal::ZERO,
        tax_amount,
        total: amount,
        ..line.clone()
    }
}

/// How many pieces of a line cost that much; none where it is no number of whole ones.
fn whole_pieces(line: &InvoiceLine, priced: Decimal) -> Option<u32> {
    if !line.discount.is_zero() || line.unit_price <= Decimal::ZERO {
        return None;
    }
    let pieces = priced.checked_div(line.unit_price)?;
    let whole = pieces.is_integer() && pieces >= Decimal::ONE && pieces <= Decimal::from(line.quantity);
    whole.then(|| pieces.to_u32()).flatten()
}

fn totals(currency: Currency, lines: &[InvoiceLine]) -> Totals {
    let price = |line: &InvoiceLine| currency.round(line.unit_price * Decimal::from(line.quantity));
    let is_goods = |line: &&InvoiceLine| line.product_id.is_some();
    let sum = |amounts: Decimal| currency.round(amounts);
    Totals {
        subtotal: sum(lines.iter().filter(is_goods).map(price).sum()),
        discount_total: sum(lines.iter().map(|line| line.discount).sum()),
        shipping_total: sum(lines.iter().filter(|line| !is_goods(line)).map(price).sum()),
        tax_total: sum(lines.iter().map(|line| line.tax_amount).sum()),
        total: sum(lines.iter().map(|line| line.total).sum()),
    }
}

#[cfg(test)]
mod tests;
