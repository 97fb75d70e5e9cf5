//! `GET /api/orders/{id}` and its aliases. What the path names is told by its form, never by trial.

use super::{answer, list};
use crate::{reads::Reads, viewer::Viewer};
use axum::{extract::State, response::Response};
use http::Uri;
use order::Order;
use shared_events::{OrderId, UserId};
use std::sync::Arc;
use web::{Caller, Consistency, PathParams, Problem, QueryParams, pagination::PageParams};

/// What the last part of `/orders/{id}` names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrderReference {
    /// An order by its id.
    Order(OrderId),
    /// An order by its number.
    Number(String),
    /// The orders of a user.
    User(UserId),
}

impl OrderReference {
    /// Tells by the form: `usr_…` is a user, `ord_…` and a bare UUID an order, other TypeIDs are wrong here, and
    /// everything else is an order number.
    ///
    /// # Errors
    /// 400 `INVALID_ID`.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let invalid = |error: shared_events::IdError| Problem::invalid_id(format!("`id` in the path: {error}"));
        let prefix = text.split_once('_').map(|(prefix, rest)| (prefix, shared_events::typeid::decode(rest).is_some()));
        match prefix {
            Some((UserId::PREFIX, _)) => UserId::parse(text).map(Self::User).map_err(invalid),
            Some((OrderId::PREFIX, _) | (_, true)) => OrderId::parse(text).map(Self::Order).map_err(invalid),
            None if uuid::Uuid::try_parse(text).is_ok() => OrderId::parse(text).map(Self::Order).map_err(invalid),
            Some((_, false)) | None => Ok(Self::Number(text.to_owned())),
        }
    }
}

/// `GET /api/orders/{id}`: ids only.
///
/// # Errors
/// 400, 404, 503.
pub async fn by_id(
    State(reads): State<Arc<Reads>>,
    caller: Caller,
    consistency: Consistency,
    path: PathParams,
    uri: Uri,
) -> Result<Response, Problem> {
    let (viewer, id) = (Viewer::new(caller), path.id::<OrderId>("id")?);
    let order = visible(&reads, &viewer, &consistency, &OrderReference::Order(id)).await?;
    Ok(answer::one(&order, &reads, &viewer, &uri))
}

/// `GET /orders/{id}` and `GET /order/{id}`: an order by id or number, or a user's orders.
///
/// # Errors
/// 400, 404, 503.
pub async fn by_reference(
    State(reads): State<Arc<Reads>>,
    caller: Caller,
    consistency: Consistency,
    path: PathParams,
    QueryParams(params): QueryParams<PageParams>,
    uri: Uri,
) -> Result<Response, Problem> {
    let viewer = Viewer::new(caller);
    let reference = OrderReference::parse(path.get("id"))?;
    if let OrderReference::User(user) = reference {
        return list::page_of_user(&reads, &viewer, &consistency, user, &params, &uri).await;
    }
    let order = visible(&reads, &viewer, &consistency, &reference).await?;
    Ok(answer::one(&order, &reads, &viewer, &uri))
}

/// The order, if the caller may see it.
///
/// # Errors
/// 404 where there is none, or it is somebody else's; 503.
pub async fn visible(
    reads: &Reads,
    viewer: &Viewer,
    consistency: &Consistency,
    reference: &OrderReference,
) -> Result<Arc<Order>, Problem> {
    reads.writes.wait(consistency).await?;
    let id = match reference {
        OrderReference::Order(id) => Some(*id),
        OrderReference::Number(number) => reads.orders.id_of_number(number).await?,
        OrderReference::User(_) => None,
    };
    let order = match id {
        Some(id) => reads.cache.get(id, 0).await?,
        None => None,
    };
    order.filter(|order| viewer.sees(order)).ok_or_else(|| Problem::not_found("there is no such order"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_tells_what_is_named() {
        let (order, user) = (OrderId::generate(), UserId::generate());
        assert_eq!(OrderReference::parse(&order.to_string()).unwrap(), OrderReference::Order(order));
        assert_eq!(OrderReference::parse(&order.as_uuid().to_string()).unwrap(), OrderReference::Order(order));
        assert_eq!(OrderReference::parse(&user.to_string()).unwrap(), OrderReference::User(user));
        for number in ["R-000123456", "2026_17", "A_B", "42"] {
            assert_eq!(OrderReference::parse(number).unwrap(), OrderReference::Number(number.to_owned()));
        }
        for wrong in ["ord_1", "usr_x", "prod_01h455vb4pex5vsknk084sn02q"] {
            assert_eq!(OrderReference::parse(wrong).unwrap_err().status(), 400, "{wrong}");
        }
    }
}
