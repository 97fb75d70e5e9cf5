//! The worker that sends letters: at least once, a repeat under the same Message-ID.

use super::Purpose;
use crate::keys::{KeyError, Keys};
use crate::store::{self, StoreError};
use askama::Template;
use futures_util::future::join_all;
use mail::{Mail, MailError, Mailer};
use pg::Pool;
use std::sync::Arc;
use std::time::Duration;
use tokio_postgres::Row;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const MOST_AT_ONCE: i64 = 4;
/// More than a server may take for one mail.
const LEASE_SECONDS: f64 = 100.0;
const PATIENCE: Duration = Duration::from_secs(75);
const LOOK_AGAIN: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(60 * 60);

/// Sends letters. Several instances share the work.
pub(crate) struct Mailing {
    pub(crate) pool: Pool,
    pub(crate) keys: Arc<Keys>,
    pub(crate) mailer: Mailer,
    /// Who writes, as users know it.
    pub(crate) shop: String,
    /// The wait after the first failure; twice as long each time.
    pub(crate) first_wait: Duration,
}

#[derive(Template)]
#[template(path = "code_mail.html")]
struct Html<'a> {
    words: &'a Words,
    code: &'a str,
}

#[derive(Template)]
#[template(path = "code_mail.txt", escape = "none")]
struct Text<'a> {
    words: &'a Words,
    code: &'a str,
}

struct Words {
    title: &'static str,
    greeting: String,
    before: &'static str,
    after: &'static str,
    shop: String,
}

struct Taken {
    mail_id: Uuid,
    purpose: String,
    email: String,
    name: Option<String>,
    sealed: Option<(Vec<u8>, Vec<u8>, String)>,
    attempts: i32,
    lease: Uuid,
    alive: bool,
}

impl Mailing {
    /// Runs until `stop` is cancelled; what is being sent then is finished first.
    pub(crate) async fn run(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let sent = match self.claim().await {
                Ok(taken) => {
                    let sent = taken.len();
                    join_all(taken.iter().map(|letter| self.deliver(letter))).await;
                    sent
                }
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "letters cannot be looked at");
                    0
                }
            };
            if sent == 0 {
                let _stopped = stop.run_until_cancelled(tokio::time::sleep(LOOK_AGAIN)).await;
            }
        }
    }

    async fn claim(&self) -> Result<Vec<Taken>, StoreError> {
        let client = self.pool.get().await?;
        let rows = store::query(&client, include_str!("sql/claim.sql"), &[&MOST_AT_ONCE, &LEASE_SECONDS]).await?;
        rows.iter().map(taken).collect()
    }

    async fn deliver(&self, letter: &Taken) {
        let sent = if letter.alive {
            self.send(letter).await
        } else {
            Err(MailError::Permanent("its code is over".to_owned()))
        };
        let (state, error) = match sent {
            Ok(()) => ("SENT", None),
            Err(error @ MailError::Permanent(_)) => ("DEAD", Some(error.to_string())),
            Err(error @ MailError::Transient(_)) => ("PENDING", Some(error.to_string())),
        };
        if let Some(error) = &error {
            tracing::warn!(mail = %letter.mail_id, state, error, "a letter was not sent");
        }
        let doublings = u32::try_from(letter.attempts.clamp(1, 20) - 1).unwrap_or_default();
        let wait = self.first_wait.saturating_mul(1 << doublings).min(LONGEST_WAIT).as_secs_f64();
        if let Err(error) = self.note(letter, state, error, wait).await {
            // The lease runs out and it is sent again.
            tracing::warn!(error = &error as &dyn std::error::Error, "what came of a letter was not noted");
        }
    }

    async fn send(&self, letter: &Taken) -> Result<(), MailError> {
        let refused = |what: &str| MailError::Permanent(what.to_owned());
        let purpose = Purpose::parse(&letter.purpose).ok_or_else(|| refused("its purpose is not known"))?;
        let code = self.open(letter).map_err(|error| refused(&error.to_string()))?;
        let words = self.words(purpose, letter.name.as_deref());
        let html = Html { words: &words, code: &code }.render().map_err(|error| refused(&error.to_string()))?;
        let text = Text { words: &words, code: &code }.render().map_err(|error| refused(&error.to_string()))?;
        let mail = Mail {
            to: letter.email.clone(),
            name: letter.name.clone(),
            subject: words.title.to_owned(),
            text,
            html,
            message_id: letter.mail_id.to_string(),
        };
        let late = |_elapsed| MailError::Transient("the server did not take it in time".to_owned());
        tokio::time::timeout(PATIENCE, self.mailer.send(&mail)).await.unwrap_or_else(|elapsed| Err(late(elapsed)))
    }

    fn open(&self, letter: &Taken) -> Result<String, KeyError> {
        let (ciphertext, nonce, sealed_with) =
            letter.sealed.as_ref().ok_or(StoreError::Unreadable { what: "letter" })?;
        let code = self.keys.open_sealed(&letter.mail_id.to_string(), ciphertext, nonce, sealed_with)?;
        Ok(String::from_utf8_lossy(&code).into_owned())
    }

    fn words(&self, purpose: Purpose, name: Option<&str>) -> Words {
        let (title, before, after) = match purpose {
            Purpose::VerifyEmail => (
                "Please confirm your e-mail address",
                "With this code you confirm that this address is yours:",
                "It is good for three days. If you have not made an account with us, you need not do anything.",
            ),
            Purpose::ResetPassword => (
                "Your code for a new password",
                "With this code you can set a new password:",
                "It is good once, for 30 minutes. If you have not asked for it, you need not do anything.",
            ),
        };
        let greeting = name.map_or_else(|| "Hello,".to_owned(), |name| format!("Hello {name},"));
        Words { title, greeting, before, after, shop: self.shop.clone() }
    }

    async fn note(&self, letter: &Taken, state: &str, error: Option<String>, wait: f64) -> Result<(), StoreError> {
        let client = self.pool.get().await?;
        let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 5] =
            [&letter.mail_id, &letter.lease, &state, &error, &wait];
        store::execute(&client, include_str!("sql/note.sql"), &parameters).await?;
        Ok(())
    }
}

fn taken(row: &Row) -> Result<Taken, StoreError> {
    let sealed: (Option<Vec<u8>>, Option<Vec<u8>>, Option<String>) =
        (row.try_get(4)?, row.try_get(5)?, row.try_get(6)?);
    Ok(Taken {
        mail_id: row.try_get(0)?,
        purpose: row.try_get(1)?,
        email: row.try_get(2)?,
        name: row.try_get(3)?,
        sealed: if let (Some(code), Some(nonce), Some(with)) = sealed { Some((code, nonce, with)) } else { None },
        attempts: row.try_get(7)?,
        lease: row.try_get(8)?,
        alive: row.try_get(9)?,
    })
}
