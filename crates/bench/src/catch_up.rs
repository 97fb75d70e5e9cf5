//! Catching up from zero: the running system builds its read tables anew from the log, beside COPY-out of the same
//! rows. And folding only: the same events read, opened and folded here, with nothing written.

use crate::error::BenchError;
use crate::ground::{Ground, PARTITIONS};
use crate::load::count;
use crate::measure::Pairs;
use crate::seed::Seed;
use crate::system::{Storage, System};
use crate::{Figure, Limit, Options, Row};
use futures_util::TryStreamExt as _;
use order::Order;
use query_service::rebuild::{self, Asked};
use shared_events::OrderId;
use shared_events::order::OrderEvent;
use shared_events::sealed::{KeyRing, open_event};
use std::collections::HashMap;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

const AT_LEAST: f64 = 0.25;
const FOLDING_AT_LEAST: f64 = 0.5;
const COPY: &str = "copy (select * from orders.events order by partition, position) to stdout (format binary)";
const PAGE: usize = 2_000;
const LOOK_EVERY: Duration = Duration::from_millis(20);
const PATIENCE: Duration = Duration::from_mins(5);

pub(crate) async fn measure(options: &Options, ground: &Ground) -> Result<Vec<Row>, BenchError> {
    let system = System::start(ground, Storage::OfTheRun).await?;
    let measured = Box::pin(from_zero(options, ground)).await;
    system.stop().await?;
    measured
}

async fn from_zero(options: &Options, ground: &Ground) -> Result<Vec<Row>, BenchError> {
    let seed = Seed::new(ground).await?;
    seed.append(options.catch_up_orders).await?;
    ground.until_caught_up().await?;
    let events = ground.events_in("orders").await?;

    let (mut projecting, mut folding) = (Pairs::default(), Pairs::default());
    for _ in 0..options.pairs {
        let copied = copy_out(ground).await?;
        folding.push(fold(ground, &seed).await?, copied);
        let copied = copy_out(ground).await?;
        projecting.push(rebuild(ground).await?, copied);
        ground.until_caught_up().await?;
    }
    let row = |what: &str, pairs: &Pairs, limit| {
        Row::told(Figure::CatchUp.name(), what, format!("{:.0} events/s", pairs.ours().median))
            .beside(format!("{:.0} events/s", pairs.beside().median))
            .ratio(pairs.ratio(), Limit::AtLeast(limit))
    };
    let what = format!(
        "read tables built from zero, {events} orders, until requests are answered from them; beside: COPY-out of the same rows of the log"
    );
    Ok(vec![
        row(&what, &projecting, AT_LEAST),
        row("folding only: read, open and fold, nothing written; beside: the same", &folding, FOLDING_AT_LEAST),
    ])
}

/// Events per second of a COPY that nobody looks into.
async fn copy_out(ground: &Ground) -> Result<f64, BenchError> {
    let client = ground.database.connect().await?;
    let events = ground.events_in("orders").await?;
    let began = Instant::now();
    let mut rows = pin!(client.copy_out(COPY).await?);
    let mut bytes = 0;
    while let Some(chunk) = rows.try_next().await? {
        bytes += chunk.len();
    }
    tracing::debug!(bytes, "copied");
    Ok(number(events) / began.elapsed().as_secs_f64())
}

/// Events per second of a rebuild, from asking for it until requests are answered from it.
async fn rebuild(ground: &Ground) -> Result<f64, BenchError> {
    let client = ground.database.connect().await?;
    let began = Instant::now();
    let (Asked::Begun(generation) | Asked::Running(generation)) = rebuild::ask(&client).await? else {
        return Err(BenchError::Unexpected("there are no read tables to rebuild".to_owned()));
    };
    while began.elapsed() < PATIENCE {
        let live = rebuild::live(&client).await?;
        if live == Some(generation) {
            let took = began.elapsed().as_secs_f64();
            return Ok(number(rebuild::progress(&client, generation).await?.handled) / took);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Err(BenchError::Unexpected("the read tables are not rebuilt in time".to_owned()))
}

/// Events per second of reading pages, opening events and folding them, a task for each partition.
async fn fold(ground: &Ground, seed: &Arc<Seed>) -> Result<f64, BenchError> {
    let keys = Arc::new(seed.keys());
    let (done, mut results) = mpsc::unbounded_channel();
    let began = Instant::now();
    for partition in 0..PARTITIONS {
        let (seed, keys, done) = (Arc::clone(seed), Arc::clone(&keys), done.clone());
        ground.spawner().spawn(async move {
            let _ = done.send(fold_partition(&seed, &keys, partition).await);
        });
    }
    drop(done);
    let mut events = 0;
    while let Some(folded) = results.recv().await {
        events += folded?;
    }
    Ok(count(events) / began.elapsed().as_secs_f64())
}

async fn fold_partition(seed: &Seed, keys: &KeyRing, partition: i32) -> Result<usize, BenchError> {
    let unexpected = |error: &dyn std::error::Error| BenchError::Unexpected(error.to_string());
    let mut orders: HashMap<String, Order> = HashMap::new();
    let (mut after, mut events) = (0, 0);
    loop {
        let page = seed.log.read_partition(partition, after, PAGE).await.map_err(|error| unexpected(&error))?;
        let Some(last) = page.events.last() else { return Ok(events) };
        after = last.position;
        events += page.events.len();
        for event in &page.events {
            let body: OrderEvent = open_event(event, keys).map_err(|error| unexpected(&error))?;
            let id = OrderId::parse(&event.stream_id).map_err(|error| unexpected(&error))?;
            let order = orders.remove(&event.stream_id).unwrap_or_else(|| Order::of(id));
            orders.insert(event.stream_id.clone(), Order::evolve(order, &body));
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "there are far fewer events than 2^52")]
fn number(events: i64) -> f64 {
    events as f64
}
