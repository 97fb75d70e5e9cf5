//! The query string, read into a type. Parameters that the type does not have are passed over; those it has must
//! be right.

use crate::{Code, Problem};
use axum::extract::{FromRequestParts, Query};
use http::request::Parts;
use serde::de::DeserializeOwned;

/// The parameters of the query string.
#[derive(Debug, Clone)]
pub struct QueryParams<T>(pub T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for QueryParams<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        check_text(query)?;
        Query::<T>::try_from_uri(&parts.uri).map(|Query(params)| Self(params)).map_err(|rejection| {
            // The innermost error is serde's own sentence; axum's prefix says only that it failed.
            let mut error: &dyn std::error::Error = &rejection;
            while let Some(source) = error.source() {
                error = source;
            }
            invalid(&error.to_string())
        })
    }
}

fn invalid(detail: &str) -> Problem {
    let (name, reason) = detail.split_once(": ").unwrap_or(("", detail));
    if name.is_empty() || name.contains(' ') {
        return Problem::invalid_parameter(detail);
    }
    Problem::invalid_parameter(format!("parameter `{name}`: {reason}")).with_error(
        format!("/{name}"),
        Code::InvalidParameter.as_str(),
        reason,
    )
}

/// Percent-encoding that is no UTF-8 and U+0000 are refused, wherever they are: no text of ours may hold them.
fn check_text(query: &str) -> Result<(), Problem> {
    if !query.contains('%') {
        return Ok(());
    }
    let decoded = percent_decode(query.as_bytes());
    match std::str::from_utf8(&decoded) {
        Err(_) => Err(Problem::invalid_parameter("the query string is not percent-encoded UTF-8")),
        Ok(text) if text.contains('\0') => Err(Problem::invalid_parameter("the query string has a U+0000")),
        Ok(_) => Ok(()),
    }
}

/// Malformed escapes stay as they are, as the query string's reader has it.
fn percent_decode(text: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut index = 0;
    while index < text.len() {
        let escape = text
            .get(index + 1..index + 3)
            .filter(|digits| text[index] == b'%' && digits.iter().all(u8::is_ascii_hexdigit));
        let value = escape.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        decoded.push(value.unwrap_or(text[index]));
        index += if value.is_some() { 3 } else { 1 };
    }
    decoded
}
