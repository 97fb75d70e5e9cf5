//! What the figures were measured on: they mean little without it.

use crate::error::BenchError;
use crate::ground::Ground;

/// The settings that decide what a commit costs.
const SETTINGS: [&str; 6] =
    ["fsync", "synchronous_commit", "full_page_writes", "wal_sync_method", "shared_buffers", "max_wal_size"];

/// One line: cores, memory, processor, Postgres and its settings.
pub(crate) async fn describe(ground: &Ground) -> Result<String, BenchError> {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let mut parts = vec![format!("{cores} cores")];
    parts.extend(first_of("/proc/cpuinfo", "model name").map(|model| format!("({model})")));
    let memory = first_of("/proc/meminfo", "MemTotal")
        .and_then(|total| total.split(' ').next().and_then(|kib| kib.parse::<u64>().ok()));
    let mut parts = vec![parts.join(" ")];
    parts.extend(memory.map(|kib| format!("{} GiB of memory", kib.div_ceil(1024 * 1024))));
    parts.push(format!("{} {}", std::env::consts::OS, std::env::consts::ARCH));
    let client = ground.database.connect().await?;
    let mut settings = Vec::new();
    for setting in SETTINGS {
        let value: String = client.query_one("select current_setting($1)", &[&setting]).await?.get(0);
        settings.push(format!("{setting} = {value}"));
    }
    parts.push(format!("{} ({})", ground.postgres.version(), settings.join(", ")));
    Ok(format!("{}.", parts.join(", ")))
}

/// The value of the first line that begins like that; none where there is no such file.
fn first_of(path: &str, key: &str) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    let line = text.lines().find(|line| line.starts_with(key))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}
