//! What was proven, for people and for programs.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use super::aftermath::AftermathFigures;
use super::books::Books;
use super::law::Law;
use super::rush::RushFigures;

/// All of it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Whether every law held.
    pub proven: bool,
    /// The product that was sold, archived since.
    pub product_id: String,
    /// How many wanted one piece.
    pub buyers: usize,
    /// How many pieces there were.
    pub units: usize,
    /// How many requests were under way at a time.
    pub concurrency: usize,
    /// All buyers at once.
    pub rush: RushFigures,
    /// What became of the orders, and who wanted what came back.
    pub aftermath: AftermathFigures,
    /// What there is at the end.
    pub books: Books,
    /// Attempts that were repeated, by what came instead of an answer for good: a status, or what went wrong.
    pub repeated_attempts: BTreeMap<String, u64>,
    /// The laws, and what broke them.
    pub laws: Vec<Law>,
    /// How long all of it took.
    pub seconds: f64,
}

impl Report {
    /// Writes it for people.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let Self { rush, buyers, units, .. } = self;
        writeln!(out, "the rush: {buyers} buyers for {units} pieces, {} requests at a time", self.concurrency)?;
        writeln!(out, "  {} sold, {} refused in {:.2} s", rush.sold, rush.refused, rush.seconds)?;
        writeln!(out, "  {:.0} answers/s; {}", rush.answers_per_second, rush.answered_in)?;
        writeln!(out, "  those who got a piece: {}", rush.sold_in)?;
        writeln!(out, "  {} looks at the stock meanwhile\n", rush.looks)?;
        let AftermathFigures { hopeful, sold_meanwhile, came_back, sold_again, seconds, fates } = &self.aftermath;
        let fates: Vec<String> = fates.iter().map(|(fate, buyers)| format!("{fate} {buyers}")).collect();
        writeln!(out, "the aftermath: {}", fates.join(", "))?;
        writeln!(out, "  {hopeful} tries for what came back, {sold_meanwhile} pieces sold meanwhile")?;
        writeln!(out, "  {came_back} pieces lay there in the end and {sold_again} were sold, in {seconds:.2} s\n")?;
        let Books { on_hand, reserved, orders, living, movements, .. } = &self.books;
        writeln!(out, "the books: {orders} orders, {living} of them live; {on_hand} on hand, {reserved} reserved")?;
        writeln!(out, "  captured {}, of which {} go back", self.books.captured, self.books.going_back)?;
        writeln!(out, "  {movements} movements of stock\n")?;
        for (why, times) in &self.repeated_attempts {
            writeln!(out, "repeated {times} × after: {why}")?;
        }
        for law in &self.laws {
            let verdict = if law.holds() { "holds " } else { "BROKEN" };
            let times =
                if law.broken == 0 { law.checked.to_string() } else { format!("{}/{}", law.broken, law.checked) };
            writeln!(out, "{verdict} {times:>9} ×  {}", law.law)?;
            for example in &law.examples {
                writeln!(out, "                    {example}")?;
            }
        }
        let verdict = if self.proven { "proven" } else { "NOT PROVEN" };
        writeln!(out, "\n{verdict} in {:.1} s", self.seconds)
    }
}
