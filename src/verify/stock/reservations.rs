//! Reservations: rows as the fold of their streams; none that hold stock for an order that does not exist, and none
//! that wait for one beyond their time.

use super::Opened;
use crate::verify::check::Check;
use crate::verify::logs::Log;
use anyhow::Context;
use chrono::{DateTime, Utc};
use inventory_service::domain::reservation::Reservation;
use inventory_service::rows::lines;
use pg::tokio_postgres::{Client, Row};
use serde_json::Value;
use shared_events::OrderId;
use shared_events::inventory::RESERVATION_STREAM;
use std::collections::HashMap;
use std::time::Instant;
use uuid::Uuid;

/// What is due is done within a second; this late, nobody does it.
const TOO_LATE_SECONDS: f64 = 60.0;

/// Compares rows with folds.
pub struct Reservations {
    check: Check,
    rows: u64,
}

impl Default for Reservations {
    fn default() -> Self {
        Self { check: Check::new("reservations", "reservations"), rows: 0 }
    }
}

impl Reservations {
    /// Compares those of some streams.
    pub async fn compare(&mut self, client: &Client, batch: &[Opened]) -> anyhow::Result<()> {
        let folded: Vec<Reservation> = batch.iter().filter_map(fold).collect();
        if folded.is_empty() {
            return Ok(());
        }
        let ids: Vec<Uuid> = folded.iter().map(|reservation| reservation.order_id.as_uuid()).collect();
        let rows = client
            .query(include_str!("../sql/reservation_rows.sql"), &[&ids])
            .await
            .context("the reservations cannot be read")?;
        self.rows += rows.len() as u64;
        let rows: HashMap<Uuid, Row> = rows.into_iter().map(|row| (row.get(0), row)).collect();
        for expected in &folded {
            self.check.saw(1);
            let order_id = expected.order_id;
            match rows.get(&order_id.as_uuid()) {
                Some(row) => {
                    if let Some(told) = difference(row, expected) {
                        self.check.wrong(|| format!("{order_id}: {told}"));
                    }
                }
                None => self.check.wrong(|| format!("{order_id} has no row")),
            }
        }
        Ok(())
    }

    /// Rows that no stream accounts for come last.
    pub async fn done(mut self, client: &Client, is_whole: bool, since: Instant) -> anyhow::Result<Check> {
        let count: i64 = client.query_one("select count(*) from inventory.reservation", &[]).await?.get(0);
        let more = count - i64::try_from(self.rows).unwrap_or(i64::MAX);
        if is_whole && more > 0 {
            self.check.wrong(|| format!("there are {more} rows without a stream that accounts for them"));
        }
        Ok(self.check.done(since))
    }
}

fn fold(opened: &Opened) -> Option<Reservation> {
    let (first, _) = opened.first().filter(|(first, _)| first.stream_type == RESERVATION_STREAM)?;
    let mut reservation = Reservation::none(OrderId::parse(&first.stream_id).ok()?);
    for (_, event) in opened {
        match event {
            Some(event) => reservation = reservation.evolve(event),
            None => reservation.version += 1,
        }
    }
    Some(reservation)
}

fn difference(row: &Row, expected: &Reservation) -> Option<String> {
    let found: (i32, &str, Value, i64) = (row.get("revision"), row.get("state"), row.get("lines"), row.get("version"));
    let (revision, state, held, version) =
        (expected.revision, expected.state.as_str(), lines(&expected.lines), expected.version);
    if found != (revision, state, held.clone(), version) {
        let (found_revision, found_state, found_lines, found_version) = found;
        return Some(format!(
            "is {found_state} {found_lines}, revision {found_revision}, version {found_version}, and should be \
             {state} {held}, revision {revision}, version {version}"
        ));
    }
    let expires_at: Option<DateTime<Utc>> = row.get("expires_at");
    let apart = match (expires_at, expected.expires_at) {
        (Some(found), Some(expected)) => (found - expected).num_milliseconds().abs() > 1,
        (found, expected) => found != expected,
    };
    apart.then(|| format!("expires at {expires_at:?} and should at {:?}", expected.expires_at))
}

/// Reservations whose order never came: those with a time limit may wait until it is over, no other may.
pub async fn in_flight(client: &Client, orders: Option<&Log>, now: DateTime<Utc>) -> anyhow::Result<Check> {
    let since = Instant::now();
    let mut check = Check::new("reservations.orphans", "reservations that hold stock");
    let overdue = client
        .query(include_str!("../sql/overdue_reservations.sql"), &[&now, &TOO_LATE_SECONDS])
        .await
        .context("the overdue reservations cannot be read")?;
    for row in overdue {
        let (order_id, expires_at): (Uuid, DateTime<Utc>) = (row.get(0), row.get(1));
        check.wrong(|| format!("{} waits since its time ended at {expires_at}", OrderId::from_uuid(order_id)));
    }
    let Some(orders) = orders else {
        check.note("the orders are not in this database: whether they exist was not checked");
        return Ok(check.done(since));
    };
    let mut after = Uuid::nil();
    loop {
        let rows = client.query(include_str!("../sql/holding_reservations.sql"), &[&after]).await?;
        let ids: Vec<Uuid> = rows.iter().map(|row| row.get(0)).collect();
        let Some(last) = ids.last() else { return Ok(check.done(since)) };
        after = *last;
        check.saw(ids.len() as u64);
        for stream_id in crate::verify::streams_missing(client, orders, &ids).await? {
            check.wrong(|| format!("stock is held for {stream_id}, which does not exist"));
        }
    }
}
