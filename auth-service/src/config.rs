//! What this service is told from outside.

use crate::keys::KeyEncryptionKey;
use service::{MailSettings, SettingError, Settings};
use std::net::SocketAddr;
use std::time::Duration;

const KEY_ROTATION: &str = "OMS_KEY_ROTATION";
const RATE_LIMIT: &str = "OMS_RATE_LIMIT";

const DEFAULT_KEY_ROTATION: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// A key is announced for a minute before it signs and is published for twenty after it was replaced.
const SHORTEST_KEY_ROTATION: Duration = Duration::from_secs(60 * 60);

/// The settings of auth-service.
#[derive(Debug, Clone)]
pub struct Config {
    /// `OMS_KEY_ENCRYPTION_KEY`: what signing keys are sealed with in the database. Without it a key kept in the same
    /// schema is used, which is for development.
    pub key_encryption_key: Option<KeyEncryptionKey>,
    /// `OMS_KEY_ROTATION`: how old a signing key gets before a new one takes over; none: until somebody does it.
    pub key_rotation: Option<Duration>,
    /// `OMS_RATE_LIMIT`: whether guessing meets limits. They may be off on the loopback interface only.
    pub rate_limit: bool,
    /// How codes are mailed; none where no server is set.
    pub mail: Option<MailSettings>,
}

impl Config {
    /// Reads the settings.
    ///
    /// # Errors
    /// [`SettingError`] names the setting that is wrong.
    pub fn from_settings(settings: &Settings) -> Result<Self, SettingError> {
        let key_encryption_key = KeyEncryptionKey::from_settings(settings)?;
        let key_rotation = match settings.optional(KEY_ROTATION).as_deref() {
            Some("off") => None,
            _ => Some(settings.duration(KEY_ROTATION, DEFAULT_KEY_ROTATION)?),
        };
        if key_rotation.is_some_and(|age| age < SHORTEST_KEY_ROTATION) {
            let given = settings.text(KEY_ROTATION, "");
            return Err(SettingError::wrong(KEY_ROTATION, &given, "an hour is the least, and off turns it off"));
        }
        let rate_limit = settings.switch(RATE_LIMIT, true)?;
        let listen: Option<SocketAddr> = settings.parse_optional("OMS_LISTEN")?;
        if !rate_limit && listen.is_some_and(|listen| !listen.ip().is_loopback()) {
            return Err(SettingError::wrong(RATE_LIMIT, "off", "limits can be off on a loopback address only"));
        }
        Ok(Self { key_encryption_key, key_rotation, rate_limit, mail: MailSettings::from_settings(settings)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY_ENCRYPTION_KEY: &str = "OMS_KEY_ENCRYPTION_KEY";

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
    fn keys_are_rotated_every_thirty_days_unless_another_time_is_set_or_none() {
        let rotation = |settings: &Settings| Config::from_settings(settings).map(|config| config.key_rotation).ok();
        let hours = |hours: u64| Some(Some(Duration::from_secs(hours * 60 * 60)));
        assert_eq!(rotation(&Settings::of([])), hours(30 * 24));
        assert_eq!(rotation(&Settings::of([(KEY_ROTATION, "7d")])), hours(7 * 24));
        assert_eq!(rotation(&Settings::of([(KEY_ROTATION, "1h")])), hours(1));
        assert_eq!(rotation(&Settings::of([(KEY_ROTATION, "off")])), Some(None));
        for wrong in ["59m", "0s", "never", "-1h"] {
            assert_eq!(rotation(&Settings::of([(KEY_ROTATION, wrong)])), None, "{wrong}");
        }
    }

    #[test]
    fn a_malformed_encryption_key_stops_the_start_and_is_not_repeated() {
        let error = Config::from_settings(&Settings::of([(KEY_ENCRYPTION_KEY, "hunter2")])).unwrap_err().to_string();
        assert!(error.contains(KEY_ENCRYPTION_KEY) && !error.contains("hunter2"), "{error}");
    }
}
