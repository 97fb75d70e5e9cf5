//! The signing keys: made at first start, sealed in the database, published as JWKS, replaced with overlap. Nothing
//! else in the system ever sees a private key.
//!
//! A key signs from `active_from` on; the newest active one signs. A replaced key stays published until the last token
//! it signed has expired.

pub use service::sealing::{KeyEncryptionKey, KeyEncryptionKeyError, SealError};

use crate::store::StoreError;
use jsonwebtoken::jwk::{Jwk, KeyAlgorithm, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};
use p256::pkcs8::EncodePrivateKey as _;
use pg::Pool;
use pg::deadpool_postgres::Transaction;
use service::sealing::{Sealed, SealedTables, Sealer, SealerError};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};
use tokio::sync::Mutex;
use tokio_postgres::Row;
use zeroize::Zeroizing;

/// How long a new key is published before it signs, so that every verifier's cache has met it.
const ACTIVATION_DELAY_SECONDS: i32 = 60;
/// How long a replaced key stays published after its last signature: a token's lifetime and some.
const OVERLAP_SECONDS: i32 = 20 * 60;
/// How old the keys in memory may be, so that every instance follows a rotation.
const RELOAD_AFTER: Duration = Duration::from_secs(15);
/// Whoever makes keys does so alone; readers go on.
const LOCK: &str = "LOCK TABLE signing_keys IN EXCLUSIVE MODE";

/// Every row that is sealed: how it is found, and how it is sealed anew.
const SEALED: SealedTables = SealedTables {
    local_key: "local_encryption_key",
    rows: &[
        (
            "SELECT kid, sealed_private_key, nonce, sealed_with FROM signing_keys WHERE sealed_with = $1",
            "UPDATE signing_keys SET sealed_private_key = $2, nonce = $3, sealed_with = $4 WHERE kid = $1",
        ),
        (
            "SELECT user_id::text, sealed_secret, nonce, sealed_with FROM one_time_secrets WHERE sealed_with = $1",
            "UPDATE one_time_secrets SET sealed_secret = $2, nonce = $3, sealed_with = $4 WHERE user_id::text = $1",
        ),
        (
            "SELECT mail_id::text, sealed_code, nonce, sealed_with FROM letters WHERE sealed_with = $1",
            "UPDATE letters SET sealed_code = $2, nonce = $3, sealed_with = $4 WHERE mail_id::text = $1",
        ),
    ],
    // The keys that are in force are opened at the start.
    sealed_with_others: &[],
};

/// What can go wrong with the keys.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The tables did not answer.
    #[error("the signing keys can't be read or written")]
    Store(#[from] StoreError),
    /// A private key does not open.
    #[error("a signing key can't be opened")]
    Seal(#[from] SealError),
    /// A key is no usable P-256 key.
    #[error("a signing key is unusable")]
    Unusable(#[source] jsonwebtoken::errors::Error),
    /// A key can't be turned into PKCS#8.
    #[error("a new signing key can't be encoded")]
    Encode(#[source] p256::pkcs8::Error),
    /// A published key is not JSON.
    #[error("a stored public key can't be read")]
    PublicKey(#[source] serde_json::Error),
    /// No key is active.
    #[error("there is no active signing key")]
    NoneActive,
}

impl From<SealerError> for KeyError {
    fn from(error: SealerError) -> Self {
        match error {
            SealerError::Checkout(error) => error.into(),
            SealerError::Statement(error) => error.into(),
            SealerError::Seal(error) => error.into(),
        }
    }
}

impl From<tokio_postgres::Error> for KeyError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Store(error.into())
    }
}

impl From<pg::deadpool_postgres::PoolError> for KeyError {
    fn from(error: pg::deadpool_postgres::PoolError) -> Self {
        Self::Store(error.into())
    }
}

/// The key that signs now, and its name.
pub struct SigningKey {
    /// The `kid` of the header.
    pub kid: String,
    /// The private key.
    pub key: EncodingKey,
}

/// The keys at one moment.
pub struct KeySet {
    /// What new tokens are signed with.
    pub signing: SigningKey,
    /// What tokens may have been signed with, by `kid`.
    pub verifying: HashMap<String, DecodingKey>,
    /// The body of `/.well-known/jwks.json`.
    pub jwks: serde_json::Value,
    loaded_at: Instant,
}

/// The keys of this instance, reloaded as they age.
pub struct Keys {
    pool: Pool,
    sealer: Sealer,
    current: RwLock<Arc<KeySet>>,
    reloading: Mutex<()>,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys(…)")
    }
}

impl Keys {
    /// Opens the keys, making the first one if there is none.
    ///
    /// # Errors
    /// [`KeyError`] when the tables don't answer or a key was sealed with another encryption key.
    pub async fn open(pool: Pool, encryption_key: Option<KeyEncryptionKey>) -> Result<Self, KeyError> {
        let sealer = Sealer::open(&pool, encryption_key, SEALED).await?;
        let mut client = pool.get().await?;
        let transaction = client.transaction().await?;
        transaction.batch_execute(LOCK).await?;
        if transaction.query_opt("SELECT 1 FROM signing_keys LIMIT 1", &[]).await?.is_none() {
            insert_new_key(&transaction, &sealer, 0).await?;
        }
        transaction.commit().await?;
        drop(client);
        let first = load(&pool, &sealer).await?;
        Ok(Self { pool, sealer, current: RwLock::new(Arc::new(first)), reloading: Mutex::new(()) })
    }

    /// The keys to use now. While the database is away the last known ones stay in use.
    pub async fn current(&self) -> Arc<KeySet> {
        let current = self.snapshot();
        if current.loaded_at.elapsed() < RELOAD_AFTER {
            return current;
        }
        let Ok(_only_one) = self.reloading.try_lock() else { return current };
        match load(&self.pool, &self.sealer).await {
            Ok(fresh) => {
                let fresh = Arc::new(fresh);
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&fresh);
                fresh
            }
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "the signing keys could not be reloaded");
                current
            }
        }
    }

    /// Makes a new key, which signs after a minute; the present ones stay published until their tokens have expired.
    ///
    /// # Errors
    /// [`KeyError`] when the tables don't answer.
    pub async fn rotate(&self) -> Result<String, KeyError> {
        let mut client = self.pool.get().await?;
        let transaction = client.transaction().await?;
        transaction.batch_execute(LOCK).await?;
        let kid = self.replace(&transaction, "cli").await?;
        transaction.commit().await?;
        drop(client);
        self.reload().await?;
        Ok(kid)
    }

    /// The same once the newest key is that old, and nothing before; however many instances ask, one key is made.
    ///
    /// # Errors
    /// [`KeyError`] when the tables don't answer.
    pub async fn rotate_if_older_than(&self, age: Duration) -> Result<Option<String>, KeyError> {
        let mut client = self.pool.get().await?;
        let transaction = client.transaction().await?;
        transaction.batch_execute(LOCK).await?;
        let select = "SELECT 1 FROM signing_keys WHERE created_at > now() - make_interval(secs => $1) LIMIT 1";
        if transaction.query_opt(select, &[&age.as_secs_f64()]).await?.is_some() {
            return Ok(None);
        }
        let kid = self.replace(&transaction, "auth-service").await?;
        transaction.commit().await?;
        drop(client);
        self.reload().await?;
        Ok(Some(kid))
    }

    /// Gives the present keys an end and makes the next one, under the lock.
    async fn replace(&self, transaction: &Transaction<'_>, by: &str) -> Result<String, KeyError> {
        let retire = include_str!("sql/retire_signing_keys.sql");
        transaction.execute(retire, &[&ACTIVATION_DELAY_SECONDS, &OVERLAP_SECONDS]).await?;
        let kid = insert_new_key(transaction, &self.sealer, ACTIVATION_DELAY_SECONDS).await?;
        crate::audit::record(transaction, &crate::audit::Entry::by(by, "KEYS_ROTATED").on(&kid)).await?;
        Ok(kid)
    }

    async fn reload(&self) -> Result<(), KeyError> {
        let fresh = Arc::new(load(&self.pool, &self.sealer).await?);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    }

    /// Seals a secret beside the keys, under a name of its own.
    pub(crate) fn seal(&self, name: &str, secret: &[u8]) -> Result<Sealed, KeyError> {
        Ok(self.sealer.seal(name, secret)?)
    }

    /// Opens what was sealed under that name.
    pub(crate) fn open_sealed(
        &self,
        name: &str,
        ciphertext: &[u8],
        nonce: &[u8],
        sealed_with: &str,
    ) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        Ok(self.sealer.open_sealed(name, ciphertext, nonce, sealed_with)?)
    }

    fn snapshot(&self) -> Arc<KeySet> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }
}

async fn insert_new_key(transaction: &Transaction<'_>, sealer: &Sealer, delay: i32) -> Result<String, KeyError> {
    let private_key = new_private_key()?;
    let mut jwk = Jwk::from_encoding_key(&EncodingKey::from_ec_der(&private_key), Algorithm::ES256)
        .map_err(KeyError::Unusable)?;
    let kid = jwk.thumbprint(ThumbprintHash::SHA256).map_err(KeyError::Unusable)?;
    jwk.common.key_id = Some(kid.clone());
    jwk.common.key_algorithm = Some(KeyAlgorithm::ES256);
    jwk.common.public_key_use = Some(PublicKeyUse::Signature);
    let public_jwk = serde_json::to_string(&jwk).map_err(KeyError::PublicKey)?;
    let sealed = sealer.seal(&kid, &private_key)?;
    transaction
        .execute(
            include_str!("sql/insert_signing_key.sql"),
            &[&kid, &public_jwk, &sealed.ciphertext, &sealed.nonce, &sealer.name(), &delay],
        )
        .await?;
    tracing::info!(key.id = kid, "signing key created");
    Ok(kid)
}

fn new_private_key() -> Result<Zeroizing<Vec<u8>>, KeyError> {
    loop {
        let bytes = Zeroizing::new(rand::random::<[u8; 32]>());
        // One in 2^32 random texts is no scalar of the curve.
        if let Ok(key) = p256::SecretKey::from_slice(bytes.as_slice()) {
            return Ok(Zeroizing::new(key.to_pkcs8_der().map_err(KeyError::Encode)?.as_bytes().to_vec()));
        }
    }
}

async fn load(pool: &Pool, sealer: &Sealer) -> Result<KeySet, KeyError> {
    let rows = pool.get().await?.query(include_str!("sql/select_signing_keys.sql"), &[]).await?;
    let (mut signing, mut verifying, mut published) = (None, HashMap::new(), Vec::new());
    for row in &rows {
        let kid: String = row.try_get("kid")?;
        let jwk: Jwk = serde_json::from_str(row.try_get("public_jwk")?).map_err(KeyError::PublicKey)?;
        verifying.insert(kid.clone(), DecodingKey::from_jwk(&jwk).map_err(KeyError::Unusable)?);
        published.push(serde_json::to_value(&jwk).map_err(KeyError::PublicKey)?);
        // Rows come newest first: the first active one signs.
        if signing.is_none() && row.try_get("active")? {
            signing = Some(SigningKey { key: open_private_key(row, &kid, sealer)?, kid });
        }
    }
    Ok(KeySet {
        signing: signing.ok_or(KeyError::NoneActive)?,
        verifying,
        jwks: serde_json::json!({ "keys": published }),
        loaded_at: Instant::now(),
    })
}

fn open_private_key(row: &Row, kid: &str, sealer: &Sealer) -> Result<EncodingKey, KeyError> {
    let private_key = sealer.open_sealed(
        kid,
        row.try_get("sealed_private_key")?,
        row.try_get("nonce")?,
        row.try_get("sealed_with")?,
    )?;
    Ok(EncodingKey::from_ec_der(&private_key))
}
