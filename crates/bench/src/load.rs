//! Load: a number of connections that send as fast as they are answered, or all together at a given rate. At a rate,
//! latency counts from when a request was due, so a system that falls behind can't hide it.

use crate::client::{Answer, Connection};
use crate::error::BenchError;
use crate::measure::Latencies;
use eventstore::Spawner;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// Makes the requests of a load, and looks at the answers. `n` counts the requests of one connection.
pub(crate) trait Traffic: Send + Sync + 'static {
    fn request(&self, connection: usize, n: usize) -> Vec<u8>;
    fn accept(&self, answer: &Answer<'_>) -> Result<(), BenchError>;
}

/// How the requests are timed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Pace {
    /// Each as soon as the one before it is answered.
    AsFastAsAnswered,
    /// So many per second by all connections.
    PerSecond(f64),
}

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Done {
    pub(crate) per_second: f64,
    pub(crate) latencies: Latencies,
}

/// Sends requests for a while over so many connections, each in a task of its own.
pub(crate) async fn run<T: Traffic>(
    spawner: &Spawner,
    address: SocketAddr,
    connections: usize,
    (pace, time): (Pace, Duration),
    traffic: &Arc<T>,
) -> Result<Done, BenchError> {
    let (done, mut results) = mpsc::unbounded_channel();
    let mut opened = Vec::with_capacity(connections);
    for _ in 0..connections {
        opened.push(Connection::open(address).await?);
    }
    let began = Instant::now();
    for (index, mut connection) in opened.into_iter().enumerate() {
        let (done, traffic) = (done.clone(), Arc::clone(traffic));
        spawner.spawn(async move {
            let schedule = Schedule::new(pace, began, index, connections);
            let _ = done.send(one(&mut connection, &*traffic, index, (&schedule, time)).await);
        });
    }
    drop(done);
    let mut latencies = Latencies::default();
    while let Some(result) = results.recv().await {
        latencies.extend(result?);
    }
    let per_second = count(latencies.len()) / began.elapsed().as_secs_f64();
    Ok(Done { per_second, latencies })
}

async fn one(
    connection: &mut Connection,
    traffic: &impl Traffic,
    index: usize,
    (schedule, time): (&Schedule, Duration),
) -> Result<Vec<Duration>, BenchError> {
    let mut latencies = Vec::new();
    for n in 0.. {
        let due = schedule.due(n);
        if due.duration_since(schedule.began) >= time {
            break;
        }
        tokio::time::sleep_until(due.into()).await;
        let request = traffic.request(index, n);
        let from = if schedule.interval.is_some() { due } else { Instant::now() };
        let answer = connection.send(&request).await?;
        traffic.accept(&answer)?;
        latencies.push(from.elapsed());
    }
    Ok(latencies)
}

struct Schedule {
    began: Instant,
    first: Duration,
    interval: Option<Duration>,
}

impl Schedule {
    fn new(pace: Pace, began: Instant, index: usize, connections: usize) -> Self {
        match pace {
            Pace::AsFastAsAnswered => Self { began, first: Duration::ZERO, interval: None },
            Pace::PerSecond(rate) => {
                let interval = Duration::from_secs_f64(count(connections) / rate);
                Self { began, first: interval.mul_f64(count(index) / count(connections)), interval: Some(interval) }
            }
        }
    }

    fn due(&self, n: usize) -> Instant {
        match self.interval {
            None => Instant::now(),
            Some(interval) => self.began + self.first + interval.mul_f64(count(n)),
        }
    }
}

/// A count as a number to calculate with.
#[expect(clippy::cast_precision_loss, reason = "there are far fewer requests than 2^52")]
pub(crate) fn count(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_shared_by_the_connections_in_turns() {
        let began = Instant::now();
        let schedule = |index| Schedule::new(Pace::PerSecond(100.0), began, index, 4);
        assert_eq!(schedule(0).due(0), began);
        assert_eq!(schedule(1).due(0), began + Duration::from_millis(10));
        assert_eq!(schedule(1).due(2), began + Duration::from_millis(90));
    }
}
