//! The authorization server: users, clients, sessions, tokens, keys. It alone holds private keys and password hashes;
//! every other service verifies tokens by its public keys and follows its list of revocations. It knows nothing of
//! orders, and tells no log what happens here: that goes to its audit table.
//!
//! Endpoints stand one to a file under `oauth/`, `accounts/`, `admin/` and `internal`; the route table is `http.rs`.

mod access_token;
mod accounts;
mod admin;
mod app;
mod audit;
mod clients;
mod config;
mod directory;
mod email;
mod failure;
mod http;
mod internal;
mod keys;
mod limits;
mod oauth;
mod origin;
mod password;
mod profile;
mod rate_limit;
mod revocations;
mod secret;
mod sessions;
mod store;
mod users;

pub use access_token::{AUDIENCE, LIFETIME_SECONDS};
pub use clients::{ClientSpec, Grant};
pub use config::Config;
pub use directory::{ClientRules, Directory, DirectoryError, Ensured, Secrecy};
pub use failure::StartError;
pub use keys::{KeyEncryptionKey, KeyEncryptionKeyError};
pub use secret::Secret;
pub use sessions::FIRST_PARTY_CLIENT;
pub use users::Role;

use app::{App, SharedApp};
use pg::{Database, PgError, Pool};
use web::auth::Revocations;

/// The service's name.
pub const NAME: &str = "auth-service";

const SCHEMA: &str = "auth";
const OWNER: &str = "oms_auth";
const MIGRATION_HISTORY: &str = "auth_schema_history";

mod embedded {
    refinery::embed_migrations!("migrations");
}

/// The migrations of schema `auth`.
#[must_use]
pub fn migrations() -> refinery::Runner {
    embedded::migrations::runner()
}

/// The schema, owned and migrated, and a pool that works in it.
async fn open_schema(database: &Database) -> Result<Pool, PgError> {
    let separation = database.ensure_owner(OWNER, &[SCHEMA]).await?;
    let pool = database.pool(SCHEMA, separation.role()).await?;
    pg::migrate(&pool, MIGRATION_HISTORY, migrations()).await?;
    Ok(pool)
}

/// Opens the schema and the keys and puts the route table together, without anything around it.
/// What is revoked here is in `in_force` at once.
///
/// # Errors
/// [`StartError`] when the database or the keys are not available.
pub async fn open(database: &Database, config: Config, in_force: Revocations) -> Result<Opened, StartError> {
    let pool = open_schema(database).await?;
    let app = App::open(pool.clone(), config, in_force).await?;
    Ok(Opened { routes: http::routes(app), pool })
}

/// The service without anything around it.
#[derive(Debug)]
pub struct Opened {
    /// Its route table.
    pub routes: web::Routes<()>,
    /// Its pool, in its schema.
    pub pool: Pool,
}
