//! Webhooks with a good signature that no order could take: kept with the reason, for a person to look at.

use pg::{PgError, Pool};

/// Keeps them. Cheap to clone.
#[derive(Clone)]
pub struct DeadLetters {
    /// Where they are kept.
    pub pool: Pool,
}

impl DeadLetters {
    /// Keeps one, once for its id.
    ///
    /// # Errors
    /// [`PgError`] when the database is away.
    pub async fn keep(&self, provider: &str, webhook_id: &str, reason: &str, body: &[u8]) -> Result<(), PgError> {
        tracing::warn!(provider, webhook.id = webhook_id, reason, "a webhook could not be applied and is kept");
        let client = self.pool.get().await?;
        let keep = "INSERT INTO dead_webhook (provider, webhook_id, reason, body) VALUES ($1, $2, $3, $4)
                    ON CONFLICT DO NOTHING";
        client
            .execute(keep, &[&provider, &webhook_id, &reason, &body])
            .await
            .map_err(|source| PgError::Statement { action: "keep a webhook that could not be applied", source })?;
        Ok(())
    }
}
