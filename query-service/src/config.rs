//! What can be set about this service.

use crate::graphql::Openness;
use chrono::TimeDelta;
use service::{SettingError, Settings};
use std::time::Duration;

/// The settings of query-service.
#[derive(Debug, Clone)]
pub struct Config {
    /// Whether GraphQL clients may look around.
    pub openness: Openness,
    /// How long after the last delivery an order is completed: what it waits for then.
    pub return_window: TimeDelta,
}

/// Unless `OMS_RETURN_WINDOW` says otherwise.
const RETURN_WINDOW: Duration = Duration::from_secs(14 * 24 * 60 * 60);

impl Config {
    /// Reads the settings: `OMS_GRAPHQL_INTROSPECTION` and `OMS_GRAPHQL_SUGGESTIONS`, both `on` unless set, and
    /// `OMS_RETURN_WINDOW`.
    ///
    /// # Errors
    /// [`SettingError`] names the setting that is wrong.
    pub fn from_settings(settings: &Settings) -> Result<Self, SettingError> {
        Ok(Self {
            openness: Openness {
                introspection: settings.switch("OMS_GRAPHQL_INTROSPECTION", true)?,
                suggestions: settings.switch("OMS_GRAPHQL_SUGGESTIONS", true)?,
            },
            return_window: TimeDelta::from_std(settings.duration("OMS_RETURN_WINDOW", RETURN_WINDOW)?)
                .unwrap_or(TimeDelta::MAX),
        })
    }
}
