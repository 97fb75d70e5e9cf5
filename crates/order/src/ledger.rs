//! The money of an order: what its parts (lines and shipping) cost, what was captured and refunded for
//! each, and what is left to pay or to give back. Captured money belongs to a part as long as that part
//! costs so much; when the order shrinks it moves to parts that still lack money, by fixed arithmetic that
//! never changes, because it is part of how history reads.

use crate::{
    amounts::{minus, plus, sum, surplus},
    order::{Line, Order, Refund, RefundStatus},
};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use shared_events::{
    LineId,
    order::{ComponentAmount, RefundCause, Totals},
};

/// Captured and refunded money by part of the order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ledger {
    /// The parts that ever had money.
    pub components: Vec<ComponentLedger>,
    /// Captured beyond what the order cost.
    pub excess_captured: Decimal,
    /// Given back of that, or about to be.
    pub excess_refunded: Decimal,
}

/// The money of one part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ComponentLedger {
    /// The line; none means shipping.
    pub line_id: Option<LineId>,
    /// What was captured for it.
    pub captured: Decimal,
    /// What went back of that, or is about to.
    pub refunded: Decimal,
    /// How much of the refunded the customer need not pay again: by goodwill, or for a return.
    pub waived: Decimal,
}

impl ComponentLedger {
    const fn empty(line_id: Option<LineId>) -> Self {
        Self { line_id, captured: Decimal::ZERO, refunded: Decimal::ZERO, waived: Decimal::ZERO }
    }

    /// What is here: captured and not given back.
    #[must_use]
    pub fn net(&self) -> Decimal {
        minus(self.captured, self.refunded)
    }
}

impl Ledger {
    fn entry(&mut self, line_id: Option<LineId>) -> &mut ComponentLedger {
        let index = self.components.iter().position(|entry| entry.line_id == line_id).unwrap_or_else(|| {
            self.components.push(ComponentLedger::empty(line_id));
            self.components.len() - 1
        });
        &mut self.components[index]
    }

    fn excess(&self) -> Decimal {
        minus(self.excess_captured, self.excess_refunded)
    }

    /// Everything that is here.
    fn net(&self) -> Decimal {
        plus(sum(self.components.iter().map(ComponentLedger::net)), self.excess())
    }

    pub(crate) fn capture(&mut self, amount: Decimal, components: &[ComponentAmount]) {
        for component in components {
            let entry = self.entry(component.line_id);
            entry.captured = plus(entry.captured, component.amount);
        }
        let allocated = sum(components.iter().map(|component| component.amount));
        self.excess_captured = plus(self.excess_captured, surplus(amount, allocated));
    }

    pub(crate) fn refund(&mut self, refund: &Refund) {
        self.book(refund, plus);
    }

    pub(crate) fn take_refund_back(&mut self, refund: &Refund) {
        self.book(refund, minus);
    }

    fn book(&mut self, refund: &Refund, apply: fn(Decimal, Decimal) -> Decimal) {
        let waives = matches!(refund.cause, RefundCause::Requested | RefundCause::Return);
        for component in &refund.components {
            let entry = self.entry(component.line_id);
            entry.refunded = apply(entry.refunded, component.amount);
            if waives {
                entry.waived = apply(entry.waived, component.amount);
            }
        }
        let allocated = sum(refund.components.iter().map(|component| component.amount));
        self.excess_refunded = apply(self.excess_refunded, surplus(refund.amount, allocated));
    }
}

/// Adds or subtracts sums, one by one.
fn each(left: Totals, right: Totals, apply: impl Fn(Decimal, Decimal) -> Decimal) -> Totals {
    Totals {
        subtotal: apply(left.subtotal, right.subtotal),
        discount_total: apply(left.discount_total, right.discount_total),
        shipping_total: apply(left.shipping_total, right.shipping_total),
        tax_total: apply(left.tax_total, right.tax_total),
        total: apply(left.total, right.total),
    }
}

impl Order {
    /// What so many pieces of a line cost the customer, discount and tax counted.
    #[must_use]
    pub fn cost_of(&self, line: &Line, pieces: u32) -> Decimal {
        let net = minus(line.price_of(pieces, self.currency), line.discount_of(pieces, self.currency));
        if self.prices_include_tax { net } else { plus(net, line.tax_of(pieces, self.currency)) }
    }

    fn shipping_cost(&self) -> Decimal {
        let net = minus(self.shipping.amount, self.shipping.discount);
        if self.prices_include_tax { net } else { plus(net, self.shipping.tax_amount) }
    }

    fn sums_of(&self, line: &Line) -> Totals {
        Totals {
            subtotal: line.line_total(self.currency),
            discount_total: line.discount_of(line.quantity, self.currency),
            shipping_total: Decimal::ZERO,
            tax_total: line.tax_of(line.quantity, self.currency),
            total: self.cost_of(line, line.quantity),
        }
    }

    /// Takes pieces of one line out of the order and its sums.
    pub(crate) fn cancel_pieces(&mut self, line_id: LineId, pieces: u32) {
        let Some(index) = self.lines.iter().position(|line| line.line_id == line_id) else { return };
        let before = self.sums_of(&self.lines[index]);
        let line = &mut self.lines[index];
        line.cancelled = line.cancelled.saturating_add(pieces.min(line.open()));
        line.quantity = line.live();
        let after = self.sums_of(&self.lines[index]);
        self.totals = each(each(self.totals, before, minus), after, plus);
        // Where all that the order costs is here, nothing lacks, and nothing has to be moved.
        if self.ledger.net() < plus(self.totals.total, minus(before.total, after.total)) {
            self.settle();
        }
    }

    /// What each part must bring in for the order as it stands, before goodwill.
    fn costs(&self) -> impl Iterator<Item = (Option<LineId>, Decimal)> {
        let expired = self.expired_at.is_some();
        let lines = self.lines.iter().map(move |line| {
            let pieces = if expired { line.shipped } else { line.live() };
            (Some(line.line_id), self.cost_of(line, pieces))
        });
        let nothing_goes = self.is_over() && self.lines.iter().all(|line| line.shipped == 0);
        lines.chain([(None, if nothing_goes { Decimal::ZERO } else { self.shipping_cost() })])
    }

    /// What the customer owes, or owed, for each part of the order as it stands: what it costs, less what was waived in
    /// goodwill or for a return. Lines in their order, shipping last. An invoice that says more of a part is to be
    /// corrected by the difference.
    #[must_use]
    pub fn charges(&self) -> Vec<ComponentAmount> {
        let waiving: Vec<_> = self.ledger.components.iter().filter(|entry| !entry.waived.is_zero()).collect();
        let waived = |id| waiving.iter().find(|entry| entry.line_id == id).map_or(Decimal::ZERO, |entry| entry.waived);
        self.costs()
            .map(|(line_id, cost)| ComponentAmount { line_id, amount: surplus(cost, waived(line_id)) })
            .collect()
    }

    /// What each part must bring in, goodwill counted, with what is here for it; last the parts that are no
    /// longer in the order, which must bring in nothing.
    fn parts(&self) -> Vec<(Option<LineId>, Decimal, Decimal)> {
        let entries = &self.ledger.components;
        let mut seen = vec![false; entries.len()];
        let mut next = 0;
        let mut parts: Vec<_> = self
            .costs()
            .map(|(id, cost)| {
                // Entries come in the order of the lines as a rule, so the next one is looked at first.
                let is_next = entries.get(next).is_some_and(|entry| entry.line_id == id);
                let found = if is_next { Some(next) } else { entries.iter().position(|entry| entry.line_id == id) };
                let Some(index) = found else { return (id, cost, Decimal::ZERO) };
                seen[index] = true;
                next = index + 1;
                (id, surplus(cost, entries[index].waived), entries[index].net())
            })
            .collect();
        let gone = entries.iter().zip(seen).filter(|(_, seen)| !seen);
        parts.extend(gone.map(|(entry, _)| (entry.line_id, Decimal::ZERO, entry.net())));
        parts
    }

    /// What each part lacks or has too much (negative).
    fn balances(&self) -> Vec<(Option<LineId>, Decimal)> {
        self.parts().into_iter().map(|(id, required, net)| (id, minus(required, net))).collect()
    }

    /// How an amount that is captured now falls to the parts that lack money, in the order of the lines,
    /// shipping last. What is left over is not in it.
    pub(crate) fn allocate(&self, amount: Decimal) -> Vec<ComponentAmount> {
        let mut left = amount;
        let mut parts = Vec::new();
        for (line_id, lacking) in self.balances() {
            let share = lacking.min(left);
            if share > Decimal::ZERO {
                left = minus(left, share);
                parts.push(ComponentAmount { line_id, amount: share });
            }
        }
        parts
    }

    /// Moves money that is not needed where it is to the parts that lack some.
    pub(crate) fn settle(&mut self) {
        if self.ledger.net() <= Decimal::ZERO {
            return;
        }
        let balances = self.balances();
        let mut spare: Vec<_> = balances.iter().filter(|(_, lacking)| *lacking < Decimal::ZERO).copied().collect();
        for (line_id, mut lacking) in balances.into_iter().filter(|(_, lacking)| *lacking > Decimal::ZERO) {
            let from_excess = self.ledger.excess().max(Decimal::ZERO).min(lacking);
            self.ledger.excess_captured = minus(self.ledger.excess_captured, from_excess);
            let mut moved = from_excess;
            lacking = minus(lacking, from_excess);
            for (source, left) in &mut spare {
                let share = lacking.min(-*left);
                if share > Decimal::ZERO {
                    *left = plus(*left, share);
                    lacking = minus(lacking, share);
                    moved = plus(moved, share);
                    let entry = self.ledger.entry(*source);
                    entry.captured = minus(entry.captured, share);
                }
            }
            if moved > Decimal::ZERO {
                let entry = self.ledger.entry(line_id);
                entry.captured = plus(entry.captured, moved);
            }
        }
    }

    /// What is here beyond what the order as it stands must bring in: in all, and by part.
    pub(crate) fn overpaid(&self) -> (Decimal, Vec<ComponentAmount>) {
        let parts: Vec<_> = self
            .balances()
            .into_iter()
            .filter(|(_, lacking)| *lacking < Decimal::ZERO)
            .map(|(line_id, lacking)| ComponentAmount { line_id, amount: -lacking })
            .collect();
        let total = plus(sum(parts.iter().map(|part| part.amount)), self.ledger.excess().max(Decimal::ZERO));
        (total, parts)
    }

    /// What can still be refunded by part, lines in their order and shipping last; with it, in all, what was
    /// captured beyond the order's cost.
    #[must_use]
    pub fn refundable(&self) -> (Vec<ComponentAmount>, Decimal) {
        let mut parts: Vec<_> = self
            .ledger
            .components
            .iter()
            .filter(|entry| entry.net() > Decimal::ZERO)
            .map(|entry| ComponentAmount { line_id: entry.line_id, amount: entry.net() })
            .collect();
        parts.sort_by_key(|part| part.line_id.is_none());
        (parts, self.ledger.excess().max(Decimal::ZERO))
    }

    /// What can still be refunded in all.
    #[must_use]
    pub fn refundable_total(&self) -> Decimal {
        self.ledger.net().max(Decimal::ZERO)
    }

    /// What providers hold for it.
    #[must_use]
    pub fn authorized_total(&self) -> Decimal {
        sum(self.payments.iter().map(|payment| payment.authorized))
    }

    /// What was captured for it.
    #[must_use]
    pub fn paid_total(&self) -> Decimal {
        self.currency.round(sum(self.payments.iter().map(|payment| payment.captured)))
    }

    /// What went back to the customer.
    #[must_use]
    pub fn refunded_total(&self) -> Decimal {
        let completed = self.refunds.iter().filter(|refund| refund.status == RefundStatus::Completed);
        self.currency.round(sum(completed.map(|refund| refund.amount)))
    }

    /// What neither payments nor authorisations bring in yet.
    #[must_use]
    pub fn outstanding(&self) -> Decimal {
        let required = sum(self.parts().into_iter().map(|(_, required, _)| required));
        let here = plus(self.ledger.net(), self.authorized_total());
        self.currency.round(surplus(required, here))
    }

    /// Whether payment covers the total, or the shop gives credit, and its stock was not given up meanwhile. An
    /// order that is over is covered no longer.
    #[must_use]
    pub fn covered(&self) -> bool {
        !self.lacks_stock() && self.is_paid_for()
    }

    /// Whether payment covers the total, or the shop gives credit, wherever the stock is.
    #[must_use]
    pub fn is_paid_for(&self) -> bool {
        self.exists() && !self.is_over() && (self.payment_method.is_credit() || self.outstanding() <= Decimal::ZERO)
    }
}
