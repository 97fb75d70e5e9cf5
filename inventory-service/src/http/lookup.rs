//! `POST /internal/products/lookup`: what the command side needs of products to price an order, in one call.

use super::{App, problems};
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use shared_events::inventory::ProductStatus;
use shared_events::{Attributes, Currency, Money, ProductId};
use utoipa::ToSchema;
use web::{JsonBody, Problem};

const MOST_PRODUCTS: usize = 5_000;

/// Which products, and in which currency.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LookupBody {
    /// The products.
    product_ids: Vec<ProductId>,
    /// The currency of their prices; the shop's if absent.
    currency: Option<String>,
}

/// Those that exist.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LookupAnswer {
    /// Ascending by id; ones that do not exist are absent.
    products: Vec<LookedUp>,
}

/// A product as an order needs it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LookedUp {
    /// Its id.
    product_id: ProductId,
    /// The shop's own code for it.
    sku: String,
    /// What people call it.
    name: String,
    /// Which tax rate applies.
    tax_class: String,
    /// Whether it can be bought.
    status: ProductStatus,
    /// What a piece costs now; null without a price in that currency.
    unit_price: Option<Money>,
    /// Where it is sold.
    channel: String,
    /// Who sells it.
    legal_entity: String,
    /// Its id in another system.
    external_id: Option<String>,
    /// What the shop remembers about it.
    attributes: Attributes,
}

/// `POST /internal/products/lookup`.
pub async fn lookup(
    State(app): State<App>,
    JsonBody(body): JsonBody<LookupBody>,
) -> Result<Json<LookupAnswer>, Problem> {
    if body.product_ids.len() > MOST_PRODUCTS {
        return Err(Problem::invalid_field("/productIds", format!("must have at most {MOST_PRODUCTS} entries")));
    }
    let currency = match &body.currency {
        Some(code) => Currency::parse(code).map_err(|error| Problem::invalid_field("/currency", error.to_string()))?,
        None => app.currency,
    };
    let products = app.catalogue.products(&body.product_ids).await.map_err(problems::catalogue)?;
    let looked_up = products.into_iter().map(|product| LookedUp {
        unit_price: product.price_in(currency),
        product_id: product.product_id,
        sku: product.details.sku,
        name: product.details.name,
        tax_class: product.details.tax_class,
        status: product.status,
        channel: product.details.channel,
        legal_entity: product.details.legal_entity,
        external_id: product.details.external_id,
        attributes: product.details.attributes,
    });
    Ok(Json(LookupAnswer { products: looked_up.collect() }))
}
