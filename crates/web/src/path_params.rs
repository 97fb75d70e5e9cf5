//! The parameters of the path, as text. Identifiers are read from it by the handler, after the body: that is the
//! order of checks. Nothing about a path is ever answered in plain text.

use crate::Problem;
use axum::extract::{FromRequestParts, RawPathParams};
use http::request::Parts;
use std::fmt::Display;
use std::str::FromStr;

/// The parameters of the path, percent-decoded.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PathParams(Vec<(String, String)>);

impl PathParams {
    /// The parameter of that name; empty when the route has none such, which no identifier is.
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(present, _)| present == name).map_or("", |(_, value)| value.as_str())
    }

    /// Reads an identifier.
    ///
    /// # Errors
    /// 400 `INVALID_ID` with what the identifier's own parser says.
    pub fn id<T>(&self, name: &str) -> Result<T, Problem>
    where
        T: FromStr<Err: Display>,
    {
        self.get(name).parse().map_err(|error| Problem::invalid_id(format!("`{name}` in the path: {error}")))
    }

    /// Every name with its value.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for PathParams {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Ok(raw) = RawPathParams::from_request_parts(parts, state).await else {
            return Err(Problem::invalid_id("the path is not percent-encoded UTF-8"));
        };
        let params: Vec<_> = raw.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        match params.iter().find(|(_, value)| value.contains('\0')) {
            Some((name, _)) => Err(Problem::invalid_id(format!("`{name}` in the path has a U+0000"))),
            None => Ok(Self(params)),
        }
    }
}
