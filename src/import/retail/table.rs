//! Reading the file: every line once, packed or not, into a table of some fifty bytes a line. What a line says is
//! kept as it stands; whether it makes sense is for the plan.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use anyhow::Context;
use chrono::NaiveDateTime;
use csv::ByteRecord;
use lzma_rust2::XzReader;
use rust_decimal::Decimal;

use crate::import::rejects::{Reason, Reject};

const COLUMNS: [&str; 8] =
    ["InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country"];
const BUFFER: usize = 1 << 20;

/// A text that many lines have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Text(u32);

/// A line of the file.
#[derive(Debug, Clone, Copy)]
pub struct Line {
    /// Its number in the file, from 1; the heading is line 1.
    pub number: u64,
    /// Its invoice.
    pub invoice: usize,
    /// Its stock code.
    pub sku: Text,
    /// What it describes; may be empty.
    pub description: Text,
    /// How many pieces.
    pub quantity: i64,
    /// What a piece costs.
    pub price: Decimal,
    /// When, by the shop's clock.
    pub at: NaiveDateTime,
}

/// An invoice.
#[derive(Debug)]
pub struct Invoice {
    /// Its number.
    pub number: String,
    /// The customer; may be empty.
    pub customer: Text,
    /// The country.
    pub country: Text,
    /// Its lines, by their places in the table, in the order of the file.
    pub lines: Vec<usize>,
}

/// The file.
#[derive(Debug, Default)]
pub struct Table {
    /// Its readable lines.
    pub lines: Vec<Line>,
    /// Its invoices, in the order of their first lines.
    pub invoices: Vec<Invoice>,
    /// Lines that could not be read.
    pub unreadable: Vec<Reject>,
    texts: Vec<String>,
    places: HashMap<String, Text>,
}

impl Line {
    /// Quantity × price.
    pub fn amount(&self) -> Decimal {
        Decimal::from(self.quantity).saturating_mul(self.price)
    }
}

impl Table {
    /// The words of a text.
    pub fn text(&self, text: Text) -> &str {
        &self.texts[text.0 as usize]
    }

    /// How many lines the file has, without its heading.
    pub fn size(&self) -> usize {
        self.lines.len() + self.unreadable.len()
    }

    /// The sum of quantity × price over the file.
    pub fn sum(&self) -> Decimal {
        self.lines.iter().map(Line::amount).sum()
    }

    fn keep(&mut self, text: String) -> Text {
        if let Some(known) = self.places.get(&text) {
            return *known;
        }
        // No file has four billion different texts.
        let new = Text(u32::try_from(self.texts.len()).unwrap_or(u32::MAX));
        self.texts.push(text.clone());
        self.places.insert(text, new);
        new
    }
}

/// Reads a `.csv` or `.csv.xz`.
///
/// # Errors
/// When it cannot be read, or is no such table.
pub fn read(path: &Path) -> anyhow::Result<Table> {
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    let file = BufReader::with_capacity(BUFFER, file);
    let packed = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("xz"));
    let reader: Box<dyn Read> = if packed { Box::new(XzReader::new(file, true)) } else { Box::new(file) };
    read_table(reader).with_context(|| format!("cannot read {}", path.display()))
}

fn read_table(reader: impl Read) -> anyhow::Result<Table> {
    let mut csv = csv::ReaderBuilder::new().flexible(true).buffer_capacity(BUFFER).from_reader(reader);
    let heading: Vec<String> = csv.byte_headers()?.iter().map(text).collect();
    let mut columns = [0; COLUMNS.len()];
    for (place, name) in columns.iter_mut().zip(COLUMNS) {
        let found = heading.iter().position(|heading| heading.trim_start_matches('\u{feff}') == name);
        *place = found.with_context(|| format!("it has no column {name}"))?;
    }
    let mut table = Table::default();
    let mut invoices: HashMap<String, usize> = HashMap::new();
    let mut record = ByteRecord::new();
    while csv.read_byte_record(&mut record)? {
        let number = record.position().map_or(0, csv::Position::line);
        let field = |column: usize| record.get(columns[column]).map(text).unwrap_or_default();
        let (quantity, at, price) = (field(3).parse(), time(&field(4)), field(5).parse::<Decimal>());
        let (Ok(quantity), Some(at), Ok(price)) = (quantity, at, price) else {
            table.unreadable.push(Reject {
                line: number,
                invoice: field(0),
                sku: field(1),
                quantity: 0,
                price: Decimal::ZERO,
                reason: Reason::Unreadable,
                detail: "quantity, date or price is none".to_owned(),
            });
            continue;
        };
        let name = field(0);
        let (sku, description) = (table.keep(field(1)), table.keep(field(2)));
        let invoice = match invoices.get(&name) {
            Some(known) => *known,
            None => {
                let (customer, country) = (table.keep(field(6)), table.keep(field(7)));
                table.invoices.push(Invoice { number: name.clone(), customer, country, lines: Vec::new() });
                invoices.insert(name, table.invoices.len() - 1);
                table.invoices.len() - 1
            }
        };
        table.invoices[invoice].lines.push(table.lines.len());
        table.lines.push(Line { number, invoice, sku, description, quantity, price, at });
    }
    Ok(table)
}

/// UTF-8, or else Latin-1, in which every byte is a letter; without blanks around it.
fn text(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.trim().to_owned(),
        Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect::<String>().trim().to_owned(),
    }
}

/// ISO 8601, or as the file was first published: 12/1/2010 8:26.
fn time(text: &str) -> Option<NaiveDateTime> {
    let formats = ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%m/%d/%Y %H:%M"];
    formats.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADING: &str = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n";

    #[test]
    fn lines_are_kept_as_they_stand_by_invoice() {
        let rows = "1,A,\"Cup, red\",2,2010-12-01T08:26:00,1.50,7,France\n2,B,,1,12/1/2010 8:27,2,,France\n1,A,x,-1,2010-12-01T08:28:00,0.001,7,France\n";
        let table = read_table(format!("\u{feff}{HEADING}{rows}").as_bytes()).unwrap();
        assert_eq!((table.size(), table.sum()), (3, "4.999".parse().unwrap()));
        assert_eq!(table.invoices[0].lines, [0, 2]);
        assert_eq!((table.text(table.lines[0].description), table.lines[2].number), ("Cup, red", 4));
        assert_eq!(table.text(table.invoices[1].customer), "");
    }

    #[test]
    fn a_line_that_cannot_be_read_is_counted() {
        let rows = "1,A,a,many,2010-12-01T08:26:00,1.50,7,France\n1,A,a,1,2010-12-01T08:26:00,1.50,7,France\nshort\n";
        let table = read_table(format!("{HEADING}{rows}").as_bytes()).unwrap();
        assert_eq!((table.size(), table.unreadable.len(), table.unreadable[1].line), (3, 2, 4));
    }

    #[test]
    fn latin_1_is_read_where_it_is_no_utf_8() {
        assert_eq!((text(b" \xa340 "), text("£40".as_bytes())), ("£40".to_owned(), "£40".to_owned()));
    }

    #[test]
    fn another_table_is_refused() {
        assert!(read_table("a,b\n1,2\n".as_bytes()).unwrap_err().to_string().contains("InvoiceNo"));
    }
}
