//! Configuration: the environment first, then `oms.toml`, then defaults. This is the one place that reads environment
//! variables. A wrong value stops the start with its name, what is wrong and an example; an unknown `OMS_*` only warns.

mod catalogue;
mod duration;
mod error;
mod file;
mod secret;

pub use catalogue::{CATALOGUE, Variable};
pub use duration::parse_duration;
pub use error::SettingError;
pub use secret::Secret;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::path::Path;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Where a value came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Set by the program itself, such as `oms up`.
    Program,
    /// The environment.
    Environment,
    /// `oms.toml`.
    File,
    /// Nowhere: the default.
    Default,
}

/// The values, with where they came from. Clones share the memory of which names were asked for.
#[derive(Clone)]
pub struct Settings {
    values: Arc<BTreeMap<String, (String, Source)>>,
    asked: Arc<Mutex<BTreeSet<String>>>,
}

impl Settings {
    /// Reads the environment and the file that `OMS_CONFIG` names, else `oms.toml` of the working directory if it is
    /// there.
    ///
    /// # Errors
    /// [`SettingError`] when the file cannot be read or is no TOML.
    pub fn load() -> Result<Self, SettingError> {
        let environment: BTreeMap<String, String> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let named = environment.get("OMS_CONFIG").cloned();
        let path = named.as_deref().unwrap_or("oms.toml").to_owned();
        let text = match std::fs::read_to_string(Path::new(&path)) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && named.is_none() => String::new(),
            Err(error) => return Err(SettingError::file(&path, &error)),
        };
        Self::from_sources(environment, &text).map_err(|error| error.in_file(&path))
    }

    /// Takes an environment and the text of an `oms.toml`; the environment wins.
    ///
    /// # Errors
    /// [`SettingError`] when the text is no TOML.
    pub fn from_sources(
        environment: impl IntoIterator<Item = (String, String)>,
        file: &str,
    ) -> Result<Self, SettingError> {
        let mut values = BTreeMap::new();
        for (name, value) in file::flatten(file)? {
            values.insert(name, (value, Source::File));
        }
        for (name, value) in environment {
            // An empty variable is one that was not set: compose files and CI write them so.
            if !value.is_empty() && is_ours(&name) {
                values.insert(name, (value, Source::Environment));
            }
        }
        Ok(Self { values: Arc::new(values), asked: Arc::default() })
    }

    /// Only these values: for tests.
    #[must_use]
    pub fn of<const N: usize>(values: [(&str, &str); N]) -> Self {
        let values = values.map(|(name, value)| (name.to_owned(), (value.to_owned(), Source::Program)));
        Self { values: Arc::new(BTreeMap::from(values)), asked: Arc::default() }
    }

    /// The same settings with a value that the program itself sets, over everything else.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        Arc::make_mut(&mut self.values).insert(name.to_owned(), (value.into(), Source::Program));
        self
    }

    /// The same settings with a value where none is set.
    #[must_use]
    pub fn with_default(mut self, name: &str, value: impl Into<String>) -> Self {
        Arc::make_mut(&mut self.values).entry(name.to_owned()).or_insert_with(|| (value.into(), Source::Program));
        self
    }

    /// The text that is set, if any, else the default of the catalogue.
    #[must_use]
    pub fn optional(&self, name: &str) -> Option<String> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned());
        let set = self.values.get(name).map(|(value, _)| value.clone());
        set.or_else(|| catalogue::find(name).and_then(|variable| variable.default).map(ToOwned::to_owned))
    }

    /// The text that is set, else that of the catalogue, else `default`.
    #[must_use]
    pub fn text(&self, name: &str, default: &str) -> String {
        self.optional(name).unwrap_or_else(|| default.to_owned())
    }

    /// The text that has to be set.
    ///
    /// # Errors
    /// [`SettingError`] when it is not.
    pub fn required(&self, name: &str) -> Result<String, SettingError> {
        self.optional(name).ok_or_else(|| SettingError::missing(name))
    }

    /// A secret, if one is set.
    #[must_use]
    pub fn secret(&self, name: &str) -> Option<Secret> {
        self.optional(name).map(Secret::new)
    }

    /// A value of any type that reads itself from text, else `default`.
    ///
    /// # Errors
    /// [`SettingError`] with what the type says of the text.
    pub fn parse<T: FromStr<Err: Display>>(&self, name: &str, default: T) -> Result<T, SettingError> {
        Ok(self.parse_optional(name)?.unwrap_or(default))
    }

    /// The same without a default.
    ///
    /// # Errors
    /// [`SettingError`] with what the type says of the text.
    pub fn parse_optional<T: FromStr<Err: Display>>(&self, name: &str) -> Result<Option<T>, SettingError> {
        self.optional(name)
            .map(|text| text.trim().parse().map_err(|error: T::Err| SettingError::wrong(name, &text, error)))
            .transpose()
    }

    /// A duration such as `2s`, `30m`, `24h` or `14d`.
    ///
    /// # Errors
    /// [`SettingError`] when it is none.
    pub fn duration(&self, name: &str, default: Duration) -> Result<Duration, SettingError> {
        self.optional(name).map_or(Ok(default), |text| {
            parse_duration(&text).map_err(|reason| SettingError::wrong(name, &text, reason))
        })
    }

    /// `on` or `off`.
    ///
    /// # Errors
    /// [`SettingError`] when it is neither.
    pub fn switch(&self, name: &str, default: bool) -> Result<bool, SettingError> {
        Ok(match self.one_of(name, &["on", "off", "true", "false", "1", "0"])?.as_deref() {
            None => default,
            Some(value) => matches!(value, "on" | "true" | "1"),
        })
    }

    /// One of several words.
    ///
    /// # Errors
    /// [`SettingError`] when it is none of them.
    pub fn one_of(&self, name: &str, words: &[&str]) -> Result<Option<String>, SettingError> {
        let Some(text) = self.optional(name) else { return Ok(None) };
        if words.contains(&text.as_str()) {
            return Ok(Some(text));
        }
        Err(SettingError::wrong(name, &text, format!("expected one of {}", words.join(", "))))
    }

    /// Values with commas between.
    #[must_use]
    pub fn list(&self, name: &str) -> Vec<String> {
        let text = self.optional(name).unwrap_or_default();
        text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(ToOwned::to_owned).collect()
    }

    /// The URL of another service, without the slash at its end.
    ///
    /// # Errors
    /// [`SettingError`] when it is no http or https URL.
    pub fn url(&self, name: &str) -> Result<Option<String>, SettingError> {
        let Some(text) = self.optional(name) else { return Ok(None) };
        let valid = text.parse::<http::Uri>().is_ok_and(|uri| {
            uri.authority().is_some_and(|authority| !authority.host().is_empty())
                && matches!(uri.scheme_str(), Some("http" | "https"))
                && uri.query().is_none()
        });
        if !valid {
            return Err(SettingError::wrong(name, &text, "expected an http or https URL"));
        }
        Ok(Some(text.trim_end_matches('/').to_owned()))
    }

    /// Names that are set, begin with `OMS_`, and mean nothing here.
    #[must_use]
    pub fn unknown(&self) -> Vec<String> {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let known = |name: &str| catalogue::find(name).is_some() || asked.contains(name);
        self.values.keys().filter(|name| name.starts_with("OMS_") && !known(name)).cloned().collect()
    }

    /// Warns about every unknown `OMS_*`.
    pub fn warn_unknown(&self) {
        for name in self.unknown() {
            tracing::warn!(name, "unknown setting; it is ignored");
        }
    }

    /// Every setting with its effective value and where it came from, secrets masked: for `oms config`.
    #[must_use]
    pub fn effective(&self) -> Vec<(String, String, Source)> {
        let mut all: BTreeMap<String, (String, Source)> = CATALOGUE
            .iter()
            .map(|variable| (variable.name.to_owned(), (variable.default.unwrap_or("").to_owned(), Source::Default)))
            .collect();
        all.extend(self.values.iter().map(|(name, value)| (name.clone(), value.clone())));
        all.into_iter().map(|(name, (value, source))| (name.clone(), secret::mask(&name, &value), source)).collect()
    }
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(self.effective().iter().map(|(name, value, _)| (name, value))).finish()
    }
}

fn is_ours(name: &str) -> bool {
    name.starts_with("OMS_") || catalogue::find(name).is_some()
}

#[cfg(test)]
mod tests;
