//! What command-service can be told.

use crate::http::carriers::CarrierSecrets;
use crate::payments::PaymentConfig;
use crate::webhooks::{AllowedAddresses, Patience};
use chrono::TimeDelta;
use order::{PaymentMethod, PaymentWindows};
use service::{MailSettings, SettingError, Settings, sealing::KeyEncryptionKey};
use shared_events::Currency;
use std::time::Duration;
use web::standard_webhooks::WebhookSecret;

const DEFAULT_PAYMENT_WINDOW: Duration = Duration::from_secs(30 * 60);
const DEFAULT_RETURN_WINDOW: Duration = Duration::from_secs(14 * 24 * 60 * 60);
const DEFAULT_QUOTE_TTL: Duration = Duration::from_secs(15 * 60);
const DEFAULT_CART_TTL: Duration = Duration::from_secs(30 * 24 * 60 * 60);
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
    /// Whether the catalogue's prices contain tax (`OMS_PRICES_INCLUDE_TAX`).
    pub prices_include_tax: bool,
    /// How long a quote holds (`OMS_QUOTE_TTL`).
    pub quote_ttl: TimeDelta,
    /// How long a cart is kept after its last change (`OMS_CART_TTL`).
    pub cart_ttl: TimeDelta,
    /// Who moves money (`OMS_PAYMENT_*`, `OMS_STRIPE_*`).
    pub payments: PaymentConfig,
    /// Partitions of the log, fixed when it is created (`OMS_LOG_PARTITIONS`).
    pub log_partitions: i32,
    /// Writers of the log (`OMS_LOG_WRITERS`).
    pub log_writers: usize,
    /// How others are told of orders.
    pub telling: TellingConfig,
}

/// How others are told of what became of orders.
#[derive(Debug, Clone)]
pub struct TellingConfig {
    /// What seals the secrets of webhooks (`OMS_KEY_ENCRYPTION_KEY`).
    pub key_encryption_key: Option<KeyEncryptionKey>,
    /// How far webhooks may reach (`OMS_WEBHOOK_PRIVATE_ADDRESSES`).
    pub addresses: AllowedAddresses,
    /// How often a webhook is tried (`OMS_WEBHOOK_ATTEMPTS`, `OMS_WEBHOOK_RETRY`, `OMS_WEBHOOK_DISABLE_AFTER`).
    pub patience: Patience,
    /// Who may report of shipments (`OMS_SHIPPING_WEBHOOK_SECRETS`).
    pub carriers: CarrierSecrets,
    /// How mail is sent; none where no server is set.
    pub mail: Option<MailSettings>,
}

impl TellingConfig {
    /// Reads the settings.
    ///
    /// # Errors
    /// [`SettingError`] names the setting that is wrong.
    pub fn from_settings(settings: &Settings) -> Result<Self, SettingError> {
        const ADDRESSES: &str = "OMS_WEBHOOK_PRIVATE_ADDRESSES";
        const ATTEMPTS: &str = "OMS_WEBHOOK_ATTEMPTS";
        let addresses = match settings.one_of(ADDRESSES, &["deny", "loopback", "allow"])?.as_deref() {
            Some("allow") => AllowedAddresses::All,
            Some("loopback") => AllowedAddresses::PublicAndLoopback,
            _ => AllowedAddresses::Public,
        };
        let attempts: i32 = settings.parse(ATTEMPTS, 10)?;
        if !(1..=100).contains(&attempts) {
            return Err(SettingError::wrong(ATTEMPTS, &attempts.to_string(), "expected 1 to 100"));
        }
        let first_wait = settings.duration("OMS_WEBHOOK_RETRY", Duration::from_secs(5))?;
        let disable_after = settings.duration("OMS_WEBHOOK_DISABLE_AFTER", Duration::from_secs(5 * 24 * 60 * 60))?;
        let patience = Patience { attempts, first_wait, disable_after };
        let key_encryption_key = KeyEncryptionKey::from_settings(settings)?;
        let (carriers, mail) = (carriers(settings)?, MailSettings::from_settings(settings)?);
        Ok(Self { key_encryption_key, addresses, patience, carriers, mail })
    }
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
            prices_include_tax: settings.switch("OMS_PRICES_INCLUDE_TAX", true)?,
            quote_ttl: window(settings, "OMS_QUOTE_TTL", DEFAULT_QUOTE_TTL)?,
            cart_ttl: window(settings, "OMS_CART_TTL", DEFAULT_CART_TTL)?,
            payments: PaymentConfig::from_settings(settings)?,
            log_partitions: settings.parse("OMS_LOG_PARTITIONS", 8)?,
            log_writers: settings.parse("OMS_LOG_WRITERS", 2)?,
            telling: TellingConfig::from_settings(settings)?,
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

/// `dhl=whsec_…,ups=whsec_…`; a carrier may be there twice while one secret replaces the other.
fn carriers(settings: &Settings) -> Result<CarrierSecrets, SettingError> {
    const SECRETS: &str = "OMS_SHIPPING_WEBHOOK_SECRETS";
    let mut carriers = CarrierSecrets::new();
    for entry in settings.list(SECRETS) {
        let (carrier, secret) = entry.split_once('=').unwrap_or_default();
        if carrier.trim().is_empty() {
            return Err(SettingError::wrong(SECRETS, "", "expected names of carriers with their secrets"));
        }
        let secret = WebhookSecret::parse(secret).map_err(|error| SettingError::wrong(SECRETS, "", error))?;
        carriers.entry(carrier.trim().to_lowercase()).or_default().push(secret);
    }
    Ok(carriers)
}

fn window(settings: &Settings, name: &str, default: Duration) -> Result<TimeDelta, SettingError> {
    let window = settings.duration(name, default)?;
    Ok(TimeDelta::from_std(window).unwrap_or(TimeDelta::MAX))
}
