//! What happened to the stock of a product.

use super::{App, problems};
use crate::movements::Movement;
use crate::rows;
use axum::extract::State;
use axum::response::Response;
use chrono::{DateTime, Utc};
use http::Uri;
use serde::Serialize;
use service::problem_of;
use shared_events::{OrderId, ProductId};
use utoipa::ToSchema;
use web::pagination::PageParams;
use web::{Cursor, List, PathParams, Problem, QueryParams};

const CURSOR: u8 = 1;

/// A change of a product's stock.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = StockMovement)]
pub struct MovementAnswer {
    /// Counts the changes of the product's stock; this was the one that made it this version.
    pub version: i64,
    /// The type of the event that says so, such as `StockReserved`.
    #[serde(rename = "type")]
    pub event_type: String,
    /// Where.
    pub location: String,
    /// How many pieces changed hands; signed where it can go both ways.
    pub quantity: i64,
    /// Pieces at that location afterwards.
    pub on_hand: i64,
    /// Pieces promised to orders afterwards; they are counted at the default location.
    pub reserved: i64,
    /// The order that is the cause.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_id: Option<OrderId>,
    /// Why, where somebody said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When.
    pub occurred_at: DateTime<Utc>,
}

impl From<Movement> for MovementAnswer {
    fn from(movement: Movement) -> Self {
        Self {
            version: movement.stock_version,
            event_type: movement.event_type,
            location: movement.location,
            quantity: movement.quantity,
            on_hand: movement.on_hand,
            reserved: movement.reserved,
            order_id: movement.order_id,
            reason: movement.reason,
            occurred_at: movement.occurred_at,
        }
    }
}

/// `GET /api/inventory/{productId}/movements`: newest first, as new as the stock itself.
pub async fn list(
    State(app): State<App>,
    uri: Uri,
    path: PathParams,
    QueryParams(page): QueryParams<PageParams>,
) -> Result<Response, Problem> {
    let product_id: ProductId = path.id("productId")?;
    let before: Option<i64> = page.after(CURSOR)?;
    let client = app.pool.get().await.map_err(|error| problem_of(&error))?;
    let stock = rows::stock(&**client, &[product_id]).await.map_err(|error| problem_of(&error))?;
    drop(client);
    stock.first().ok_or_else(|| Problem::not_found(format!("there is no product {product_id}")))?;
    if before.is_none() {
        app.movements.catch_up().await.map_err(|error| problems::movements(&error))?;
    }
    let movements = app.movements.before(product_id, before.unwrap_or(i64::MAX), page.limit.plus_one()).await;
    let movements = movements.map_err(|error| problems::movements(&error))?;
    let items = movements.into_iter().map(MovementAnswer::from).collect();
    Ok(List::cut(items, page.limit, |last| Cursor::encode(CURSOR, &last.version)).respond(&uri))
}
