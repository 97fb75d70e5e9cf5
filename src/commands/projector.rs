//! `oms projector list|retry|skip`: what follows the logs, in the schemas of all services that are in the database of
//! the system, and the streams that it could not handle.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use anyhow::bail;
use feeds::checkpoint::{self, Checkpoint};
use feeds::parked::{self, Parked};
use pg::{Database, Pool};
use serde_json::{Value, json};

use super::FoundWrong;
use crate::cli::{ParkedStream, Projector, ProjectorList};
use crate::system;

const SCHEMAS: &str = "SELECT nspname::text FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
                       WHERE relname = 'reader_checkpoint' AND relkind = 'r' ORDER BY nspname";
/// A log is in the schema of its name.
const HAS_HEADS: &str = "SELECT to_regclass(quote_ident($1) || '.log_head') IS NOT NULL";
/// Readers look for what they are asked every three seconds.
const PATIENCE: Duration = Duration::from_secs(15);
const LOOK: Duration = Duration::from_millis(200);

type Heads = HashMap<(String, i32), i64>;

/// Runs one of the words after `oms projector`.
pub async fn run(command: Projector) -> anyhow::Result<()> {
    match command {
        Projector::List(options) => list(options).await,
        Projector::Retry(options) => again(options, "retry").await,
        Projector::Skip(options) => again(options, "skip").await,
    }
}

/// A schema with readers.
struct Readers {
    schema: String,
    pool: Pool,
}

async fn readers_of(database: &Database) -> anyhow::Result<Vec<Readers>> {
    let client = database.connect().await?;
    let mut found = Vec::new();
    for row in client.query(SCHEMAS, &[]).await? {
        let schema: String = row.get(0);
        let pool = database.pool(&schema, None).await?;
        found.push(Readers { schema, pool });
    }
    if found.is_empty() {
        bail!("no service has run on this database yet");
    }
    Ok(found)
}

async fn list(options: ProjectorList) -> anyhow::Result<()> {
    let database = system::database(&options.system).await?;
    let wanted = |reader: &str| options.reader.as_deref().is_none_or(|wanted| wanted == reader);
    let (mut checkpoints, mut streams) = (Vec::new(), Vec::new());
    for readers in readers_of(&database).await? {
        for checkpoint in checkpoint::list(&readers.pool).await?.into_iter().filter(|one| wanted(&one.reader)) {
            checkpoints.push((readers.schema.clone(), checkpoint));
        }
        for stream in parked::list(&readers.pool, options.reader.as_deref()).await? {
            streams.push((readers.schema.clone(), stream));
        }
    }
    let heads = heads(&database, &checkpoints).await?;
    if options.json {
        let checkpoints: Vec<Value> =
            checkpoints.iter().map(|(schema, checkpoint)| checkpoint_json(schema, checkpoint, &heads)).collect();
        let streams: Vec<Value> = streams.iter().map(|(schema, stream)| parked_json(schema, stream)).collect();
        println!("{}", json!({ "checkpoints": checkpoints, "parked": streams }));
        return Ok(());
    }
    let mut table =
        vec![["SERVICE", "READER", "VERSION", "LOG", "PART", "POSITION", "HEAD", "LAG", "HELD BY"].map(str::to_owned)];
    for (schema, checkpoint) in &checkpoints {
        let head = heads.get(&(checkpoint.log.clone(), checkpoint.partition)).copied();
        table.push([
            schema.clone(),
            checkpoint.reader.clone(),
            checkpoint.reader_version.to_string(),
            checkpoint.log.clone(),
            checkpoint.partition.to_string(),
            checkpoint.position.to_string(),
            head.map_or_else(|| "?".to_owned(), |head| head.to_string()),
            head.map_or_else(|| "?".to_owned(), |head| (head - checkpoint.position).to_string()),
            checkpoint.holder.map_or_else(|| "nobody".to_owned(), |holder| holder.to_string()),
        ]);
    }
    print(&table);
    for (_, stopped) in checkpoints.iter().filter(|(_, checkpoint)| checkpoint.stopped.is_some()) {
        let reason = stopped.stopped.as_deref().unwrap_or_default();
        println!("\n{} stands still in {}/{}: {reason}", stopped.reader, stopped.log, stopped.partition);
    }
    for (_, stream) in &streams {
        println!(
            "\nparked: {} {} (reader version {}, {}/{} from position {}, {} events wait, tried {} times, since {})\n  {}",
            stream.reader,
            stream.stream_id,
            stream.reader_version,
            stream.log,
            stream.partition,
            stream.first_position.unwrap_or_default(),
            stream.events,
            stream.attempts,
            stream.parked_at.format("%Y-%m-%d %H:%M:%S UTC"),
            stream.error
        );
    }
    if streams.is_empty() {
        println!("\nno stream is parked");
    }
    Ok(())
}

/// The heads of the logs that are in this database.
async fn heads(database: &Database, checkpoints: &[(String, Checkpoint)]) -> anyhow::Result<Heads> {
    let client = database.connect().await?;
    let mut logs: Vec<&str> = checkpoints.iter().map(|(_, checkpoint)| checkpoint.log.as_str()).collect();
    logs.sort_unstable();
    logs.dedup();
    let mut heads = Heads::new();
    for log in logs {
        if client.query_one(HAS_HEADS, &[&log]).await?.get(0) {
            let select = format!("SELECT partition, position FROM \"{}\".log_head", log.replace('"', "\"\""));
            for row in client.query(&select, &[]).await? {
                heads.insert((log.to_owned(), row.get(0)), row.get(1));
            }
        }
    }
    Ok(heads)
}

/// Has a parked stream tried again, with or without the event that it stands at, and says what came of it.
async fn again(options: ParkedStream, how: &'static str) -> anyhow::Result<()> {
    let database = system::database(&options.system).await?;
    let mut found = None;
    for readers in readers_of(&database).await? {
        let streams = parked::list(&readers.pool, Some(&options.reader)).await?;
        if let Some(stream) = streams.into_iter().find(|stream| stream.stream_id == options.stream) {
            found = Some((readers.pool, stream));
        }
    }
    let Some((pool, stream)) = found else {
        bail!("{} has no parked stream {}: see `oms projector list`", options.reader, options.stream);
    };
    let asked = match how {
        "skip" => parked::skip(&pool, &stream.reader, &stream.log, &stream.stream_id).await?,
        _ => parked::retry(&pool, &stream.reader, &stream.log, &stream.stream_id).await?,
    };
    if !asked {
        bail!("the stream is not parked any more");
    }
    let began = Instant::now();
    let waiting = loop {
        let streams = parked::list(&pool, Some(&options.reader)).await?;
        let left: Vec<Parked> =
            streams.into_iter().filter(|left| left.stream_id == stream.stream_id && left.log == stream.log).collect();
        if left.iter().all(|left| !left.retry_requested) || began.elapsed() > PATIENCE {
            break left;
        }
        tokio::time::sleep(LOOK).await;
    };
    let refused = waiting.iter().find(|left| !left.retry_requested);
    let outcome = match (waiting.is_empty(), refused) {
        (true, _) => "goes on",
        (false, Some(_)) => "was refused again",
        (false, None) => "is to be tried when its reader runs",
    };
    if options.json {
        let error = refused.map(|left| left.error.as_str());
        println!(
            "{}",
            json!({ "reader": stream.reader, "stream": stream.stream_id, "outcome": outcome, "error": error })
        );
    } else {
        println!("{} {outcome}", stream.stream_id);
        if let Some(left) = refused {
            println!("  {}", left.error);
        }
    }
    if waiting.is_empty() { Ok(()) } else { Err(FoundWrong.into()) }
}

fn checkpoint_json(schema: &str, checkpoint: &Checkpoint, heads: &Heads) -> Value {
    let head = heads.get(&(checkpoint.log.clone(), checkpoint.partition)).copied();
    json!({
        "service": schema,
        "reader": checkpoint.reader,
        "version": checkpoint.reader_version,
        "log": checkpoint.log,
        "epoch": checkpoint.epoch,
        "partition": checkpoint.partition,
        "position": checkpoint.position,
        "head": head,
        "lag": head.map(|head| head - checkpoint.position),
        "heldBy": checkpoint.holder,
        "stopped": checkpoint.stopped,
        "movedAt": checkpoint.moved_at,
    })
}

fn parked_json(schema: &str, stream: &Parked) -> Value {
    json!({
        "service": schema,
        "reader": stream.reader,
        "version": stream.reader_version,
        "log": stream.log,
        "partition": stream.partition,
        "stream": stream.stream_id,
        "position": stream.first_position,
        "events": stream.events,
        "attempts": stream.attempts,
        "retryRequested": stream.retry_requested,
        "parkedAt": stream.parked_at,
        "error": stream.error,
    })
}

/// Prints a table with columns as wide as they need to be.
fn print<const N: usize>(rows: &[[String; N]]) {
    let widths: [usize; N] =
        std::array::from_fn(|column| rows.iter().map(|row| row[column].len()).max().unwrap_or_default());
    for row in rows {
        let cells: Vec<String> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        println!("{}", cells.join("  ").trim_end());
    }
}
