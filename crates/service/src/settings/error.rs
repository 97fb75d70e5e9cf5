//! What is wrong with a setting, in words that help to put it right.

use super::{catalogue, secret};
use std::fmt::Display;

/// A setting that stops the start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SettingError(String);

impl SettingError {
    /// The value is wrong: names the variable, what is wrong and an example. Secrets are not repeated.
    #[must_use]
    pub fn wrong(name: &str, value: &str, reason: impl Display) -> Self {
        let value = secret::mask(name, value);
        Self(format!("{name} is `{value}`: {reason}{}", example(name)))
    }

    /// The value is missing.
    #[must_use]
    pub fn missing(name: &str) -> Self {
        Self(format!("{name} is not set{}", example(name)))
    }

    pub(super) fn file(path: &str, error: &dyn Display) -> Self {
        Self(format!("OMS_CONFIG: `{path}` cannot be read: {error}"))
    }

    pub(super) fn toml(error: &dyn Display) -> Self {
        Self(error.to_string())
    }

    pub(super) fn in_file(self, path: &str) -> Self {
        Self(format!("{path}: {}", self.0))
    }
}

fn example(name: &str) -> String {
    catalogue::find(name).map_or_else(String::new, |variable| format!("; for example {name}={}", variable.example))
}
