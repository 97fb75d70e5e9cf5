//! The errors that GraphQL answers with: a sentence for people, and in `extensions.code` a stable code, the same
//! as REST's problems where both know it.

use crate::read_error::ReadError;
use async_graphql::{Error, ErrorExtensions as _};
use std::sync::Arc;
use web::Problem;

/// An argument has the wrong form or breaks a rule.
pub const BAD_USER_INPUT: &str = "BAD_USER_INPUT";
/// The document costs more than is allowed.
pub const QUERY_TOO_COMPLEX: &str = "QUERY_TOO_COMPLEX";
/// Persisted queries are not known here.
pub const PERSISTED_QUERY_NOT_FOUND: &str = "PERSISTED_QUERY_NOT_FOUND";

/// An error with its code.
#[must_use]
pub fn coded(code: &'static str, message: impl Into<String>) -> Error {
    Error::new(message).extend_with(|_, extensions| extensions.set("code", code))
}

/// An argument that has the wrong form or breaks a rule.
#[must_use]
pub fn bad_input(message: impl Into<String>) -> Error {
    coded(BAD_USER_INPUT, message)
}

/// The same error that REST would answer.
#[must_use]
pub fn from_problem(problem: &Problem) -> Error {
    coded(problem.code().as_str(), problem.detail())
}

/// Results of reads, made into results of fields. What went wrong inside is logged, never answered.
pub trait FromRead<T> {
    /// The value, or the error with its code.
    ///
    /// # Errors
    /// The error with its code.
    fn coded(self) -> Result<T, Error>;
}

impl<T> FromRead<T> for Result<T, ReadError> {
    fn coded(self) -> Result<T, Error> {
        self.map_err(|error| from_problem(&Problem::from(error)))
    }
}

impl<T> FromRead<T> for Result<T, Arc<ReadError>> {
    fn coded(self) -> Result<T, Error> {
        self.map_err(ReadError::Shared).coded()
    }
}

impl<T> FromRead<T> for Result<T, Problem> {
    fn coded(self) -> Result<T, Error> {
        self.map_err(|problem| from_problem(&problem))
    }
}
