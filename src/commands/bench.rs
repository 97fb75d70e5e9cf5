//! `oms bench`: measures the system's figures beside their limits and writes the table.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use bench::{BenchError, Figure, Report};

use crate::cli::Bench;

const FOLDER: &str = "oms-bench";

/// Runs the figures. Ctrl-C ends it and leaves the folder of the run.
pub async fn run(options: Bench) -> anyhow::Result<()> {
    let figures = if options.only.is_empty() { Figure::ALL.to_vec() } else { options.only };
    let half = Duration::from_secs(options.seconds);
    let folder = match options.data_dir {
        Some(folder) => folder,
        None => beside_the_data().await?,
    };
    let settings = bench::Options { figures, half, pairs: options.pairs, folder };
    let report = Box::pin(bench::run(&settings, |figure| eprintln!("measuring {figure} …"))).await?;
    if let Some(path) = &options.write {
        write(path, &report)?;
    }
    if options.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print!("{}", report.table());
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
