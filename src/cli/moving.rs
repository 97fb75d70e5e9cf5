//! The words that move data in and out of a running system: `oms import` and `oms export`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::System;

/// What can be brought in.
#[derive(Debug, Subcommand)]
pub enum Import {
    /// A table of invoice lines: InvoiceNo, StockCode, Description, Quantity, InvoiceDate, UnitPrice, CustomerID,
    /// Country. The same command again goes on where it stopped.
    RetailCsv(ImportRetail),
    /// Orders of any other system as lines of JSON, in any state, with their own numbers, dates and external ids. The
    /// same command again goes on where it stopped.
    Orders(ImportOrders),
}

/// The options of `oms import orders`.
#[derive(Debug, Args)]
pub struct ImportOrders {
    /// The orders, one a line.
    pub file: PathBuf,
    /// The name of the system that they come from, for lines that name none: ids follow from it.
    #[arg(long, value_name = "NAME", default_value = "import")]
    pub source: String,
    /// Where the lines go that become no order; NAME.rejects.jsonl in the current folder if unset.
    #[arg(long, value_name = "FILE")]
    pub rejects: Option<PathBuf>,
    /// Asks the system what would become of each line, and changes nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// How long to wait for a system that is away, such as 90s or 5m.
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = service::settings::parse_duration)]
    pub patience: std::time::Duration,
    /// Prints JSON.
    #[arg(long)]
    pub json: bool,
    /// Which system.
    #[command(flatten)]
    pub system: System,
}

/// What can be taken out of the system.
#[derive(Debug, Subcommand)]
pub enum Export {
    /// Every order as a line of JSON, as GET /api/orders has it, newest first.
    Orders(ExportOrders),
}

/// The options of `oms export orders`.
#[derive(Debug, Args)]
pub struct ExportOrders {
    /// Only orders with this status; repeat it, or separate several by commas.
    #[arg(long = "status", value_name = "STATUS", value_delimiter = ',')]
    pub statuses: Vec<String>,
    /// Only orders of this customer.
    #[arg(long, value_name = "ID")]
    pub customer: Option<String>,
    /// Adds the order's events, as GET /api/orders/{id}/events has them.
    #[arg(long)]
    pub history: bool,
    /// How long to wait for a system that is away, such as 90s or 5m.
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = service::settings::parse_duration)]
    pub patience: std::time::Duration,
    /// Which system.
    #[command(flatten)]
    pub system: System,
}

/// The options of `oms import retail-csv`.
#[derive(Debug, Args)]
pub struct ImportRetail {
    /// The table, as .csv or .csv.xz.
    pub file: PathBuf,
    /// The name of the system that it comes from: the ids of orders and customers follow from it.
    #[arg(long, value_name = "NAME", default_value = "retail")]
    pub source: String,
    /// Where the lines go that become no part of an order; NAME.rejects.csv in the current folder if unset.
    #[arg(long, value_name = "FILE")]
    pub rejects: Option<PathBuf>,
    /// Reads and accounts, and sends nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// How long to wait for a system that is away, such as 90s or 5m.
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = service::settings::parse_duration)]
    pub patience: std::time::Duration,
    /// Prints JSON.
    #[arg(long)]
    pub json: bool,
    /// Which system.
    #[command(flatten)]
    pub system: System,
}
