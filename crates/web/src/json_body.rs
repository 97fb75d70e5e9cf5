//! JSON bodies. The checks come in the order of the design: size (413), media type (415), then the text itself
//! (400: UTF-8, syntax, depth, U+0000, types, unknown fields; 422: missing fields and values that break a rule),
//! each with a JSON pointer to the place.

mod limited;
mod reject;
mod strict;

pub use limited::{LARGEST_BODY, read_limited};
pub(crate) use reject::has_escaped_nul;

use crate::Problem;
use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use http::{HeaderMap, header};
use serde::de::DeserializeOwned;

/// A JSON body of that type.
#[derive(Debug, Clone)]
pub struct JsonBody<T>(pub T);

/// A JSON body of that type with the bytes it was read from, which idempotent commands compare. With `OPTIONAL` the
/// body may be absent.
#[derive(Debug, Clone)]
pub struct RawJsonBody<T, const OPTIONAL: bool = false> {
    /// The body as it was read.
    pub value: T,
    /// Its text.
    pub bytes: Bytes,
}

/// A JSON body whose fields are all optional: an empty body is an empty object.
#[derive(Debug, Clone)]
pub struct OptionalJsonBody<T>(pub T);

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        Ok(Self(read::<T>(request, false).await?.0))
    }
}

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for OptionalJsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        Ok(Self(read::<T>(request, true).await?.0))
    }
}

impl<T: DeserializeOwned, S: Sync, const OPTIONAL: bool> FromRequest<S> for RawJsonBody<T, OPTIONAL> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let (value, bytes) = read(request, OPTIONAL).await?;
        Ok(Self { value, bytes })
    }
}

async fn read<T: DeserializeOwned>(request: Request, optional: bool) -> Result<(T, Bytes), Problem> {
    let (parts, body) = request.into_parts();
    let bytes = read_limited(body, LARGEST_BODY).await?;
    if optional && bytes.is_empty() {
        return Ok((parse(b"{}")?, bytes));
    }
    expect_json(&parts.headers)?;
    Ok((parse(&bytes)?, bytes))
}

/// Reads a JSON text into a type.
///
/// # Errors
/// 400 or 422, with the pointer to the place.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let text = std::str::from_utf8(bytes).map_err(|_| Problem::malformed_json("the body is not UTF-8"))?;
    if let Some(problem) = reject::escaped_nul(text) {
        return Err(problem);
    }
    // The syntax of the whole text first: what comes after a field that is refused may be no JSON at all.
    if let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(text) {
        return Err(Problem::malformed_json(error.to_string()));
    }
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value =
        serde_path_to_error::deserialize(strict::Strict(&mut deserializer)).map_err(|error| reject::problem(&error))?;
    Ok(value)
}

/// Refuses media types other than `application/json` and `application/…+json`.
///
/// # Errors
/// 415 `UNSUPPORTED_MEDIA_TYPE`.
pub fn expect_json(headers: &HeaderMap) -> Result<(), Problem> {
    let refused = || Problem::unsupported_media_type("the body must be sent as `Content-Type: application/json`");
    let text = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).ok_or_else(refused)?;
    let mut parts = text.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default().to_ascii_lowercase();
    let json = essence == "application/json"
        || essence.strip_prefix("application/").and_then(|name| name.strip_suffix("+json")).is_some();
    let utf8 = parts.filter_map(|parameter| parameter.split_once('=')).all(|(name, value)| {
        !name.trim().eq_ignore_ascii_case("charset") || value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
    });
    if json && utf8 { Ok(()) } else { Err(refused()) }
}

#[cfg(test)]
mod tests;
