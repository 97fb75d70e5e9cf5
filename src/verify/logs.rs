//! What holds for a log as a whole, told by the database alone: positions 1 to head without a gap, time that never runs
//! backwards, nothing there twice.

use super::check::Check;
use super::snapshot::Snapshot;
use anyhow::Context;
use chrono::{DateTime, Utc};
use pg::tokio_postgres::{Client, Row};
use std::collections::HashMap;
use std::time::Instant;
use uuid::Uuid;

/// A log: its name, which is its schema, and what was fixed when it was created.
#[derive(Debug, Clone)]
pub struct Log {
    /// `orders`, `inventory` or `invoices`.
    pub name: &'static str,
    /// How many partitions it has.
    pub partitions: i32,
    /// Which history it is.
    pub epoch: Uuid,
    /// The last position of each partition.
    pub heads: HashMap<i32, i64>,
}

impl Log {
    /// Reads what is known of a log.
    pub async fn open(snapshot: &Snapshot, name: &'static str) -> anyhow::Result<Self> {
        let client = snapshot.connect(&[name]).await?;
        let meta = client
            .query_opt("select partitions, epoch from log_meta", &[])
            .await
            .with_context(|| format!("the schema {name} holds no log"))?
            .with_context(|| format!("the log {name} was never opened"))?;
        let heads = client.query("select partition, position from log_head", &[]).await?;
        Ok(Self {
            name,
            partitions: meta.get(0),
            epoch: meta.get(1),
            heads: heads.iter().map(|row| (row.get(0), row.get(1))).collect(),
        })
    }

    /// How many events it has by its heads.
    pub fn events(&self) -> u64 {
        self.heads.values().map(|position| u64::try_from(*position).unwrap_or(0)).sum()
    }
}

/// The checks of a log that need no look into its events.
pub async fn verify(snapshot: &Snapshot, log: &Log) -> anyhow::Result<Vec<Check>> {
    let client = snapshot.connect(&[log.name]).await?;
    Ok(vec![heads(&client, log).await?, steps(&client, log).await?, twice(&client, log).await?])
}

async fn heads(client: &Client, log: &Log) -> anyhow::Result<Check> {
    let since = Instant::now();
    let mut check = Check::new(format!("{}.heads", log.name), "partitions");
    let rows = client.query(include_str!("sql/heads.sql"), &[]).await.context("the heads cannot be compared")?;
    let expected: Vec<i32> = (0..log.partitions).collect();
    if rows.iter().map(|row| row.get::<_, i32>(0)).collect::<Vec<_>>() != expected {
        check.wrong(|| format!("there are {} heads for {} partitions", rows.len(), log.partitions));
    }
    for row in &rows {
        check.saw(1);
        if let Some(wrong) = wrong_head(row) {
            check.wrong(|| format!("partition {}: {wrong}", row.get::<_, i32>(0)));
        }
    }
    for row in client.query(include_str!("sql/homeless.sql"), &[]).await? {
        let (partition, events): (i32, i64) = (row.get(0), row.get(1));
        check.wrong(|| format!("{events} events are in partition {partition}, which the log does not have"));
    }
    Ok(check.done(since))
}

fn wrong_head(row: &Row) -> Option<String> {
    let (head, events, first, last): (i64, i64, i64, i64) = (row.get(1), row.get(3), row.get(4), row.get(5));
    let (told_at, recorded_at): (DateTime<Utc>, Option<DateTime<Utc>>) = (row.get(2), row.get(6));
    if head != last {
        return Some(format!("the head says {head} and the last event is at {last}"));
    }
    if events != last || (events > 0 && first != 1) {
        return Some(format!("there are {events} events from {first} to {last}"));
    }
    recorded_at
        .filter(|recorded_at| told_at < *recorded_at)
        .map(|recorded_at| format!("the head was last moved at {told_at} and its last event is of {recorded_at}"))
}

async fn steps(client: &Client, log: &Log) -> anyhow::Result<Check> {
    let since = Instant::now();
    let mut check = Check::new(format!("{}.positions", log.name), "events");
    check.saw(log.events());
    for row in client.query(include_str!("sql/steps.sql"), &[]).await.context("the positions cannot be compared")? {
        let (partition, before, position): (i32, i64, i64) = (row.get(0), row.get(1), row.get(2));
        if position == before + 1 {
            let (earlier, later): (DateTime<Utc>, DateTime<Utc>) = (row.get(4), row.get(3));
            check.wrong(|| format!("{partition}/{position} is of {earlier}, before its predecessor's {later}"));
        } else {
            check.wrong(|| format!("{partition}/{position} follows {partition}/{before}"));
        }
    }
    Ok(check.done(since))
}

async fn twice(client: &Client, log: &Log) -> anyhow::Result<Check> {
    let since = Instant::now();
    let mut check = Check::new(format!("{}.ids", log.name), "events");
    check.saw(log.events());
    for row in client.query(include_str!("sql/twice.sql"), &[]).await.context("the ids cannot be compared")? {
        check.wrong(|| row.get(0));
    }
    Ok(check.done(since))
}
