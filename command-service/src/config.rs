//! What command-service can be told.

use chrono::TimeDelta;
use order::{PaymentMethod, PaymentWindows};
use service::{SettingError, Settings};
use shared_events::Currency;
use std::time::Duration;

const DEFAULT_PAYMENT_WINDOW: Duration = Duration::from_secs(30 * 60);
const DEFAULT_RETURN_WINDOW: Duration = Duration::from_secs(14 * 24 * 60 * 60);
/// A bank transfer takes days, whatever the shop's patience with cards.
const BANK_TRANSFER_WINDOW: TimeDelta = TimeDelta::days(5);

/// The settings of command-service.
#[derive(Debug, Clone)]
pub struct Config {
    /// The currency of orders that name none (`OMS_CURRENCY`).
    pub currency: Currency,
    /// How long an order waits for its payment (`OMS_PAYMENT_WINDOW`).
    pub payment_window: TimeDelta,
    /// How long after the last delivery an order is completed (`OMS_RETURN_WINDOW`).
    pub return_window: TimeDelta,
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
            currency: settings.parse("OMS_CURRENCY", Currency::EUR)?,
            payment_window: window(settings, "OMS_PAYMENT_WINDOW", DEFAULT_PAYMENT_WINDOW)?,
            return_window: window(settings, "OMS_RETURN_WINDOW", DEFAULT_RETURN_WINDOW)?,
            log_partitions: settings.parse("OMS_LOG_PARTITIONS", 8)?,
            log_writers: settings.parse("OMS_LOG_WRITERS", 2)?,
        })
    }

    /// How long an order that is paid so may wait for its payment.
    #[must_use]
    pub fn payment_window_of(&self, method: PaymentMethod) -> TimeDelta {
        self.payment_windows().of(method)
    }

    /// How long an order waits for its payment, by method.
    #[must_use]
    pub const fn payment_windows(&self) -> PaymentWindows {
        PaymentWindows { usual: self.payment_window, bank_transfer: BANK_TRANSFER_WINDOW }
    }
}

fn window(settings: &Settings, name: &str, default: Duration) -> Result<TimeDelta, SettingError> {
    let window = settings.duration(name, default)?;
    Ok(TimeDelta::from_std(window).unwrap_or(TimeDelta::MAX))
}
