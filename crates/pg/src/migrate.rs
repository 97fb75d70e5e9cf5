//! Runs a set of migrations once, whichever of several instances starting together gets there first.

use deadpool_postgres::Object;
use refinery::Runner;

use crate::{PgError, Pool};

/// Applies what is missing of `runner`'s migrations in the pool's schema and records it in `history_table` there.
///
/// Instances are serialised by a session lock. The connection is taken out of the pool for good, so the lock ends with
/// it even if this future is dropped half-way.
pub async fn migrate(pool: &Pool, history_table: &str, mut runner: Runner) -> Result<(), PgError> {
    let mut client = Object::take(pool.get().await?);
    client
        .execute("SELECT pg_advisory_lock(hashtextextended(current_schema() || '.' || $1::text, 0))", &[&history_table])
        .await
        .map_err(PgError::statement("take the migration lock"))?;
    runner.set_migration_table_name(history_table);
    let report = runner
        .run_async(&mut *client)
        .await
        .map_err(|source| PgError::Migrate { history_table: history_table.to_owned(), source: Box::new(source) })?;
    for migration in report.applied_migrations() {
        tracing::info!(history_table, version = migration.version(), name = migration.name(), "migration applied");
    }
    client
        .execute("SELECT pg_advisory_unlock_all()", &[])
        .await
        .map_err(PgError::statement("release the migration lock"))?;
    Ok(())
}
