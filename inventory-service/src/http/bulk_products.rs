//! `POST /api/products/bulk`: products by the thousand, one a line, each made or changed by its sku. Lines stand alone;
//! new products go in a hundred to a transaction.

use super::change_products::NewProductBody;
use super::{App, problems};
use crate::catalogue::{CatalogueError, Cause, MOST_AT_ONCE, NewProduct, Product};
use crate::causes;
use axum::Json;
use axum::extract::State;
use futures_util::{StreamExt, stream};
use serde::{Deserialize, Serialize};
use shared_events::{Metadata, ProductId};
use std::collections::{BTreeMap, BTreeSet};
use utoipa::{IntoParams, ToSchema};
use web::ndjson::{NdjsonBody, Refused};
use web::{Caller, Problem, QueryParams, RequestContext};

const CHANGED_AT_ONCE: usize = 4;
const ATTEMPTS: usize = 50;

/// What to do with products that are there.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct BulkParams {
    /// `update`: products that are there become what the line says; `keep`: they stay as they are.
    #[serde(default)]
    #[param(inline)]
    existing: Existing,
}

/// What to do with a product that is there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Existing {
    /// It becomes what the line says; what the line leaves out stays.
    #[default]
    Update,
    /// It stays as it is.
    Keep,
}

/// What became of the lines.
#[derive(Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BulkAnswer {
    /// Products that were made.
    created: usize,
    /// Products that were changed.
    updated: usize,
    /// Products that are as they were.
    existing: usize,
    /// Lines that became nothing.
    rejected: usize,
    /// Line by line, in the order of the body.
    items: Vec<BulkLine>,
}

/// What became of a line.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BulkLine {
    /// Its number in the body, from 1.
    line: usize,
    /// `created`, `updated`, `existing` or `rejected`.
    outcome: &'static str,
    /// The product.
    #[serde(skip_serializing_if = "Option::is_none")]
    product_id: Option<ProductId>,
    /// Its version now.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<i64>,
    /// Why it was rejected.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    refused: Option<Refused>,
}

/// A line that keeps the rules.
struct Wanted {
    line: usize,
    body: NewProductBody,
    new: NewProduct,
}

type Outcome = Result<(&'static str, Product), CatalogueError>;

/// Makes or changes them.
pub async fn post(
    State(app): State<App>,
    caller: Caller,
    context: RequestContext,
    QueryParams(params): QueryParams<BulkParams>,
    body: NdjsonBody,
) -> Result<Json<BulkAnswer>, Problem> {
    let metadata = Metadata { import: true, ..causes::request(&caller, &context) };
    let mut lines: BTreeMap<usize, BulkLine> = BTreeMap::new();
    let mut wanted = Vec::new();
    for line in body.lines() {
        match line.parse::<NewProductBody>().and_then(|body| Ok((body.clone(), body.parse()?))) {
            Ok((body, (details, price))) => {
                let (product_id, now) = (ProductId::generate(), web::request_context::now());
                wanted.push(Wanted { line: line.number, body, new: NewProduct { product_id, details, price, now } });
            }
            Err(problem) => drop(lines.insert(line.number, refused(line.number, &problem))),
        }
    }
    let (new, others) = tell_apart(&app, wanted).await.map_err(problems::catalogue)?;
    for chunk in chunks(new) {
        for (line, outcome) in create(&app, chunk, params.existing, &metadata).await {
            lines.insert(line, answer(line, outcome)?);
        }
    }
    let mut by_sku: BTreeMap<String, Vec<Wanted>> = BTreeMap::new();
    for wanted in others {
        by_sku.entry(wanted.new.details.sku.clone()).or_default().push(wanted);
    }
    // A sku that comes twice is changed in the order of its lines: the last one is what it becomes.
    let changed = by_sku.into_values().map(|lines| async {
        let mut outcomes = Vec::with_capacity(lines.len());
        for wanted in lines {
            outcomes.push((wanted.line, apply(&app, wanted, params.existing, &metadata).await));
        }
        outcomes
    });
    let changed: Vec<_> = stream::iter(changed).buffer_unordered(CHANGED_AT_ONCE).collect().await;
    for (line, outcome) in changed.into_iter().flatten() {
        let outcome = match outcome {
            Ok(outcome) => answer(line, outcome)?,
            Err(problem) => refused(line, &problem),
        };
        lines.insert(line, outcome);
    }
    Ok(Json(BulkAnswer::of(lines.into_values().collect())))
}

/// The first lines of skus that do not exist, and all others.
async fn tell_apart(app: &App, wanted: Vec<Wanted>) -> Result<(Vec<Wanted>, Vec<Wanted>), CatalogueError> {
    let skus: Vec<&str> = wanted.iter().map(|wanted| wanted.new.details.sku.as_str()).collect();
    let mut taken: BTreeSet<String> =
        app.catalogue.by_sku(&skus).await?.into_iter().map(|product| product.details.sku).collect();
    Ok(wanted.into_iter().partition(|wanted| taken.insert(wanted.new.details.sku.clone())))
}

fn chunks(mut new: Vec<Wanted>) -> impl Iterator<Item = Vec<Wanted>> {
    std::iter::from_fn(move || {
        let rest = new.split_off(new.len().min(MOST_AT_ONCE));
        let chunk = std::mem::replace(&mut new, rest);
        (!chunk.is_empty()).then_some(chunk)
    })
}

/// All at once; one by one where somebody else has just taken one of the skus.
async fn create(app: &App, chunk: Vec<Wanted>, existing: Existing, metadata: &Metadata) -> Vec<(usize, Outcome)> {
    let products = chunk.iter().map(|wanted| wanted.new.clone()).collect();
    match app.catalogue.create_many(products, metadata).await {
        Ok(made) => {
            let mut made: BTreeMap<String, Product> =
                made.into_iter().map(|product| (product.details.sku.clone(), product)).collect();
            let line = |wanted: &Wanted| Some((wanted.line, Ok(("created", made.remove(&wanted.new.details.sku)?))));
            chunk.iter().filter_map(line).collect()
        }
        Err(CatalogueError::SkuTaken(_)) => {
            let mut outcomes = Vec::with_capacity(chunk.len());
            for wanted in chunk {
                let line = wanted.line;
                let cause = Cause { metadata: metadata.clone(), claim: None };
                let outcome = match app.catalogue.create(wanted.new.clone(), cause).await {
                    Err(CatalogueError::SkuTaken(sku)) => match apply(app, wanted, existing, metadata).await {
                        Ok(outcome) => outcome,
                        Err(_) => Err(CatalogueError::SkuTaken(sku)),
                    },
                    made => made.map(|product| ("created", product)),
                };
                outcomes.push((line, outcome));
            }
            outcomes
        }
        // One error is as good as many: the request ends with it.
        Err(error) => chunk.first().map(|wanted| (wanted.line, Err(error))).into_iter().collect(),
    }
}

/// Changes a product that is there.
async fn apply(app: &App, wanted: Wanted, existing: Existing, metadata: &Metadata) -> Result<Outcome, Problem> {
    let sku = wanted.new.details.sku;
    for _ in 0..ATTEMPTS {
        let before = match app.catalogue.by_sku(&[&sku]).await {
            Ok(mut products) => products.pop(),
            Err(error) => return Ok(Err(error)),
        };
        let Some(before) = before else { return Ok(Err(CatalogueError::SkuTaken(sku))) };
        if existing == Existing::Keep {
            return Ok(Ok(("existing", before)));
        }
        let cause = Cause { metadata: metadata.clone(), claim: None };
        match app.catalogue.update(wanted.body.clone().onto(&before)?, cause).await {
            Ok(after) if after.version == before.version => return Ok(Ok(("existing", after))),
            Ok(after) => return Ok(Ok(("updated", after))),
            // Somebody else changed it meanwhile: what this line says comes after that.
            Err(CatalogueError::VersionMismatch { .. }) => {}
            Err(error) => return Ok(Err(error)),
        }
    }
    Ok(Err(CatalogueError::SkuTaken(sku)))
}

/// What is wrong with a line is said of the line; what is wrong with the system ends the request.
fn answer(line: usize, outcome: Outcome) -> Result<BulkLine, Problem> {
    match outcome.map_err(problems::catalogue) {
        Ok((outcome, product)) => Ok(BulkLine {
            line,
            outcome,
            product_id: Some(product.product_id),
            version: Some(product.version),
            refused: None,
        }),
        Err(problem) if problem.status().is_server_error() => Err(problem),
        Err(problem) => Ok(refused(line, &problem)),
    }
}

fn refused(line: usize, problem: &Problem) -> BulkLine {
    let refused = Some(Refused::from(problem));
    BulkLine { line, outcome: "rejected", product_id: None, version: None, refused }
}

impl BulkAnswer {
    fn of(items: Vec<BulkLine>) -> Self {
        let count = |outcome| items.iter().filter(|line| line.outcome == outcome).count();
        Self {
            created: count("created"),
            updated: count("updated"),
            existing: count("existing"),
            rejected: count("rejected"),
            items,
        }
    }
}
