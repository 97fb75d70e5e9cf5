//! The audit: who did what to whom, appended in the transaction that does it. Rows are never changed.

use crate::store::{self, StoreError};
use pg::deadpool_postgres::GenericClient;

/// One thing that happened.
#[derive(Debug, Clone, Default)]
pub struct Entry<'a> {
    /// What, in SCREAMING_SNAKE and the past tense.
    pub action: &'static str,
    /// Who: a `usr_` or `cli_` id, `internal`, `cli`.
    pub actor: Option<&'a str>,
    /// To what: an id.
    pub subject: Option<&'a str>,
    /// From where.
    pub address: Option<&'a str>,
    /// Anything else worth knowing; never a secret.
    pub detail: Option<&'a str>,
}

impl<'a> Entry<'a> {
    /// What somebody known did.
    #[must_use]
    pub fn by(actor: &'a str, action: &'static str) -> Self {
        Self { action, actor: Some(actor), ..Self::default() }
    }

    /// Names what it was done to.
    #[must_use]
    pub const fn on(mut self, subject: &'a str) -> Self {
        self.subject = Some(subject);
        self
    }

    /// Names where it came from.
    #[must_use]
    pub const fn at_address(mut self, address: Option<&'a str>) -> Self {
        self.address = address;
        self
    }

    /// Adds a detail.
    #[must_use]
    pub const fn with(mut self, detail: &'a str) -> Self {
        self.detail = Some(detail);
        self
    }
}

/// Appends an entry.
///
/// # Errors
/// [`StoreError`], which must undo what was to be audited.
pub async fn record(client: &impl GenericClient, entry: &Entry<'_>) -> Result<(), StoreError> {
    let insert = "INSERT INTO audit_events (action, actor, subject, address, detail) VALUES ($1, $2, $3, $4, $5)";
    store::execute(client, insert, &[&entry.action, &entry.actor, &entry.subject, &entry.address, &entry.detail])
        .await
        .map(|_| ())
}
