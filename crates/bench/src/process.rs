//! What a process and its children cost, as Linux tells it: processor time, and memory of which shared pages count
//! by their share.

use std::fs;
use std::time::Duration;

/// Linux counts processor time in hundredths of a second for everybody, whatever its own clock.
const TICKS_PER_SECOND: f64 = 100.0;

/// Processor time that a process has used so far; zero where it can't be told.
pub(crate) fn cpu_time(process_id: u32) -> Duration {
    let Ok(stat) = fs::read_to_string(format!("/proc/{process_id}/stat")) else { return Duration::ZERO };
    // The name, in parentheses, may hold anything; what follows it are numbers.
    let Some((_, rest)) = stat.rsplit_once(") ") else { return Duration::ZERO };
    let mut ticks = rest.split(' ').skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok());
    Duration::from_secs_f64((ticks.next().unwrap_or(0.0) + ticks.next().unwrap_or(0.0)) / TICKS_PER_SECOND)
}

/// Memory of a process in MiB, pages that it shares with others by its share of them.
pub(crate) fn memory_mib(process_id: u32) -> f64 {
    let rollup = fs::read_to_string(format!("/proc/{process_id}/smaps_rollup")).unwrap_or_default();
    let pss = rollup.lines().find_map(|line| line.strip_prefix("Pss:"));
    let kib = pss.and_then(|pss| pss.trim().split(' ').next()?.parse::<f64>().ok());
    kib.unwrap_or(0.0) / 1024.0
}

/// The process and everything that it started.
pub(crate) fn with_children(process_id: u32) -> Vec<u32> {
    let mut found = vec![process_id];
    let mut at = 0;
    while let Some(parent) = found.get(at).copied() {
        found.extend(children(parent));
        at += 1;
    }
    found
}

fn children(parent: u32) -> Vec<u32> {
    let Ok(folders) = fs::read_dir("/proc") else { return Vec::new() };
    let ids = folders.filter_map(|folder| folder.ok()?.file_name().to_str()?.parse::<u32>().ok());
    ids.filter(|id| parent_of(*id) == Some(parent)).collect()
}

fn parent_of(process_id: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{process_id}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_uses_memory_and_is_a_child_of_its_parent() {
        if cfg!(target_os = "linux") {
            let this = std::process::id();
            assert!(memory_mib(this) > 0.0);
            let parent = parent_of(this).unwrap();
            assert!(with_children(parent).contains(&this));
        }
    }
}
