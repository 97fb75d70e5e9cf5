//! An order as REST answers it: POST's shape, and on `/orders` and `/order` also the names that older clients read.

use crate::{reads::Reads, viewer::Viewer};
use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::Uri;
use order::{
    Order,
    view::{LegacyOrderAnswer, OrderAnswer},
};
use serde::Serialize;
use web::{ETag, List};

/// An order under the names that its path promises.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// Under `/api`.
    Today(Box<OrderAnswer>),
    /// Elsewhere.
    Legacy(Box<LegacyOrderAnswer>),
}

impl Answer {
    /// The order as this caller sees it on this path.
    #[must_use]
    pub fn of(order: &Order, reads: &Reads, viewer: &Viewer, uri: &Uri) -> Self {
        let answer = OrderAnswer::from_state(order, viewer.party(), reads.return_window);
        if uri.path().starts_with("/api/") {
            Self::Today(Box::new(answer))
        } else {
            Self::Legacy(Box::new(answer.into_legacy()))
        }
    }
}

/// One order, with its version as ETag.
#[must_use]
pub fn one(order: &Order, reads: &Reads, viewer: &Viewer, uri: &Uri) -> Response {
    (ETag(order.version), Json(Answer::of(order, reads, viewer, uri))).into_response()
}

/// A page of orders.
#[must_use]
pub fn page(list: List<Order>, reads: &Reads, viewer: &Viewer, uri: &Uri) -> Response {
    let List { items, next_cursor } = list;
    let items = items.iter().map(|order| Answer::of(order, reads, viewer, uri)).collect();
    List::<Answer> { items, next_cursor }.respond(uri)
}
