//! The worker that sends mail: takes what is due under a lease, opens the order as it stood, writes and sends. Killed
//! anywhere, the lease runs out and the same mail goes out again under the same Message-ID.

use super::{MailKind, letter};
use crate::{
    orders::Orders,
    webhooks::{Bell, Patience, WebhookError},
};
use feeds::HandleError;
use futures_util::future::join_all;
use mail::{Mail, MailError, Mailer};
use pg::Pool;
use rand::RngExt as _;
use shared_events::{NotificationId, OrderId};
use std::time::Duration;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// As many as there are connections to the server.
const MOST_AT_ONCE: i64 = 4;
/// More than a server may take for one mail.
const LEASE_SECONDS: f64 = 100.0;
const PATIENCE: Duration = Duration::from_secs(75);
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Sends mail to customers. Several instances share the work.
pub struct Mailing {
    /// The orders, with their addresses.
    pub orders: Orders,
    /// Where mails are.
    pub pool: Pool,
    /// Who sends.
    pub mailer: Mailer,
    /// Who writes, as customers know it.
    pub shop: String,
    /// How often to try.
    pub patience: Patience,
    /// Rung when there is something new.
    pub bell: Bell,
}

/// A mail under lease.
struct Taken {
    notification_id: NotificationId,
    kind: String,
    order_id: OrderId,
    order_version: i64,
    attempts: i32,
    lease: Uuid,
}

/// What came of a mail.
enum Outcome {
    Sent,
    /// Nobody can or should get it.
    Skipped(&'static str),
    Dead(String),
    Again(String),
}

impl Mailing {
    /// Runs until `stop` is cancelled; what is being sent then is finished first.
    pub async fn run(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let sent = match self.claim().await {
                Ok(taken) => {
                    let sent = taken.len();
                    join_all(taken.into_iter().map(|mail| self.deliver(mail))).await;
                    sent
                }
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "mails cannot be looked at");
                    0
                }
            };
            if sent == 0 {
                let woken = timeout(LOOK_AGAIN, self.bell.rung());
                let _stopped_or_woken = stop.run_until_cancelled(woken).await;
            }
        }
    }

    async fn claim(&self) -> Result<Vec<Taken>, WebhookError> {
        let client = self.pool.get().await?;
        let statement = client.prepare_cached(include_str!("sql/claim.sql")).await?;
        let rows = client.query(&statement, &[&MOST_AT_ONCE, &LEASE_SECONDS]).await?;
        let taken = rows.iter().map(|row| Taken {
            notification_id: NotificationId::from_uuid(row.get(0)),
            kind: row.get(1),
            order_id: OrderId::from_uuid(row.get(2)),
            order_version: row.get(3),
            attempts: row.get(4),
            lease: row.get(5),
        });
        Ok(taken.collect())
    }

    async fn deliver(&self, taken: Taken) {
        let outcome = self.send(&taken).await;
        if let Err(error) = self.note(&taken, outcome).await {
            // The lease runs out and it is sent again.
            tracing::warn!(error = &error as &dyn std::error::Error, "what came of a mail was not noted");
        }
    }

    async fn send(&self, taken: &Taken) -> Outcome {
        let Some(kind) = MailKind::parse(&taken.kind) else { return Outcome::Skipped("its kind is not known here") };
        let order = match self.orders.at(taken.order_id, taken.order_version).await {
            Ok(order) => order,
            Err(HandleError::Retry(error)) => return Outcome::Again(error.to_string()),
            Err(HandleError::Poison(error)) => return Outcome::Dead(error.to_string()),
        };
        let Some(contact) = order.contact.clone() else { return Outcome::Skipped("there is no address") };
        let letter = match letter::write(kind, &order, &self.shop) {
            Ok(letter) => letter,
            Err(error) => return Outcome::Dead(error.to_string()),
        };
        let mail = Mail {
            to: contact.email,
            name: contact.name,
            subject: letter.subject,
            text: letter.text,
            html: letter.html,
            message_id: taken.notification_id.to_string(),
        };
        match timeout(PATIENCE, self.mailer.send(&mail)).await {
            Ok(Ok(())) => Outcome::Sent,
            Ok(Err(error @ MailError::Permanent(_))) => Outcome::Dead(error.to_string()),
            Ok(Err(error @ MailError::Transient(_))) => Outcome::Again(error.to_string()),
            Err(_elapsed) => Outcome::Again("the server did not take it in time".to_owned()),
        }
    }

    async fn note(&self, taken: &Taken, outcome: Outcome) -> Result<(), WebhookError> {
        let wait = self.patience.wait_after(taken.attempts, rand::rng().random::<f64>());
        let (state, error, wait) = match outcome {
            Outcome::Sent => ("SENT", None, None),
            Outcome::Skipped(reason) => ("SKIPPED", Some(reason.to_owned()), None),
            Outcome::Dead(reason) => ("DEAD", Some(reason), None),
            Outcome::Again(reason) if wait.is_none() => ("DEAD", Some(reason), None),
            Outcome::Again(reason) => ("PENDING", Some(reason), wait.map(|wait| wait.as_secs_f64())),
        };
        if let Some(error) = &error {
            tracing::warn!(order.id = %taken.order_id, mail = %taken.notification_id, state, error, "a mail was not sent");
        }
        let client = self.pool.get().await?;
        let statement = client.prepare_cached(include_str!("sql/note.sql")).await?;
        client.execute(&statement, &[&taken.notification_id.as_uuid(), &taken.lease, &state, &error, &wait]).await?;
        Ok(())
    }
}
