//! Stock of products: read from the service's own tables, so that an answer is never behind.

use super::answers::StockAnswer;
use super::{App, locations, problems};
use crate::causes;
use crate::domain::stock::{Adjustment, MOST_PIECES};
use crate::rows;
use crate::stock_writer::Count;
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use http::Uri;
use serde::Deserialize;
use service::problem_of;
use shared_events::ProductId;
use utoipa::{IntoParams, ToSchema};
use web::pagination::PageParams;
use web::{
    Caller, Code, Consistency, Cursor, ETag, IfMatch, JsonBody, List, PathParams, Problem, QueryParams, RequestContext,
};

const CURSOR: u8 = 1;
const LONGEST_REASON: usize = 500;

/// Which stock to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct StockParams {
    /// Only products of which fewer pieces than this are available.
    below: Option<String>,
    /// Where in the list.
    #[serde(flatten)]
    #[param(ignore)]
    page: PageParams,
}

/// What somebody says about the stock of a product: exactly one of `onHand` and `delta`.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StockBody {
    /// So many pieces are there: they were counted.
    on_hand: Option<i64>,
    /// So many pieces came in, or were lost where negative.
    delta: Option<i64>,
    /// Why.
    reason: Option<String>,
    /// Where: a location's code; the default one if absent.
    location: Option<String>,
}

/// `GET /api/inventory/{productId}`.
pub async fn get(State(app): State<App>, path: PathParams) -> Result<(ETag, Json<StockAnswer>), Problem> {
    let product_id: ProductId = path.id("productId")?;
    let client = app.pool.get().await.map_err(|error| problem_of(&error))?;
    let stock = rows::stock(&**client, &[product_id]).await.map_err(|error| problem_of(&error))?;
    let row = stock.first().ok_or_else(|| unknown(product_id))?;
    Ok((ETag(row.level.version), Json(StockAnswer::of(product_id, &row.level, &row.elsewhere))))
}

/// `GET /api/inventory`: every product's stock, or what is running out.
pub async fn list(
    State(app): State<App>,
    uri: Uri,
    QueryParams(params): QueryParams<StockParams>,
) -> Result<Response, Problem> {
    let below = params.below.as_deref().map(str::parse::<i64>).transpose();
    let below = below.map_err(|_| Problem::invalid_parameter("`below` takes a whole number"))?;
    let after: Option<ProductId> = params.page.after(CURSOR)?;
    let after = after.map(|product| product.as_uuid());
    let client = app.pool.get().await.map_err(|error| problem_of(&error))?;
    let stock = rows::list_stock(&**client, after, below, params.page.limit.plus_one()).await;
    let stock = stock.map_err(|error| problem_of(&error))?;
    let items = stock.iter().map(|row| StockAnswer::of(row.product_id, &row.level, &row.elsewhere)).collect();
    Ok(List::cut(items, params.page.limit, |last| Cursor::encode(CURSOR, &last.product_id)).respond(&uri))
}

/// `PUT /api/inventory/{productId}`.
pub async fn put(
    State(app): State<App>,
    caller: Caller,
    context: RequestContext,
    if_match: IfMatch,
    path: PathParams,
    JsonBody(body): JsonBody<StockBody>,
) -> Result<(ETag, Consistency, Json<StockAnswer>), Problem> {
    let product_id: ProductId = path.id("productId")?;
    let client = app.pool.get().await.map_err(|error| problem_of(&error))?;
    let stock = rows::stock(&**client, &[product_id]).await.map_err(|error| problem_of(&error))?;
    drop(client);
    let row = stock.first().ok_or_else(|| unknown(product_id))?;
    if_match.check(row.level.version)?;
    let location = body.location.clone();
    let (adjustment, reason) = body.parse()?;
    let count = Count {
        product_id,
        location: locations::named(&app, location.as_deref()).await?,
        adjustment,
        reason,
        expected: if_match.version(),
        command_id: causes::command_id(),
        metadata: causes::request(&caller, &context),
    };
    let counted = app.writer.count(count).await.map_err(problems::stock)?;
    let answer = StockAnswer::of(product_id, &counted.level, &counted.elsewhere);
    Ok((ETag(answer.version), answer.consistency(), Json(answer)))
}

/// A reason of a reasonable length.
///
/// # Errors
/// 422 at `/reason`.
pub(super) fn check_reason(reason: Option<&str>) -> Result<(), Problem> {
    if reason.is_some_and(|reason| reason.chars().count() > LONGEST_REASON) {
        return Err(Problem::invalid_field("/reason", format!("must have at most {LONGEST_REASON} characters")));
    }
    Ok(())
}

fn unknown(product_id: ProductId) -> Problem {
    Problem::not_found(format!("there is no product {product_id}"))
}

impl StockBody {
    fn parse(self) -> Result<(Adjustment, Option<String>), Problem> {
        check_reason(self.reason.as_deref())?;
        let range = -MOST_PIECES..=MOST_PIECES;
        let adjustment = match (self.on_hand, self.delta) {
            (Some(on_hand), None) if (0..=MOST_PIECES).contains(&on_hand) => Adjustment::Count(on_hand),
            (None, Some(delta)) if range.contains(&delta) => Adjustment::Difference(delta),
            (Some(_), None) => {
                return Err(Problem::invalid_field("/onHand", format!("must be from 0 to {MOST_PIECES}")));
            }
            (None, Some(_)) => {
                return Err(Problem::invalid_field("/delta", format!("must be at most {MOST_PIECES} either way")));
            }
            (Some(_), Some(_)) | (None, None) => {
                let detail = "exactly one of `onHand` and `delta` must be given";
                let code = Code::ValidationFailed.as_str();
                return Err(Problem::validation_failed(detail)
                    .with_error("/onHand", code, detail)
                    .with_error("/delta", code, detail));
            }
        };
        Ok((adjustment, self.reason))
    }
}
