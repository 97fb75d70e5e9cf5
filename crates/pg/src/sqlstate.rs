//! Sorts driver errors into the few classes that callers treat differently.

use std::error::Error as _;
use std::io;

use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

/// What a failed statement means for its caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SqlClass {
    /// A unique key or exclusion constraint was violated.
    UniqueViolation {
        /// The constraint's name.
        constraint: String,
    },
    /// A check constraint was violated.
    CheckViolation {
        /// The constraint's name.
        constraint: String,
    },
    /// A foreign key was violated.
    ForeignKeyViolation {
        /// The constraint's name.
        constraint: String,
    },
    /// A deadlock or serialization failure: the transaction may be run again as it is.
    Serialization,
    /// The connection broke; what was in flight may or may not have happened.
    ConnectionLost,
    /// The server is shutting down, starting or recovering.
    AdminShutdown,
    /// The server has no connection, memory or disk left.
    TooManyConnections,
    /// Anything else: a fault in the statement or its data.
    Other,
}

impl SqlClass {
    /// Whether the same transaction may succeed if it is simply run again.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Serialization | Self::ConnectionLost | Self::AdminShutdown | Self::TooManyConnections)
    }
}

/// The class of a driver error.
pub fn classify(error: &Error) -> SqlClass {
    let Some(db_error) = error.as_db_error() else {
        return if is_transport_failure(error) { SqlClass::ConnectionLost } else { SqlClass::Other };
    };
    let constraint = || db_error.constraint().unwrap_or_default().to_owned();
    let code = db_error.code();
    match *code {
        SqlState::UNIQUE_VIOLATION | SqlState::EXCLUSION_VIOLATION => {
            SqlClass::UniqueViolation { constraint: constraint() }
        }
        SqlState::CHECK_VIOLATION => SqlClass::CheckViolation { constraint: constraint() },
        SqlState::FOREIGN_KEY_VIOLATION => SqlClass::ForeignKeyViolation { constraint: constraint() },
        SqlState::T_R_SERIALIZATION_FAILURE | SqlState::T_R_DEADLOCK_DETECTED => SqlClass::Serialization,
        SqlState::ADMIN_SHUTDOWN
        | SqlState::CRASH_SHUTDOWN
        | SqlState::CANNOT_CONNECT_NOW
        | SqlState::DATABASE_DROPPED
        | SqlState::READ_ONLY_SQL_TRANSACTION => SqlClass::AdminShutdown,
        SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT => SqlClass::ConnectionLost,
        _ if code.code().starts_with("08") => SqlClass::ConnectionLost,
        _ if code.code().starts_with("53") => SqlClass::TooManyConnections,
        _ => SqlClass::Other,
    }
}

/// The driver names these kinds only by their text; only a refused, broken or timed-out connection carries an I/O error
/// of these kinds.
fn is_transport_failure(error: &Error) -> bool {
    if error.is_closed() {
        return true;
    }
    let text = error.to_string();
    if text.starts_with("timeout waiting for server") || text.starts_with("error connecting to server") {
        return true;
    }
    text.starts_with("error communicating with the server")
        || error.source().and_then(|cause| cause.downcast_ref::<io::Error>()).is_some_and(|cause| {
            matches!(
                cause.kind(),
                io::ErrorKind::ConnectionRefused
                    | io::ErrorKind::ConnectionReset
                    | io::ErrorKind::ConnectionAborted
                    | io::ErrorKind::BrokenPipe
                    | io::ErrorKind::NotConnected
                    | io::ErrorKind::UnexpectedEof
                    | io::ErrorKind::TimedOut
            )
        })
}
