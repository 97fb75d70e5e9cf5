//! The table of a shop's invoices as CSV: InvoiceNo, StockCode, Description, Quantity, InvoiceDate, UnitPrice,
//! CustomerID, Country. Invoices become orders, invoices that begin with C take pieces of earlier ones back, stock
//! codes become products. docs/guides/import-orders.md says what becomes of what.

mod country;
mod matching;
mod orders;
mod plan;
mod products;
mod table;
mod uk_time;

pub use orders::order_line;
pub use plan::{Plan, PlannedOrder, plan};
pub use products::{Product, products};
pub use table::{Line, Table, Text, read};
