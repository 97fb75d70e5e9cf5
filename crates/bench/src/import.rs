//! A year of real orders through the words that people use: `oms import retail-csv` and `oms verify` after it, each a
//! process of its own against the running system. Only where a file is named.

use crate::error::BenchError;
use crate::ground::Ground;
use crate::load::count;
use crate::process::{memory_mib, with_children};
use crate::system::{Storage, System};
use crate::{Figure, Row};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::process::Command;

pub(crate) async fn measure(file: &Path, ground: &Ground) -> Result<Vec<Row>, BenchError> {
    let system = System::start(ground, Storage::OfTheRun).await?;
    let measured = Box::pin(with(&system, file, ground)).await;
    system.stop().await?;
    measured
}

async fn with(system: &System, file: &Path, ground: &Ground) -> Result<Vec<Row>, BenchError> {
    let rejects = ground.folder().join("rejects.csv");
    let mut import = system.word(&["import", "retail-csv"])?;
    import.arg(file).arg("--rejects").arg(&rejects);
    let (took, _) = finish(import, "import").await?;
    let began = Instant::now();
    ground.until_caught_up().await?;
    let caught_up = began.elapsed();
    let orders = ground.streams_in("orders").await?;
    let events = ground.events_in("orders").await?;
    let postgres = ground.postgres.process_id().map(with_children).unwrap_or_default();
    let memory = format!(
        "oms {:.0} MiB, Postgres {:.0} MiB",
        system.process_id().map(memory_mib).unwrap_or_default(),
        postgres.into_iter().map(memory_mib).sum::<f64>()
    );
    let (checked, sound) = finish(system.word(&["verify"])?, "verify").await?;

    let name = Figure::Import.name();
    let rate = count(usize::try_from(orders).unwrap_or_default()) / took.as_secs_f64();
    let import = format!("{:.0} s: {orders} orders, {events} events, {rate:.0} orders/s", took.as_secs_f64());
    let verdict = if sound { "nothing wrong" } else { "something is wrong" };
    let named = file.file_name().unwrap_or_default().to_string_lossy();
    Ok(vec![
        Row::told(name, format!("`oms import retail-csv {named}`"), import),
        Row::told(name, "until the read tables have it all", format!("{:.1} s more", caught_up.as_secs_f64())),
        Row::told(name, "memory after the import", memory),
        Row::told(name, "`oms verify` after it", format!("{:.0} s: {verdict}", checked.as_secs_f64())),
    ])
}

/// Runs a word to its end; whether it found nothing wrong.
async fn finish(mut word: Command, name: &str) -> Result<(Duration, bool), BenchError> {
    let began = Instant::now();
    let ended = word.stdin(Stdio::null()).stdout(Stdio::null()).kill_on_drop(true).status().await;
    let ended = ended.map_err(BenchError::file("run", name))?;
    match ended.code() {
        Some(0) => Ok((began.elapsed(), true)),
        // Found something, and said what on standard error.
        Some(1) => Ok((began.elapsed(), false)),
        _ => Err(BenchError::Unexpected(format!("`oms {name}` could not run"))),
    }
}
