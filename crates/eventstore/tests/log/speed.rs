//! How fast, against what the same server does without a log. Run with
//! `cargo test -p eventstore --release -- --ignored --nocapture speed`.

use crate::fixture::{command, fixture};
use eventstore::Expected;
use futures_util::future::join_all;
use std::time::Instant;

const BATCHES: usize = 50;
const BATCH: usize = 200;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement, not a test"]
async fn appends_against_a_raw_insert_of_several_rows() {
    let fixture = fixture().await;
    let client = fixture.pool.get().await.unwrap();
    client.batch_execute("create table raw (like events including all)").await.unwrap();
    let raw = client.prepare(include_str!("raw_insert.sql")).await.unwrap();
    let payload: &[u8] = br#"{"n":0}"#;
    for round in 0..3 {
        let before = Instant::now();
        for batch in 0..BATCHES {
            let count = i64::try_from(BATCH).unwrap();
            let offset = i64::try_from((round * BATCHES + batch) * BATCH).unwrap();
            client.execute(&raw, &[&offset, &count, &payload]).await.unwrap();
        }
        let raw_time = before.elapsed();
        let before = Instant::now();
        for batch in 0..BATCHES {
            let appends = (0..BATCH)
                .map(|n| fixture.log.append(command(&format!("stream-{round}-{batch}-{n}"), Expected::Version(0), 1)));
            join_all(appends).await.into_iter().for_each(|result| assert!(result.is_ok(), "{result:?}"));
        }
        let log_time = before.elapsed();
        let rate = |time: std::time::Duration| (BATCHES * BATCH) as f64 / time.as_secs_f64();
        println!("events/s: raw {:.0}, log {:.0}", rate(raw_time), rate(log_time));
    }
    let before = Instant::now();
    for n in 0..500 {
        fixture.log.append(command(&format!("lone-{n}"), Expected::Version(0), 1)).await.unwrap();
    }
    println!("a lone append takes {:?}", before.elapsed() / 500);
}
