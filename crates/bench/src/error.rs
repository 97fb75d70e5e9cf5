//! Why a figure could not be measured. A missed limit is no error.

use std::path::PathBuf;

/// What stopped a run.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// The embedded Postgres did not start or stop.
    #[error("the Postgres of the benchmark could not be run")]
    Embedded(#[from] pg::embedded::EmbeddedError),
    /// No pool, or a migration failed.
    #[error("the database of the benchmark could not be prepared")]
    Database(#[from] pg::PgError),
    /// No connection.
    #[error("no connection to the database")]
    Connection(#[from] deadpool_postgres::PoolError),
    /// A statement failed.
    #[error("a statement of the benchmark failed")]
    Statement(#[from] tokio_postgres::Error),
    /// The log could not be opened.
    #[error("the log could not be opened")]
    Log(#[from] eventstore::LogError),
    /// The log refused an append.
    #[error("the log refused an append")]
    Append(#[from] eventstore::AppendError),
    /// A file of the run.
    #[error("cannot {action} {}", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// A connection to the system broke, or could not be had.
    #[error("the system does not answer")]
    Http(#[source] std::io::Error),
    /// Ctrl-C.
    #[error("interrupted; what was started is ended")]
    Interrupted,
    /// Something that was started did not do what it has to.
    #[error("{0}")]
    Unexpected(String),
}

impl BenchError {
    /// For a file that could not be read, written, made or removed.
    pub(crate) fn file(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { action, path, source }
    }
}
