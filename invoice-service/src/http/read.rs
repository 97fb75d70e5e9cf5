//! GET /api/invoices and GET /api/invoices/{id}

use crate::{
    app::{App, confined_to},
    invoices::{Filter, InvoicesError},
    view::{InvoiceView, Kind},
};
use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use service::unavailable_or_internal;
use shared_events::{CreditNoteId, InvoiceId, OrderId};
use utoipa::IntoParams;
use uuid::Uuid;
use web::{Caller, Cursor, ETag, Limit, List, PathParams, Problem, QueryParams};

const CURSOR_VERSION: u8 = 1;

/// Which invoices.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct ListParams {
    /// Of this order.
    order_id: Option<String>,
    /// How many, 20 if absent.
    #[serde(default)]
    #[param(value_type = Option<u16>, minimum = 1, maximum = 100)]
    limit: Limit,
    /// Where to go on.
    cursor: Option<String>,
}

/// Invoices and credit notes, newest first; a customer's own.
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    uri: http::Uri,
    QueryParams(params): QueryParams<ListParams>,
) -> Result<Response, Problem> {
    let order_id = params
        .order_id
        .as_deref()
        .map(OrderId::parse)
        .transpose()
        .map_err(|error| Problem::invalid_id(format!("orderId: {error}")))?;
    let after: Option<(DateTime<Utc>, Uuid)> =
        params.cursor.as_deref().map(|text| Cursor::decode(CURSOR_VERSION, text)).transpose()?;
    let filter = Filter { order_id, customer_id: confined_to(&caller)?, after };
    let mut found = app.invoices.list(&filter, params.limit.plus_one()).await.map_err(|error| failed(&error))?;
    let more = found.len() > usize::from(params.limit.get());
    found.truncate(params.limit.get().into());
    let next_cursor = found.last().filter(|_| more).map(|last| Cursor::encode(CURSOR_VERSION, &last.place));
    let items: Vec<InvoiceView> = found.into_iter().map(|found| found.view).collect();
    Ok(List { items, next_cursor }.respond(&uri))
}

/// One document, by its own id.
pub async fn one(State(app): State<App>, caller: Caller, params: PathParams) -> Result<Response, Problem> {
    let text = params.get("id");
    let credit_note = text.starts_with(CreditNoteId::PREFIX);
    let (id, kind) = if credit_note {
        (params.id::<CreditNoteId>("id")?.as_uuid(), Kind::CreditNote)
    } else {
        (params.id::<InvoiceId>("id")?.as_uuid(), Kind::Invoice)
    };
    let view = app.invoices.find(id, kind, confined_to(&caller)?).await.map_err(|error| failed(&error))?;
    let view = view.ok_or_else(|| Problem::not_found("there is no such invoice"))?;
    Ok((ETag(view.version), Json(view)).into_response())
}

fn failed(error: &InvoicesError) -> Problem {
    let keys = matches!(error, InvoicesError::Keys(_));
    unavailable_or_internal(error, keys || pg::is_unavailable(error))
}
