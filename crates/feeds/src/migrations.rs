//! The tables of checkpoints, parked streams and timers. They are the same in every schema that has readers.

use pg::refinery::{Error, Migration, Runner};
use pg::{PgError, Pool};

/// Where a schema notes which of these migrations it has.
pub const HISTORY_TABLE: &str = "feeds_schema_history";

/// The migrations, to be run with [`pg::migrate`] and [`HISTORY_TABLE`], or by [`migrate`].
///
/// # Errors
/// None in practice: the names are fixed and tested.
pub fn migrations() -> Result<Runner, Error> {
    Ok(Runner::new(&[Migration::unapplied("V1__feeds", include_str!("../migrations/V1__feeds.sql"))?]))
}

/// Brings the pool's schema up to date.
///
/// # Errors
/// If the database is away or holds other migrations under the same numbers.
pub async fn migrate(pool: &Pool) -> Result<(), PgError> {
    let runner = migrations()
        .map_err(|source| PgError::Migrate { history_table: HISTORY_TABLE.to_owned(), source: Box::new(source) })?;
    pg::migrate(pool, HISTORY_TABLE, runner).await
}
