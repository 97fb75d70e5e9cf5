//! What a handler says when it could not handle an event: whether trying again can help.

use crate::FeedError;
use eventstore::{AppendError, ReadError};
use pg::{PgError, deadpool_postgres::PoolError, sqlstate, tokio_postgres::error::SqlState};
use shared_events::PayloadError;
use std::error::Error;

type Cause = Box<dyn Error + Send + Sync>;

/// Why an event was not handled.
#[derive(Debug, thiserror::Error)]
pub enum HandleError {
    /// The event itself is at fault: the same event will always fail, so its stream is parked.
    #[error("the event cannot be handled")]
    Poison(#[source] Cause),
    /// Something around it is at fault: tried again until it works.
    #[error("the event cannot be handled now")]
    Retry(#[source] Cause),
}

impl HandleError {
    /// A fault of the event.
    pub fn poison(cause: impl Into<Cause>) -> Self {
        Self::Poison(cause.into())
    }

    /// A fault that passes.
    pub fn retry(cause: impl Into<Cause>) -> Self {
        Self::Retry(cause.into())
    }

    /// The error and its causes in one line, as it is logged and stored with a parked stream.
    #[must_use]
    pub fn chain(&self) -> String {
        let (Self::Poison(cause) | Self::Retry(cause)) = self;
        chain(cause.as_ref())
    }
}

/// An error and its causes in one line.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

impl From<pg::tokio_postgres::Error> for HandleError {
    fn from(error: pg::tokio_postgres::Error) -> Self {
        // Interrupted from outside: a cancelled statement, a lock that was not had in time, a frozen transaction.
        const INTERRUPTED: [SqlState; 3] =
            [SqlState::QUERY_CANCELED, SqlState::LOCK_NOT_AVAILABLE, SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT];
        let interrupted = error.code().is_some_and(|code| INTERRUPTED.contains(code));
        if interrupted || sqlstate::classify(&error).is_transient() { Self::retry(error) } else { Self::poison(error) }
    }
}

impl From<PgError> for HandleError {
    fn from(error: PgError) -> Self {
        if pg::is_unavailable(&error) { Self::retry(error) } else { Self::poison(error) }
    }
}

impl From<PoolError> for HandleError {
    fn from(error: PoolError) -> Self {
        Self::retry(error)
    }
}

impl From<FeedError> for HandleError {
    fn from(error: FeedError) -> Self {
        Self::retry(error)
    }
}

impl From<ReadError> for HandleError {
    fn from(error: ReadError) -> Self {
        if error.is_unavailable() { Self::retry(error) } else { Self::poison(error) }
    }
}

impl From<AppendError> for HandleError {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::TooLarge { .. } | AppendError::Invalid(_) | AppendError::Refused(_) => Self::poison(error),
            AppendError::Conflict { .. }
            | AppendError::ClaimLost
            | AppendError::Overloaded
            | AppendError::Unavailable
            | AppendError::Unknown => Self::retry(error),
        }
    }
}

impl From<serde_json::Error> for HandleError {
    fn from(error: serde_json::Error) -> Self {
        Self::poison(error)
    }
}

impl From<PayloadError> for HandleError {
    fn from(error: PayloadError) -> Self {
        Self::poison(error)
    }
}
