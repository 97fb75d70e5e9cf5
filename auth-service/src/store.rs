//! What can go wrong between this service and its tables.

use std::error::Error as StdError;

/// A statement that could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No connection could be had.
    #[error("no database connection could be had")]
    Checkout(#[from] pg::deadpool_postgres::PoolError),
    /// The statement failed.
    #[error("a statement failed")]
    Statement(#[from] tokio_postgres::Error),
    /// A row holds what no version of this service writes.
    #[error("a stored {what} can't be read")]
    Unreadable {
        /// What kind of value it is.
        what: &'static str,
    },
}

impl StoreError {
    /// Whether the database is merely away, so that trying later makes sense.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        let error: &(dyn StdError + 'static) = self;
        pg::is_unavailable(error)
    }

    /// The unique key that was violated, if that is what happened.
    #[must_use]
    pub fn violated_key(&self) -> Option<String> {
        match self {
            Self::Statement(error) => match pg::sqlstate::classify(error) {
                pg::sqlstate::SqlClass::UniqueViolation { constraint } => Some(constraint),
                _ => None,
            },
            Self::Checkout(_) | Self::Unreadable { .. } => None,
        }
    }
}
