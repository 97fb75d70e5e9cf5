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
mod browser;
mod clients;
mod codes;
mod config;
mod consents;
mod directory;
mod email;
mod failure;
mod http;
mod id_token;
mod internal;
mod keys;
mod letters;
mod limits;
mod oauth;
mod one_time_codes;
mod origin;
mod pages;
mod password;
mod profile;
mod rate_limit;
mod revocations;
mod roles;
mod secret;
mod sessions;
mod store;
mod users;

pub use access_token::{AUDIENCE, LIFETIME_SECONDS};
pub use clients::{ClientSpec, Grant};
pub use config::Config;
pub use directory::{ClientRules, Directory, DirectoryError, Ensured, Secrecy};
pub use failure::OpenError;
pub use keys::{KeyEncryptionKey, KeyEncryptionKeyError, KeyError, Keys};
pub use roles::{CustomRole, RoleChoice};
pub use secret::Secret;
pub use sessions::FIRST_PARTY_CLIENT;
pub use users::Role;

use app::{App, SharedApp};
use letters::Mailing;
use mail::Mailer;
use pg::{Database, PgError, Pool};
use service::{Deps, ReadyCheck, Service, StartError, Worker};
use std::sync::Arc;
use std::time::Duration;
use store::StoreError;
use tokio_util::sync::CancellationToken;
use web::auth::Revocations;

/// The service's short name.
pub const NAME: &str = "auth";

const SCHEMA: &str = "auth";
const OWNER: &str = "oms_auth";
const MIGRATION_HISTORY: &str = "auth_schema_history";
const SWEEP_INTERVAL: Duration = Duration::from_secs(10 * 60);
/// How often it is looked whether the signing key has become too old.
const ROTATION_INTERVAL: Duration = Duration::from_secs(10 * 60);

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

/// What the service has to know of the process it is in.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// The URL that clients see: the issuer of every token.
    pub issuer: String,
    /// The revocations of the process's verifier: what is revoked here is in force there at once.
    pub in_force: Revocations,
    /// Cancelled when the process stops: long polls end.
    pub draining: CancellationToken,
}

/// Opens the schema and the keys and puts the route table together, without anything around it.
///
/// # Errors
/// [`OpenError`] when the database or the keys are not available.
pub async fn open(database: &Database, config: Config, surroundings: Surroundings) -> Result<Opened, OpenError> {
    let pool = open_schema(database).await?;
    let app = App::open(pool.clone(), config, surroundings).await?;
    let keys = Arc::clone(&app.keys);
    Ok(Opened { routes: http::routes(app), pool, keys })
}

/// The service without anything around it.
#[derive(Debug)]
pub struct Opened {
    /// Its route table.
    pub routes: web::Routes<()>,
    /// Its pool, in its schema.
    pub pool: Pool,
    /// What it signs with.
    pub keys: Arc<Keys>,
}

/// The service.
///
/// # Errors
/// [`StartError`] when the database or the keys are not available.
pub async fn build(config: Config, deps: Deps) -> Result<Service, StartError> {
    let (key_rotation, mail) = (config.key_rotation, config.mail.clone());
    let surroundings = Surroundings {
        issuer: deps.public_url,
        in_force: deps.verifier.revocations().clone(),
        draining: deps.lifecycle.draining().clone(),
    };
    let opened = open(&deps.database, config, surroundings)
        .await
        .map_err(|error| StartError::step("opening auth-service", error))?;
    let mut workers = vec![sweeper(opened.pool.clone())];
    if let Some(mail) = mail {
        let mailer = Mailer::new(mail.url.expose(), &mail.from).map_err(|error| StartError::from(mail.wrong(error)))?;
        let (pool, keys) = (opened.pool.clone(), Arc::clone(&opened.keys));
        let mailing = Mailing { pool, keys, mailer, shop: mail.shop, first_wait: mail.first_wait };
        workers.push(Worker::once("auth.letters", |stop| mailing.run(stop)));
    }
    workers.extend(key_rotation.map(|age| key_rotator(opened.keys, age)));
    Ok(Service {
        name: NAME,
        routes: opened.routes,
        workers,
        checks: vec![ReadyCheck::database("auth.database", opened.pool)],
    })
}

/// Forgets what has expired, every so often.
fn sweeper(pool: Pool) -> Worker {
    Worker::new("auth.sweeper", move |stop: CancellationToken| {
        let pool = pool.clone();
        async move {
            while stop.run_until_cancelled(tokio::time::sleep(SWEEP_INTERVAL)).await.is_some() {
                let client = pool.get().await.map_err(StoreError::from)?;
                sessions::sweep(&client).await?;
            }
            Ok::<(), StoreError>(())
        }
    })
}

/// Replaces the signing key when it has become that old: at the start, and every so often.
fn key_rotator(keys: Arc<Keys>, age: Duration) -> Worker {
    Worker::new("auth.key-rotation", move |stop: CancellationToken| {
        let keys = Arc::clone(&keys);
        async move {
            loop {
                keys.rotate_if_older_than(age).await?;
                if stop.run_until_cancelled(tokio::time::sleep(ROTATION_INTERVAL)).await.is_none() {
                    return Ok::<(), KeyError>(());
                }
            }
        }
    })
}
