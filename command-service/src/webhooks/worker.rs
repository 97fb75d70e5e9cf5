//! The worker that delivers: takes what is due under a lease, sends it side by side, notes what came of it. Killed
//! anywhere, the lease runs out and the same message goes out again under the same id.

use super::{Bell, Endpoints, Patience, Sender, WebhookError, attempt::Outcome};
use futures_util::{StreamExt as _, future::Either, stream::FuturesUnordered};
use pg::Pool;
use rand::RngExt as _;
use service::sealing::Sealed;
use shared_events::NotificationId;
use std::collections::HashMap;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};
use tokio_postgres::Row;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const MOST_AT_ONCE: usize = 256;
/// Of one endpoint, so that a slow one keeps nobody else waiting.
const MOST_PER_ENDPOINT: i64 = 4;
/// Longer than any attempt.
const LEASE_SECONDS: f64 = 25.0;
const LOOK_AGAIN: Duration = Duration::from_millis(500);
const PAUSE_WITHOUT_DATABASE: Duration = Duration::from_secs(1);
const GONE: u16 = 410;

/// Delivers webhooks. Several instances share the work.
pub struct Delivering {
    /// Where deliveries are.
    pub pool: Pool,
    /// Who opens secrets.
    pub endpoints: Endpoints,
    /// Who sends.
    pub sender: Sender,
    /// How often to try.
    pub patience: Patience,
    /// Rung when there is something new.
    pub bell: Bell,
}

/// A delivery under lease.
struct Taken {
    delivery_id: Uuid,
    endpoint_id: Uuid,
    notification_id: NotificationId,
    body: String,
    attempts: i32,
    lease: Uuid,
    url: String,
    secret: Sealed,
}

enum Turn {
    Looked(Result<Vec<Taken>, WebhookError>),
    Sent(Uuid),
}

impl Delivering {
    /// Runs until `stop` is cancelled; what is being sent then is finished first.
    pub async fn run(self, stop: CancellationToken) {
        let mut running = FuturesUnordered::new();
        let mut sending: HashMap<Uuid, i64> = HashMap::new();
        let (mut looking, mut next_look) = (false, Instant::now());
        while !(stop.is_cancelled() && running.is_empty()) {
            let busy: i64 = sending.values().sum();
            let room = MOST_AT_ONCE.saturating_sub(usize::try_from(busy).unwrap_or_default());
            let may_look = !looking && room > 0 && !stop.is_cancelled();
            if may_look && Instant::now() >= next_look {
                looking = true;
                running.push(Either::Left(self.look(room, sending.clone())));
                continue;
            }
            tokio::select! {
                Some(turn) = running.next() => match turn {
                    Turn::Sent(endpoint) => {
                        if let Some(count) = sending.get_mut(&endpoint) {
                            *count -= 1;
                        }
                        sending.retain(|_, count| *count > 0);
                        // There may be more for this endpoint.
                        next_look = Instant::now();
                    }
                    Turn::Looked(Ok(taken)) => {
                        looking = false;
                        next_look = Instant::now() + if taken.is_empty() { LOOK_AGAIN } else { Duration::ZERO };
                        for delivery in taken {
                            *sending.entry(delivery.endpoint_id).or_default() += 1;
                            running.push(Either::Right(self.deliver(delivery)));
                        }
                    }
                    Turn::Looked(Err(error)) => {
                        looking = false;
                        tracing::warn!(error = &error as &dyn std::error::Error, "webhooks cannot be looked at");
                        next_look = Instant::now() + PAUSE_WITHOUT_DATABASE;
                    }
                },
                () = sleep_until(next_look), if may_look => {}
                () = self.bell.rung(), if may_look => next_look = Instant::now(),
                () = stop.cancelled(), if !stop.is_cancelled() => {}
            }
        }
    }

    async fn look(&self, room: usize, sending: HashMap<Uuid, i64>) -> Turn {
        Turn::Looked(self.claim(room, sending).await)
    }

    async fn claim(&self, room: usize, sending: HashMap<Uuid, i64>) -> Result<Vec<Taken>, WebhookError> {
        let room = i64::try_from(room).unwrap_or(i64::MAX);
        let (endpoints, counts): (Vec<Uuid>, Vec<i64>) = sending.into_iter().unzip();
        let client = self.pool.get().await?;
        let statement = client.prepare_cached(include_str!("sql/claim.sql")).await?;
        let rows = client.query(&statement, &[&room, &MOST_PER_ENDPOINT, &endpoints, &counts, &LEASE_SECONDS]).await?;
        rows.iter().map(taken).collect()
    }

    async fn deliver(&self, delivery: Taken) -> Turn {
        let Taken { delivery_id, endpoint_id, notification_id, body, attempts, lease, url, secret } = delivery;
        let outcome = match self.endpoints.open(endpoint_id, &secret) {
            Ok(secret) => self.sender.send(&url, &secret, &notification_id.to_string(), body).await,
            Err(error) => {
                tracing::error!(webhook.endpoint = %endpoint_id, error = &error as &dyn std::error::Error, "a webhook cannot be signed");
                Outcome {
                    status_code: None,
                    duration: Duration::ZERO,
                    error: Some("its secret does not open".to_owned()),
                }
            }
        };
        if let Err(error) = self.note(delivery_id, lease, attempts, &outcome).await {
            // The lease runs out and it is sent again.
            tracing::warn!(error = &error as &dyn std::error::Error, "what came of a webhook was not noted");
        }
        Turn::Sent(endpoint_id)
    }

    async fn note(&self, delivery: Uuid, lease: Uuid, attempts: i32, outcome: &Outcome) -> Result<(), WebhookError> {
        let chance = rand::rng().random::<f64>();
        let wait = self.patience.wait_after(attempts, chance).map(|wait| wait.as_secs_f64());
        let duration_ms = i32::try_from(outcome.duration.as_millis()).unwrap_or(i32::MAX);
        let status_code = outcome.status_code.map(i32::from);
        let gone = outcome.status_code == Some(GONE);
        let disable_after = self.patience.disable_after.as_secs_f64();
        let client = self.pool.get().await?;
        let statement = client.prepare_cached(include_str!("sql/note.sql")).await?;
        client
            .execute(
                &statement,
                &[&delivery, &lease, &status_code, &duration_ms, &outcome.error, &wait, &disable_after, &gone],
            )
            .await?;
        Ok(())
    }
}

fn taken(row: &Row) -> Result<Taken, WebhookError> {
    Ok(Taken {
        delivery_id: row.try_get(0)?,
        endpoint_id: row.try_get(1)?,
        notification_id: NotificationId::from_uuid(row.try_get(2)?),
        body: row.try_get(3)?,
        attempts: row.try_get(4)?,
        lease: row.try_get(5)?,
        url: row.try_get(6)?,
        secret: Sealed { ciphertext: row.try_get(7)?, nonce: row.try_get(8)?, sealed_with: row.try_get(9)? },
    })
}

#[cfg(test)]
mod tests;
