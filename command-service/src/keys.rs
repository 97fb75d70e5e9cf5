//! The keys of sealed personal fields. This service owns them, in a schema of their own; the others get
//! them by the batch route and keep them for at most a minute. Nothing else reads that table.

use moka::future::Cache;
use shared_events::{
    KeyId,
    sealed::{KeyRing, SealError, SealingKey},
};
use std::time::Duration;
use tokio::time::{error::Elapsed, timeout};
use uuid::Uuid;

const GET_OR_CREATE: &str = include_str!("keys/get_or_create.sql");
const BY_IDS: &str = "SELECT key_id, key FROM keys.personal_key WHERE key_id = ANY($1)";
/// An erased key may open fields for this long.
const KEPT_FOR: Duration = Duration::from_secs(60);
const CACHED_KEYS: u64 = 100_000;
const PATIENCE: Duration = Duration::from_secs(4);

/// Why a key could not be had.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// No connection to the database.
    #[error("no connection for the keys")]
    Pool(#[from] deadpool_postgres::PoolError),
    /// The database refused.
    #[error("the keys could not be read or written")]
    Database(#[from] tokio_postgres::Error),
    /// The database is silent.
    #[error("the keys did not come in time")]
    TimedOut(#[from] Elapsed),
    /// A stored key is broken.
    #[error("a stored key is broken")]
    Broken(#[from] SealError),
    /// The row kept disappearing while it was asked for.
    #[error("the key of an owner could not be created")]
    Contended,
}

/// What a new key waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Commit {
    OnDisk,
    BeforeTheAppend,
}

impl Commit {
    /// The `synchronous_commit` that it needs; the server's own is durable, that was checked at the start.
    const fn setting(self) -> Option<&'static str> {
        match self {
            Self::OnDisk => None,
            Self::BeforeTheAppend => Some("off"),
        }
    }
}

/// Reads, creates and caches keys. Cheap to clone.
#[derive(Clone)]
pub struct KeyStore {
    pool: pg::Pool,
    by_owner: Cache<String, SealingKey>,
    by_id: Cache<KeyId, SealingKey>,
}

impl KeyStore {
    /// A store over the pool of this service.
    #[must_use]
    pub fn new(pool: pg::Pool) -> Self {
        let by_owner = Cache::builder().max_capacity(CACHED_KEYS).time_to_live(KEPT_FOR).build();
        let by_id = Cache::builder().max_capacity(CACHED_KEYS).time_to_live(KEPT_FOR).build();
        Self { pool, by_owner, by_id }
    }

    /// The key of an owner (a customer's id, a guest's order id, `invoice/…`), created when there is none. It is on disk.
    ///
    /// # Errors
    /// [`KeyError`] when the database is away.
    pub async fn of_owner(&self, owner: &str) -> Result<SealingKey, KeyError> {
        self.get_or_create(owner, Commit::OnDisk).await
    }

    /// The same for what this service is about to append to its own log: that is on disk no sooner than the key is,
    /// because both are in one server's WAL, in this order. So the key need not wait for the disk.
    ///
    /// # Errors
    /// [`KeyError`] when the database is away.
    pub async fn for_own_append(&self, owner: &str) -> Result<SealingKey, KeyError> {
        self.get_or_create(owner, Commit::BeforeTheAppend).await
    }

    async fn get_or_create(&self, owner: &str, commit: Commit) -> Result<SealingKey, KeyError> {
        if let Some(key) = self.by_owner.get(owner).await {
            return Ok(key);
        }
        let client = self.pool.get().await?;
        let row = timeout(PATIENCE, get_or_create(&client, owner, commit)).await;
        let key = from_row(&pg::in_time(client, row)??.ok_or(KeyError::Contended)?)?;
        self.by_owner.insert(owner.to_owned(), key.clone()).await;
        self.by_id.insert(key.id(), key.clone()).await;
        Ok(key)
    }

    /// The keys with these ids; erased ones are absent.
    ///
    /// # Errors
    /// [`KeyError`] when the database is away.
    pub async fn ring(&self, ids: &[KeyId]) -> Result<KeyRing, KeyError> {
        let mut ring = KeyRing::default();
        let mut missing: Vec<KeyId> = Vec::new();
        for id in ids {
            match self.by_id.get(id).await {
                Some(key) => ring.insert(key),
                None => missing.push(*id),
            }
        }
        if missing.is_empty() {
            return Ok(ring);
        }
        for key in self.read(&missing).await? {
            self.by_id.insert(key.id(), key.clone()).await;
            ring.insert(key);
        }
        Ok(ring)
    }

    /// The keys with these ids as they are stored now: for the other services, who keep them for a while themselves.
    ///
    /// # Errors
    /// [`KeyError`] when the database is away.
    pub async fn stored(&self, ids: &[KeyId]) -> Result<KeyRing, KeyError> {
        Ok(self.read(ids).await?.into_iter().collect())
    }

    async fn read(&self, ids: &[KeyId]) -> Result<Vec<SealingKey>, KeyError> {
        let ids: Vec<Uuid> = ids.iter().map(KeyId::as_uuid).collect();
        let client = self.pool.get().await?;
        let rows = timeout(PATIENCE, async {
            let statement = client.prepare_cached(BY_IDS).await?;
            client.query(&statement, &[&ids]).await
        })
        .await;
        pg::in_time(client, rows)??.iter().map(from_row).collect()
    }
}

/// None if the row kept disappearing.
async fn get_or_create(
    client: &pg::Client,
    owner: &str,
    commit: Commit,
) -> Result<Option<tokio_postgres::Row>, tokio_postgres::Error> {
    let statement = client.prepare_cached(GET_OR_CREATE).await?;
    let fresh = SealingKey::generate();
    for _ in 0..5 {
        let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 4] =
            [&fresh.id().as_uuid(), &owner, &fresh.expose().as_slice(), &commit.setting()];
        if let Some(row) = client.query_opt(&statement, &parameters).await? {
            return Ok(Some(row));
        }
    }
    Ok(None)
}

fn from_row(row: &tokio_postgres::Row) -> Result<SealingKey, KeyError> {
    let bytes: &[u8] = row.try_get(1)?;
    Ok(SealingKey::from_bytes(KeyId::from_uuid(row.try_get(0)?), bytes)?)
}
