//! Locations: where stock lies.

use super::{App, problems, substance};
use crate::locations::Location;
use axum::extract::State;
use axum::response::Response;
use chrono::{DateTime, Utc};
use http::Uri;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use service::idempotent::Attempt;
use service::{Answer, CommandRequest, Outcome};
use shared_events::DEFAULT;
use utoipa::ToSchema;
use web::pagination::PageParams;
use web::{Code, Cursor, JsonBody, List, Problem, QueryParams};

const CURSOR: u8 = 1;
const LONGEST_CODE: usize = 64;
const LONGEST_NAME: usize = 200;

/// A location that is to be made.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LocationBody {
    /// What people call it.
    name: String,
    /// What events and callers name it by: lower-case letters, digits, `-` and `_`; made of the name if absent.
    code: Option<String>,
}

/// A location.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Location)]
pub struct LocationAnswer {
    /// What events and callers name it by.
    pub code: String,
    /// What people call it.
    pub name: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Counts its changes.
    pub version: i64,
}

impl From<Location> for LocationAnswer {
    fn from(Location { code, name, created_at }: Location) -> Self {
        Self { code, name, created_at, version: 1 }
    }
}

/// `GET /api/locations`: by code.
pub async fn list(
    State(app): State<App>,
    uri: Uri,
    QueryParams(page): QueryParams<PageParams>,
) -> Result<Response, Problem> {
    let after: Option<String> = page.after(CURSOR)?;
    let locations = app
        .locations
        .after(after.as_deref(), page.limit.plus_one())
        .await
        .map_err(|error| problems::location(&error))?;
    let items = locations.into_iter().map(LocationAnswer::from).collect();
    Ok(List::cut(items, page.limit, |last| Cursor::encode(CURSOR, &last.code)).respond(&uri))
}

/// `POST /api/locations`.
pub async fn post(
    State(app): State<App>,
    request: CommandRequest,
    JsonBody(body): JsonBody<LocationBody>,
) -> Result<Response, Problem> {
    let substance = substance(&body);
    let idempotency = app.idempotency.clone();
    let work = move |_: Attempt| async move { Outcome::from(create(&app, &body).await) };
    Ok(idempotency.run(&request, &substance, Value::Null, work).await)
}

async fn create(app: &App, body: &LocationBody) -> Result<Answer, Problem> {
    let name = body.name.trim();
    if name.is_empty() || name.chars().count() > LONGEST_NAME {
        return Err(Problem::invalid_field("/name", format!("must have 1 to {LONGEST_NAME} characters")));
    }
    let code = body.code.clone().unwrap_or_else(|| code_of(name));
    let is_code = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    if code.is_empty() || code.len() > LONGEST_CODE || !code.chars().all(is_code) {
        let rule = format!("must have 1 to {LONGEST_CODE} lower-case letters, digits, `-` or `_`");
        return Err(Problem::invalid_field("/code", rule));
    }
    let location = app.locations.create(&code, name).await.map_err(|error| problems::location(&error))?;
    Ok(Answer::json(201, &LocationAnswer::from(location)))
}

/// The name in the form of a code.
fn code_of(name: &str) -> String {
    let dashed: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect();
    let words: Vec<&str> = dashed.split('-').filter(|word| !word.is_empty()).collect();
    words.join("-")
}

/// The location that somebody named; the default one if none.
///
/// # Errors
/// 422 where there is none with that code.
pub(super) async fn named(app: &App, code: Option<&str>) -> Result<String, Problem> {
    let Some(code) = code.filter(|code| *code != DEFAULT) else { return Ok(DEFAULT.to_owned()) };
    let known = app.locations.known(&[code]).await.map_err(|error| problems::location(&error))?;
    known.into_iter().next().ok_or_else(|| unknown(code))
}

/// The problem of naming a location that is not there.
pub(super) fn unknown(code: &str) -> Problem {
    let detail = format!("there is no location with the code {code}; POST /api/locations makes one");
    Problem::validation_failed(&detail).with_error("/location", Code::ValidationFailed.as_str(), detail)
}

#[cfg(test)]
mod tests {
    use super::code_of;

    #[test]
    fn a_name_becomes_a_code() {
        assert_eq!(code_of("  North Warehouse (2)"), "north-warehouse-2");
        assert_eq!(code_of("仓库"), "");
    }
}
