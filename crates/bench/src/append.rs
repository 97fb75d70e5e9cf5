//! Appending under load: 32 callers, each waiting for its command of three events before it sends the next, beside
//! two connections that commit 200 raw rows at a time.

use crate::commands::{command, payload};
use crate::error::BenchError;
use crate::ground::{Ground, PARTITIONS, WRITERS};
use crate::measure::{Latencies, Pairs};
use crate::raw::{EVENTS_PER_COMMIT, Raw};
use crate::{Figure, Limit, Options, Row};
use eventstore::{EventLog, Spawner};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

const CALLERS: usize = 32;
const EVENTS_PER_COMMAND: usize = 3;
const LIMIT: f64 = 0.5;

/// What one half did.
#[derive(Debug, Default)]
pub(crate) struct Half {
    pub(crate) per_second: f64,
    pub(crate) latencies: Latencies,
}

pub(crate) async fn measure(options: &Options, ground: &Ground) -> Result<Vec<Row>, BenchError> {
    let log = ground.log("bench_append").await?;
    let mut raw = raw_connections(ground, "bench_append_raw").await?;
    let mut pairs = Pairs::default();
    let mut latencies = Latencies::default();
    // The first of each warms caches and connections and is not counted.
    for pair in 0..=options.pairs {
        ground.checkpoint().await?;
        let beside;
        (raw, beside) = through_raw(&ground.spawner(), raw, options.half).await?;
        ground.checkpoint().await?;
        let ours = through_log(&ground.spawner(), &log, options.half).await?;
        if pair > 0 {
            pairs.push(ours.per_second, beside);
            latencies.take_in(ours.latencies);
        }
    }
    let name = Figure::Append.name();
    let what = format!(
        "{CALLERS} callers, commands of {EVENTS_PER_COMMAND} events of 600 B; beside: {WRITERS} \
                        connections, {EVENTS_PER_COMMIT} rows a commit"
    );
    Ok(vec![
        Row::told(name, what, format!("{:.0} events/s", pairs.ours().median))
            .beside(format!("{:.0} events/s", pairs.beside().median))
            .ratio(pairs.ratio(), Limit::AtLeast(LIMIT)),
        Row::told(
            name,
            "the same: how long a command takes",
            format!("p50 {:.2} ms, p99 {:.2} ms", latencies.percentile_ms(0.5), latencies.percentile_ms(0.99)),
        ),
    ])
}

/// The connections of the raw side; each has a share of the partitions, as the writers of a log have.
pub(crate) async fn raw_connections(ground: &Ground, schema: &str) -> Result<Vec<Raw>, BenchError> {
    let pool = ground.log_schema(schema).await?;
    let mut connections = Vec::new();
    for connection in 0..WRITERS {
        let partitions = (0..PARTITIONS).skip(connection).step_by(WRITERS);
        connections.push(Raw::new(pool.get().await?, partitions).await?);
    }
    Ok(connections)
}

/// Inserts for a while, each connection in a task of its own. Gives the connections back, and events per second.
pub(crate) async fn through_raw(
    spawner: &Spawner,
    connections: Vec<Raw>,
    half: Duration,
) -> Result<(Vec<Raw>, f64), BenchError> {
    let (done, mut results) = mpsc::unbounded_channel();
    let began = Instant::now();
    for mut raw in connections {
        let done = done.clone();
        spawner.spawn(async move {
            let mut commits = 0_u32;
            let mut result = Ok(());
            while began.elapsed() < half && result.is_ok() {
                result = raw.insert_many().await;
                commits += 1;
            }
            let _ = done.send(result.map(|()| (raw, commits)));
        });
    }
    drop(done);
    let (mut connections, mut commits) = (Vec::new(), 0);
    while let Some(result) = results.recv().await {
        let (raw, more) = result?;
        connections.push(raw);
        commits += more;
    }
    let per_second = f64::from(commits) * events(EVENTS_PER_COMMIT) / began.elapsed().as_secs_f64();
    Ok((connections, per_second))
}

async fn through_log(spawner: &Spawner, log: &EventLog, half: Duration) -> Result<Half, BenchError> {
    let (done, mut results) = mpsc::unbounded_channel();
    let began = Instant::now();
    for _ in 0..CALLERS {
        let (log, done, payload) = (log.clone(), done.clone(), payload());
        spawner.spawn(async move {
            let mut latencies = Vec::new();
            let mut result = Ok(());
            while began.elapsed() < half && result.is_ok() {
                let sent = Instant::now();
                result = log.append(command(&payload, EVENTS_PER_COMMAND)).await.map(drop);
                latencies.push(sent.elapsed());
            }
            let _ = done.send(result.map(|()| latencies));
        });
    }
    drop(done);
    let mut latencies = Latencies::default();
    while let Some(result) = results.recv().await {
        latencies.extend(result?);
    }
    let per_second = events(latencies.len() * EVENTS_PER_COMMAND) / began.elapsed().as_secs_f64();
    Ok(Half { per_second, latencies })
}

#[expect(clippy::cast_precision_loss, reason = "there are far fewer events than 2^52")]
fn events(count: usize) -> f64 {
    count as f64
}
