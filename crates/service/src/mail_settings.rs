//! How mail is sent: one set of settings for every service that sends any.

use crate::{Secret, SettingError, Settings};
use std::net::IpAddr;
use std::time::Duration;

/// How mail is sent.
#[derive(Debug, Clone)]
pub struct MailSettings {
    /// The server (`SMTP_URL`).
    pub url: Secret,
    /// Who it comes from (`OMS_MAIL_FROM`).
    pub from: String,
    /// What customers know the shop as (`OMS_SELLER_NAME`).
    pub shop: String,
    /// The wait after a mail's first failure (`OMS_MAIL_RETRY`).
    pub first_wait: Duration,
}

impl MailSettings {
    /// Reads the settings; none without `SMTP_URL`.
    ///
    /// # Errors
    /// [`SettingError`] names the setting that is wrong.
    pub fn from_settings(settings: &Settings) -> Result<Option<Self>, SettingError> {
        let Some(url) = settings.secret("SMTP_URL") else { return Ok(None) };
        let shop = settings.text("OMS_SELLER_NAME", "The shop");
        let from = settings.optional("OMS_MAIL_FROM").or_else(|| settings.optional("OMS_SELLER_EMAIL"));
        let from = from.map_or_else(|| nobody(settings), Ok)?;
        let first_wait = settings.duration("OMS_MAIL_RETRY", Duration::from_secs(10))?;
        Ok(Some(Self { url, from, shop, first_wait }))
    }

    /// That the URL, or the address mail comes from, is wrong. The URL's password is not repeated.
    #[must_use]
    pub fn wrong(&self, reason: impl std::fmt::Display) -> SettingError {
        SettingError::wrong("SMTP_URL", self.url.expose(), format!("{reason}, or OMS_MAIL_FROM (`{}`) is", self.from))
    }
}

/// An address that nobody reads, at the host that clients see.
fn nobody(settings: &Settings) -> Result<String, SettingError> {
    let url = settings.url("OMS_PUBLIC_URL")?;
    let host = url.and_then(|url| url.parse::<http::Uri>().ok()).and_then(|url| url.host().map(str::to_owned));
    let name = host.filter(|host| host.parse::<IpAddr>().is_err() && !host.starts_with('['));
    Ok(format!("no-reply@{}", name.unwrap_or_else(|| "localhost".to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail_comes_from_the_public_host_unless_somebody_is_named() {
        let from = |settings: &Settings| MailSettings::from_settings(settings).unwrap().map(|mail| mail.from);
        assert_eq!(from(&Settings::of([])), None);
        let url = ("SMTP_URL", "smtp://localhost");
        assert_eq!(from(&Settings::of([url])).as_deref(), Some("no-reply@localhost"));
        assert_eq!(
            from(&Settings::of([url, ("OMS_PUBLIC_URL", "http://127.0.0.1:8080")])).as_deref(),
            Some("no-reply@localhost")
        );
        assert_eq!(
            from(&Settings::of([url, ("OMS_PUBLIC_URL", "https://shop.example.org/x")])).as_deref(),
            Some("no-reply@shop.example.org")
        );
        assert_eq!(from(&Settings::of([url, ("OMS_SELLER_EMAIL", "a@b.example")])).as_deref(), Some("a@b.example"));
    }
}
