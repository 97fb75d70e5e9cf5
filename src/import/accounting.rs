//! Exact accounting: every line of the file is part of an order or in the rejects report, and the sums say so.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::Serialize;

use super::rejects::{Reason, Reject};
use super::retail::{PlannedOrder, Table};

/// What became of the lines so far.
pub struct Account<'a> {
    table: &'a Table,
    /// Every reject, of the plan and of the system.
    pub rejects: Vec<Reject>,
    /// Pieces of each line that became part of an order.
    imported: Vec<u32>,
    imported_sum: Decimal,
}

/// Lines and what they come to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Share {
    /// How many lines.
    pub lines: usize,
    /// The sum of quantity × price.
    pub amount: Decimal,
}

/// The balance.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// All lines of the file.
    pub file: Share,
    /// Those that are part of orders, as sales, cancellations and returns.
    pub imported: Share,
    /// Those that are not, or not with all their pieces.
    pub rejected: Share,
    /// The same by reason.
    pub reasons: BTreeMap<String, Share>,
    /// Whether imported and rejected are the file, in lines and in money.
    pub closes: bool,
}

impl<'a> Account<'a> {
    /// Before anything is sent: the plan's rejects alone.
    pub fn new(table: &'a Table, rejects: Vec<Reject>) -> Self {
        Self { table, rejects, imported: vec![0; table.lines.len()], imported_sum: Decimal::ZERO }
    }

    /// An order is there.
    pub fn imported(&mut self, order: &PlannedOrder) {
        for place in &order.items {
            let line = &self.table.lines[*place];
            self.imported[*place] = u32::try_from(line.quantity).unwrap_or_default();
            self.imported_sum += line.amount();
        }
        for taken in order.taken() {
            self.imported[taken.by] += taken.pieces;
            self.imported_sum -= Decimal::from(taken.pieces).saturating_mul(self.table.lines[taken.by].price);
        }
    }

    /// The system refused an order: its lines, and the pieces that others took back of it.
    pub fn refused(&mut self, order: &PlannedOrder, code: &str, detail: &str) {
        let sold = order.items.iter().map(|place| (*place, self.table.lines[*place].quantity));
        let taken = order.taken().map(|taken| (taken.by, -i64::from(taken.pieces)));
        for (place, quantity) in sold.chain(taken) {
            let line = &self.table.lines[place];
            self.rejects.push(Reject {
                line: line.number,
                invoice: self.table.invoices[line.invoice].number.clone(),
                sku: self.table.text(line.sku).to_owned(),
                quantity,
                price: line.price,
                reason: Reason::Refused(code.to_owned()),
                detail: detail.to_owned(),
            });
        }
    }

    /// The balance as it stands.
    pub fn report(&self) -> Report {
        let file = Share { lines: self.table.size(), amount: self.table.sum() };
        let whole = |(line, pieces): (&super::retail::Line, &u32)| line.quantity.unsigned_abs() == u64::from(*pieces);
        let lines = self.table.lines.iter().zip(&self.imported);
        // A line of no pieces is never part of an order.
        let lines = lines.filter(|(line, pieces)| **pieces > 0 && whole((line, pieces))).count();
        let imported = Share { lines, amount: self.imported_sum };
        let mut reasons: BTreeMap<String, Share> = BTreeMap::new();
        let mut rejected = Share::default();
        let mut counted = std::collections::HashSet::new();
        for reject in &self.rejects {
            let share = reasons.entry(reject.reason.code().to_owned()).or_default();
            share.amount += reject.amount();
            rejected.amount += reject.amount();
            // A line whose pieces were refused with several orders is one line.
            if counted.insert(reject.line) {
                share.lines += 1;
                rejected.lines += 1;
            }
        }
        let closes = imported.lines + rejected.lines == file.lines && imported.amount + rejected.amount == file.amount;
        Report { file, imported, rejected, reasons, closes }
    }
}
