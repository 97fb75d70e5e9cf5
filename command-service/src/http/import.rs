//! POST /api/orders/import: orders of other systems, one a line. Lines stand alone and run at the same time, so that
//! the log commits them together; a line that is there already, word for word, is `existing`, so a batch whose answer
//! was lost is simply sent again.

use crate::{
    app::{App, concerned, metadata},
    import::{self, ImportOrderBody, Imported},
    inventory::CatalogueProduct,
    rejections,
};
use axum::{Json, extract::State};
use eventstore::{Append, AppendError, Expected};
use futures_util::{StreamExt, stream};
use order::{FieldError, ImportOrder, Order, Rejection};
use serde::{Deserialize, Serialize};
use service::{CommandRequest, problem_of, unavailable_or_internal};
use shared_events::{
    Metadata, OrderId, ProductId,
    order::{OrderEvent, STREAM_TYPE},
    sealed::seal_event,
};
use std::collections::BTreeSet;
use uuid::Uuid;
use web::{
    Problem, QueryParams,
    ndjson::{NdjsonBody, NdjsonLine, Refused},
};

/// So many lines of a batch are under way at once: enough for the log to fill its own batches.
const AT_ONCE: usize = 128;
/// So many products are looked up in one call.
const LOOKED_UP: usize = 2_000;

/// How to take them.
#[derive(Debug, Clone, Copy, Deserialize, utoipa::IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct ImportParams {
    /// Only says what would become of each line: `valid`, `existing` or `rejected`. Whether its products exist is not
    /// looked at.
    #[serde(default)]
    #[param(inline, required = false)]
    dry_run: bool,
}

/// What became of a batch.
#[derive(Debug, Default, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ImportAnswer {
    /// Orders that are there since this request.
    created: usize,
    /// Orders that were there before.
    existing: usize,
    /// Lines that became no order.
    rejected: usize,
    /// Of a dry run: lines that would become orders.
    #[serde(skip_serializing_if = "Option::is_none")]
    valid: Option<usize>,
    /// Line by line, in the order of the body.
    items: Vec<ImportedLine>,
}

/// What became of a line.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ImportedLine {
    /// Its number in the body, from 1.
    line: usize,
    /// `created`, `existing` or `rejected`; of a dry run `valid`, `existing` or `rejected`.
    outcome: &'static str,
    /// The order.
    #[serde(skip_serializing_if = "Option::is_none")]
    order_id: Option<OrderId>,
    /// Its version after the import.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<i64>,
    /// Why it was rejected.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    refused: Option<Refused>,
}

/// A line that could be read.
struct Ready {
    line: usize,
    command_id: Uuid,
    imported: Result<Imported, Problem>,
}

enum Done {
    Created(i64),
    Existing(i64),
}

/// Whether an order is looked for before it is appended: only where it is likely to be there.
#[derive(Clone, Copy)]
enum Likely {
    New,
    There,
}

/// Brings them in.
pub async fn post(
    State(app): State<App>,
    request: CommandRequest,
    QueryParams(params): QueryParams<ImportParams>,
    body: NdjsonBody,
) -> Result<Json<ImportAnswer>, Problem> {
    let now = web::request_context::now();
    let mut lines: Vec<Ready> = body.lines().map(|line| ready(&line, now)).collect();
    if params.dry_run {
        let mut answer = ImportAnswer { valid: Some(0), ..ImportAnswer::default() };
        let mut looking = stream::iter(lines.into_iter().map(|ready| would(&app, ready))).buffered(AT_ONCE);
        while let Some(line) = looking.next().await {
            answer.count(line?);
        }
        return Ok(Json(answer));
    }
    know_products(&app, &mut lines).await?;
    let metadata = Metadata { import: true, ..metadata(&request) };
    let run = |ready, likely| one(&app, &metadata, ready, likely);
    let mut lines = lines.into_iter();
    let mut answer = ImportAnswer::default();
    // Where the first is there already the others may well be too: somebody repeats what was interrupted.
    let Some(first) = lines.next() else { return Ok(Json(answer)) };
    let first = run(first, Likely::New).await?;
    let likely = if first.outcome == "existing" { Likely::There } else { Likely::New };
    answer.count(first);
    let mut running = stream::iter(lines.map(|ready| run(ready, likely))).buffered(AT_ONCE);
    while let Some(line) = running.next().await {
        answer.count(line?);
    }
    Ok(Json(answer))
}

impl ImportAnswer {
    fn count(&mut self, line: ImportedLine) {
        match line.outcome {
            "created" => self.created += 1,
            "existing" => self.existing += 1,
            "valid" => self.valid = self.valid.map(|valid| valid + 1),
            _ => self.rejected += 1,
        }
        self.items.push(line);
    }
}

fn ready(line: &NdjsonLine<'_>, now: chrono::DateTime<chrono::Utc>) -> Ready {
    let imported =
        line.parse::<ImportOrderBody>().and_then(|body| import::read(body, now).map_err(rejections::problem));
    Ready { line: line.number, command_id: import::command_id(line.text), imported }
}

/// Refuses lines with products that do not exist. A product never goes away, so each is asked for once.
async fn know_products(app: &App, lines: &mut [Ready]) -> Result<(), Problem> {
    let named = lines.iter().filter_map(|ready| ready.imported.as_ref().ok());
    let mut unknown: BTreeSet<ProductId> = named
        .flat_map(|imported| &imported.products)
        .filter(|id| !app.known_products.contains_key(*id))
        .copied()
        .collect();
    let asked: Vec<ProductId> = unknown.iter().copied().collect();
    for ids in asked.chunks(LOOKED_UP) {
        let found = app.inventory.products(ids, app.config.currency).await.map_err(service::PeerError::into_problem)?;
        for CatalogueProduct { product_id, .. } in found {
            unknown.remove(&product_id);
            app.known_products.insert(product_id, ()).await;
        }
    }
    for ready in lines.iter_mut().filter(|_| !unknown.is_empty()) {
        let Ok(imported) = &ready.imported else { continue };
        let missing = imported.products.iter().enumerate().filter(|(_, id)| unknown.contains(id));
        let errors: Vec<_> = missing
            .map(|(index, id)| {
                FieldError::new(format!("/items/{index}/productId"), format!("there is no product {id}"))
            })
            .collect();
        if !errors.is_empty() {
            ready.imported = Err(rejections::problem(Rejection::Invalid(errors)));
        }
    }
    Ok(())
}

/// Says what would become of one.
async fn would(app: &App, ready: Ready) -> Result<ImportedLine, Problem> {
    let Ready { line, command_id, imported } = ready;
    let told = |outcome, order_id, version, problem: Option<&Problem>| ImportedLine {
        line,
        outcome,
        order_id,
        version,
        refused: problem.map(Refused::from),
    };
    let Imported { order_id, command, .. } = match imported {
        Ok(imported) => imported,
        Err(problem) => return Ok(told("rejected", None, None, Some(&problem))),
    };
    let first = app.orders.log().first_result(&order_id.to_string(), command_id).await;
    let first = first.map_err(|error| unavailable_or_internal(&error, error.is_unavailable()))?;
    if let Some(first) = first {
        return Ok(told("existing", Some(order_id), Some(first.version), None));
    }
    let loaded = app.orders.load(order_id).await;
    let is_here = loaded.map_err(|error| unavailable_or_internal(&error, error.is_unavailable()))?.is_some();
    let decided = if is_here { Err(other_words()) } else { decide(order_id, command) };
    Ok(match decided {
        Ok(events) => told("valid", Some(order_id), i64::try_from(events.len()).ok(), None),
        Err(problem) => told("rejected", Some(order_id), None, Some(&problem)),
    })
}

fn decide(order_id: OrderId, command: ImportOrder) -> Result<Vec<OrderEvent>, Problem> {
    order::decide(&Order::of(order_id), command).map_err(rejections::problem)
}

fn other_words() -> Problem {
    Problem::illegal_transition("the order is here already, and was brought in with other words")
}

/// Brings one in. What is wrong with it is its own affair; what is wrong with the system ends the request.
async fn one(app: &App, metadata: &Metadata, ready: Ready, likely: Likely) -> Result<ImportedLine, Problem> {
    let Ready { line, command_id, imported } = ready;
    let rejected = |order_id, problem: &Problem| ImportedLine {
        line,
        outcome: "rejected",
        order_id,
        version: None,
        refused: Some(Refused::from(problem)),
    };
    let imported = match imported {
        Ok(imported) => imported,
        Err(problem) => return Ok(rejected(None, &problem)),
    };
    let order_id = imported.order_id;
    let taken = |outcome, version| ImportedLine {
        line,
        outcome,
        order_id: Some(order_id),
        version: Some(version),
        refused: None,
    };
    match Box::pin(take_over(app, metadata.clone(), command_id, imported, likely)).await {
        Ok(Done::Created(version)) => Ok(taken("created", version)),
        Ok(Done::Existing(version)) => Ok(taken("existing", version)),
        Err(problem) if problem.status().is_server_error() => Err(problem),
        Err(problem) => Ok(rejected(Some(order_id), &problem)),
    }
}

async fn take_over(
    app: &App,
    metadata: Metadata,
    command_id: Uuid,
    imported: Imported,
    likely: Likely,
) -> Result<Done, Problem> {
    let Imported { order_id, command, .. } = imported;
    let stream_id = order_id.to_string();
    if matches!(likely, Likely::There) {
        let first = app.orders.log().first_result(&stream_id, command_id).await;
        let first = first.map_err(|error| unavailable_or_internal(&error, error.is_unavailable()))?;
        if let Some(first) = first {
            return Ok(Done::Existing(first.version));
        }
    }
    let placing = &command.placing;
    let personal = placing.contact.is_some()
        || placing.shipping_address.is_some()
        || placing.billing_address.is_some()
        || placing.note.is_some();
    let order = Order { customer_id: placing.customer_id, ..Order::of(order_id) };
    let key = if personal {
        Some(app.orders.keys().of_owner(&concerned(&order)).await.map_err(|error| problem_of(&error))?)
    } else {
        None
    };
    let events = decide(order_id, command)?;
    let sealed: Result<Vec<_>, _> = events.iter().map(|event| seal_event(event, &stream_id, key.as_ref())).collect();
    let append = Append {
        stream_id,
        stream_type: STREAM_TYPE,
        expected: Expected::Version(0),
        command_id: Some(command_id),
        events: sealed.map_err(|error| unavailable_or_internal(&error, false))?,
        metadata,
        claim: None,
    };
    match app.orders.log().append(append).await {
        Ok(appended) if appended.duplicate => Ok(Done::Existing(appended.version)),
        Ok(appended) => Ok(Done::Created(appended.version)),
        Err(AppendError::Conflict { .. }) => Err(other_words()),
        Err(AppendError::TooLarge { .. }) => {
            Err(Problem::body_too_large("the order has too many events, or too large ones, to be stored"))
        }
        // Known or not whether it is there: the same line again finds out.
        Err(error) => Err(unavailable_or_internal(&error, error.is_unavailable())),
    }
}
