//! Identifiers as arguments: a TypeID, or a bare UUID where the place says which type it is.

use super::error::bad_input;
use async_graphql::{ID, Result};
use std::{fmt::Display, str::FromStr};

/// Reads an id of the type that is wanted.
///
/// # Errors
/// `BAD_USER_INPUT` with what the identifier's own parser says.
pub fn parse<T: FromStr<Err: Display>>(id: &ID) -> Result<T> {
    id.as_str().parse().map_err(|error| bad_input(format!("`{}`: {error}", shown(id))))
}

/// The beginning of an id that may be of any length.
fn shown(id: &ID) -> String {
    id.chars().take(60).collect()
}
