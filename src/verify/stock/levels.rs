//! Stock levels: the newest line of each product in the log, beside the row that guards it and beside `stock_view`.

use super::{Opened, stock_lines};
use crate::verify::check::Check;
use crate::verify::views::Views;
use anyhow::Context;
use inventory_service::domain::stock::Elsewhere;
use pg::tokio_postgres::Client;
use shared_events::inventory::{STOCK_STREAM, StockLine};
use shared_events::{DEFAULT, ProductId, StockId};
use std::collections::{BTreeMap, HashMap};
use std::time::Instant;
use uuid::Uuid;

/// What a line left: on hand, reserved, and which change it was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Level {
    on_hand: i64,
    reserved: i64,
    version: i64,
}

impl Level {
    fn told(self) -> String {
        format!("{} on hand, {} reserved after {} changes", self.on_hand, self.reserved, self.version)
    }

    fn take(&mut self, line: &StockLine) {
        if line.stock_version > self.version {
            *self = Self { on_hand: line.on_hand, reserved: line.reserved, version: line.stock_version };
        }
    }
}

/// What all locations have together.
fn summed(places: &BTreeMap<String, Level>) -> Level {
    places.values().fold(Level::default(), |sum, level| Level {
        on_hand: sum.on_hand + level.on_hand,
        reserved: sum.reserved + level.reserved,
        version: sum.version.max(level.version),
    })
}

/// The newest levels of every product and location.
type Places = HashMap<Uuid, BTreeMap<String, Level>>;

/// The newest levels of every product: as many as there are products.
pub struct Levels<'a> {
    views: Option<&'a Views>,
    newest: Places,
    shown: HashMap<(Uuid, String), Level>,
    streams: HashMap<Uuid, i64>,
}

impl<'a> Levels<'a> {
    /// Nothing seen yet.
    pub fn new(views: Option<&'a Views>) -> Self {
        Self { views, newest: HashMap::new(), shown: HashMap::new(), streams: HashMap::new() }
    }

    /// Takes over the lines of a stream.
    pub fn take(&mut self, opened: &Opened) {
        for (recorded, line) in stock_lines(opened) {
            let product = line.product_id.as_uuid();
            self.newest.entry(product).or_default().entry(line.location.clone()).or_default().take(line);
            let passed = |views: &Views| {
                views.progress.has_passed("inventory", recorded.partition, recorded.position, &recorded.stream_id)
            };
            if self.views.is_some_and(passed) {
                self.shown.entry((product, line.location.clone())).or_default().take(line);
            }
        }
        if let Some((last, _)) = opened.last().filter(|(last, _)| last.stream_type == STOCK_STREAM)
            && let Ok(stock) = StockId::parse(&last.stream_id)
        {
            self.streams.insert(stock.as_uuid(), last.version);
        }
    }

    /// Compares all of them, unless lines are missing because a stream could not be read.
    pub async fn done(mut self, client: &Client, is_whole: bool, since: Instant) -> anyhow::Result<Vec<Check>> {
        if !is_whole {
            return Ok(Vec::new());
        }
        let mut checks = vec![self.compare_guards(client).await?.done(since)];
        if self.views.is_some() {
            checks.push(self.compare_view(client).await?.done(since));
        }
        Ok(checks)
    }

    async fn compare_guards(&mut self, client: &Client) -> anyhow::Result<Check> {
        let mut check = Check::new("stock.levels", "products");
        let rows = client.query(include_str!("../sql/stock_rows.sql"), &[]).await.context("stock cannot be read")?;
        for row in rows {
            check.saw(1);
            let id: Uuid = row.get(0);
            let product = ProductId::from_uuid(id);
            let found = Level { on_hand: row.get(1), reserved: row.get(2), version: row.get(3) };
            let places = self.newest.remove(&id).unwrap_or_default();
            let expected = summed(&places);
            if found != expected {
                check.wrong(|| format!("{product} has {} and should have {}", found.told(), expected.told()));
            } else if found.on_hand < 0 || found.reserved < 0 {
                check.wrong(|| format!("{product} has {}", found.told()));
            }
            let elsewhere: Elsewhere = serde_json::from_value(row.get(5)).unwrap_or_default();
            let others = places.iter().filter(|(location, level)| *location != DEFAULT && level.on_hand != 0);
            let told: Elsewhere = others.map(|(location, level)| (location.clone(), level.on_hand)).collect();
            if elsewhere != told {
                check.wrong(|| format!("{product} has {elsewhere:?} at other locations and should have {told:?}"));
            }
            let (counted, events): (i64, i64) = (row.get(4), self.streams.remove(&id).unwrap_or(0));
            if counted != events {
                check.wrong(|| {
                    format!("{product}: its row counts {counted} events of {}, there are {events}", product.stock())
                });
            }
        }
        for product in self.newest.keys() {
            check.wrong(|| format!("{} has no row", ProductId::from_uuid(*product)));
        }
        Ok(check)
    }

    async fn compare_view(&mut self, client: &Client) -> anyhow::Result<Check> {
        let mut check = Check::new("stock_view", "rows");
        let rows = client.query(include_str!("../sql/stock_view_rows.sql"), &[]).await;
        for row in rows.context("stock_view cannot be read")? {
            check.saw(1);
            let key: (Uuid, String) = (row.get(0), row.get(1));
            let product = ProductId::from_uuid(key.0);
            let found = Level { on_hand: row.get(2), reserved: row.get(3), version: row.get(4) };
            match self.shown.remove(&key) {
                Some(expected) if expected == found => {}
                Some(expected) => {
                    check.wrong(|| format!("{product} shows {} and should show {}", found.told(), expected.told()));
                }
                None => check.wrong(|| format!("{product} has a row and no events that the reader has passed")),
            }
        }
        for (product, _) in self.shown.keys() {
            check.wrong(|| format!("{} has no row", ProductId::from_uuid(*product)));
        }
        Ok(check)
    }
}
