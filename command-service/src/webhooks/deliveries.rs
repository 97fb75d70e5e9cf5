//! What is to be, and was, delivered: `webhook_delivery` and the log of its attempts.

use super::WebhookError;
use chrono::{DateTime, Utc};
use pg::Pool;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use shared_events::{NotificationId, OrderId, WebhookDeliveryId, WebhookEndpointId};
use tokio_postgres::{Row, types::Json};
use uuid::Uuid;

/// Completed deliveries, what was told, and what others sent that could not be used are kept for so long.
const KEPT_DAYS: i32 = 30;

/// A notification on its way to an endpoint.
#[derive(Debug)]
pub struct Delivery {
    /// Its id.
    pub delivery_id: WebhookDeliveryId,
    /// Where it goes.
    pub endpoint_id: WebhookEndpointId,
    /// What it tells: the `webhook-id` of every attempt.
    pub notification_id: NotificationId,
    /// The type of that.
    pub notification_type: String,
    /// The order it is about.
    pub order_id: OrderId,
    /// PENDING, DELIVERED or DEAD.
    pub state: String,
    /// When the next attempt is due; none where it is over.
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// When it was told.
    pub created_at: DateTime<Utc>,
    /// When it was delivered or given up.
    pub completed_at: Option<DateTime<Utc>>,
    /// The body as it is sent.
    pub body: Box<RawValue>,
    /// Every attempt, oldest first.
    pub attempts: Vec<Attempted>,
}

/// An attempt to deliver.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Attempted {
    /// When it ended.
    pub attempted_at: DateTime<Utc>,
    /// What the endpoint answered; null where no answer came.
    pub status_code: Option<i32>,
    /// How long it took.
    pub duration_ms: i32,
    /// Why it failed; null where it succeeded.
    pub error: Option<String>,
}

/// Where a delivery stands in its list.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct DeliveryPlace {
    /// When it was told.
    pub created_at: DateTime<Utc>,
    /// Its id.
    pub delivery_id: Uuid,
}

/// The deliveries. Clones are the same.
#[derive(Clone)]
pub struct Deliveries {
    pool: Pool,
}

impl Deliveries {
    /// Those in the pool's schema.
    #[must_use]
    pub const fn new(pool: Pool) -> Self {
        Self { pool }
    }

    /// Deliveries to an endpoint, newest first, after that place; at most so many.
    ///
    /// # Errors
    /// [`WebhookError`].
    pub async fn page(
        &self,
        endpoint: WebhookEndpointId,
        after: Option<DeliveryPlace>,
        most: i64,
    ) -> Result<Vec<Delivery>, WebhookError> {
        let client = self.pool.get().await?;
        let statement = client.prepare_cached(include_str!("sql/page.sql")).await?;
        let (at, id) = after.map(|place| (place.created_at, place.delivery_id)).unzip();
        client
            .query(&statement, &[&endpoint.as_uuid(), &None::<Uuid>, &at, &id, &most])
            .await?
            .iter()
            .map(from_row)
            .collect()
    }

    /// One delivery to an endpoint.
    ///
    /// # Errors
    /// [`WebhookError`].
    pub async fn by_id(
        &self,
        endpoint: WebhookEndpointId,
        delivery: WebhookDeliveryId,
    ) -> Result<Option<Delivery>, WebhookError> {
        let client = self.pool.get().await?;
        let statement = client.prepare_cached(include_str!("sql/page.sql")).await?;
        let (at, id) = (None::<DateTime<Utc>>, None::<Uuid>);
        let one = Some(delivery.as_uuid());
        let row = client.query_opt(&statement, &[&endpoint.as_uuid(), &one, &at, &id, &1_i64]).await?;
        row.as_ref().map(from_row).transpose()
    }

    /// Has a delivery sent again from the beginning, whatever became of it. One that is being sent just now is left alone.
    /// False if there is none.
    ///
    /// # Errors
    /// [`WebhookError`].
    pub async fn again(&self, endpoint: WebhookEndpointId, delivery: WebhookDeliveryId) -> Result<bool, WebhookError> {
        let client = self.pool.get().await?;
        let statement = client.prepare_cached(include_str!("sql/again.sql")).await?;
        Ok(client.execute(&statement, &[&endpoint.as_uuid(), &delivery.as_uuid()]).await? > 0)
    }

    /// Takes away what is over for a month.
    ///
    /// # Errors
    /// [`WebhookError`].
    pub async fn purge(&self) -> Result<(), WebhookError> {
        let client = self.pool.get().await?;
        for table in [
            "webhook_delivery WHERE completed_at",
            "notification_delivery WHERE completed_at",
            "notification WHERE created_at",
            "dead_webhook WHERE received_at",
            "tracking_dead_letter WHERE received_at",
        ] {
            let delete = format!("DELETE FROM {table} < clock_timestamp() - make_interval(days => $1)");
            client.execute(&delete, &[&KEPT_DAYS]).await?;
        }
        Ok(())
    }
}

fn from_row(row: &Row) -> Result<Delivery, WebhookError> {
    let state: String = row.try_get("state")?;
    let next_at: DateTime<Utc> = row.try_get("next_at")?;
    let Json(attempts) = row.try_get::<_, Json<Vec<Attempted>>>("tried")?;
    let body: String = row.try_get("body")?;
    Ok(Delivery {
        delivery_id: WebhookDeliveryId::from_uuid(row.try_get("delivery_id")?),
        endpoint_id: WebhookEndpointId::from_uuid(row.try_get("endpoint_id")?),
        notification_id: NotificationId::from_uuid(row.try_get("notification_id")?),
        notification_type: row.try_get("type")?,
        order_id: OrderId::from_uuid(row.try_get("order_id")?),
        next_attempt_at: (state == "PENDING").then_some(next_at),
        state,
        created_at: row.try_get("created_at")?,
        completed_at: row.try_get("completed_at")?,
        body: RawValue::from_string(body).unwrap_or_else(|_| RawValue::NULL.to_owned()),
        attempts,
    })
}
