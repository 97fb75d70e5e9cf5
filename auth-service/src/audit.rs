//! The audit: who did what to whom, appended in the transaction that does it. Rows are never changed.

use crate::store::{self, StoreError};
use chrono::{DateTime, Utc};
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

/// One thing that happened, as it was recorded.
#[derive(Debug)]
pub(crate) struct Recorded {
    pub(crate) id: i64,
    pub(crate) recorded_at: DateTime<Utc>,
    pub(crate) action: String,
    pub(crate) actor: Option<String>,
    pub(crate) subject: Option<String>,
    pub(crate) address: Option<String>,
    pub(crate) detail: Option<String>,
}

/// Which entries are wanted; what is `None` matches all.
#[derive(Debug)]
pub(crate) struct Wanted<'a> {
    pub(crate) actor: Option<&'a str>,
    pub(crate) subject: Option<&'a str>,
    pub(crate) action: Option<&'a str>,
    /// Entries older than the one of that id.
    pub(crate) before: Option<i64>,
}

/// The entries that match, newest first; at most `limit`.
pub(crate) async fn list(
    client: &impl GenericClient,
    wanted: &Wanted<'_>,
    limit: i64,
) -> Result<Vec<Recorded>, StoreError> {
    let select = include_str!("sql/list_audit_events.sql");
    let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 5] =
        [&wanted.actor, &wanted.subject, &wanted.action, &wanted.before, &limit];
    let rows = store::query(client, select, &parameters).await?;
    rows.iter()
        .map(|row| {
            Ok(Recorded {
                id: row.try_get("id")?,
                recorded_at: row.try_get("recorded_at")?,
                action: row.try_get("action")?,
                actor: row.try_get("actor")?,
                subject: row.try_get("subject")?,
                address: row.try_get("address")?,
                detail: row.try_get("detail")?,
            })
        })
        .collect()
}
