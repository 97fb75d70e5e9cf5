//! A system that nobody uses: what it costs, and how soon it is there. With a Postgres of its own, as people run it.

use crate::error::BenchError;
use crate::ground::Ground;
use crate::process::{cpu_time, memory_mib, with_children};
use crate::system::{Storage, System};
use crate::{Figure, Limit, Row};
use std::time::{Duration, Instant};

const SETTLE: Duration = Duration::from_secs(10);
const WATCHED: Duration = Duration::from_secs(20);
const AT_MOST_PERCENT: f64 = 2.0;

pub(crate) async fn measure(ground: &Ground) -> Result<Vec<Row>, BenchError> {
    let first = System::start(ground, Storage::ItsOwn).await?;
    let (first_ready_after, process_id) = (first.ready_after, first.process_id());
    tokio::time::sleep(SETTLE).await;
    let oms: Vec<u32> = process_id.into_iter().collect();
    let postgres: Vec<u32> = first.postgres_id().map(with_children).unwrap_or_default();
    let sum = |of: fn(u32) -> f64, ids: &[u32]| ids.iter().map(|id| of(*id)).sum::<f64>();
    let seconds = |id: u32| cpu_time(id).as_secs_f64();
    let (began, oms_before, postgres_before) = (Instant::now(), sum(seconds, &oms), sum(seconds, &postgres));
    tokio::time::sleep(WATCHED).await;
    let watched = began.elapsed().as_secs_f64();
    let oms_percent = (sum(seconds, &oms) - oms_before) / watched * 100.0;
    let postgres_percent = (sum(seconds, &postgres) - postgres_before) / watched * 100.0;
    let memory = (sum(memory_mib, &oms), sum(memory_mib, &postgres));
    first.stop().await?;
    let again = System::start(ground, Storage::ItsOwn).await?;
    let again_ready_after = again.ready_after;
    again.stop().await?;

    let name = Figure::Idle.name();
    let both = oms_percent + postgres_percent;
    Ok(vec![
        Row::told(
            name,
            "processor of an idle `oms up` with its Postgres, in % of a core",
            format!("{both:.1} % (oms {oms_percent:.1}, Postgres {postgres_percent:.1})"),
        )
        .judged(both, Limit::AtMost(AT_MOST_PERCENT)),
        Row::told(name, "memory idle", format!("oms {:.0} MiB, Postgres {:.0} MiB", memory.0, memory.1)),
        Row::told(
            name,
            "from start to ready",
            format!(
                "{:.1} s with a new data folder, {:.1} s later",
                first_ready_after.as_secs_f64(),
                again_ready_after.as_secs_f64()
            ),
        ),
    ])
}
