//! What a run was asked for.

use std::str::FromStr;

/// A variable of the test run, if it is set.
#[expect(clippy::disallowed_methods, reason = "a test has no service settings; these variables are the test run's own")]
pub fn setting<T: FromStr>(name: &str) -> Option<T> {
    let text = std::env::var(name).ok().filter(|text| !text.is_empty())?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text} is no such value")))
}
