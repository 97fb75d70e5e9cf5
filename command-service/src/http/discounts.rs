//! Discounts over HTTP: the shop's staff makes, changes and removes them.

use super::run::fingerprint;
use crate::{
    app::App,
    discounts::{StoredDiscount, Terms},
    input::Checks,
    rejections,
};
use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Datelike, Utc};
use http::{StatusCode, Uri};
use order::pricing::{DiscountKind, LARGEST_AMOUNT};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use service::{Answer, CommandRequest};
use shared_events::{Currency, money::MoneyInput};
use std::ops::RangeInclusive;
use utoipa::ToSchema;
use web::{Cursor, ETag, IfMatch, JsonBody, List, PathParams, Problem, QueryParams, etag, pagination::PageParams};

const CURSOR: u8 = 1;
/// What every reader of a time understands, the database included.
const YEARS: RangeInclusive<i32> = 1970..=9999;
/// So many characters has a value at most that is written as a text.
const LONGEST_VALUE: usize = 32;

/// A discount as the shop writes it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DiscountBody {
    /// What customers type, in any case: 1 to 64 letters, digits, `_`, `-` and `.`.
    code: Option<String>,
    /// PERCENTAGE, FIXED or FREE_SHIPPING.
    kind: Option<String>,
    /// Percent, or an amount: a number or a text in the shop's own currency, or money in another. Free shipping has none.
    #[schema(value_type = Option<Object>)]
    value: Option<Value>,
    /// From when on it can be used; at once where missing.
    valid_from: Option<DateTime<Utc>>,
    /// From when on it cannot be used any more; never where missing.
    valid_to: Option<DateTime<Utc>>,
    /// How many orders may use it.
    limit: Option<i64>,
    /// How many orders of one customer may use it.
    limit_per_customer: Option<i64>,
}

/// A discount.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DiscountAnswer {
    /// What customers type, in any case.
    code: String,
    /// PERCENTAGE, FIXED or FREE_SHIPPING.
    kind: &'static str,
    /// Percent, or an amount, as it was written.
    #[schema(value_type = Object)]
    value: Value,
    /// From when on it can be used.
    valid_from: Option<DateTime<Utc>>,
    /// From when on it cannot be used any more.
    valid_to: Option<DateTime<Utc>>,
    /// How many orders may use it.
    limit: Option<i64>,
    /// How many orders of one customer may use it.
    limit_per_customer: Option<i64>,
    /// Orders that use it, those that are being placed included.
    uses: i64,
    /// When it was made.
    created_at: DateTime<Utc>,
    /// Counts its changes.
    version: i64,
}

impl From<StoredDiscount> for DiscountAnswer {
    fn from(stored: StoredDiscount) -> Self {
        let StoredDiscount { terms, uses, version, created_at, .. } = stored;
        Self {
            code: terms.code,
            kind: terms.kind.as_str(),
            value: terms.written,
            valid_from: terms.valid_from,
            valid_to: terms.valid_to,
            limit: terms.limit,
            limit_per_customer: terms.limit_per_customer,
            uses,
            created_at,
            version,
        }
    }
}

/// GET /api/discounts
pub async fn list(
    State(app): State<App>,
    uri: Uri,
    QueryParams(params): QueryParams<PageParams>,
) -> Result<Response, Problem> {
    let after = params.after::<String>(CURSOR)?;
    let found = app.discounts.list(after.as_deref(), params.limit.plus_one()).await?;
    let items: Vec<DiscountAnswer> = found.into_iter().map(DiscountAnswer::from).collect();
    Ok(List::cut(items, params.limit, |last| Cursor::encode(CURSOR, &last.code.to_lowercase())).respond(&uri))
}

/// GET /api/discounts/{code}
pub async fn get(State(app): State<App>, params: PathParams) -> Result<Response, Problem> {
    let stored = app.discounts.find(params.get("code")).await?.ok_or_else(unknown)?;
    Ok(respond(stored))
}

/// POST /api/discounts
pub async fn post(
    State(app): State<App>,
    request: CommandRequest,
    JsonBody(body): JsonBody<DiscountBody>,
) -> Result<Response, Problem> {
    let (idempotency, fingerprint) = (app.idempotency.clone(), fingerprint(&body));
    let work = async move |_| Box::pin(made(&app, body)).await.into();
    Ok(Box::pin(idempotency.run(&request, &fingerprint, Value::Null, work)).await)
}

async fn made(app: &App, body: DiscountBody) -> Result<Answer, Problem> {
    let terms = terms(body, None, app.config.currency)?;
    let taken = || Problem::invalid_field("/code", "there is a discount of this code already");
    let stored = app.discounts.insert(&terms).await?.ok_or_else(taken)?;
    let (version, code) = (stored.version, stored.terms.code.clone());
    let answer = Answer::json(201, &DiscountAnswer::from(stored)).etag(version);
    Ok(answer.location(format_args!("/api/discounts/{code}")))
}

/// PUT /api/discounts/{code}
pub async fn put(
    State(app): State<App>,
    if_match: IfMatch,
    params: PathParams,
    JsonBody(body): JsonBody<DiscountBody>,
) -> Result<Response, Problem> {
    let stored = app.discounts.find(params.get("code")).await?.ok_or_else(unknown)?;
    if_match.check(stored.version)?;
    let terms = terms(body, Some(&stored.terms.code), app.config.currency)?;
    let expected = if_match.version().map(|_| stored.version);
    match app.discounts.update(&terms, expected).await? {
        Some(updated) => Ok(respond(updated)),
        None => Err(missed(&app, &stored.terms.code, expected).await),
    }
}

/// DELETE /api/discounts/{code}
pub async fn delete(State(app): State<App>, if_match: IfMatch, params: PathParams) -> Result<StatusCode, Problem> {
    let stored = app.discounts.find(params.get("code")).await?.ok_or_else(unknown)?;
    if_match.check(stored.version)?;
    let expected = if_match.version().map(|_| stored.version);
    let deleted = app.discounts.delete(&stored.terms.code, expected).await?;
    if deleted { Ok(StatusCode::NO_CONTENT) } else { Err(missed(&app, &stored.terms.code, expected).await) }
}

/// A discount that was deleted or changed since it was read. Without `If-Match` only the former can stand in the way.
async fn missed(app: &App, code: &str, expected: Option<i64>) -> Problem {
    match app.discounts.find(code).await {
        Ok(Some(stored)) if expected.is_some() => etag::mismatch(stored.version),
        Ok(_) => unknown(),
        Err(error) => error.into(),
    }
}

fn respond(stored: StoredDiscount) -> Response {
    (ETag(stored.version), Json(DiscountAnswer::from(stored))).into_response()
}

fn unknown() -> Problem {
    Problem::not_found("there is no such discount")
}

/// What is written, checked. `named` is the code in the path, which the body may repeat.
fn terms(body: DiscountBody, named: Option<&str>, shop_currency: Currency) -> Result<Terms, Problem> {
    let mut checks = Checks::default();
    let code = match named {
        Some(named) => {
            if body.code.as_ref().is_some_and(|code| !code.eq_ignore_ascii_case(named)) {
                checks.broken("/code", "a discount keeps its code");
            }
            Some(named.to_owned())
        }
        None => {
            let code = checks.name("/code", body.code.as_deref());
            if code.is_none() && checks.hold() {
                checks.broken("/code", "this field is required");
            }
            code
        }
    };
    let kind = body.kind.as_deref().and_then(DiscountKind::parse);
    if kind.is_none() {
        checks.broken("/kind", "one of PERCENTAGE, FIXED, FREE_SHIPPING");
    }
    let (value, currency) = amount(kind, body.value.as_ref(), shop_currency, &mut checks);
    for (pointer, limit) in [("/limit", body.limit), ("/limitPerCustomer", body.limit_per_customer)] {
        if limit.is_some_and(|limit| limit < 1) {
            checks.broken(pointer, "at least 1");
        }
    }
    for (pointer, at) in [("/validFrom", body.valid_from), ("/validTo", body.valid_to)] {
        if at.is_some_and(|at| !YEARS.contains(&at.year())) {
            checks.broken(pointer, format!("a time in the years {} to {}", YEARS.start(), YEARS.end()));
        }
    }
    if body.valid_from.zip(body.valid_to).is_some_and(|(from, to)| from >= to) {
        checks.broken("/validTo", "must be after `validFrom`");
    }
    checks.finish().map_err(rejections::problem)?;
    Ok(Terms {
        code: code.unwrap_or_default(),
        kind: kind.unwrap_or(DiscountKind::FreeShipping),
        value,
        currency,
        written: body.value.unwrap_or(Value::Null),
        valid_from: body.valid_from,
        valid_to: body.valid_to,
        limit: body.limit,
        limit_per_customer: body.limit_per_customer,
    })
}

/// The value in percent, or the amount and its currency.
fn amount(
    kind: Option<DiscountKind>,
    value: Option<&Value>,
    shop_currency: Currency,
    checks: &mut Checks,
) -> (Decimal, Option<Currency>) {
    const POINTER: &str = "/value";
    let (Some(kind), Some(value)) = (kind, value.filter(|value| !value.is_null())) else {
        if kind.is_some_and(|kind| kind != DiscountKind::FreeShipping) {
            checks.broken(POINTER, "this field is required");
        }
        return (Decimal::ZERO, None);
    };
    if kind == DiscountKind::Fixed && value.is_object() {
        let Ok(money) = serde_json::from_value::<MoneyInput>(value.clone()) else {
            checks.broken(POINTER, "a number, or money such as {\"amount\": \"5.00\", \"currency\": \"EUR\"}");
            return (Decimal::ZERO, None);
        };
        let money = checks.value(POINTER, money.parse());
        if money.is_some_and(|money| money.amount() <= Decimal::ZERO) {
            checks.broken(POINTER, "more than 0");
        }
        return (money.map_or(Decimal::ZERO, |money| money.amount()), money.map(|money| money.currency()));
    }
    let text = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) if text.len() <= LONGEST_VALUE => text.clone(),
        _ => String::new(),
    };
    let Ok(amount) = text.parse::<Decimal>() else {
        checks.broken(POINTER, "a number, such as 10");
        return (Decimal::ZERO, None);
    };
    let currency = (kind == DiscountKind::Fixed).then_some(shop_currency);
    match kind {
        DiscountKind::Percentage if amount <= Decimal::ZERO || amount > Decimal::ONE_HUNDRED => {
            checks.broken(POINTER, "more than 0 and at most 100");
        }
        DiscountKind::Percentage if amount.scale() > 4 => checks.broken(POINTER, "at most 4 decimals"),
        DiscountKind::Fixed if amount <= Decimal::ZERO || amount > LARGEST_AMOUNT => {
            checks.broken(POINTER, format!("more than 0 and at most {LARGEST_AMOUNT}"));
        }
        DiscountKind::Fixed if shop_currency.round(amount) != amount => {
            checks.broken(POINTER, format!("no more decimals than {shop_currency} has"));
        }
        DiscountKind::FreeShipping if amount < Decimal::ZERO || amount > LARGEST_AMOUNT => {
            checks.broken(POINTER, format!("0 to {LARGEST_AMOUNT}, which free shipping does not depend on"));
        }
        DiscountKind::Percentage | DiscountKind::Fixed | DiscountKind::FreeShipping => {}
    }
    (amount, currency)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn refused(body: Value) -> Vec<String> {
        let refused = terms(serde_json::from_value(body).unwrap(), None, Currency::EUR).map(|terms| terms.written);
        refused.unwrap_err().errors().iter().map(|error| error.pointer.clone()).collect()
    }

    #[test]
    fn a_time_that_the_database_does_not_know_is_refused_at_its_field() {
        for (field, at) in [("validFrom", "-4800-01-01T00:00:00Z"), ("validTo", "+262000-01-01T00:00:00Z")] {
            let body = json!({"code": "TEN", "kind": "PERCENTAGE", "value": 10, field: at});
            assert_eq!(refused(body), [format!("/{field}")]);
        }
        let last = json!({"code": "TEN", "kind": "PERCENTAGE", "value": 10, "validTo": "9999-12-31T23:59:59Z"});
        assert!(terms(serde_json::from_value(last).unwrap(), None, Currency::EUR).is_ok());
    }

    #[test]
    fn the_value_of_free_shipping_is_bounded_although_nothing_depends_on_it() {
        for value in [json!("79228162514264337593543950335"), json!(-1), json!("0".repeat(33)), json!({"any": "thing"})]
        {
            let body = json!({"code": "FREE", "kind": "FREE_SHIPPING", "value": value});
            assert_eq!(refused(body), ["/value"], "{value}");
        }
        for value in [json!(null), json!(0), json!("10")] {
            let body = json!({"code": "FREE", "kind": "FREE_SHIPPING", "value": value});
            assert!(terms(serde_json::from_value(body).unwrap(), None, Currency::EUR).is_ok());
        }
    }
}
