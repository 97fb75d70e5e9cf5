//! What the stores of rows have in common: how long they wait for the database, and what can go wrong with it.

use service::problem_of;
use std::time::Duration;
use tokio::time::error::Elapsed;
use web::Problem;

/// A statement that takes longer is given up, and its connection with it.
pub const PATIENCE: Duration = Duration::from_secs(4);

/// Why rows could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum RowsError {
    /// No connection to the database.
    #[error("no connection for the rows")]
    Pool(#[from] deadpool_postgres::PoolError),
    /// The database refused.
    #[error("the rows could not be read or written")]
    Database(#[from] tokio_postgres::Error),
    /// The database is silent.
    #[error("the rows did not come in time")]
    TimedOut(#[from] Elapsed),
    /// A row holds what this software does not know.
    #[error("a row cannot be understood")]
    Content(#[from] serde_json::Error),
}

impl From<RowsError> for Problem {
    fn from(error: RowsError) -> Self {
        problem_of(&error)
    }
}
