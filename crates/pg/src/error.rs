//! What can go wrong with the database, and the one question callers ask about it: is it merely away?

use std::error::Error as StdError;
use std::io;

use deadpool_postgres::PoolError;
use tokio::time::error::Elapsed;
use tokio_postgres::Error as DriverError;

use crate::sqlstate::{SqlClass, classify};

/// An operation on the database that failed.
#[derive(Debug, thiserror::Error)]
pub enum PgError {
    /// The URL cannot be read.
    #[error("the database URL is not valid; expected one like postgres://user:password@127.0.0.1:5432/oms")]
    InvalidUrl(#[source] DriverError),
    /// No certificate authority to check a server's certificate against.
    #[error("TLS to the database cannot be set up: {0}")]
    Tls(String),
    /// The pool cannot be made from its settings.
    #[error("the connection pool cannot be built")]
    BuildPool(#[source] deadpool_postgres::BuildError),
    /// No connection could be opened.
    #[error("cannot connect to the database")]
    Connect(#[source] DriverError),
    /// No connection could be had from the pool.
    #[error("no database connection could be had")]
    Checkout(#[from] PoolError),
    /// A statement failed.
    #[error("cannot {action}")]
    Statement {
        /// What was being done, in the imperative.
        action: &'static str,
        /// Why it failed.
        #[source]
        source: DriverError,
    },
    /// A migration failed or does not fit what was applied before.
    #[error("the migrations of {history_table} cannot be applied")]
    Migrate {
        /// The table that records what was applied.
        history_table: String,
        /// Why it failed.
        #[source]
        source: Box<refinery::Error>,
    },
    /// The server would lose acknowledged writes.
    #[error("the server runs with {setting} = off and would lose acknowledged writes; set it to on")]
    NotDurable {
        /// The setting that is off.
        setting: &'static str,
    },
    /// The server is older than what is supported.
    #[error("the server is Postgres {found}; 14 or newer is needed")]
    TooOld {
        /// The server's version as it names it.
        found: String,
    },
    /// The connection that listened is gone.
    #[error("the listening connection was closed")]
    ListenerClosed,
}

impl PgError {
    pub(crate) fn statement(action: &'static str) -> impl FnOnce(DriverError) -> Self {
        move |source| Self::Statement { action, source }
    }
}

/// Whether an error, or one of its causes, says that the database is away, silent, full or restarting: worth another try later,
/// and never the caller's fault.
pub fn is_unavailable(error: &(dyn StdError + 'static)) -> bool {
    let mut current = Some(error);
    while let Some(cause) = current {
        if cause.is::<io::Error>()
            || cause.is::<Elapsed>()
            || matches!(cause.downcast_ref::<PgError>(), Some(PgError::ListenerClosed))
        {
            return true;
        }
        if let Some(PoolError::Timeout(_) | PoolError::Closed) = cause.downcast_ref::<PoolError>() {
            return true;
        }
        if let Some(driver) = cause.downcast_ref::<DriverError>() {
            let class = classify(driver);
            if matches!(class, SqlClass::ConnectionLost | SqlClass::AdminShutdown | SqlClass::TooManyConnections) {
                return true;
            }
        }
        current = cause.source();
    }
    false
}
