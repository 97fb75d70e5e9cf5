//! The two lists that prices depend on, over HTTP: each is read and replaced as a whole, so what was read can be changed
//! and sent back.

use crate::{
    app::App,
    input::{Checks, is_country},
    rejections,
    tables::{STANDARD_TAX_CLASS, ShippingMethod, TableName, TaxRate},
};
use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use shared_events::{Money, money::MoneyInput};
use std::collections::HashSet;
use utoipa::ToSchema;
use web::{ETag, IfMatch, JsonBody, Problem, etag};

const MOST_METHODS: usize = 100;
const MOST_RATES: usize = 5_000;
const LONGEST_NAME: usize = 200;

/// All shipping methods.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ShippingMethods {
    /// In the shop's order: the first that goes there is taken where none is named and there is no `standard`.
    items: Vec<ShippingMethod>,
    /// Always null: the list is answered as a whole.
    #[schema(value_type = Option<String>, required = true)]
    next_cursor: (),
    /// Counts its changes.
    version: i64,
}

/// All tax rates.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TaxRates {
    /// In the shop's order.
    items: Vec<TaxRate>,
    /// Always null: the list is answered as a whole.
    #[schema(value_type = Option<String>, required = true)]
    next_cursor: (),
    /// Whether the catalogue's prices contain tax (`OMS_PRICES_INCLUDE_TAX`).
    prices_include_tax: bool,
    /// Counts its changes.
    version: i64,
}

/// The shipping methods from now on.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ShippingMethodsBody {
    /// 1 to 100 methods.
    items: Option<Vec<ShippingMethodBody>>,
    /// As it was read; not looked at.
    #[expect(dead_code, reason = "what was read can be sent back")]
    next_cursor: Option<String>,
    /// As it was read; the list must still have it.
    version: Option<i64>,
}

/// A shipping method.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ShippingMethodBody {
    /// What orders call it: letters, digits, `_`, `-` and `.`.
    code: Option<String>,
    /// What people call it; the code where missing.
    name: Option<String>,
    /// What it costs, once per currency; free of charge in every currency where missing.
    prices: Option<Vec<MoneyInput>>,
    /// From which amount of goods, after discounts, it is free, once per currency.
    free_from: Option<Vec<MoneyInput>>,
    /// ISO 3166-1 alpha-2; everywhere where missing.
    countries: Option<Vec<String>>,
    /// What it is taxed as; `standard` where missing.
    tax_class: Option<String>,
}

/// The tax rates from now on.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TaxRatesBody {
    /// At most 5,000 rates.
    items: Option<Vec<TaxRateBody>>,
    /// As it was read; not looked at.
    #[expect(dead_code, reason = "what was read can be sent back")]
    next_cursor: Option<String>,
    /// As it was read: it is set by `OMS_PRICES_INCLUDE_TAX` alone.
    prices_include_tax: Option<bool>,
    /// As it was read; the list must still have it.
    version: Option<i64>,
}

/// A tax rate.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TaxRateBody {
    /// ISO 3166-1 alpha-2; missing, it holds where no other does, and for orders without an address.
    country: Option<String>,
    /// As addresses name it, in any case; the whole country where missing.
    region: Option<String>,
    /// The tax class of the products it is for; `standard` where missing.
    tax_class: Option<String>,
    /// A fraction such as 0.19, as a text or number.
    #[schema(value_type = String, example = "0.19")]
    rate: Option<Value>,
}

/// GET /api/shipping-methods
pub async fn shipping_methods(State(app): State<App>) -> Response {
    let tables = app.tables.now();
    let (items, version) = tables.shipping_methods();
    (ETag(version), Json(ShippingMethods { items: items.to_vec(), next_cursor: (), version })).into_response()
}

/// PUT /api/shipping-methods
pub async fn put_shipping_methods(
    State(app): State<App>,
    if_match: IfMatch,
    JsonBody(body): JsonBody<ShippingMethodsBody>,
) -> Result<Response, Problem> {
    app.tables.refresh().await?;
    let current = app.tables.now().shipping_methods().1;
    if_match.check(current)?;
    let mut checks = Checks::default();
    let bodies = body.items.unwrap_or_default();
    if bodies.is_empty() || bodies.len() > MOST_METHODS {
        checks.broken("/items", format!("1 to {MOST_METHODS} shipping methods"));
    }
    let items: Vec<_> =
        bodies.iter().enumerate().filter_map(|(index, body)| method(index, body, &mut checks)).collect();
    let mut codes = HashSet::new();
    if let Some(index) = items.iter().position(|method| !codes.insert(method.code.as_str())) {
        checks.broken(format!("/items/{index}/code"), "another method has this code");
    }
    checks.finish().map_err(rejections::problem)?;
    let expected = if_match.version().or(body.version);
    let replaced = app.tables.replace(TableName::ShippingMethods, &items, expected).await?;
    replaced.ok_or_else(|| etag::mismatch(current))?;
    Ok(shipping_methods(State(app)).await)
}

/// GET /api/tax-rates
pub async fn tax_rates(State(app): State<App>) -> Response {
    let tables = app.tables.now();
    let (items, version) = tables.tax_rates();
    let prices_include_tax = app.config.prices_include_tax;
    let answer = TaxRates { items: items.to_vec(), next_cursor: (), prices_include_tax, version };
    (ETag(version), Json(answer)).into_response()
}

/// PUT /api/tax-rates
pub async fn put_tax_rates(
    State(app): State<App>,
    if_match: IfMatch,
    JsonBody(body): JsonBody<TaxRatesBody>,
) -> Result<Response, Problem> {
    app.tables.refresh().await?;
    let current = app.tables.now().tax_rates().1;
    if_match.check(current)?;
    let mut checks = Checks::default();
    if body.prices_include_tax.is_some_and(|include| include != app.config.prices_include_tax) {
        checks.broken("/pricesIncludeTax", "this is set by OMS_PRICES_INCLUDE_TAX");
    }
    let Some(bodies) = body.items.filter(|items| items.len() <= MOST_RATES) else {
        return Err(Problem::invalid_field("/items", format!("at most {MOST_RATES} tax rates")));
    };
    let items: Vec<_> = bodies.iter().enumerate().filter_map(|(index, body)| rate(index, body, &mut checks)).collect();
    let mut places = HashSet::new();
    if let Some(index) = items.iter().position(|rate| !places.insert(rate.place())) {
        checks.broken(format!("/items/{index}"), "another rate is for the same country, region and tax class");
    }
    checks.finish().map_err(rejections::problem)?;
    let expected = if_match.version().or(body.version);
    let replaced = app.tables.replace(TableName::TaxRates, &items, expected).await?;
    replaced.ok_or_else(|| etag::mismatch(current))?;
    Ok(tax_rates(State(app)).await)
}

fn method(index: usize, body: &ShippingMethodBody, checks: &mut Checks) -> Option<ShippingMethod> {
    let at = |field: &str| format!("/items/{index}/{field}");
    let code = checks.name(&at("code"), body.code.as_deref());
    if code.is_none() {
        checks.broken(at("code"), "letters, digits, `_`, `-` and `.`, at least one");
    }
    let name = checks.optional(&at("name"), body.name.as_deref(), LONGEST_NAME);
    let countries = body.countries.clone().unwrap_or_default();
    if let Some(place) = countries.iter().position(|country| !is_country(country)) {
        checks.broken(at(&format!("countries/{place}")), "an ISO 3166-1 alpha-2 code in capitals, such as DE");
    }
    let prices = amounts(&at("prices"), body.prices.as_deref(), checks);
    let free_from = amounts(&at("freeFrom"), body.free_from.as_deref(), checks);
    let tax_class = checks.name(&at("taxClass"), body.tax_class.as_deref());
    let code = code?;
    Some(ShippingMethod {
        name: name.unwrap_or_else(|| code.clone()),
        code,
        prices,
        free_from,
        countries,
        tax_class: tax_class.unwrap_or_else(|| STANDARD_TAX_CLASS.to_owned()),
    })
}

fn amounts(pointer: &str, amounts: Option<&[MoneyInput]>, checks: &mut Checks) -> Vec<Money> {
    let mut read: Vec<Money> = Vec::new();
    for (index, amount) in amounts.unwrap_or_default().iter().enumerate() {
        let pointer = format!("{pointer}/{index}");
        let Some(money) = checks.value(&pointer, amount.parse()) else { continue };
        if money.amount() < Decimal::ZERO {
            checks.broken(pointer, "not less than 0");
        } else if read.iter().any(|earlier| earlier.currency() == money.currency()) {
            checks.broken(pointer, "another amount is in the same currency");
        } else {
            read.push(money);
        }
    }
    read
}

fn rate(index: usize, body: &TaxRateBody, checks: &mut Checks) -> Option<TaxRate> {
    let at = |field: &str| format!("/items/{index}/{field}");
    if body.country.as_deref().is_some_and(|country| !is_country(country)) {
        checks.broken(at("country"), "an ISO 3166-1 alpha-2 code in capitals, such as DE");
    }
    let region = checks.optional(&at("region"), body.region.as_deref(), LONGEST_NAME);
    if region.is_some() && body.country.is_none() {
        checks.broken(at("country"), "a region needs its country");
    }
    let tax_class = checks.name(&at("taxClass"), body.tax_class.as_deref());
    let text = match &body.rate {
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::String(text)) => text.clone(),
        _ => String::new(),
    };
    let rate = text.parse::<Decimal>().ok();
    let rate = rate.filter(|rate| *rate >= Decimal::ZERO && *rate <= Decimal::ONE && rate.scale() <= 6);
    if rate.is_none() {
        checks.broken(at("rate"), "a fraction from 0 to 1 with at most 6 decimals, such as 0.19");
    }
    Some(TaxRate {
        country: body.country.clone(),
        region,
        tax_class: tax_class.unwrap_or_else(|| STANDARD_TAX_CLASS.to_owned()),
        rate: rate?,
    })
}
