//! `oms bench`: measures the system's figures beside their limits and writes the table.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use bench::{BenchError, Figure, Report};

use crate::cli::Bench;

const FOLDER: &str = "oms-bench";
const CATCH_UP_ORDERS: usize = 60_000;
/// More than are read for the first time in all pairs.
const READ_ORDERS: usize = 150_000;

/// Measures figure by figure, and writes each as soon as it is known: what comes after it may be interrupted.
pub async fn run(options: Bench) -> anyhow::Result<()> {
    if let Some(database_url) = &options.reference_of {
        return Ok(bench::reference::serve(database_url).await?);
    }
    let folder = match options.data_dir {
        Some(folder) => folder,
        None => beside_the_data().await?,
    };
    let plan = bench::Options {
        half: Duration::from_secs(options.seconds),
        pairs: options.pairs,
        orders: options.orders,
        catch_up_orders: CATCH_UP_ORDERS,
        read_orders: READ_ORDERS,
        import: options.import,
        folder,
    };
    let figures = if options.only.is_empty() { Figure::ALL.to_vec() } else { options.only };
    let mut reports = Vec::new();
    for figure in figures.into_iter().filter(|figure| *figure != Figure::Import || plan.import.is_some()) {
        eprintln!("measuring {} …", figure.name());
        let report = Box::pin(bench::run(figure, &plan)).await?;
        if let Some(path) = &options.write {
            write(path, &report)?;
        }
        if !options.json {
            print!("{}", report.table());
        }
        reports.push(report);
    }
    if options.json {
        println!("{}", serde_json::to_string_pretty(&reports)?);
    }
    Ok(())
}

/// On the disk that `oms up` uses: the folder for temporary files may be memory, where commits cost nothing.
async fn beside_the_data() -> Result<PathBuf, BenchError> {
    let data_dir = pg::embedded::default_data_dir().await?;
    Ok(data_dir.with_file_name(FOLDER))
}

fn write(path: &PathBuf, report: &Report) -> anyhow::Result<()> {
    let document = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let merged = report.merged_into(&document).map_err(|error| anyhow::anyhow!("{}: {error}", path.display()))?;
    fs::write(path, merged).with_context(|| format!("cannot write {}", path.display()))
}
