//! Everything that follows a log or waits for its time: readers that stand still or are ahead of their log, parked
//! streams, timers that did not fire, idempotency claims that nobody answers.

use super::check::Check;
use super::logs::Log;
use super::snapshot::Snapshot;
use anyhow::Context;
use chrono::{DateTime, Utc};
use pg::tokio_postgres::Client;
use std::collections::BTreeMap;
use std::time::Instant;
use uuid::Uuid;

/// The schemas with readers.
const SCHEMAS: [&str; 4] = ["orders", "inventory", "invoices", "query"];
/// Timers fire within a second of being due, so one this late has failed.
const LATE_TIMER_SECONDS: f64 = 60.0;
/// A claim that was given up goes ten minutes after its lease, looked for every ten minutes.
const ABANDONED_CLAIM_SECONDS: f64 = 1800.0;
/// Old claims are deleted every ten minutes.
const LATE_PURGE_SECONDS: f64 = 3600.0;
const HAS_TABLE: &str = "select to_regclass($1) is not null";
const EVENT_AT: &str = "select event_id from events where partition = $1 and position = $2";

/// The readers of all schemas, what they parked, and their timers and claims.
pub async fn verify(snapshot: &Snapshot, logs: &[Log]) -> anyhow::Result<Vec<Check>> {
    let mut pass = Pass {
        readers: Check::new("readers", "checkpoints"),
        parked: Check::new("parked", "readers"),
        timers: Check::new("timers", "timers"),
        claims: Check::new("claims", "idempotency claims"),
        lag: BTreeMap::new(),
    };
    let since = Instant::now();
    for schema in SCHEMAS.into_iter().filter(|schema| snapshot.has(schema)) {
        let client = snapshot.connect(&[schema]).await?;
        if has(&client, "reader_checkpoint").await? {
            pass.look_at_readers(snapshot, &client, schema, logs).await?;
            pass.look_at_parked(&client, schema).await?;
        }
        if has(&client, "timer").await? {
            pass.look_at_timers(&client, schema, snapshot.taken_at).await?;
        }
        if has(&client, "idempotency_claim").await? {
            pass.look_at_claims(&client, schema, snapshot.taken_at).await?;
        }
    }
    let Pass { mut readers, parked, timers, claims, lag } = pass;
    for (reader, behind) in lag.into_iter().filter(|(_, behind)| *behind > 0) {
        readers.note(format!("{reader} is {behind} events behind"));
    }
    Ok(vec![readers.done(since), parked.done(since), timers.done(since), claims.done(since)])
}

async fn has(client: &Client, table: &str) -> anyhow::Result<bool> {
    Ok(client.query_one(HAS_TABLE, &[&table]).await?.get(0))
}

struct Pass {
    readers: Check,
    parked: Check,
    timers: Check,
    claims: Check,
    lag: BTreeMap<String, i64>,
}

impl Pass {
    async fn look_at_readers(
        &mut self,
        snapshot: &Snapshot,
        client: &Client,
        schema: &str,
        logs: &[Log],
    ) -> anyhow::Result<()> {
        let rows = client.query(include_str!("sql/readers.sql"), &[]).await;
        let mut partitions: BTreeMap<(String, String), i32> = BTreeMap::new();
        let mut in_log: BTreeMap<&str, Client> = BTreeMap::new();
        for row in rows.context("the readers cannot be read")? {
            self.readers.saw(1);
            let (name, version, log_name): (String, i32, String) = (row.get(0), row.get(1), row.get(2));
            let (partition, position, epoch): (i32, i64, Uuid) = (row.get(3), row.get(4), row.get(5));
            let reader = format!("{schema}: {name} v{version}");
            let place = format!("{reader} at {log_name}/{partition}");
            if let Some(reason) = row.get::<_, Option<String>>(7) {
                self.readers.wrong(|| format!("{place} stands still: {reason}"));
            }
            let Some(log) = logs.iter().find(|log| log.name == log_name) else { continue };
            *partitions.entry((reader.clone(), log_name)).or_default() += 1;
            let head = log.heads.get(&partition).copied().unwrap_or(0);
            *self.lag.entry(reader).or_default() += (head - position).max(0);
            if position > head {
                self.readers.wrong(|| format!("{place} is at {position}, the head is at {head}"));
                continue;
            }
            if epoch != log.epoch {
                self.readers
                    .wrong(|| format!("{place} follows another history, {epoch}, than the log's, {}", log.epoch));
                continue;
            }
            if !in_log.contains_key(log.name) {
                in_log.insert(log.name, snapshot.connect(&[log.name]).await?);
            }
            let seen: Option<Uuid> = row.get(6);
            let there = in_log[log.name].query_opt(EVENT_AT, &[&partition, &position]).await?;
            let there: Option<Uuid> = there.map(|row| row.get(0));
            if seen.is_some() && seen != there {
                self.readers.wrong(|| format!("{place} has seen another event at {position} than is there"));
            }
        }
        for ((reader, log_name), found) in partitions {
            let expected = logs.iter().find(|log| log.name == log_name).map_or(found, |log| log.partitions);
            if found != expected {
                self.readers.wrong(|| format!("{reader} follows {found} of {expected} partitions of {log_name}"));
            }
        }
        Ok(())
    }

    async fn look_at_parked(&mut self, client: &Client, schema: &str) -> anyhow::Result<()> {
        const READERS: &str = "select count(distinct (reader, reader_version)) from reader_checkpoint";
        let readers: i64 = client.query_one(READERS, &[]).await?.get(0);
        self.parked.saw(u64::try_from(readers).unwrap_or(0));
        let rows = client.query(include_str!("sql/parked.sql"), &[]).await;
        for row in rows.context("the parked streams cannot be read")? {
            let (reader, version, log, stream_id): (&str, i32, &str, &str) =
                (row.get(0), row.get(1), row.get(2), row.get(3));
            let (error, attempts, events): (&str, i32, i64) = (row.get(4), row.get(5), row.get(6));
            self.parked.wrong(|| {
                format!(
                    "{schema}: {reader} v{version} parked {stream_id} of {log} with {events} events, tried {attempts} \
                     times: {error}"
                )
            });
        }
        Ok(())
    }

    async fn look_at_timers(&mut self, client: &Client, schema: &str, now: DateTime<Utc>) -> anyhow::Result<()> {
        let count: i64 = client.query_one("select count(*) from timer", &[]).await?.get(0);
        self.timers.saw(u64::try_from(count).unwrap_or(0));
        let rows = client.query(include_str!("sql/overdue_timers.sql"), &[&now, &LATE_TIMER_SECONDS]).await;
        for row in rows.context("the timers cannot be read")? {
            let (timer, due_at, attempts, error): (&str, DateTime<Utc>, i32, &str) =
                (row.get(0), row.get(1), row.get(2), row.get(3));
            self.timers.wrong(|| format!("{schema}: {timer} was due at {due_at}, tried {attempts} times: {error}"));
        }
        Ok(())
    }

    async fn look_at_claims(&mut self, client: &Client, schema: &str, now: DateTime<Utc>) -> anyhow::Result<()> {
        let count: i64 = client.query_one("select count(*) from idempotency_claim", &[]).await?.get(0);
        self.claims.saw(u64::try_from(count).unwrap_or(0));
        let rows = client
            .query(include_str!("sql/claims.sql"), &[&now, &ABANDONED_CLAIM_SECONDS, &LATE_PURGE_SECONDS])
            .await
            .context("the claims cannot be read")?;
        for row in rows {
            let (claim, lease_until, reserved, told): (&str, DateTime<Utc>, &str, &str) =
                (row.get(0), row.get(1), row.get(2), row.get(3));
            self.claims
                .wrong(|| format!("{schema}: claim {claim}… ({reserved}) {told}; its lease ended at {lease_until}"));
        }
        Ok(())
    }
}
