//! From accepted to readable: orders come at half of the rate that the system can take at most, and some of them are
//! asked for by GraphQL the moment their 201 is there, with the token that makes the read wait for the write. Beside
//! it a commit at the same load: one event appended now and then to a log of our own in the same database.

use crate::client::{Connection, request};
use crate::commands::{command, payload};
use crate::error::BenchError;
use crate::ground::Ground;
use crate::load::{self, Pace};
use crate::measure::{Latencies, Pairs};
use crate::place::{Accepted, CONNECTIONS, Orders};
use crate::system::{Storage, System};
use crate::{Figure, Limit, Options, Row};
use eventstore::EventLog;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{Mutex, mpsc};

const LIMIT: f64 = 3.0;
const READERS: usize = 24;
/// Every so many orders are read.
const EVERY: usize = 6;
const BETWEEN_COMMITS: Duration = Duration::from_millis(10);

pub(crate) async fn measure(options: &Options, ground: &Ground) -> Result<Vec<Row>, BenchError> {
    let system = System::start(ground, Storage::OfTheRun).await?;
    let measured = Box::pin(at_half_the_peak(options, ground, &system)).await;
    system.stop().await?;
    measured
}

async fn at_half_the_peak(options: &Options, ground: &Ground, system: &System) -> Result<Vec<Row>, BenchError> {
    let orders = Arc::new(Orders::prepare(system).await?);
    let log = ground.log("bench_lag").await?;
    let spawner = ground.spawner();
    let closed = (Pace::AsFastAsAnswered, options.half);
    load::run(&spawner, system.address, CONNECTIONS, closed, &orders).await?;
    let peak = load::run(&spawner, system.address, CONNECTIONS, closed, &orders).await?.per_second;
    let rate = peak / 2.0;

    let mut tails = Pairs::default();
    let (mut lags, mut posts) = (Latencies::default(), Latencies::default());
    for _ in 0..options.pairs {
        ground.until_caught_up().await?;
        let Half { lag, commit, post } = half(options.half, ground, system, &log, (&orders, rate)).await?;
        tails.push(lag.percentile_ms(0.99), commit.percentile_ms(0.99));
        lags.take_in(lag);
        posts.take_in(post);
    }
    let name = Figure::Lag.name();
    Ok(vec![
        Row::told(
            name,
            format!(
                "p99 from 201 to readable by GraphQL at {rate:.0} orders/s, half of the peak; beside: p99 of a commit \
                     at that load"
            ),
            format!("{:.2} ms", tails.ours().median),
        )
        .beside(format!("{:.2} ms", tails.beside().median))
        .ratio(tails.ratio(), Limit::AtMost(LIMIT)),
        Row::told(name, "the same: p50 from 201 to readable", format!("{:.2} ms", lags.percentile_ms(0.5))),
        Row::told(
            name,
            "the same: how long POST /api/orders takes at that rate, from when it was due",
            format!("p50 {:.2} ms, p99 {:.2} ms", posts.percentile_ms(0.5), posts.percentile_ms(0.99)),
        ),
    ])
}

/// What one half measured.
pub(crate) struct Half {
    pub(crate) lag: Latencies,
    commit: Latencies,
    post: Latencies,
}

/// Places orders at a rate for a while, and reads some of them.
pub(crate) async fn half(
    time: Duration,
    ground: &Ground,
    system: &System,
    log: &EventLog,
    (orders, rate): (&Arc<Orders>, f64),
) -> Result<Half, BenchError> {
    let spawner = ground.spawner();
    let (accepted, to_read) = mpsc::unbounded_channel();
    let to_read = Arc::new(Mutex::new(to_read));
    let (read, mut lags) = mpsc::unbounded_channel();
    for _ in 0..READERS {
        let (to_read, read, authorization) = (Arc::clone(&to_read), read.clone(), orders.authorization().to_owned());
        let mut connection = Connection::open(system.address).await?;
        spawner.spawn(async move {
            let _ = read.send(read_each(&mut connection, &to_read, &authorization).await);
        });
    }
    drop(read);
    let (committed, mut commits) = mpsc::unbounded_channel();
    let log = log.clone();
    spawner.spawn(async move {
        let _ = committed.send(commit_now_and_then(&log, time).await);
    });

    orders.tell(Some((EVERY, accepted)));
    let posts = load::run(&spawner, system.address, CONNECTIONS, (Pace::PerSecond(rate), time), orders).await;
    // The readers end once they have read what they were told of.
    orders.tell(None);
    let mut half = Half { lag: Latencies::default(), commit: Latencies::default(), post: posts?.latencies };
    while let Some(latencies) = lags.recv().await {
        half.lag.take_in(latencies?);
    }
    while let Some(latencies) = commits.recv().await {
        half.commit.take_in(latencies?);
    }
    Ok(half)
}

async fn read_each(
    connection: &mut Connection,
    accepted: &Mutex<mpsc::UnboundedReceiver<Accepted>>,
    authorization: &str,
) -> Result<Latencies, BenchError> {
    let mut lags = Latencies::default();
    loop {
        let Some(Accepted { at, id }) = accepted.lock().await.recv().await else { return Ok(lags) };
        let body = serde_json::json!({ "query": format!("{{ order(id: \"{id}\") {{ number status }} }}") });
        let seen = format!("{id}@1");
        let headers = [("authorization", authorization), ("oms-consistency", seen.as_str())];
        let answer = connection.send(&request("POST", "/graphql", &headers, &body.to_string())).await?;
        lags.push(at.elapsed());
        if answer.json()?["data"]["order"]["number"].is_null() {
            return Err(answer.unexpected("the order cannot be read"));
        }
    }
}

async fn commit_now_and_then(log: &EventLog, time: Duration) -> Result<Latencies, BenchError> {
    let (began, payload) = (Instant::now(), payload());
    let mut latencies = Latencies::default();
    while began.elapsed() < time {
        let sent = Instant::now();
        log.append(command(&payload, 1)).await?;
        latencies.push(sent.elapsed());
        tokio::time::sleep(BETWEEN_COMMITS).await;
    }
    Ok(latencies)
}
