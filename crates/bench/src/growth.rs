//! Growth: the same measurements with ten thousand, a hundred thousand and a million orders in the log and the read
//! tables. They have to stay as they were at the smallest size, within a fifth.

use crate::error::BenchError;
use crate::graphql::read_latency;
use crate::ground::Ground;
use crate::lag;
use crate::load::count;
use crate::measure::Spread;
use crate::place::Orders;
use crate::process::{memory_mib, with_children};
use crate::seed::Seed;
use crate::system::{Storage, System};
use crate::{Figure, Limit, Options, Row};
use shared_events::OrderId;
use std::sync::Arc;
use std::time::Instant;

const SIZES: [usize; 3] = [10_000, 100_000, 1_000_000];
const CALLERS: usize = 32;
/// Far below what the system can take, at every size.
const ORDERS_PER_SECOND: f64 = 100.0;
const HALVES: usize = 3;
/// Of the ids that reads ask for.
const KEPT_IDS: usize = 50_000;
const FLAT: f64 = 0.2;

/// What was measured at one size.
struct Size {
    orders: usize,
    append_per_second: f64,
    lag_ms: f64,
    read_ms: f64,
    oms_mib: f64,
    postgres_mib: f64,
    log_bytes: f64,
    read_bytes: f64,
    ready_s: f64,
    caught_up_per_second: f64,
}

pub(crate) async fn measure(options: &Options, ground: &Ground) -> Result<Vec<Row>, BenchError> {
    let mut system = System::start(ground, Storage::OfTheRun).await?;
    let seed = Seed::new(ground).await?;
    let mut ids: Vec<OrderId> = Vec::new();
    let mut sizes: Vec<Size> = Vec::new();
    for wanted in SIZES.into_iter().filter(|size| *size <= options.orders) {
        let there = usize::try_from(ground.events_in("orders").await?).unwrap_or_default();
        let began = Instant::now();
        let missing = wanted.saturating_sub(there);
        let new = seed.append(missing).await?;
        ids.extend(new.into_iter().rev().take(KEPT_IDS));
        ground.until_caught_up().await?;
        let caught_up_per_second = count(missing) / began.elapsed().as_secs_f64();
        // A start shows what the size costs it, and memory begins anew.
        system.stop().await?;
        system = System::start(ground, Storage::OfTheRun).await?;
        // A token is of the system that gave it, and its address is another now.
        let orders = Arc::new(Orders::prepare(&system).await?);
        ground.settle().await?;
        let size = at_size(options, ground, &system, (&seed, &orders, &ids)).await?;
        tracing::info!(orders = wanted, "growth measured");
        sizes.push(Size { orders: wanted, caught_up_per_second, ..size });
    }
    system.stop().await?;
    Ok(rows(&sizes))
}

async fn at_size(
    options: &Options,
    ground: &Ground,
    system: &System,
    (seed, orders, ids): (&Arc<Seed>, &Arc<Orders>, &[OrderId]),
) -> Result<Size, BenchError> {
    let log = ground.log("bench_growth").await?;
    let (mut appends, mut lags, mut reads) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..HALVES {
        appends.push(seed.append_for(CALLERS, options.half / 2).await?);
        ground.until_caught_up().await?;
        let half = lag::half(options.half, ground, system, &log, (orders, ORDERS_PER_SECOND)).await?;
        lags.push(half.lag.percentile_ms(0.5));
        ground.until_caught_up().await?;
        reads.push(read_latency(options.half / 2, ground, system, ids).await?.percentile_ms(0.5));
    }
    let there = f64::from(u32::try_from(ground.events_in("orders").await?).unwrap_or(u32::MAX));
    let (log_bytes, read_bytes) = ground.bytes().await?;
    let bytes = |bytes: i64| f64::from(u32::try_from(bytes / 1024).unwrap_or(u32::MAX)) * 1024.0 / there;
    let postgres = ground.postgres.process_id().map(with_children).unwrap_or_default();
    Ok(Size {
        orders: 0,
        append_per_second: Spread::of(&appends).median,
        lag_ms: Spread::of(&lags).median,
        read_ms: Spread::of(&reads).median,
        oms_mib: system.process_id().map(memory_mib).unwrap_or_default(),
        postgres_mib: postgres.into_iter().map(memory_mib).sum(),
        log_bytes: bytes(log_bytes),
        read_bytes: bytes(read_bytes),
        ready_s: system.ready_after.as_secs_f64(),
        caught_up_per_second: 0.0,
    })
}

fn rows(sizes: &[Size]) -> Vec<Row> {
    let Some(first) = sizes.first() else { return Vec::new() };
    let mut rows = Vec::new();
    for size in sizes {
        let at = |what: &str| format!("{} orders: {what}", size.orders);
        let flat = |what: &str, value: String, was: String, ratio: f64, limit| {
            let row = Row::told(Figure::Growth.name(), at(what), value).beside(was);
            let ratio = Spread { median: ratio, least: ratio, most: ratio };
            if size.orders == first.orders { row } else { row.ratio(ratio, limit) }
        };
        let ms = |value: f64| format!("{value:.2} ms");
        rows.extend([
            flat(
                &format!("appending orders, {CALLERS} callers"),
                format!("{:.0} events/s", size.append_per_second),
                format!("{:.0} events/s at {}", first.append_per_second, first.orders),
                size.append_per_second / first.append_per_second,
                Limit::AtLeast(1.0 - FLAT),
            ),
            flat(
                &format!("p50 from 201 to readable at {ORDERS_PER_SECOND:.0} orders/s"),
                ms(size.lag_ms),
                ms(first.lag_ms),
                size.lag_ms / first.lag_ms,
                Limit::AtMost(1.0 + FLAT),
            ),
            flat(
                "p50 of an order by id over GraphQL, one at a time",
                ms(size.read_ms),
                ms(first.read_ms),
                size.read_ms / first.read_ms,
                Limit::AtMost(1.0 + FLAT),
            ),
            Row::told(
                Figure::Growth.name(),
                at("memory, disk per order, start"),
                format!(
                    "oms {:.0} MiB, Postgres {:.0} MiB; log {:.0} B, read tables {:.0} B; ready in {:.1} s; appended and \
                     projected at {:.0} orders/s",
                    size.oms_mib,
                    size.postgres_mib,
                    size.log_bytes,
                    size.read_bytes,
                    size.ready_s,
                    size.caught_up_per_second
                ),
            ),
        ]);
    }
    rows
}
