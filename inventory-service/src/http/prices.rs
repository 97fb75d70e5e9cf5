//! Price histories, and setting a price now or for later.

use super::answers::{PriceAnswer, SetPriceAnswer};
use super::change_products::parse_price;
use super::{App, problems, substance};
use crate::catalogue::NewPrice;
use crate::causes;
use crate::domain::price::Price;
use axum::extract::State;
use axum::response::Response;
use chrono::{DateTime, Datelike, SubsecRound, Utc};
use http::Uri;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use service::idempotent::Attempt;
use service::{Answer, CommandRequest, Outcome};
use shared_events::money::MoneyInput;
use shared_events::{Currency, Metadata, ProductId};
use utoipa::{IntoParams, ToSchema};
use web::pagination::PageParams;
use web::{Consistency, Cursor, JsonBody, List, PathParams, Problem, QueryParams};

const CURSOR: u8 = 1;

/// Which prices to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PriceParams {
    /// Only those that hold at this moment.
    at: Option<DateTime<Utc>>,
    /// Only those in this currency.
    currency: Option<String>,
    /// Where in the list.
    #[serde(flatten)]
    #[param(ignore)]
    page: PageParams,
}

/// A price that is to hold.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PriceBody {
    /// What one piece costs.
    price: MoneyInput,
    /// From when on; now if absent.
    valid_from: Option<DateTime<Utc>>,
}

/// `GET /api/products/{id}/prices`: every price it ever had or will have, oldest first.
pub async fn list(
    State(app): State<App>,
    uri: Uri,
    path: PathParams,
    QueryParams(params): QueryParams<PriceParams>,
) -> Result<Response, Problem> {
    let product_id = path.id("id")?;
    let currency = params.currency.as_deref().map(Currency::parse).transpose();
    let currency = currency.map_err(|error| Problem::invalid_parameter(format!("`currency`: {error}")))?;
    let after: Option<(DateTime<Utc>, Currency)> = params.page.after(CURSOR)?;
    let history = app.catalogue.prices(product_id).await.map_err(problems::catalogue)?;
    let place = |price: &PriceAnswer| (price.valid_from, price.price.currency());
    let items = history
        .into_iter()
        .filter(|price| currency.is_none_or(|currency| price.price.currency() == currency))
        .filter(|price| params.at.is_none_or(|moment| price.holds_at(moment)))
        .map(PriceAnswer::from)
        .filter(|price| after.is_none_or(|after| place(price) > after))
        .collect();
    Ok(List::cut(items, params.page.limit, |last| Cursor::encode(CURSOR, &place(last))).respond(&uri))
}

/// `POST /api/products/{id}/prices`.
pub async fn post(
    State(app): State<App>,
    request: CommandRequest,
    path: PathParams,
    JsonBody(body): JsonBody<PriceBody>,
) -> Result<Response, Problem> {
    let product_id = path.id("id")?;
    let metadata = causes::request(&request.caller, &request.context);
    let substance = substance(&body);
    let idempotency = app.idempotency.clone();
    let work = move |attempt: Attempt| async move {
        match set(&app, product_id, &body, metadata, &attempt).await {
            Ok(answer) => Outcome::Appended(answer),
            Err(outcome) => outcome,
        }
    };
    Ok(idempotency.run(&request, &substance, Value::Null, work).await)
}

async fn set(
    app: &App,
    product_id: ProductId,
    body: &PriceBody,
    metadata: Metadata,
    attempt: &Attempt,
) -> Result<Answer, Outcome> {
    app.catalogue.product(product_id).await.map_err(problems::outcome)?;
    let price = parse_price(&body.price).map_err(|rule| problems::broken(vec![rule]))?;
    let valid_from = body.valid_from.map(|moment| moment.trunc_subsecs(6));
    if valid_from.is_some_and(|moment| !(1970..=9999).contains(&moment.year())) {
        return Err(Problem::invalid_field("/validFrom", "must lie between 1970 and 9999").into());
    }
    let answer = |price: &Price, version: i64| {
        let set = SetPriceAnswer { product_id, price: (*price).into(), version };
        Answer::json(201, &set)
            .etag(version)
            .location(format_args!("/api/products/{product_id}/prices"))
            .consistency(&Consistency::of(product_id, version))
    };
    let claim = |price: &Price, version: i64| attempt.done(&answer(price, version));
    let set = app.catalogue.set_price(NewPrice { product_id, price, valid_from }, metadata, claim).await;
    let (price, version) = set.map_err(problems::outcome)?;
    Ok(answer(&price, version))
}
