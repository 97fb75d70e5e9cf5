//! E-mail over SMTP, for every service that sends any. It knows no templates and keeps nothing: what is sent, to whom
//! and how often is its callers' business. It never logs, because all it handles is personal.

use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::{self, PoolConfig};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use std::time::Duration;

/// A server that says nothing for so long is away.
const TIMEOUT: Duration = Duration::from_secs(15);
const MOST_CONNECTIONS: u32 = 4;

/// The settings of mail are wrong.
#[derive(Debug, thiserror::Error)]
pub enum MailSetupError {
    /// The URL of the server.
    #[error("this is no SMTP URL")]
    Url(#[source] smtp::Error),
    /// The address that mail comes from.
    #[error("this is no address that mail can come from")]
    From(#[source] lettre::address::AddressError),
}

/// Why a mail was not sent. The texts hold no address; what a server said may, so it is left out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// It will never be sent: no address, or refused for good.
    #[error("the mail is refused: {0}")]
    Permanent(String),
    /// It may be sent later.
    #[error("the mail cannot be sent now: {0}")]
    Transient(String),
}

/// A mail to one person.
#[derive(Clone)]
pub struct Mail {
    /// The address.
    pub to: String,
    /// The person's name, if it is known.
    pub name: Option<String>,
    /// The subject, one line.
    pub subject: String,
    /// The text, for readers without HTML.
    pub text: String,
    /// The same as HTML.
    pub html: String,
    /// What makes a repeat the same mail: the part of the Message-ID before the `@`.
    pub message_id: String,
}

/// Sends mail. Clones share its connections.
#[derive(Clone)]
pub struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl Mailer {
    /// A mailer over that server (`smtp://`, `smtps://`, `?tls=required`), in the name of `from` (`Shop <mail@example.org>`).
    ///
    /// # Errors
    /// [`MailSetupError`].
    pub fn new(url: &str, from: &str) -> Result<Self, MailSetupError> {
        // Whoever installs one first decides for the whole process; any will do here.
        let _already_installed = rustls::crypto::ring::default_provider().install_default();
        let from = from.parse().map_err(MailSetupError::From)?;
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(url)
            .map_err(MailSetupError::Url)?
            .timeout(Some(TIMEOUT))
            .pool_config(PoolConfig::new().max_size(MOST_CONNECTIONS))
            .build();
        Ok(Self { transport, from })
    }

    /// Sends a mail once.
    ///
    /// # Errors
    /// [`MailError`].
    pub async fn send(&self, mail: &Mail) -> Result<(), MailError> {
        let message = self.message(mail)?;
        match self.transport.send(message).await {
            Ok(_) => Ok(()),
            Err(error) => Err(told(&error)),
        }
    }

    fn message(&self, mail: &Mail) -> Result<Message, MailError> {
        let refused = |what: &str| MailError::Permanent(what.to_owned());
        let address = mail.to.parse().map_err(|_| refused("the address is none"))?;
        let id = format!("<{}@{}>", mail.message_id, self.from.email.domain());
        Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(mail.name.clone(), address))
            .subject(mail.subject.clone())
            .message_id(Some(id))
            .multipart(MultiPart::alternative_plain_html(mail.text.clone(), mail.html.clone()))
            .map_err(|_| refused("it cannot be written as a mail"))
    }
}

impl std::fmt::Debug for Mailer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Mailer")
    }
}

fn told(error: &smtp::Error) -> MailError {
    if let Some(code) = error.status() {
        let text = format!("the server answered {code}");
        return if is_about_the_recipient(code.into()) {
            MailError::Permanent(text)
        } else {
            MailError::Transient(text)
        };
    }
    let text = if error.is_timeout() {
        "the server did not answer in time"
    } else if error.is_tls() {
        "TLS with the server failed"
    } else if error.is_client() {
        "the server cannot do what is needed"
    } else {
        "there was no connection to the server, or it broke"
    };
    MailError::Transient(text.to_owned())
}

/// Whether an answer refuses this address for good. Others that sound final (530, 535, 554 on connecting) are about the
/// server or its login, which people mend.
const fn is_about_the_recipient(code: u16) -> bool {
    matches!(code, 501 | 550..=553)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(to: &str, subject: &str) -> Mail {
        Mail {
            to: to.to_owned(),
            name: Some("Zoë, \"the\" <boss>".to_owned()),
            subject: subject.to_owned(),
            text: "Grüße".to_owned(),
            html: "<p>Grüße</p>".to_owned(),
            message_id: "ntf_1".to_owned(),
        }
    }

    fn mailer() -> Mailer {
        Mailer::new("smtp://127.0.0.1:1", "The shop <mail@shop.example.org>").unwrap()
    }

    #[tokio::test]
    async fn the_same_mail_has_the_same_id_and_no_text_becomes_a_header() {
        let mailer = mailer();
        let message = mailer.message(&mail("zoe@example.org", "Hi\r\nBcc: eve@example.org")).unwrap().formatted();
        let text = String::from_utf8(message).unwrap();
        assert!(text.contains("Message-ID: <ntf_1@shop.example.org>\r\n"), "{text}");
        assert!(text.contains("multipart/alternative"));
        assert!(!text.lines().any(|line| line.starts_with("Bcc:")), "{text}");
    }

    #[tokio::test]
    async fn an_address_that_is_none_is_refused_for_good_and_a_server_that_is_away_is_not() {
        let mailer = mailer();
        assert!(matches!(mailer.send(&mail("no address", "x")).await, Err(MailError::Permanent(_))));
        let away = mailer.send(&mail("zoe@example.org", "x")).await;
        assert!(matches!(&away, Err(MailError::Transient(text)) if !text.contains("zoe")), "{away:?}");
    }

    #[test]
    fn only_answers_about_the_recipient_are_for_good() {
        for code in [501, 550, 551, 552, 553] {
            assert!(is_about_the_recipient(code), "{code}");
        }
        for code in [421, 450, 530, 534, 535, 538, 554] {
            assert!(!is_about_the_recipient(code), "{code}");
        }
    }

    #[test]
    fn wrong_settings_are_told() {
        assert!(matches!(Mailer::new("http://x", "a@example.org"), Err(MailSetupError::Url(_))));
        assert!(matches!(Mailer::new("smtp://localhost", "nobody"), Err(MailSetupError::From(_))));
    }
}
