//! Why webhooks cannot be kept or read. What becomes of a delivery is no error: it is a row.

use service::{problem_of, sealing::SealError};
use web::{Problem, standard_webhooks::WebhookSecretError};

/// What can go wrong with the tables of webhooks.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// No connection could be had.
    #[error("no database connection could be had")]
    Checkout(#[from] pg::deadpool_postgres::PoolError),
    /// A statement failed.
    #[error("a statement failed")]
    Statement(#[from] tokio_postgres::Error),
    /// A secret does not open.
    #[error("the secret of a webhook does not open")]
    Seal(#[from] SealError),
    /// What was opened is no secret.
    #[error("the secret of a webhook is damaged")]
    Secret(#[from] WebhookSecretError),
}

impl From<WebhookError> for Problem {
    fn from(error: WebhookError) -> Self {
        problem_of(&error)
    }
}
