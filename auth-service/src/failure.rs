//! What can end a JSON request, and the one match that makes a problem of it. Causes go to the log, once, and never to
//! the caller.

use crate::keys::KeyError;
use crate::password::HashError;
use crate::rate_limit::RateLimited;
use crate::store::StoreError;
use axum::response::{IntoResponse, Response};
use web::Problem;

/// Why a request is not answered with what it asked for.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// It is the caller's: said in full.
    #[error("the request is refused")]
    Problem(#[from] Problem),
    /// The tables did not answer.
    #[error("the tables did not answer")]
    Store(#[from] StoreError),
    /// A token could not be signed.
    #[error("the token could not be signed")]
    Key(#[from] KeyError),
    /// A password could not be hashed or checked.
    #[error("the password could not be hashed")]
    Hash(#[from] HashError),
    /// Too many attempts.
    #[error("too many attempts")]
    RateLimited(#[from] RateLimited),
}

impl From<pg::deadpool_postgres::PoolError> for Failure {
    fn from(error: pg::deadpool_postgres::PoolError) -> Self {
        Self::Store(error.into())
    }
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Store(error.into())
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Problem(problem) => problem,
            Failure::RateLimited(limited) => Self::rate_limited("too many attempts; wait before the next one")
                .with_retry_after(limited.retry_after_seconds),
            Failure::Hash(HashError::Overloaded) => {
                Self::overloaded("too many logins at once; try again in a moment").with_retry_after(1)
            }
            Failure::Store(ref error) | Failure::Key(KeyError::Store(ref error)) if error.is_unavailable() => {
                tracing::warn!(error = &failure as &dyn std::error::Error, "a request met a database that is away");
                Self::unavailable("the database is not available; try again in a moment")
            }
            Failure::Store(_) | Failure::Key(_) | Failure::Hash(HashError::Failed(_) | HashError::Lost(_)) => {
                tracing::error!(error = &failure as &dyn std::error::Error, "a request failed");
                Self::internal_error("something went wrong here; it has been logged")
            }
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        Problem::from(self).into_response()
    }
}

/// Why the service does not start.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The schema can't be reached or migrated.
    #[error("the schema of auth-service is not available")]
    Database(#[from] pg::PgError),
    /// The signing keys can't be opened or made.
    #[error("the signing keys are not available")]
    Keys(#[from] KeyError),
    /// argon2 does not work here.
    #[error("passwords can't be hashed here")]
    Hasher(#[from] HashError),
}
