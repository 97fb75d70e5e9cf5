//! Whether a cart could be ordered right now. Nothing is held; placing an order is what holds.

use super::items::{Item, demand};
use super::{App, problems, substance};
use crate::catalogue::Product;
use crate::domain::stock::Level;
use crate::rows;
use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use service::{Answer, CommandRequest, problem_of};
use shared_events::inventory::ProductStatus;
use shared_events::{Currency, Money, ProductId};
use std::collections::BTreeMap;
use utoipa::ToSchema;
use web::{JsonBody, Problem};

/// A cart.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CartBody {
    /// What is in it.
    items: Vec<Item>,
    /// The currency to price it in; the shop's if absent.
    currency: Option<String>,
}

/// Whether it could be ordered.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ValidatedCart {
    /// Whether all of it could.
    valid: bool,
    /// Item by item, in the cart's order.
    lines: Vec<ValidatedLine>,
}

/// Whether an item could be ordered.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ValidatedLine {
    /// The product.
    product_id: ProductId,
    /// Whether it could; several items of one product are looked at together.
    valid: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<Obstacle>,
    /// What a piece costs now.
    unit_price: Option<Money>,
    /// Pieces that can be had.
    available: i64,
}

/// Why an item could not be ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Obstacle {
    /// There is no such product.
    UnknownProduct,
    /// It is sold no longer.
    ProductArchived,
    /// It has no price in that currency.
    NoPrice,
    /// There are not enough pieces.
    InsufficientStock,
}

/// `POST /api/products/validate-cart`.
pub async fn post(State(app): State<App>, request: CommandRequest, JsonBody(body): JsonBody<CartBody>) -> Response {
    let substance = substance(&body);
    let idempotency = app.idempotency.clone();
    let work = move |_| async move { validate(&app, &body).await.into() };
    idempotency.run(&request, &substance, Value::Null, work).await
}

async fn validate(app: &App, body: &CartBody) -> Result<Answer, Problem> {
    let demand = demand(&body.items)?;
    let currency = match &body.currency {
        Some(code) => Currency::parse(code).map_err(|error| Problem::invalid_field("/currency", error.to_string()))?,
        None => app.currency,
    };
    let ids: Vec<ProductId> = demand.keys().copied().collect();
    let products = app.catalogue.products(&ids).await.map_err(problems::catalogue)?;
    let products: BTreeMap<ProductId, Product> =
        products.into_iter().map(|product| (product.product_id, product)).collect();
    let client = app.pool.get().await.map_err(|error| problem_of(&error))?;
    let stock = rows::stock(&**client, &ids).await.map_err(|error| problem_of(&error))?;
    let levels: BTreeMap<ProductId, Level> = stock.into_iter().map(|row| (row.product_id, row.level)).collect();

    let line = |item: &Item| {
        let product_id = item.product_id;
        let wanted = demand.get(&product_id).copied().unwrap_or(item.quantity);
        let level = levels.get(&product_id).copied().unwrap_or_default();
        let unit_price = products.get(&product_id).and_then(|product| product.price_in(currency));
        let code = obstacle(products.get(&product_id), unit_price, &level, wanted);
        ValidatedLine { product_id, valid: code.is_none(), code, unit_price, available: level.available() }
    };
    let lines: Vec<ValidatedLine> = body.items.iter().map(line).collect();
    let answer = ValidatedCart { valid: lines.iter().all(|line| line.valid), lines };
    Ok(Answer::json(200, &answer))
}

fn obstacle(product: Option<&Product>, price: Option<Money>, level: &Level, wanted: i64) -> Option<Obstacle> {
    match product {
        None => Some(Obstacle::UnknownProduct),
        Some(product) if product.status == ProductStatus::Archived => Some(Obstacle::ProductArchived),
        Some(_) if price.is_none() => Some(Obstacle::NoPrice),
        Some(_) if !level.backorder && wanted > level.available() => Some(Obstacle::InsufficientStock),
        Some(_) => None,
    }
}
