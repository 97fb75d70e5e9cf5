//! `oms events tail`: prints events as they are appended, from one log or all, until Ctrl-C.

use std::collections::HashMap;
use std::io::{self, Write};
use std::time::Duration;

use anyhow::{Context, bail};
use pg::tokio_postgres::{Client, Row};
use pg::{Database, Listener};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use service::lifecycle::stop_signal;

use crate::cli::{Events, EventsTail};
use crate::system;
use crate::verify::streams::stored;

const LOGS: [&str; 3] = ["orders", "inventory", "invoices"];
const AT_ONCE: i64 = 500;
/// A notification may be lost with its connection, so the log is looked at without one too.
const POLL: Duration = Duration::from_millis(250);
const HEADS: &str = "select partition, position from log_head";
const LOG_EXISTS: &str = "select to_regclass($1 || '.log_head') is not null";

/// Runs one of the words after `oms events`.
pub async fn run(command: Events) -> anyhow::Result<()> {
    match command {
        Events::Tail(options) => {
            let database = system::database(&options.system).await?;
            let mut tail = Tail::open(&database, options).await?;
            tokio::select! {
                () = stop_signal() => Ok(()),
                ended = tail.run(&database) => ended,
            }
        }
    }
}

struct Followed {
    name: &'static str,
    client: Client,
    /// How far each partition was printed.
    positions: HashMap<i32, i64>,
}

struct Tail {
    logs: Vec<Followed>,
    options: EventsTail,
}

impl Tail {
    async fn open(database: &Database, options: EventsTail) -> anyhow::Result<Self> {
        let mut logs = Vec::new();
        for name in LOGS.into_iter().filter(|name| options.log.as_deref().is_none_or(|wanted| wanted == *name)) {
            let client = database.connect().await.context("the database cannot be reached")?;
            if !client.query_one(LOG_EXISTS, &[&name]).await?.get::<_, bool>(0) {
                continue;
            }
            client.batch_execute(&format!("set search_path = {name}")).await?;
            let heads = client.query(HEADS, &[]).await.with_context(|| format!("the log {name} cannot be read"))?;
            let from = |row: &Row| {
                let head: i64 = row.get(1);
                let from = if options.from_start { 0 } else { options.after.unwrap_or(head).min(head) };
                (row.get(0), from)
            };
            logs.push(Followed { name, client, positions: heads.iter().map(from).collect() });
        }
        if logs.is_empty() {
            bail!("there is no such log in this database: there are {}", LOGS.join(", "));
        }
        Ok(Self { logs, options })
    }

    async fn run(&mut self, database: &Database) -> anyhow::Result<()> {
        let channels: Vec<String> = self.logs.iter().map(|log| format!("oms_{}", log.name)).collect();
        let channels: Vec<&str> = channels.iter().map(String::as_str).collect();
        let mut listener = Listener::connect(database, &channels).await.ok();
        loop {
            while self.print_new().await? {}
            let heard = async {
                match &mut listener {
                    Some(listener) => listener.recv().await.map(drop),
                    None => std::future::pending().await,
                }
            };
            if matches!(tokio::time::timeout(POLL, heard).await, Ok(Err(_))) {
                listener = None;
            }
        }
    }

    /// Prints what is new, in order of time; says whether there may be more.
    async fn print_new(&mut self) -> anyhow::Result<bool> {
        let mut more = false;
        let mut events = Vec::new();
        for log in &mut self.logs {
            let (partitions, positions): (Vec<i32>, Vec<i64>) = log.positions.iter().unzip();
            let rows = log
                .client
                .query(include_str!("events/after.sql"), &[&partitions, &positions, &AT_ONCE])
                .await
                .with_context(|| format!("the log {} cannot be read", log.name))?;
            more |= i64::try_from(rows.len()).unwrap_or(AT_ONCE) >= AT_ONCE;
            for row in &rows {
                let event = stored(row).event;
                log.positions.insert(event.partition, event.position);
                events.push((log.name, event));
            }
        }
        events.sort_by_key(|(_, event)| (event.recorded_at, event.partition, event.position));
        let mut out = io::stdout().lock();
        for (log, event) in &events {
            let wanted = self.options.event_type.as_ref().is_none_or(|wanted| *wanted == event.event_type)
                && self.options.stream.as_ref().is_none_or(|wanted| *wanted == event.stream_id);
            if wanted {
                let line = if self.options.json { as_json(log, event).to_string() } else { as_line(log, event) };
                writeln!(out, "{line}")?;
            }
        }
        out.flush()?;
        Ok(more)
    }
}

fn as_line(log: &str, event: &shared_events::RecordedEvent) -> String {
    let place = format!("{}/{}", event.partition, event.position);
    let stream = format!("{}@{}", event.stream_id, event.version);
    format!(
        "{}  {log:9}  {place:>10}  {stream:36}  {:22}  {}",
        event.recorded_at.format("%Y-%m-%d %H:%M:%S%.3f"),
        event.event_type,
        event.metadata.actor.subject
    )
}

/// The whole event as it is stored: personal fields stay sealed.
fn as_json(log: &str, event: &shared_events::RecordedEvent) -> Value {
    let payload = RawValue::from_string(String::from_utf8_lossy(&event.payload).into_owned()).ok();
    json!({
        "log": log, "partition": event.partition, "position": event.position, "streamId": event.stream_id,
        "streamType": event.stream_type, "version": event.version, "eventId": event.event_id,
        "commandId": event.command_id, "type": event.event_type, "schemaVersion": event.schema_version,
        "recordedAt": event.recorded_at, "metadata": event.metadata, "payload": payload,
    })
}
