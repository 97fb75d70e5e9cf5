//! The bell of other processes: a connection that listens for the log's notifications. Without it their commits are
//! found by polling, a quarter of a second later.

use crate::error::chain;
use eventstore::EventLog;
use pg::{Database, Listener, PgError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const PAUSE: Duration = Duration::from_secs(1);

/// Wakes the log's readers in this process when another one commits to it, until `stop` is cancelled. `database` is the
/// one that the log is in.
pub async fn listen(log: EventLog, database: Database, stop: CancellationToken) {
    let listening = async {
        loop {
            if let Err(error) = ring(&log, &database).await {
                tracing::warn!(
                    log = log.name(),
                    error = chain(&error),
                    "nobody listens for commits of other processes"
                );
            }
            tokio::time::sleep(PAUSE).await;
        }
    };
    stop.run_until_cancelled(listening).await;
}

async fn ring(log: &EventLog, database: &Database) -> Result<(), PgError> {
    let mut listener = Listener::connect(database, &[&log.channel()]).await?;
    // For what was committed before anybody listened.
    log.wake();
    loop {
        let bell = listener.recv().await?;
        if !log.is_own_bell(bell.payload()) {
            log.wake();
        }
    }
}
