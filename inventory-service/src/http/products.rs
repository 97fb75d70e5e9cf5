//! Reading products. Anyone may: these routes take no token.

use super::App;
use super::answers::ProductAnswer;
use super::problems;
use crate::catalogue::ProductFilter;
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use http::Uri;
use serde::Deserialize;
use shared_events::ProductId;
use utoipa::IntoParams;
use web::pagination::PageParams;
use web::{Cursor, ETag, List, PathParams, Problem, QueryParams};

const CURSOR: u8 = 1;
const LONGEST_QUERY: usize = 200;

/// Which products to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ProductParams {
    /// Only those with this text in name, sku or description.
    q: Option<String>,
    /// Only the one with this sku.
    sku: Option<String>,
    /// Where in the list.
    #[serde(flatten)]
    #[param(ignore)]
    page: PageParams,
}

/// `GET /api/products`: what is sold, oldest first.
pub async fn list(
    State(app): State<App>,
    uri: Uri,
    QueryParams(params): QueryParams<ProductParams>,
) -> Result<Response, Problem> {
    for (name, text) in [("q", &params.q), ("sku", &params.sku)] {
        if text.as_ref().is_some_and(|text| text.chars().count() > LONGEST_QUERY) {
            return Err(Problem::invalid_parameter(format!("`{name}` takes at most {LONGEST_QUERY} characters")));
        }
    }
    let filter = ProductFilter {
        after: params.page.after::<ProductId>(CURSOR)?,
        sku: params.sku,
        text: params.q.filter(|text| !text.trim().is_empty()),
        limit: params.page.limit.plus_one(),
    };
    let products = app.catalogue.list(&filter).await.map_err(problems::catalogue)?;
    let items = products.into_iter().map(|product| ProductAnswer::of(product, app.currency)).collect();
    Ok(List::cut(items, params.page.limit, |last| Cursor::encode(CURSOR, &last.product_id)).respond(&uri))
}

/// `GET /api/products/{id}`: a product, archived ones too.
pub async fn get(State(app): State<App>, path: PathParams) -> Result<(ETag, Json<ProductAnswer>), Problem> {
    let product = app.catalogue.product(path.id("id")?).await.map_err(problems::catalogue)?;
    let answer = ProductAnswer::of(product, app.currency);
    Ok((ETag(answer.version), Json(answer)))
}
