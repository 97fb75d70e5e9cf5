//! Why a read could not be answered, and the one place that says what the caller is told.

use pg::tokio_postgres;
use web::Problem;

/// A read that failed.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// No connection could be had.
    #[error("no database connection could be had")]
    Checkout(#[from] pg::deadpool_postgres::PoolError),
    /// A statement failed.
    #[error("a read of {table} failed")]
    Statement {
        /// What was read.
        table: &'static str,
        /// Why it failed.
        #[source]
        source: tokio_postgres::Error,
    },
    /// The feed could not be read.
    #[error("the feed of {log} could not be read")]
    Feed {
        /// Which log.
        log: &'static str,
        /// Why it failed.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The keys of personal fields could not be had.
    #[error("the keys of personal fields could not be had")]
    Keys(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Whether a stream is parked could not be told.
    #[error("whether a stream is parked could not be told")]
    Parking(#[source] pg::PgError),
    /// A stored event cannot be read.
    #[error("a stored event cannot be read")]
    Payload(#[from] shared_events::PayloadError),
    /// Another service did not answer.
    #[error("{service} did not answer")]
    Peer {
        /// Which service.
        service: &'static str,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// What was written is not projected in time.
    #[error("`{stream}` is not at the wanted version yet")]
    BehindWrites {
        /// A stream that lags.
        stream: String,
    },
    /// A stream waits for a person, so the version will not come by itself.
    #[error("`{stream}` is parked")]
    Parked {
        /// The stream.
        stream: String,
    },
    /// Several callers waited for the same load, which failed.
    #[error("a shared load failed: {0}")]
    Shared(std::sync::Arc<ReadError>),
}

impl ReadError {
    /// For `map_err`: a statement on that table failed.
    pub(crate) fn statement(table: &'static str) -> impl FnOnce(tokio_postgres::Error) -> Self {
        move |source| Self::Statement { table, source }
    }

    /// Whether a part of the system is away, so that the same read may succeed later.
    fn is_unavailable(&self) -> bool {
        match self {
            Self::Checkout(_) | Self::Feed { .. } | Self::Keys(_) | Self::Peer { .. } => true,
            Self::Statement { source, .. } => pg::is_unavailable(source),
            Self::Parking(source) => pg::is_unavailable(source),
            Self::Shared(error) => error.is_unavailable(),
            Self::Payload(_) | Self::BehindWrites { .. } | Self::Parked { .. } => false,
        }
    }
}

impl From<ReadError> for Problem {
    fn from(error: ReadError) -> Self {
        match &error {
            ReadError::BehindWrites { stream } => {
                Self::read_timeout(format!("`{stream}` was not at the version of OMS-Consistency within 5 seconds"))
            }
            ReadError::Parked { stream } => {
                Self::read_timeout(format!("`{stream}` is set aside until someone has looked at it"))
            }
            _ if error.is_unavailable() => {
                tracing::warn!(error = &error as &dyn std::error::Error, "a read failed, something is away");
                Self::unavailable("a part of the system that this read needs is away; try again in a moment")
            }
            _ => {
                tracing::error!(error = &error as &dyn std::error::Error, "a read failed");
                Self::internal_error("the read failed; it was logged with this trace id")
            }
        }
    }
}
