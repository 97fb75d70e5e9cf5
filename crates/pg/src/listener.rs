//! A connection that waits for NOTIFY. It needs no task of its own: whoever awaits [`Listener::recv`] drives it.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::task::Poll;

use tokio_postgres::{AsyncMessage, Client};

use crate::database::{Connection, quote_identifier};
use crate::{Database, PgError};

pub use tokio_postgres::Notification;

/// A connection of its own that listens on channels.
pub struct Listener {
    /// Kept because the connection closes when its client is dropped.
    _client: Client,
    connection: Connection,
    pending: VecDeque<Notification>,
}

impl Listener {
    /// Opens a connection and listens on every channel named; from the return on no notification is missed.
    pub async fn connect(database: &Database, channels: &[&str]) -> Result<Self, PgError> {
        let (client, mut connection) = database.open().await?;
        let statement: String =
            channels.iter().map(|channel| format!("LISTEN {};", quote_identifier(channel))).collect();
        let mut pending = VecDeque::new();
        {
            let mut listening = Box::pin(client.batch_execute(&statement));
            poll_fn(|context| {
                while let Poll::Ready(message) = connection.poll_message(context) {
                    match message {
                        Some(Ok(AsyncMessage::Notification(notification))) => pending.push_back(notification),
                        Some(Ok(_)) => {}
                        Some(Err(error)) => return Poll::Ready(Err(error)),
                        None => break,
                    }
                }
                listening.as_mut().poll(context)
            })
            .await
            .map_err(PgError::statement("listen"))?;
        }
        Ok(Self { _client: client, connection, pending })
    }

    /// Waits for the next notification. An error means that the connection is gone and a new listener is needed.
    /// May be dropped and called again without losing any.
    pub async fn recv(&mut self) -> Result<Notification, PgError> {
        if let Some(notification) = self.pending.pop_front() {
            return Ok(notification);
        }
        loop {
            match poll_fn(|context| self.connection.poll_message(context)).await {
                Some(Ok(AsyncMessage::Notification(notification))) => return Ok(notification),
                Some(Ok(_)) => {}
                Some(Err(source)) => return Err(PgError::Statement { action: "wait for a notification", source }),
                None => return Err(PgError::ListenerClosed),
            }
        }
    }
}
