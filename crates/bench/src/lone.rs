//! A lone append: one caller, one event, nothing else going on. Group commit must not delay it. Beside it a raw
//! commit of one row into a table of the same shape, in turns, one by one.

use crate::append::raw_connections;
use crate::commands::{command, payload};
use crate::error::BenchError;
use crate::ground::Ground;
use crate::measure::{Latencies, Pairs};
use crate::{Figure, Limit, Options, Row};
use std::time::Instant;

const AT_P50: f64 = 1.5;
const AT_P99: f64 = 2.0;
const WARM_UP: usize = 200;

pub(crate) async fn measure(options: &Options, ground: &Ground) -> Result<Vec<Row>, BenchError> {
    let log = ground.log("bench_lone").await?;
    let mut raw = raw_connections(ground, "bench_lone_raw").await?;
    let Some(raw) = raw.first_mut() else { return Ok(Vec::new()) };
    let payload = payload();
    let (mut medians, mut tails) = (Pairs::default(), Pairs::default());
    ground.checkpoint().await?;
    for pair in 0..=options.pairs {
        let (mut ours, mut beside) = (Latencies::default(), Latencies::default());
        let began = Instant::now();
        while if pair == 0 { ours.len() < WARM_UP } else { began.elapsed() < options.half } {
            let sent = Instant::now();
            raw.insert_one().await?;
            beside.push(sent.elapsed());
            let sent = Instant::now();
            log.append(command(&payload, 1)).await?;
            ours.push(sent.elapsed());
        }
        if pair > 0 {
            medians.push(ours.percentile_ms(0.5), beside.percentile_ms(0.5));
            tails.push(ours.percentile_ms(0.99), beside.percentile_ms(0.99));
        }
    }
    Ok([("p50", medians, AT_P50), ("p99", tails, AT_P99)]
        .map(|(which, pairs, limit)| {
            Row::told(
                Figure::Lone.name(),
                format!("{which} of a lone append of one event; beside: a raw commit of one row"),
                format!("{:.2} ms", pairs.ours().median),
            )
            .beside(format!("{:.2} ms", pairs.beside().median))
            .ratio(pairs.ratio(), Limit::AtMost(limit))
        })
        .into())
}
