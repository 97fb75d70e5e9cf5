//! Where webhooks go: `webhook_endpoint`. Secrets are sealed in it and leave this module only to sign.

use super::WebhookError;
use chrono::{DateTime, Utc};
use pg::Pool;
use service::sealing::{Sealed, SealedTables, Sealer};
use shared_events::WebhookEndpointId;
use std::sync::Arc;
use tokio_postgres::Row;
use uuid::Uuid;
use web::standard_webhooks::WebhookSecret;

const COLUMNS: &str =
    "endpoint_id, url, events, enabled, disabled_reason, failing_since, version, created_at, updated_at";

/// Every row that is sealed here: how it is found, and how it is sealed anew.
pub const SEALED: SealedTables = SealedTables {
    local_key: "keys.local_encryption_key",
    rows: &[(
        "SELECT endpoint_id::text, sealed_secret, nonce, sealed_with FROM webhook_endpoint WHERE sealed_with = $1",
        "UPDATE webhook_endpoint SET sealed_secret = $2, nonce = $3, sealed_with = $4 WHERE endpoint_id::text = $1",
    )],
    sealed_with_others: &[
        "SELECT 'the secret of webhook endpoint ' || endpoint_id, sealed_with FROM webhook_endpoint WHERE sealed_with <> $1 LIMIT 1",
    ],
};

/// An endpoint, without its secret.
#[derive(Debug, Clone, PartialEq)]
pub struct Endpoint {
    /// Its id.
    pub endpoint_id: WebhookEndpointId,
    /// Where it is.
    pub url: String,
    /// The types it is told of; `*` is all.
    pub events: Vec<String>,
    /// Whether it is told of anything.
    pub enabled: bool,
    /// Why it is not, where that was not somebody's wish.
    pub disabled_reason: Option<String>,
    /// Since when nothing succeeded.
    pub failing_since: Option<DateTime<Utc>>,
    /// How often it was changed, from 1.
    pub version: i32,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was changed.
    pub updated_at: DateTime<Utc>,
}

/// What is to be changed; what is absent stays.
#[derive(Debug, Clone, Default)]
pub struct EndpointChange {
    /// Where it is.
    pub url: Option<String>,
    /// The types it is told of.
    pub events: Option<Vec<String>>,
    /// Whether it is told of anything.
    pub enabled: Option<bool>,
}

/// The endpoints of the shop. Clones are the same.
#[derive(Clone)]
pub struct Endpoints {
    pool: Pool,
    sealer: Arc<Sealer>,
}

impl Endpoints {
    /// Those in the pool's schema, with their secrets under that seal.
    #[must_use]
    pub fn new(pool: Pool, sealer: Arc<Sealer>) -> Self {
        Self { pool, sealer }
    }

    /// Makes an endpoint with a new secret, which is told this once.
    ///
    /// # Errors
    /// [`WebhookError`].
    pub async fn create(&self, url: &str, events: &[String]) -> Result<(Endpoint, WebhookSecret), WebhookError> {
        let (id, secret) = (WebhookEndpointId::generate(), WebhookSecret::generate());
        let Sealed { ciphertext, nonce, sealed_with } = self.sealer.seal(&id.as_uuid().to_string(), secret.expose())?;
        let insert = format!(
            "INSERT INTO webhook_endpoint (endpoint_id, url, events, sealed_secret, nonce, sealed_with)
             VALUES ($1, $2, $3, $4, $5, $6) RETURNING {COLUMNS}"
        );
        let client = self.pool.get().await?;
        let statement = client.prepare_cached(&insert).await?;
        let row =
            client.query_one(&statement, &[&id.as_uuid(), &url, &events, &ciphertext, &nonce, &sealed_with]).await?;
        Ok((from_row(&row)?, secret))
    }

    /// The endpoint with this id.
    ///
    /// # Errors
    /// [`WebhookError`].
    pub async fn by_id(&self, id: WebhookEndpointId) -> Result<Option<Endpoint>, WebhookError> {
        let client = self.pool.get().await?;
        let select = format!("SELECT {COLUMNS} FROM webhook_endpoint WHERE endpoint_id = $1");
        let statement = client.prepare_cached(&select).await?;
        client.query_opt(&statement, &[&id.as_uuid()]).await?.as_ref().map(from_row).transpose()
    }

    /// Endpoints in the order in which they were made, after that one; at most so many.
    ///
    /// # Errors
    /// [`WebhookError`].
    pub async fn page(&self, after: Option<WebhookEndpointId>, most: i64) -> Result<Vec<Endpoint>, WebhookError> {
        let client = self.pool.get().await?;
        let select = format!(
            "SELECT {COLUMNS} FROM webhook_endpoint WHERE $1::uuid IS NULL OR endpoint_id > $1 ORDER BY endpoint_id LIMIT $2"
        );
        let statement = client.prepare_cached(&select).await?;
        let after = after.map(|id| id.as_uuid());
        client.query(&statement, &[&after, &most]).await?.iter().map(from_row).collect()
    }

    /// Changes an endpoint. One that is enabled again begins without the failures of before.
    ///
    /// # Errors
    /// [`WebhookError`].
    pub async fn change(
        &self,
        id: WebhookEndpointId,
        change: &EndpointChange,
    ) -> Result<Option<Endpoint>, WebhookError> {
        let client = self.pool.get().await?;
        let update = format!("{} RETURNING {COLUMNS}", include_str!("sql/change_endpoint.sql"));
        let statement = client.prepare_cached(&update).await?;
        let EndpointChange { url, events, enabled } = change;
        client.query_opt(&statement, &[&id.as_uuid(), url, events, enabled]).await?.as_ref().map(from_row).transpose()
    }

    /// Takes an endpoint away with everything that was to be, or was, sent to it. False if there is none.
    ///
    /// # Errors
    /// [`WebhookError`].
    pub async fn delete(&self, id: WebhookEndpointId) -> Result<bool, WebhookError> {
        let client = self.pool.get().await?;
        let statement = client.prepare_cached("DELETE FROM webhook_endpoint WHERE endpoint_id = $1").await?;
        Ok(client.execute(&statement, &[&id.as_uuid()]).await? > 0)
    }

    /// Opens a stored secret.
    pub(super) fn open(&self, endpoint_id: Uuid, sealed: &Sealed) -> Result<WebhookSecret, WebhookError> {
        let Sealed { ciphertext, nonce, sealed_with } = sealed;
        let opened = self.sealer.open_sealed(&endpoint_id.to_string(), ciphertext, nonce, sealed_with)?;
        Ok(WebhookSecret::from_bytes(&opened)?)
    }
}

fn from_row(row: &Row) -> Result<Endpoint, WebhookError> {
    Ok(Endpoint {
        endpoint_id: WebhookEndpointId::from_uuid(row.try_get(0)?),
        url: row.try_get(1)?,
        events: row.try_get(2)?,
        enabled: row.try_get(3)?,
        disabled_reason: row.try_get(4)?,
        failing_since: row.try_get(5)?,
        version: row.try_get(6)?,
        created_at: row.try_get(7)?,
        updated_at: row.try_get(8)?,
    })
}
