//! Some orders at random, computed anew by SQL alone from the view `event_log`: nothing of the code that fills the read
//! tables takes part.

use crate::verify::check::Check;
use crate::verify::snapshot::Snapshot;
use crate::verify::views::Views;
use anyhow::Context;
use shared_events::OrderId;
use std::time::Instant;
use uuid::Uuid;

/// Few enough for one statement's memory.
const BATCH: usize = 500;
/// Tables that were just filled have no statistics yet, and a nested loop over what looks like one row takes minutes.
const PLAN: &str = "set local enable_nestloop = off";

/// Compares so many orders, the same ones for the same seed.
pub async fn verify(snapshot: &Snapshot, views: &Views, size: u32, seed: i64) -> anyhow::Result<Check> {
    let since = Instant::now();
    let mut check = Check::new("order_view.sample", "orders");
    let client = snapshot.connect(&[views.schema.as_str()]).await?;
    client.batch_execute(PLAN).await.context("no sample of orders can be planned")?;
    let chosen = client
        .query(include_str!("../sql/sample.sql"), &[&seed, &i64::from(size)])
        .await
        .context("no sample of orders can be taken")?;
    for batch in chosen.chunks(BATCH) {
        let mut ids: Vec<Uuid> = Vec::new();
        let mut partitions: Vec<i32> = Vec::new();
        let mut streams: Vec<String> = Vec::new();
        for row in batch {
            let stream_id: String = row.get(1);
            let Ok(id) = OrderId::parse(&stream_id) else { continue };
            ids.push(id.as_uuid());
            partitions.push(row.get(0));
            streams.push(stream_id);
        }
        check.saw(ids.len() as u64);
        let differences = client
            .query(include_str!("../sql/sample_orders.sql"), &[&ids, &partitions, &streams])
            .await
            .context("the sample cannot be computed")?;
        for row in differences {
            let (stream_id, what, expected, found): (&str, &str, &str, &str) =
                (row.get(0), row.get(1), row.get(2), row.get(3));
            check.wrong(|| format!("{stream_id}: {what} is {found} and should be {expected}"));
        }
    }
    check.note(format!("seed {seed}"));
    Ok(check.done(since))
}
