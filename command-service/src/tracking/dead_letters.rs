//! Reports that cannot be used, as they came, with the reason: `tracking_dead_letter`.

use feeds::{HandleError, derived_command_id};
use pg::Pool;
use uuid::Uuid;

const KEEP: &str = "INSERT INTO tracking_dead_letter (dead_letter_id, source, body, reason) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";

/// Keeps a report; the same one again is kept once.
pub(super) async fn keep(pool: &Pool, source: &str, body: &[u8], reason: &str) -> Result<(), HandleError> {
    let id = Uuid::new_v5(&derived_command_id(Uuid::nil(), source), body);
    let reason = reason.replace('\0', "");
    let client = pool.get().await?;
    let statement = client.prepare_cached(KEEP).await?;
    client.execute(&statement, &[&id, &source, &body, &reason]).await?;
    Ok(())
}
