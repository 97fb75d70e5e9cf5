//! Money that providers move: the port to them, what they say by webhooks, and what they are asked to do for orders.
//! Payments that other services report are none of its business: those are facts of somebody else's.

pub mod client;
pub mod dead_letters;
pub mod facts;
pub mod generic;
pub mod notice;
pub mod provider;
pub mod refunds;
pub mod signature;
pub mod simulated;
pub mod stripe;
pub mod work;

use chrono::{DateTime, TimeDelta, Utc};
use client::Client;
use generic::Generic;
use http::HeaderMap;
use order::CapturePolicy;
use provider::PaymentProvider;
use service::{Secret, SettingError, Settings};
use simulated::Simulated;
use std::time::Duration;
use stripe::Stripe;
use web::standard_webhooks::{SignatureError, WebhookSecret, verify};

const STRIPE_URL: &str = "https://api.stripe.com";
/// So many secrets of webhooks are live at most: the old and the new one.
const MOST_SECRETS: usize = 2;
const POLL: Duration = Duration::from_secs(5);

/// A provider that webhooks can come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProviderName {
    /// Development's.
    Simulated,
    /// The shop's own service.
    Generic,
    /// Stripe.
    Stripe,
}

/// What the settings say about payments.
#[derive(Debug, Clone)]
pub struct PaymentConfig {
    /// Who starts payments and moves money (`OMS_PAYMENT_PROVIDER`); none: other services report payments.
    pub provider: Option<ProviderName>,
    /// When held money is captured (`OMS_PAYMENT_CAPTURE`).
    pub capture: CapturePolicy,
    /// How soon a provider is asked what became of something (`OMS_PAYMENT_POLL`).
    pub poll: TimeDelta,
    /// Where the generic provider is (`OMS_PAYMENT_URL`).
    generic_url: Option<String>,
    /// What it is sent is signed with (`OMS_PAYMENT_SECRET`).
    generic_secret: Option<WebhookSecret>,
    /// What the generic and simulated ones' webhooks are signed with (`OMS_PAYMENT_WEBHOOK_SECRET`).
    webhook_secrets: Vec<WebhookSecret>,
    /// Stripe's API (`OMS_STRIPE_URL`).
    stripe_url: String,
    /// The key to it (`OMS_STRIPE_SECRET_KEY`).
    stripe_key: Option<Secret>,
    /// What its webhooks are signed with (`OMS_STRIPE_WEBHOOK_SECRET`).
    stripe_webhook_secrets: Vec<Secret>,
}

impl ProviderName {
    /// Reads its name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            simulated::NAME => Some(Self::Simulated),
            generic::NAME => Some(Self::Generic),
            stripe::NAME => Some(Self::Stripe),
            _ => None,
        }
    }

    /// Its name, in events, paths and settings.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Simulated => simulated::NAME,
            Self::Generic => generic::NAME,
            Self::Stripe => stripe::NAME,
        }
    }
}

impl PaymentConfig {
    /// Reads the settings.
    ///
    /// # Errors
    /// [`SettingError`] names the setting that is wrong.
    pub fn from_settings(settings: &Settings) -> Result<Self, SettingError> {
        let words = ["none", simulated::NAME, generic::NAME, stripe::NAME];
        let named = settings.one_of("OMS_PAYMENT_PROVIDER", &words)?;
        let capture = settings.one_of("OMS_PAYMENT_CAPTURE", &["confirm", "dispatch", "never"])?;
        let poll = settings.duration("OMS_PAYMENT_POLL", POLL)?;
        let config = Self {
            provider: named.as_deref().and_then(ProviderName::parse),
            capture: capture.as_deref().and_then(CapturePolicy::parse).unwrap_or_default(),
            poll: TimeDelta::from_std(poll).unwrap_or(TimeDelta::hours(1)),
            generic_url: settings.url("OMS_PAYMENT_URL")?,
            generic_secret: secrets(settings, "OMS_PAYMENT_SECRET", 1)?.pop(),
            webhook_secrets: secrets(settings, "OMS_PAYMENT_WEBHOOK_SECRET", MOST_SECRETS)?,
            stripe_url: settings.url("OMS_STRIPE_URL")?.unwrap_or_else(|| STRIPE_URL.to_owned()),
            stripe_key: settings.secret("OMS_STRIPE_SECRET_KEY"),
            stripe_webhook_secrets: texts(settings, "OMS_STRIPE_WEBHOOK_SECRET", MOST_SECRETS)?,
        };
        match config.provider {
            Some(ProviderName::Generic) => {
                settings.required("OMS_PAYMENT_URL")?;
                settings.required("OMS_PAYMENT_SECRET")?;
            }
            Some(ProviderName::Stripe) => drop(settings.required("OMS_STRIPE_SECRET_KEY")?),
            Some(ProviderName::Simulated) | None => {}
        }
        Ok(config)
    }

    /// The provider that is configured, asked through that HTTP client.
    #[must_use]
    pub fn provider(&self, http: reqwest::Client) -> Option<PaymentProvider> {
        match self.provider? {
            ProviderName::Simulated => Some(PaymentProvider::Simulated(Simulated)),
            ProviderName::Generic => {
                let client = Client::new(http, generic::NAME, self.generic_url.clone()?, None);
                Some(PaymentProvider::Generic(Generic { client, secret: self.generic_secret.clone()? }))
            }
            ProviderName::Stripe => {
                let client = Client::new(http, stripe::NAME, self.stripe_url.clone(), self.stripe_key.clone());
                Some(PaymentProvider::Stripe(Stripe { client }))
            }
        }
    }

    /// Believes a webhook of a provider, before anything of it is read, and answers its id.
    ///
    /// # Errors
    /// [`SignatureError`].
    pub fn believe(
        &self,
        from: ProviderName,
        headers: &HeaderMap,
        body: &[u8],
        now: DateTime<Utc>,
    ) -> Result<String, SignatureError> {
        match from {
            ProviderName::Stripe => signature::verify_stripe(&self.stripe_webhook_secrets, headers, body, now)
                .map(|()| notice::stripe_event_id(body)),
            ProviderName::Simulated | ProviderName::Generic => verify(&self.webhook_secrets, headers, body, now),
        }
    }
}

/// Secrets of Standard Webhooks, with commas between.
fn secrets(settings: &Settings, name: &str, most: usize) -> Result<Vec<WebhookSecret>, SettingError> {
    let parse = |secret: &Secret| {
        let parsed = WebhookSecret::parse(secret.expose());
        parsed.map_err(|error| SettingError::wrong(name, secret.expose(), error))
    };
    texts(settings, name, most)?.iter().map(parse).collect()
}

fn texts(settings: &Settings, name: &str, most: usize) -> Result<Vec<Secret>, SettingError> {
    let texts = settings.list(name);
    if texts.len() > most {
        return Err(SettingError::wrong(name, &texts.join(","), format!("expected at most {most}")));
    }
    Ok(texts.into_iter().map(Secret::new).collect())
}

#[cfg(test)]
mod tests;
