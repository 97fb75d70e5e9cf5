//! Why a service did not start, and how an inner failure is shown to a caller: generic, with the cause in the log.

use crate::SettingError;
use std::error::Error;
use web::Problem;

type BoxError = Box<dyn Error + Send + Sync>;

/// Why a service did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting is wrong.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// The database is away, too old, not durable, or its migrations fail.
    #[error(transparent)]
    Database(#[from] pg::PgError),
    /// The log could not be opened.
    #[error(transparent)]
    Log(#[from] eventstore::LogError),
    /// The idempotency keys could not be opened.
    #[error(transparent)]
    Claims(#[from] eventstore::ClaimError),
    /// Something else, named.
    #[error("{step} failed")]
    Step {
        /// What was being done.
        step: &'static str,
        /// Why it failed.
        #[source]
        source: BoxError,
    },
}

impl StartError {
    /// A step that failed: `.map_err(|error| StartError::step("opening the index", error))`.
    pub fn step(step: &'static str, source: impl Into<BoxError>) -> Self {
        Self::Step { step, source: source.into() }
    }

    /// The error with all its causes, in one line.
    #[must_use]
    pub fn chain(&self) -> String {
        chain(self)
    }
}

/// An error with all its causes, in one line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

/// The problem for a failure inside: 503 where the database is merely away, else 500. The causes go to the log, once;
/// the caller reads nothing of them.
#[must_use]
pub fn problem_of(error: &(dyn Error + 'static)) -> Problem {
    unavailable_or_internal(error, pg::is_unavailable(error))
}

/// The same where the error itself knows whether its cause is merely away.
#[must_use]
pub fn unavailable_or_internal(error: &(dyn Error + 'static), unavailable: bool) -> Problem {
    if unavailable {
        tracing::warn!(error = chain(error), "a request could not be served for now");
        return Problem::unavailable("the service's database does not answer right now");
    }
    tracing::error!(error = chain(error), "a request failed");
    Problem::internal_error("something went wrong here; it has been logged under this trace")
}
