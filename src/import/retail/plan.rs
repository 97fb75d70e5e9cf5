//! What becomes of every line of the file, decided from the file alone: so the same file gives the same plan, however
//! often an import is begun.

use rust_decimal::Decimal;

use super::matching::Stock;
use super::table::{Line, Table};
use crate::import::rejects::{Reason, Reject};

const MOST_LINES: usize = 1_500;
const MOST_PIECES: i64 = 9_999;
/// Pounds have pence.
const DECIMALS: u32 = 2;

/// What becomes of a file.
#[derive(Debug)]
pub struct Plan {
    /// The orders, in the order of the file.
    pub orders: Vec<PlannedOrder>,
    /// The lines that become no part of one.
    pub rejects: Vec<Reject>,
}

/// An order that is to be.
#[derive(Debug)]
pub struct PlannedOrder {
    /// Its invoice, by its place in the table.
    pub invoice: usize,
    /// Its items: places of lines in the table, in the order of the file.
    pub items: Vec<usize>,
    /// Pieces that were cancelled on the day of the invoice, in the order of the file.
    pub cancelled: Vec<Taken>,
    /// Pieces that came back later, in the order of the file.
    pub returned: Vec<Taken>,
}

/// Pieces of an order that a later line takes back.
#[derive(Debug, Clone, Copy)]
pub struct Taken {
    /// The line that takes them, by its place in the table.
    pub by: usize,
    /// The item they are of, by its place in the order.
    pub item: usize,
    /// How many.
    pub pieces: u32,
}

/// Makes the plan.
pub fn plan(table: &Table) -> Plan {
    let mut plan = Plan { orders: Vec::new(), rejects: table.unreadable.clone() };
    let mut order_of: Vec<Option<usize>> = vec![None; table.invoices.len()];
    let mut stock = Stock::default();
    // In the order of the file, so that only what was sold before can be taken back.
    for (place, line) in table.lines.iter().enumerate() {
        if is_cancellation(table, line) {
            match cancels(table, line).and_then(|pieces| stock.take(table, place, pieces)) {
                Ok(parts) => {
                    for (order, taken, same_day) in parts {
                        let order = &mut plan.orders[order];
                        let list = if same_day { &mut order.cancelled } else { &mut order.returned };
                        list.push(taken);
                    }
                }
                Err((reason, detail)) => plan.rejects.push(reject(table, line, reason, detail)),
            }
            continue;
        }
        let order = order_of[line.invoice];
        let full = order.is_some_and(|order| plan.orders[order].items.len() >= MOST_LINES);
        match sells(table, line, full) {
            Ok(pieces) => {
                let order = *order_of[line.invoice].get_or_insert_with(|| {
                    let (items, invoice) = (Vec::new(), line.invoice);
                    plan.orders.push(PlannedOrder { invoice, items, cancelled: Vec::new(), returned: Vec::new() });
                    plan.orders.len() - 1
                });
                let items = &mut plan.orders[order].items;
                items.push(place);
                stock.put(table, place, order, items.len() - 1, pieces);
            }
            Err((reason, detail)) => plan.rejects.push(reject(table, line, reason, detail)),
        }
    }
    plan
}

/// A reason, and the words for it.
pub type Why = (Reason, String);

fn is_cancellation(table: &Table, line: &Line) -> bool {
    table.invoices[line.invoice].number.starts_with(['C', 'c'])
}

/// How many pieces the line sells.
fn sells(table: &Table, line: &Line, full: bool) -> Result<u32, Why> {
    let why = |reason, detail: &str| Err((reason, detail.to_owned()));
    let invoice = &table.invoices[line.invoice];
    if !invoice.number.starts_with(|first: char| first.is_ascii_digit()) {
        return why(Reason::Adjustment, "the invoice is a correction of the books, not an order");
    }
    if line.quantity <= 0 {
        return why(Reason::QuantityNotPositive, "an order sells at least one piece");
    }
    if line.quantity > MOST_PIECES {
        return why(Reason::QuantityTooLarge, "a line has at most 9999 pieces");
    }
    if line.price < Decimal::ZERO {
        return why(Reason::PriceNegative, "a price is not negative");
    }
    if line.price.normalize().scale() > DECIMALS {
        return why(Reason::PriceTooFine, "a price in GBP has at most 2 decimals");
    }
    if line.price.is_zero() && table.text(invoice.customer).is_empty() {
        return why(Reason::StockBooking, "without a price and a customer it is a booking of the stock");
    }
    if full {
        return why(Reason::TooManyLines, "an order has at most 1500 lines");
    }
    u32::try_from(line.quantity).or_else(|_| why(Reason::QuantityTooLarge, "a line has at most 9999 pieces"))
}

/// How many pieces the line takes back.
fn cancels(table: &Table, line: &Line) -> Result<u32, Why> {
    let nothing = || (Reason::CancelsNothing, "it takes back no pieces at a price".to_owned());
    if line.quantity >= 0 || line.price <= Decimal::ZERO {
        return Err(nothing());
    }
    if table.text(table.invoices[line.invoice].customer).is_empty() {
        return Err((Reason::CancelsForNobody, "without a customer nobody knows of which order it is".to_owned()));
    }
    u32::try_from(line.quantity.unsigned_abs()).map_err(|_| nothing())
}

fn reject(table: &Table, line: &Line, reason: Reason, detail: String) -> Reject {
    Reject {
        line: line.number,
        invoice: table.invoices[line.invoice].number.clone(),
        sku: table.text(line.sku).to_owned(),
        quantity: line.quantity,
        price: line.price,
        reason,
        detail,
    }
}

impl PlannedOrder {
    /// All that was taken back of it.
    pub fn taken(&self) -> impl Iterator<Item = &Taken> {
        self.cancelled.iter().chain(&self.returned)
    }
}
