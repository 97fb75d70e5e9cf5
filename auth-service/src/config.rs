//! What this service is told from outside.

use crate::keys::KeyEncryptionKey;
use service::{SettingError, Settings};
use std::net::SocketAddr;

const KEY_ENCRYPTION_KEY: &str = "OMS_KEY_ENCRYPTION_KEY";
const RATE_LIMIT: &str = "OMS_RATE_LIMIT";

/// The settings of auth-service.
#[derive(Debug, Clone)]
pub struct Config {
    /// `OMS_KEY_ENCRYPTION_KEY`: what signing keys are sealed with in the database. Without it a key kept in the same
    /// schema is used, which is for development.
    pub key_encryption_key: Option<KeyEncryptionKey>,
    /// `OMS_RATE_LIMIT`: whether guessing meets limits. They may be off on the loopback interface only.
    pub rate_limit: bool,
}

impl Config {
    /// Reads the settings.
    ///
    /// # Errors
    /// [`SettingError`] names the setting that is wrong.
    pub fn from_settings(settings: &Settings) -> Result<Self, SettingError> {
        let key_encryption_key = settings
            .secret(KEY_ENCRYPTION_KEY)
            .map(|key| KeyEncryptionKey::parse(key.expose()))
            .transpose()
            .map_err(|error| SettingError::wrong(KEY_ENCRYPTION_KEY, "", error))?;
        let rate_limit = settings.switch(RATE_LIMIT, true)?;
        let listen: Option<SocketAddr> = settings.parse_optional("OMS_LISTEN")?;
        if !rate_limit && listen.is_some_and(|listen| !listen.ip().is_loopback()) {
            return Err(SettingError::wrong(RATE_LIMIT, "off", "limits can be off on a loopback address only"));
        }
        Ok(Self { key_encryption_key, rate_limit })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_on_unless_they_are_turned_off_on_loopback() {
        let limited = |settings: &Settings| Config::from_settings(settings).map(|config| config.rate_limit).ok();
        assert_eq!(limited(&Settings::of([])), Some(true));
        assert_eq!(limited(&Settings::of([(RATE_LIMIT, "off")])), Some(false));
        assert_eq!(limited(&Settings::of([(RATE_LIMIT, "off"), ("OMS_LISTEN", "[::1]:8080")])), Some(false));
        assert_eq!(limited(&Settings::of([(RATE_LIMIT, "off"), ("OMS_LISTEN", "0.0.0.0:8080")])), None);
        assert_eq!(limited(&Settings::of([(RATE_LIMIT, "on"), ("OMS_LISTEN", "0.0.0.0:8080")])), Some(true));
    }

    #[test]
    fn a_malformed_encryption_key_stops_the_start_and_is_not_repeated() {
        let error = Config::from_settings(&Settings::of([(KEY_ENCRYPTION_KEY, "hunter2")])).unwrap_err().to_string();
        assert!(error.contains(KEY_ENCRYPTION_KEY) && !error.contains("hunter2"), "{error}");
    }
}
