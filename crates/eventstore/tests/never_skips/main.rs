//! Readers at every position of a log that four processes write to as fast as they can, some of them killed in the
//! middle: what a reader sees is dense, complete up to every head that was seen before, and never changes.
//!
//! `OMS_FAULT_EVENTS` says how many events; `OMS_FAULT_SEED` repeats the choices of a run.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

#[cfg(test)]
mod reader;
#[cfg(test)]
mod setting;
#[cfg(test)]
mod writer;

use futures_util::future::{join, join_all, join3};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use reader::SeenLog;
use setting::setting;
use std::time::Instant;
use test_support::{TestDatabase, eventually};
use writer::WritingProcess;

const PROCESSES: usize = 4;
const READERS: u64 = 6;
/// After so many events a writing process is killed and another one started.
const EVENTS_PER_KILL: i64 = 12_500;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_at_any_position_of_a_log_with_four_writing_processes_never_skips() {
    let wanted: i64 = setting("OMS_FAULT_EVENTS").unwrap_or(100_000);
    let seed: u64 = setting("OMS_FAULT_SEED").unwrap_or_else(rand::random);
    println!("a log of {wanted} events: OMS_FAULT_SEED={seed}");
    let clock = Instant::now();
    let database = test_support::database().await;
    eventstore::migrate(&database.pool("public", None).await.unwrap()).await.unwrap();
    let log = writer::open(database.url()).await;
    let seen = SeenLog::default();

    let write = async {
        let mut random = StdRng::seed_from_u64(seed);
        let mut processes: Vec<_> =
            (0..PROCESSES).map(|_| WritingProcess::start(database.url(), random.random())).collect();
        for kill in 1.. {
            eventually(|| {
                assert!(processes.iter_mut().all(WritingProcess::runs), "a writing process has ended by itself");
                let (log, goal) = (log.clone(), (kill * EVENTS_PER_KILL).min(wanted));
                async move { log.heads().await.unwrap().positions.iter().sum::<i64>() >= goal }
            })
            .await;
            if kill * EVENTS_PER_KILL >= wanted {
                break;
            }
            processes[random.random_range(0..PROCESSES)] = WritingProcess::start(database.url(), random.random());
        }
        drop(processes);
        // What a killed process had sent may still be committed.
        eventually(|| async { !somebody_writes(&database).await }).await;
        seen.finish(log.heads().await.unwrap().positions);
        wanted / EVENTS_PER_KILL
    };
    let read_on = reader::tail(&log, &seen);
    let read_about = join(
        join_all((0..READERS / 2).map(|n| reader::roam(&log, &seen, seed ^ n))),
        join_all((READERS / 2..READERS).map(|n| reader::roam_in_sql(&database, &seen, seed ^ n))),
    );
    let (kills, (), _) = join3(write, read_on, read_about).await;

    let (events, looks) = seen.counts();
    assert_eq!(events, log.heads().await.unwrap().positions.iter().sum::<i64>(), "every event was seen");
    println!("{events} events, {looks} looks at them, {kills} kills in {:?}", clock.elapsed());
}

async fn somebody_writes(database: &TestDatabase) -> bool {
    let others = "select count(*) from pg_stat_activity where datname = current_database() and state <> 'idle'
                  and pid <> pg_backend_pid() and query !~* '^select'";
    let client = database.connect().await.unwrap();
    client.query_one(others, &[]).await.unwrap().get::<_, i64>(0) > 0
}
