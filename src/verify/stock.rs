//! One pass over the inventory log, stream by stream: reservations, products and stock levels are folded and compared
//! with the rows that guard them and with the read tables. What has to hold across streams is asked of the database.

mod catalogue;
mod levels;
mod reservations;

use self::catalogue::Catalogue;
use self::levels::Levels;
use self::reservations::Reservations;
use super::bar::Bar;
use super::check::Check;
use super::events::{EventChecks, Looked, named};
use super::logs::Log;
use super::snapshot::Snapshot;
use super::streams::{Stored, Streams};
use super::views::Views;
use anyhow::Context;
use inventory_service::domain::stock::lines_of;
use shared_events::inventory::{InventoryEvent, PRODUCT_STREAM, RESERVATION_STREAM, STOCK_STREAM};
use shared_events::sealed::KeyRing;
use shared_events::{ProductId, RecordedEvent};
use std::time::Instant;
use uuid::Uuid;

const MOVES: &str = concat!(include_str!("sql/stock_lines.sql"), include_str!("sql/moves.sql"));
const MOVEMENTS: &str = concat!(include_str!("sql/stock_lines.sql"), include_str!("sql/movements.sql"));
const BATCH_STREAMS: usize = 1_000;

/// The typed events of one stream with their envelopes; none where the type is not known.
pub type Opened = Vec<(RecordedEvent, Option<InventoryEvent>)>;

/// Folds every stream and compares it.
pub async fn verify(
    snapshot: &Snapshot,
    log: &Log,
    orders: Option<&Log>,
    views: Option<&Views>,
    bar: &Bar,
) -> anyhow::Result<Vec<Check>> {
    let since = Instant::now();
    let reading = snapshot.connect(&[log.name]).await?;
    let lookups = snapshot.connect(&[views.map_or("query", |views| views.schema.as_str()), log.name]).await?;
    let mut events = EventChecks::of(log.name, log.partitions);
    let mut levels = Levels::new(views);
    let mut reservations = Reservations::default();
    let mut catalogue = Catalogue::new(views);
    // Whether every stream could be read, so that each row is accounted for.
    let mut is_whole = true;
    for partition in 0..log.partitions {
        let mut streams = Streams::of(&reading, partition).await?;
        let mut batch: Vec<Opened> = Vec::new();
        while let Some(stream) = streams.next_stream().await? {
            bar.advance(stream.len());
            let Some(opened) = open(stream, &mut events) else {
                is_whole = false;
                continue;
            };
            levels.take(&opened);
            batch.push(opened);
            if batch.len() >= BATCH_STREAMS {
                let batch = std::mem::take(&mut batch);
                reservations.compare(&lookups, &batch).await?;
                catalogue.compare(&lookups, &batch, partition).await?;
            }
        }
        reservations.compare(&lookups, &batch).await?;
        catalogue.compare(&lookups, &batch, partition).await?;
    }
    let mut checks = Vec::from(events.done(since));
    checks.push(reservations.done(&lookups, is_whole, since).await?);
    checks.extend(catalogue.done(&lookups, is_whole, since).await?);
    checks.extend(levels.done(&lookups, is_whole, since).await?);
    checks.push(moves(&lookups).await?);
    checks.push(reserved(&lookups).await?);
    checks.push(movements(&lookups).await?);
    checks.push(reservations::in_flight(&lookups, orders, snapshot.taken_at).await?);
    Ok(checks)
}

/// A stream's events; none where something is wrong with one of them, which has been noted then.
fn open(stream: Vec<Stored>, events: &mut EventChecks) -> Option<Opened> {
    let mut is_whole = true;
    let mut opened = Opened::with_capacity(stream.len());
    for stored in stream {
        match events.look::<InventoryEvent>(&stored, &KeyRing::default()) {
            Looked::Opened(event) => opened.push((stored.event, Some(*event))),
            Looked::Unknown => opened.push((stored.event, None)),
            Looked::Wrong => is_whole = false,
        }
    }
    let known = [PRODUCT_STREAM, STOCK_STREAM, RESERVATION_STREAM];
    if let Some((event, _)) = opened.iter().find(|(event, _)| !known.contains(&event.stream_type.as_str())) {
        tracing::warn!(stream.kind = event.stream_type, "{} is in a stream of an unknown kind", named(event));
    }
    is_whole.then_some(opened)
}

/// Every change of stock follows from the one before it, by SQL alone.
async fn moves(client: &pg::tokio_postgres::Client) -> anyhow::Result<Check> {
    const LINES: &str = "select coalesce(sum(version), 0)::bigint from inventory.stock";
    let since = Instant::now();
    let mut check = Check::new("stock.moves", "changes of stock");
    let counted: i64 = client.query_one(LINES, &[]).await?.get(0);
    check.saw(u64::try_from(counted).unwrap_or(0));
    let rows = client.query(MOVES, &[]).await.context("the moves of stock cannot be judged")?;
    for row in rows {
        let (product, version, event_type, told): (&str, i64, &str, &str) =
            (row.get(0), row.get(1), row.get(2), row.get(3));
        check.wrong(|| format!("{product}: {event_type}, its change {version}, {told}"));
    }
    Ok(check.done(since))
}

/// The table of movements is what the log says, by SQL alone.
async fn movements(client: &pg::tokio_postgres::Client) -> anyhow::Result<Check> {
    let since = Instant::now();
    let mut check = Check::new("stock_movement", "rows");
    let rows: i64 = client.query_one("select count(*) from inventory.stock_movement", &[]).await?.get(0);
    check.saw(u64::try_from(rows).unwrap_or(0));
    let wrong = client.query(MOVEMENTS, &[]).await.context("movements cannot be judged")?;
    for row in wrong {
        let (what, version, told): (&str, i64, &str) = (row.get(0), row.get(1), row.get(2));
        check.wrong(|| format!("{what}: its movement {version} {told}"));
    }
    Ok(check.done(since))
}

/// Reserved is the sum of what open reservations hold, by SQL alone.
async fn reserved(client: &pg::tokio_postgres::Client) -> anyhow::Result<Check> {
    let since = Instant::now();
    let mut check = Check::new("stock.reserved", "products");
    let products: i64 = client.query_one("select count(*) from inventory.stock", &[]).await?.get(0);
    check.saw(u64::try_from(products).unwrap_or(0));
    let rows = client.query(include_str!("sql/reserved.sql"), &[]).await.context("the reserved cannot be summed up")?;
    for row in rows {
        let product = ProductId::from_uuid(row.get::<_, Uuid>(0));
        let (reserved, held): (i64, i64) = (row.get(1), row.get(2));
        check.wrong(|| format!("{product}: {reserved} are reserved, its open reservations hold {held}"));
    }
    Ok(check.done(since))
}

/// The lines by which the events of a stream changed stock.
fn stock_lines(opened: &Opened) -> impl Iterator<Item = (&RecordedEvent, &shared_events::inventory::StockLine)> {
    opened
        .iter()
        .filter_map(|(recorded, event)| Some((recorded, event.as_ref()?)))
        .flat_map(|(recorded, event)| lines_of(event).iter().map(move |line| (recorded, line)))
}
