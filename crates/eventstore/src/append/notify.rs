//! Telling readers that something was committed: in this process at once, in others by NOTIFY on a connection of its
//! own. Never inside an append: Postgres lets only one transaction with a NOTIFY commit at a time.

use super::connection;
use crate::Spawner;
use pg::Pool;
use shared_events::EventId;
use std::{sync::Arc, time::Duration};
use tokio::{sync::watch, time::timeout};

/// Commits that happen within this time after a NOTIFY share the next one.
const COALESCE: Duration = Duration::from_millis(20);
const PATIENCE: Duration = Duration::from_secs(2);

/// The two bells of a log. Both only count; what is new is read from the log.
#[derive(Debug)]
pub(crate) struct Wake {
    /// What notifications of this log in this process carry, so that it need not be woken by its own.
    mark: String,
    /// Rung by every commit that this process knows of.
    readers: watch::Sender<u64>,
    /// Rung by the commits of this process.
    committed: watch::Sender<u64>,
}

impl Default for Wake {
    fn default() -> Self {
        let (readers, committed) = (watch::Sender::default(), watch::Sender::default());
        Self { mark: EventId::generate().to_string(), readers, committed }
    }
}

impl Wake {
    /// What this process's notifications carry.
    pub(crate) fn mark(&self) -> &str {
        &self.mark
    }

    /// A commit of this process.
    pub(crate) fn committed(&self) {
        self.heard();
        self.committed.send_modify(|count| *count += 1);
    }

    /// A commit of any process.
    pub(crate) fn heard(&self) {
        self.readers.send_modify(|count| *count += 1);
    }

    pub(crate) fn readers(&self) -> watch::Receiver<u64> {
        self.readers.subscribe()
    }

    fn commits(&self) -> watch::Receiver<u64> {
        self.committed.subscribe()
    }
}

/// Sends one NOTIFY for the commits since the last, until the log is closed. Errors only mean that the readers of
/// other processes find out by polling.
pub(crate) async fn run_notifier(pool: Pool, channel: String, wake: Arc<Wake>, spawner: Spawner) {
    let (mut commits, mark) = (wake.commits(), wake.mark().to_owned());
    drop(wake);
    let mut client = None;
    while let Some(Ok(())) = spawner.stop().run_until_cancelled(commits.changed()).await {
        let sent = timeout(PATIENCE, async {
            let (client, notify) = match &mut client {
                Some(connected) => connected,
                none => {
                    let client = connection::own(&pool).await?;
                    let notify = client.prepare("select pg_notify($1, $2)").await?;
                    none.insert((client, notify))
                }
            };
            client.query(&*notify, &[&channel, &mark]).await.map_err(connection::ConnectError::from)
        });
        if !matches!(sent.await, Ok(Ok(_))) {
            tracing::debug!(channel, "a notification could not be sent");
            client = None;
        }
        tokio::time::sleep(COALESCE).await;
    }
}
