//! The words that make traffic on a running system: `oms demo` and `oms prove`.

use clap::{Args, Subcommand};

use super::System;

/// The options of `oms demo`.
#[derive(Debug, Args)]
pub struct Demo {
    /// Shoppers who come in a second, on average; most of them place an order.
    #[arg(long, value_name = "N", default_value_t = 5.0, value_parser = rate)]
    pub rate: f64,
    /// For how long they come, such as 90s or 30m.
    #[arg(long = "for", value_name = "TIME", default_value = "5m", value_parser = service::settings::parse_duration)]
    pub lasts: std::time::Duration,
    /// How many come at most.
    #[arg(long, value_name = "N")]
    pub shoppers: Option<u64>,
    /// How long people take between two steps, on average.
    #[arg(long, value_name = "TIME", default_value = "500ms", value_parser = service::settings::parse_duration)]
    pub pause: std::time::Duration,
    /// What they do follows from it; the summary says which seed was taken.
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// How long to wait for a system that is away, such as 90s or 5m.
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = service::settings::parse_duration)]
    pub patience: std::time::Duration,
    /// Prints the closing summary as JSON.
    #[arg(long)]
    pub json: bool,
    /// Which system.
    #[command(flatten)]
    pub system: System,
}

fn rate(text: &str) -> Result<f64, String> {
    let rate: f64 = text.parse().map_err(|_| format!("`{text}` is no number"))?;
    if rate > 0.0 && rate <= 10_000.0 { Ok(rate) } else { Err("more than 0 and at most 10000".to_owned()) }
}

/// What can be proven.
#[derive(Debug, Subcommand)]
pub enum Prove {
    /// Thousands of buyers at once for a few pieces of a product of its own: never more are sold than there are.
    Oversell(ProveOversell),
}

/// The options of `oms prove oversell`.
#[derive(Debug, Args)]
pub struct ProveOversell {
    /// How many buyers each want one piece at the same time.
    #[arg(long, value_name = "N", default_value_t = 5000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub buyers: u32,
    /// How many pieces there are.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub units: u32,
    /// How many requests are under way at a time.
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=500))]
    pub concurrency: u32,
    /// How long to wait for a system that is away, such as 90s or 5m.
    #[arg(long, value_name = "TIME", default_value = "2m", value_parser = service::settings::parse_duration)]
    pub patience: std::time::Duration,
    /// Prints JSON.
    #[arg(long)]
    pub json: bool,
    /// Which system.
    #[command(flatten)]
    pub system: System,
}
