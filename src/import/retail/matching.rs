//! Which order a cancellation means: the file does not say. It is taken to mean what the same customer bought last of
//! the same stock code at the same price, as far as pieces of it are left; of several orders where one is not enough.

use std::collections::HashMap;

use rust_decimal::Decimal;

use super::plan::{Taken, Why};
use super::table::{Line, Table, Text};
use crate::import::rejects::Reason;

/// Pieces that were sold and not taken back yet.
#[derive(Debug, Default)]
pub struct Stock(HashMap<(Text, Text, Decimal), Vec<Sold>>);

#[derive(Debug)]
struct Sold {
    order: usize,
    item: usize,
    line: usize,
    left: u32,
}

impl Stock {
    /// A line sold so many pieces, as that item of that order.
    pub fn put(&mut self, table: &Table, place: usize, order: usize, item: usize, pieces: u32) {
        let line = &table.lines[place];
        if !table.text(table.invoices[line.invoice].customer).is_empty() {
            self.0.entry(key(table, line)).or_default().push(Sold { order, item, line: place, left: pieces });
        }
    }

    /// A line takes so many back: the parts by order, and whether each is of the same day, when nothing had left yet.
    ///
    /// # Errors
    /// Why it is not known which; then nothing is taken.
    pub fn take(&mut self, table: &Table, by: usize, pieces: u32) -> Result<Vec<(usize, Taken, bool)>, Why> {
        let line = &table.lines[by];
        let sold = self.0.get_mut(&key(table, line)).ok_or_else(|| {
            (Reason::CancelsUnknownOrder, "the customer bought no such thing at that price before".to_owned())
        })?;
        let left = sold.iter().fold(0_u32, |sum, sold| sum.saturating_add(sold.left));
        if left < pieces {
            return Err((Reason::CancelsTooMuch, format!("only {left} pieces are left of what the customer bought")));
        }
        let mut missing = pieces;
        let mut parts = Vec::new();
        for sold in sold.iter_mut().rev().filter(|sold| sold.left > 0) {
            let taken = sold.left.min(missing);
            sold.left -= taken;
            missing -= taken;
            let same_day = table.lines[sold.line].at.date() == line.at.date();
            parts.push((sold.order, Taken { by, item: sold.item, pieces: taken }, same_day));
            if missing == 0 {
                break;
            }
        }
        Ok(parts)
    }
}

fn key(table: &Table, line: &Line) -> (Text, Text, Decimal) {
    (table.invoices[line.invoice].customer, line.sku, line.price.normalize())
}
