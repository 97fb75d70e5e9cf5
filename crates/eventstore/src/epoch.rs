//! The epoch of a log: one history of it. A restore or a promotion begins another one; readers notice by the epoch, so
//! it has to change before anything is appended there. Every connection that appends compares the server's history with
//! the stored one, once (`keep_epoch` in the migrations).

use crate::{EventLog, LogError};
use tokio_postgres::{Client, Error};
use uuid::Uuid;

/// To be run on a connection before it appends.
pub(crate) const KEEP: &str = "select keep_epoch()";
const IS_KNOWN: &str = "select history_of_log() is not null";
const RENEW: &str = "update log_meta set epoch = gen_random_uuid() returning epoch";

/// Gives the log a new epoch if the server has another history than the log's.
pub(crate) async fn keep(client: &Client, log: &str) -> Result<(), Error> {
    if let Some(epoch) = client.query_one(KEEP, &[]).await?.get::<_, Option<Uuid>>(0) {
        tracing::warn!(log, %epoch, "the log was restored or its server promoted: it has a new epoch");
    }
    Ok(())
}

/// Says so where the server does not tell its history.
pub(crate) async fn warn_if_unknown(client: &Client, log: &str) -> Result<(), Error> {
    if !client.query_one(IS_KNOWN, &[]).await?.get::<_, bool>(0) {
        tracing::warn!(
            log,
            "the server does not tell its history; after a restore or a promotion the epoch has to be renewed by hand"
        );
    }
    Ok(())
}

impl EventLog {
    /// Gives the log a new epoch: after a restore or promotion that the server does not tell of, such as one from a
    /// copy of its files. Readers then compare what they have seen with what is there.
    ///
    /// # Errors
    /// [`LogError`].
    pub async fn renew_epoch(&self) -> Result<Uuid, LogError> {
        let client = self.pool().get().await.map_err(LogError::Connection)?;
        Ok(client.query_one(RENEW, &[]).await.map_err(LogError::Statement)?.get(0))
    }
}
