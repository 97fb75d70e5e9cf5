//! `POST /api/inventory/bulk`: counts by the thousand, one a line. A count is absolute as of a moment: what was received
//! or sent since then is added to it, and what is reserved stays reserved.

use super::{App, locations, problems, stock};
use crate::causes;
use crate::domain::stock::{Adjustment, Level, MOST_PIECES};
use crate::rows::{self, StockRow};
use crate::stock_writer::{Count, Counted, StockError};
use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Datelike as _, Utc};
use futures_util::{StreamExt, stream};
use serde::{Deserialize, Serialize};
use service::problem_of;
use shared_events::{DEFAULT, Metadata, ProductId};
use std::collections::{BTreeMap, BTreeSet};
use utoipa::ToSchema;
use web::ndjson::{NdjsonBody, Refused};
use web::{Caller, Code, Problem, RequestContext};

/// Enough to fill the writer's batches.
const AT_ONCE: usize = 64;
const ATTEMPTS: usize = 50;

/// A count of a product: by `productId` or by `sku`.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CountLine {
    /// The product.
    product_id: Option<ProductId>,
    /// Or its sku.
    sku: Option<String>,
    /// So many pieces were there.
    on_hand: i64,
    /// When they were counted; now if absent.
    as_of: Option<DateTime<Utc>>,
    /// Where: a location's code; the default one if absent.
    location: Option<String>,
    /// Why.
    reason: Option<String>,
}

/// What became of the lines.
#[derive(Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BulkStockAnswer {
    /// Counts that changed the stock.
    updated: usize,
    /// Counts that found what was known.
    existing: usize,
    /// Lines that became nothing.
    rejected: usize,
    /// Line by line, in the order of the body.
    items: Vec<CountedLine>,
}

/// What became of a line.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CountedLine {
    /// Its number in the body, from 1.
    line: usize,
    /// `updated`, `existing` or `rejected`.
    outcome: &'static str,
    /// The product.
    #[serde(skip_serializing_if = "Option::is_none")]
    product_id: Option<ProductId>,
    /// Pieces on all shelves now.
    #[serde(skip_serializing_if = "Option::is_none")]
    on_hand: Option<i64>,
    /// The stock's version now.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<i64>,
    /// Why it was rejected.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    refused: Option<Refused>,
}

/// A line that keeps the rules.
struct Wanted {
    line: usize,
    product_id: ProductId,
    location: String,
    on_hand: i64,
    as_of: Option<DateTime<Utc>>,
    reason: Option<String>,
}

/// What the lines name: products by sku, and locations.
struct Names {
    by_sku: BTreeMap<String, ProductId>,
    locations: BTreeSet<String>,
}

/// Counts them.
pub async fn post(
    State(app): State<App>,
    caller: Caller,
    context: RequestContext,
    body: NdjsonBody,
) -> Result<Json<BulkStockAnswer>, Problem> {
    let metadata = Metadata { import: true, ..causes::request(&caller, &context) };
    let parsed: Vec<_> = body.lines().map(|line| (line.number, line.parse::<CountLine>())).collect();
    let names = Names::of(&app, parsed.iter().filter_map(|(_, line)| line.as_ref().ok())).await?;
    let now = web::request_context::now();
    let mut lines: BTreeMap<usize, CountedLine> = BTreeMap::new();
    // A product that comes twice is counted in the order of its lines.
    let mut wanted: BTreeMap<ProductId, Vec<Wanted>> = BTreeMap::new();
    for (number, line) in parsed {
        match line.and_then(|line| names.wanted(number, line, now)) {
            Ok(line) => wanted.entry(line.product_id).or_default().push(line),
            Err(problem) => drop(lines.insert(number, refused(number, &problem))),
        }
    }
    let counted = wanted.into_values().map(|wanted| async {
        let mut counted = Vec::with_capacity(wanted.len());
        for line in wanted {
            counted.push((line.line, count(&app, line, &metadata).await));
        }
        counted
    });
    let mut counted = stream::iter(counted).buffer_unordered(AT_ONCE);
    while let Some(of_product) = counted.next().await {
        for (number, outcome) in of_product {
            let line = match outcome {
                Ok(line) => line,
                // What is wrong with the system ends the request; the same body may be sent again.
                Err(problem) if problem.status().is_server_error() => return Err(problem),
                Err(problem) => refused(number, &problem),
            };
            lines.insert(number, line);
        }
    }
    drop(counted);
    Ok(Json(BulkStockAnswer::of(lines.into_values().collect())))
}

impl Names {
    async fn of(app: &App, lines: impl Iterator<Item = &CountLine> + Clone) -> Result<Self, Problem> {
        let skus: Vec<&str> = lines.clone().filter_map(|line| line.sku.as_deref()).collect();
        let mut by_sku = BTreeMap::new();
        if !skus.is_empty() {
            let products = app.catalogue.by_sku(&skus).await.map_err(problems::catalogue)?;
            by_sku.extend(products.into_iter().map(|product| (product.details.sku, product.product_id)));
        }
        let codes: Vec<&str> = lines.filter_map(|line| line.location.as_deref()).collect();
        let mut locations = BTreeSet::from([DEFAULT.to_owned()]);
        if !codes.is_empty() {
            locations.extend(app.locations.known(&codes).await.map_err(|error| problems::location(&error))?);
        }
        Ok(Self { by_sku, locations })
    }

    fn wanted(&self, number: usize, line: CountLine, now: DateTime<Utc>) -> Result<Wanted, Problem> {
        let product_id = match (line.product_id, line.sku) {
            (Some(product_id), None) => product_id,
            (None, Some(sku)) => *self.by_sku.get(&sku).ok_or_else(|| {
                Problem::not_found(format!("there is no product with the sku {sku}")).with_error(
                    "/sku",
                    Code::NotFound.as_str(),
                    "no product has it",
                )
            })?,
            (Some(_), Some(_)) | (None, None) => {
                return Err(Problem::invalid_field("/productId", "exactly one of `productId` and `sku` must be given"));
            }
        };
        if !(0..=MOST_PIECES).contains(&line.on_hand) {
            return Err(Problem::invalid_field("/onHand", format!("must be from 0 to {MOST_PIECES}")));
        }
        if line.as_of.is_some_and(|moment| moment > now || moment.year() < 1970) {
            return Err(Problem::invalid_field("/asOf", "must lie between 1970 and now"));
        }
        stock::check_reason(line.reason.as_deref())?;
        let location = line.location.unwrap_or_else(|| DEFAULT.to_owned());
        if !self.locations.contains(&location) {
            return Err(locations::unknown(&location));
        }
        let (as_of, reason) = (line.as_of, line.reason);
        Ok(Wanted { line: number, product_id, location, on_hand: line.on_hand, as_of, reason })
    }
}

async fn count(app: &App, wanted: Wanted, metadata: &Metadata) -> Result<CountedLine, Problem> {
    let product_id = wanted.product_id;
    for _ in 0..ATTEMPTS {
        let before = stock_of(app, product_id).await?;
        let version = before.level.version;
        let (adjustment, expected) = match wanted.as_of {
            None => (Adjustment::Count(wanted.on_hand), None),
            Some(moment) => {
                app.movements.catch_up().await.map_err(|error| problems::movements(&error))?;
                let since = app.movements.since(product_id, &wanted.location, moment, version).await;
                let since = since.map_err(|error| problems::movements(&error))?;
                // The same count once more, or an older one that comes late: what was counted last holds.
                if since.was_counted {
                    return Ok(counted(&wanted, "existing", before.level));
                }
                let on_hand = wanted.on_hand.saturating_add(since.moved);
                (Adjustment::CountAsOf(on_hand, moment), Some(version))
            }
        };
        let count = Count {
            product_id,
            location: wanted.location.clone(),
            adjustment,
            reason: wanted.reason.clone(),
            expected,
            command_id: causes::command_id(),
            metadata: metadata.clone(),
        };
        match app.writer.count(count).await {
            Ok(Counted { level, .. }) => {
                let outcome = if level.version == version { "existing" } else { "updated" };
                return Ok(counted(&wanted, outcome, level));
            }
            // It moved meanwhile: what was counted is as it was, what came after it is more.
            Err(StockError::VersionMismatch { .. }) => {}
            Err(error) => return Err(problems::stock(error)),
        }
    }
    Err(Problem::overloaded(format!("the stock of {product_id} moves too fast to be counted right now")))
}

fn counted(wanted: &Wanted, outcome: &'static str, level: Level) -> CountedLine {
    CountedLine {
        line: wanted.line,
        outcome,
        product_id: Some(wanted.product_id),
        on_hand: Some(level.on_hand),
        version: Some(level.version),
        refused: None,
    }
}

async fn stock_of(app: &App, product_id: ProductId) -> Result<StockRow, Problem> {
    let client = app.pool.get().await.map_err(|error| problem_of(&error))?;
    let mut stock = rows::stock(&**client, &[product_id]).await.map_err(|error| problem_of(&error))?;
    stock.pop().ok_or_else(|| Problem::not_found(format!("there is no product {product_id}")))
}

fn refused(line: usize, problem: &Problem) -> CountedLine {
    let refused = Some(Refused::from(problem));
    CountedLine { line, outcome: "rejected", product_id: None, on_hand: None, version: None, refused }
}

impl BulkStockAnswer {
    fn of(items: Vec<CountedLine>) -> Self {
        let count = |outcome| items.iter().filter(|line| line.outcome == outcome).count();
        let (updated, existing, rejected) = (count("updated"), count("existing"), count("rejected"));
        Self { updated, existing, rejected, items }
    }
}
