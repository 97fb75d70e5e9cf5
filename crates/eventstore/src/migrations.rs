//! The tables of a log and of the claims. They are the same in every schema that has a log.

use pg::refinery::{Error, Migration, Runner};
use pg::{PgError, Pool};

/// Where a schema notes which of these migrations it has.
pub const HISTORY_TABLE: &str = "eventstore_schema_history";

/// The migrations, to be run with [`pg::migrate`] and [`HISTORY_TABLE`] before a log is opened.
///
/// # Errors
/// None in practice: the names are fixed and tested.
pub fn migrations() -> Result<Runner, Error> {
    Ok(Runner::new(&[
        Migration::unapplied("V1__log", include_str!("../migrations/V1__log.sql"))?,
        Migration::unapplied("V2__idempotency", include_str!("../migrations/V2__idempotency.sql"))?,
        Migration::unapplied("V3__history", include_str!("../migrations/V3__history.sql"))?,
        Migration::unapplied("V4__claims_by_key", include_str!("../migrations/V4__claims_by_key.sql"))?,
    ]))
}

/// Brings the pool's schema up to date.
///
/// # Errors
/// [`PgError`] when the database is away or a migration fails.
pub async fn migrate(pool: &Pool) -> Result<(), PgError> {
    let runner = migrations()
        .map_err(|source| PgError::Migrate { history_table: HISTORY_TABLE.to_owned(), source: Box::new(source) })?;
    pg::migrate(pool, HISTORY_TABLE, runner).await
}
