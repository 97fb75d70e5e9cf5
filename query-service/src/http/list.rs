//! `GET /api/orders` and the orders of a user: newest first, in cursor pages.

use super::answer;
use crate::{
    read_models::{
        keyset::{Direction, PageRequest},
        orders::{OrderFilter, OrderSort},
    },
    reads::Reads,
    viewer::Viewer,
};
use axum::{extract::State, response::Response};
use http::Uri;
use order::{Order, OrderStatus};
use serde::Deserialize;
use shared_events::UserId;
use std::sync::Arc;
use utoipa::IntoParams;
use web::{Caller, Consistency, Limit, List, PathParams, Problem, QueryParams, pagination::PageParams};

/// Which orders are wanted.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase")]
pub struct ListParams {
    /// In one of these statuses, with commas between.
    status: Option<String>,
    /// Of this customer.
    customer_id: Option<String>,
    /// `open`: with something that a person has to look at.
    exceptions: Option<String>,
    /// How many items: 1 to 100, 20 unless asked otherwise.
    #[serde(default)]
    #[param(value_type = Option<u16>, minimum = 1, maximum = 100)]
    limit: Limit,
    /// Where the page before ended: its `nextCursor`.
    cursor: Option<String>,
}

/// `GET /api/orders`.
///
/// # Errors
/// 400, 404 for another customer's, 503.
pub async fn orders(
    State(reads): State<Arc<Reads>>,
    caller: Caller,
    consistency: Consistency,
    QueryParams(params): QueryParams<ListParams>,
    uri: Uri,
) -> Result<Response, Problem> {
    let viewer = Viewer::new(caller);
    let mut filter = OrderFilter { confined_to: viewer.confined_to(), ..OrderFilter::default() };
    for name in params.status.iter().flat_map(|names| names.split(',')).map(str::trim).filter(|name| !name.is_empty()) {
        let status = OrderStatus::parse(name)
            .ok_or_else(|| Problem::invalid_parameter(format!("parameter `status`: there is no status `{name}`")))?;
        filter.statuses.push(status);
    }
    match params.exceptions.as_deref() {
        None | Some("") => {}
        Some("open") => filter.open_exception = Some(true),
        Some(_) => return Err(Problem::invalid_parameter("parameter `exceptions`: only `open` is known")),
    }
    if let Some(text) = params.customer_id.as_deref().filter(|text| !text.is_empty()) {
        let customer =
            UserId::parse(text).map_err(|error| Problem::invalid_id(format!("parameter `customerId`: {error}")))?;
        check_customer(&viewer, customer)?;
        filter.customer_id = Some(customer);
    }
    let page = PageParams { limit: params.limit, cursor: params.cursor };
    let list = newest(&reads, &consistency, &filter, &page).await?;
    Ok(answer::page(list, &reads, &viewer, &uri))
}

/// `GET /api/orders/user/{userId}` and its aliases.
///
/// # Errors
/// 400, 404 for another user's, 503.
pub async fn of_user(
    State(reads): State<Arc<Reads>>,
    caller: Caller,
    consistency: Consistency,
    path: PathParams,
    QueryParams(params): QueryParams<PageParams>,
    uri: Uri,
) -> Result<Response, Problem> {
    let viewer = Viewer::new(caller);
    page_of_user(&reads, &viewer, &consistency, path.id("userId")?, &params, &uri).await
}

/// A page of one user's orders.
///
/// # Errors
/// 400, 404 for another user's, 503.
pub async fn page_of_user(
    reads: &Reads,
    viewer: &Viewer,
    consistency: &Consistency,
    user: UserId,
    params: &PageParams,
    uri: &Uri,
) -> Result<Response, Problem> {
    check_customer(viewer, user)?;
    let filter = OrderFilter { customer_id: Some(user), ..OrderFilter::default() };
    let list = newest(reads, consistency, &filter, params).await?;
    Ok(answer::page(list, reads, viewer, uri))
}

fn check_customer(viewer: &Viewer, customer: UserId) -> Result<(), Problem> {
    if viewer.sees_customer(Some(customer)) { Ok(()) } else { Err(Problem::not_found("there is no such customer")) }
}

async fn newest(
    reads: &Reads,
    consistency: &Consistency,
    filter: &OrderFilter,
    params: &PageParams,
) -> Result<List<Order>, Problem> {
    const SORT: OrderSort = OrderSort::PlacedAt;
    let after = params.cursor.as_deref().map(|cursor| SORT.parse_cursor(cursor)).transpose()?;
    reads.writes.wait(consistency).await?;
    let request = PageRequest::first(usize::from(params.limit.get()), after);
    let page = reads.orders.page(filter, SORT, Direction::Descending, &request).await?;
    let next_cursor = if page.has_next { page.rows.last().map(|order| SORT.place(order).to_cursor()) } else { None };
    Ok(List { items: page.rows, next_cursor })
}
