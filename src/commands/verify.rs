//! `oms verify`: proves on the database that nothing is lost, doubled or out of step.

use std::io::{self, Write};

use crate::cli::Verify;
use crate::commands::FoundWrong;
use crate::verify::{self, Options};
use crate::{system, verify::Report};

/// Runs the checks and tells what they found.
pub async fn run(options: Verify) -> anyhow::Result<()> {
    let database = system::database(&options.system).await?;
    let seed = options.seed.unwrap_or_else(rand::random::<u32>);
    let chosen = Options { sample: options.sample, seed: i64::from(seed) };
    let report: Report = verify::run(database, chosen).await?;
    let mut out = io::stdout().lock();
    if options.json {
        serde_json::to_writer_pretty(&mut out, &report)?;
        writeln!(out)?;
    } else {
        report.write(&mut out)?;
    }
    if report.is_clean() { Ok(()) } else { Err(FoundWrong.into()) }
}
