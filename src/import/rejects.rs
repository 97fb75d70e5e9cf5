//! Lines that became no part of an order, each with its reason, as a table of their own.

use std::path::Path;

use anyhow::Context;
use rust_decimal::Decimal;

/// Why a line, or pieces of it, became no part of an order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// Quantity, date or price cannot be read.
    Unreadable,
    /// The invoice is none, but a correction of the books.
    Adjustment,
    /// An invoice sells one piece or more.
    QuantityNotPositive,
    /// A line has at most 9,999 pieces.
    QuantityTooLarge,
    /// A price is not negative.
    PriceNegative,
    /// A price has no more digits than its currency.
    PriceTooFine,
    /// Without price and customer it is a booking of the stock.
    StockBooking,
    /// An order has at most 1,500 lines.
    TooManyLines,
    /// What is cancelled is a negative quantity at a price.
    CancelsNothing,
    /// Without a customer nobody knows what is cancelled.
    CancelsForNobody,
    /// The customer bought no such thing at that price before.
    CancelsUnknownOrder,
    /// The customer had fewer pieces of it left.
    CancelsTooMuch,
    /// The system refused the order, by this code.
    Refused(String),
}

/// A line, or pieces of it, with the reason.
#[derive(Debug, Clone)]
pub struct Reject {
    /// Its number in the file.
    pub line: u64,
    /// The invoice.
    pub invoice: String,
    /// The stock code.
    pub sku: String,
    /// The pieces that are meant, as the file counts them.
    pub quantity: i64,
    /// The price.
    pub price: Decimal,
    /// Why.
    pub reason: Reason,
    /// Why, in words.
    pub detail: String,
}

impl Reason {
    /// Its code in reports.
    pub fn code(&self) -> &str {
        match self {
            Self::Unreadable => "UNREADABLE",
            Self::Adjustment => "ADJUSTMENT",
            Self::QuantityNotPositive => "QUANTITY_NOT_POSITIVE",
            Self::QuantityTooLarge => "QUANTITY_TOO_LARGE",
            Self::PriceNegative => "PRICE_NEGATIVE",
            Self::PriceTooFine => "PRICE_TOO_FINE",
            Self::StockBooking => "STOCK_BOOKING",
            Self::TooManyLines => "TOO_MANY_LINES",
            Self::CancelsNothing => "CANCELS_NOTHING",
            Self::CancelsForNobody => "CANCELS_FOR_NOBODY",
            Self::CancelsUnknownOrder => "CANCELS_UNKNOWN_ORDER",
            Self::CancelsTooMuch => "CANCELS_TOO_MUCH",
            Self::Refused(code) => code,
        }
    }
}

impl Reject {
    /// Quantity × price.
    pub fn amount(&self) -> Decimal {
        Decimal::from(self.quantity).saturating_mul(self.price)
    }
}

/// Writes the report, by line.
///
/// # Errors
/// When it cannot be written.
pub fn write(path: &Path, rejects: &mut [Reject]) -> anyhow::Result<()> {
    rejects.sort_by_key(|reject| reject.line);
    let written = || {
        let mut csv = csv::Writer::from_path(path)?;
        csv.write_record(["line", "invoice", "code", "quantity", "price", "amount", "reason", "detail"])?;
        for reject in rejects.iter() {
            csv.write_record([
                &reject.line.to_string(),
                &reject.invoice,
                &reject.sku,
                &reject.quantity.to_string(),
                &reject.price.to_string(),
                &reject.amount().to_string(),
                reject.reason.code(),
                &reject.detail,
            ])?;
        }
        csv.flush().map_err(csv::Error::from)
    };
    written().with_context(|| format!("cannot write {}", path.display()))
}
