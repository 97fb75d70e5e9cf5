//! What invoice-service can be told.

use service::{SettingError, Settings};
use shared_events::invoice::TradeParty;

/// The settings of invoice-service.
#[derive(Debug, Clone)]
pub struct Config {
    /// The shop, as invoices name it (`OMS_SELLER_NAME`, `OMS_SELLER_EMAIL`, `OMS_SELLER_VAT_ID`,
    /// `OMS_SELLER_REGISTRATION`).
    pub seller: TradeParty,
    /// Partitions of the log, fixed when it is created (`OMS_LOG_PARTITIONS`).
    pub log_partitions: i32,
    /// Writers of the log (`OMS_LOG_WRITERS`).
    pub log_writers: usize,
}

impl Config {
    /// Reads the settings.
    ///
    /// # Errors
    /// [`SettingError`] names the setting that is wrong.
    pub fn from_settings(settings: &Settings) -> Result<Self, SettingError> {
        Ok(Self {
            seller: TradeParty {
                name: settings.text("OMS_SELLER_NAME", "The shop"),
                address: None,
                email: settings.optional("OMS_SELLER_EMAIL"),
                vat_id: settings.optional("OMS_SELLER_VAT_ID"),
                registration: settings.optional("OMS_SELLER_REGISTRATION"),
            },
            log_partitions: settings.parse("OMS_LOG_PARTITIONS", 8)?,
            log_writers: settings.parse("OMS_LOG_WRITERS", 2)?,
        })
    }
}
