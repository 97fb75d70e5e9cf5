//! What a log tells of its appends, for Prometheus. Once per batch, so that a command under load costs next to nothing.

use super::{AppendError, Appended, queue::Queued};

/// Which way a batch went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Fast,
    Careful,
}

/// A batch is committed or refused, and these are its answers.
pub(super) fn answered(log: &'static str, way: Way, batch: &[Queued], answers: &[Result<Appended, AppendError>]) {
    let way = match way {
        Way::Fast => "fast",
        Way::Careful => "careful",
    };
    metrics::counter!("oms_log_commits_total", "log" => log, "way" => way).increment(1);
    metrics::histogram!("oms_log_batch_commands", "log" => log)
        .record(f64::from(u32::try_from(batch.len()).unwrap_or(u32::MAX)));
    let conflicts = answers.iter().filter(|answer| matches!(answer, Err(AppendError::Conflict { .. }))).count();
    if conflicts > 0 {
        metrics::counter!("oms_log_conflicts_total", "log" => log).increment(conflicts as u64);
    }
    let seconds = metrics::histogram!("oms_log_append_duration_seconds", "log" => log);
    for queued in batch {
        seconds.record(queued.since.elapsed().as_secs_f64());
    }
}

/// A commit broke off with an unknown outcome.
pub(super) fn unknown(log: &'static str) {
    metrics::counter!("oms_log_unknown_commits_total", "log" => log).increment(1);
}

/// How many commands wait for a writer.
pub(super) fn waiting(log: &'static str, writer: usize, commands: usize) {
    let commands = f64::from(u32::try_from(commands).unwrap_or(u32::MAX));
    metrics::gauge!("oms_log_waiting_commands", "log" => log, "writer" => writer.to_string()).set(commands);
}
