//! What can be set about this service.

use chrono::TimeDelta;
use service::{Secret, SettingError, Settings};
use shared_events::Currency;
use std::time::Duration;

const RESERVATION_TTL: Duration = Duration::from_secs(120);
const PARTITIONS: i32 = 8;
const WRITERS: usize = 2;

/// What can be set about this service.
#[derive(Debug, Clone)]
pub struct Config {
    /// How long stock is kept for an order that is being placed (`OMS_RESERVATION_TTL`).
    pub reservation_ttl: TimeDelta,
    /// The shop's currency (`OMS_CURRENCY`).
    pub currency: Currency,
    /// Where pictures of products are kept.
    pub images: ImageSettings,
    /// The partitions of the log, fixed when it is created (`OMS_LOG_PARTITIONS`).
    pub partitions: i32,
    /// How many transactions may append to the log at the same time (`OMS_LOG_WRITERS`).
    pub writers: usize,
}

/// Where pictures of products are kept.
#[derive(Debug, Clone, Default)]
pub struct ImageSettings {
    /// `file:///folder` or `s3://bucket/prefix` (`OMS_IMAGES`).
    pub url: Option<String>,
    /// The data folder, which has them where nothing else is said (`OMS_DATA_DIR`).
    pub data_dir: Option<String>,
    /// The region of the bucket (`OMS_S3_REGION`).
    pub s3_region: Option<String>,
    /// Where S3 is, unless with Amazon (`OMS_S3_ENDPOINT`).
    pub s3_endpoint: Option<String>,
    /// Who we are there (`OMS_S3_ACCESS_KEY_ID`, `OMS_S3_SECRET_ACCESS_KEY`); the machine's own role if unset.
    pub s3_credentials: Option<(String, Secret)>,
}

impl ImageSettings {
    fn from_settings(settings: &Settings) -> Self {
        let secret = settings.secret("OMS_S3_SECRET_ACCESS_KEY");
        Self {
            url: settings.optional("OMS_IMAGES"),
            data_dir: settings.optional("OMS_DATA_DIR"),
            s3_region: settings.optional("OMS_S3_REGION"),
            s3_endpoint: settings.optional("OMS_S3_ENDPOINT"),
            s3_credentials: settings.optional("OMS_S3_ACCESS_KEY_ID").zip(secret),
        }
    }
}

impl Config {
    /// Reads the settings.
    ///
    /// # Errors
    /// [`SettingError`] names the one that is wrong.
    pub fn from_settings(settings: &Settings) -> Result<Self, SettingError> {
        let ttl = settings.duration("OMS_RESERVATION_TTL", RESERVATION_TTL)?;
        let wrong = |name: &str, text: String, reason: &str| SettingError::wrong(name, &text, reason);
        let reservation_ttl = TimeDelta::from_std(ttl)
            .ok()
            .filter(|ttl| *ttl > TimeDelta::zero() && *ttl <= TimeDelta::days(1))
            .ok_or_else(|| {
                wrong("OMS_RESERVATION_TTL", format!("{ttl:?}"), "expected more than 0 and at most a day")
            })?;
        let code = settings.text("OMS_CURRENCY", "EUR");
        let currency = Currency::parse(&code).map_err(|error| SettingError::wrong("OMS_CURRENCY", &code, error))?;
        Ok(Self {
            reservation_ttl,
            currency,
            images: ImageSettings::from_settings(settings),
            partitions: settings.parse("OMS_LOG_PARTITIONS", PARTITIONS)?,
            writers: settings.parse("OMS_LOG_WRITERS", WRITERS)?,
        })
    }
}
