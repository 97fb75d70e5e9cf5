//! Sealing of a service's own secrets, such as private keys and those of webhooks: XChaCha20-Poly1305 with the key from
//! `OMS_KEY_ENCRYPTION_KEY`, the name of the secret being the associated data. Where that is not set, a random key kept in a
//! table is used: it protects nothing against somebody who reads that table, but lets several instances share their secrets and
//! the operator set a real one later; the rows are then sealed anew and the local key is deleted.

use crate::{SettingError, Settings};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use pg::Pool;
use pg::deadpool_postgres::Transaction;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

const KEY_ENCRYPTION_KEY: &str = "OMS_KEY_ENCRYPTION_KEY";
const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;

/// The key from the environment.
#[derive(Clone)]
pub struct KeyEncryptionKey(Zeroizing<[u8; KEY_BYTES]>);

/// The setting is not 32 bytes in Base64.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a key encryption key is 32 bytes in Base64; make one with `openssl rand -base64 32`")]
pub struct KeyEncryptionKeyError;

impl KeyEncryptionKey {
    /// Reads 32 bytes in Base64.
    ///
    /// # Errors
    /// [`KeyEncryptionKeyError`] when it is something else.
    pub fn parse(text: &str) -> Result<Self, KeyEncryptionKeyError> {
        let bytes = Zeroizing::new(STANDARD.decode(text.trim()).map_err(|_| KeyEncryptionKeyError)?);
        Self::from_slice(&bytes).ok_or(KeyEncryptionKeyError)
    }

    /// `OMS_KEY_ENCRYPTION_KEY`, if it is set.
    ///
    /// # Errors
    /// [`SettingError`] when it is something else than 32 bytes in Base64.
    pub fn from_settings(settings: &Settings) -> Result<Option<Self>, SettingError> {
        let key = settings.secret(KEY_ENCRYPTION_KEY).map(|key| Self::parse(key.expose())).transpose();
        key.map_err(|error| SettingError::wrong(KEY_ENCRYPTION_KEY, "", error))
    }

    fn from_slice(bytes: &[u8]) -> Option<Self> {
        Some(Self(Zeroizing::new(bytes.try_into().ok()?)))
    }
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Sealer").field(&self.name).finish()
    }
}

impl std::fmt::Debug for KeyEncryptionKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[secret]")
    }
}

/// Why a sealer could not be had.
#[derive(Debug, thiserror::Error)]
pub enum SealerError {
    /// No connection could be had.
    #[error("no database connection could be had")]
    Checkout(#[from] pg::deadpool_postgres::PoolError),
    /// A statement failed.
    #[error("a statement failed")]
    Statement(#[from] pg::tokio_postgres::Error),
    /// What is stored does not open.
    #[error("what is stored does not open")]
    Seal(#[from] SealError),
}

/// Why a secret does not open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// It was sealed with a key that is not at hand.
    #[error(
        "{kid} was sealed with another OMS_KEY_ENCRYPTION_KEY (its name is {sealed_with}); \
         start with that one"
    )]
    OtherKey {
        /// Which secret.
        kid: String,
        /// The name of the key that sealed it.
        sealed_with: String,
    },
    /// The row was altered.
    #[error("the sealed {kid} is damaged")]
    Damaged {
        /// Which secret.
        kid: String,
    },
    /// The cipher refused to work.
    #[error("{kid} can't be sealed")]
    Refused {
        /// Which secret.
        kid: String,
    },
    /// The local key has a wrong length.
    #[error("the local encryption key is damaged")]
    LocalKey,
}

/// Something sealed, as its row keeps it.
pub struct Sealed {
    /// What only the key opens.
    pub ciphertext: Vec<u8>,
    /// 24 random bytes.
    pub nonce: Vec<u8>,
    /// The name of the key that sealed it.
    pub sealed_with: String,
}

/// Where sealed rows are.
#[derive(Debug, Clone, Copy)]
pub struct SealedTables {
    /// The table of the local key: `(singleton boolean primary key default true, key bytea)`.
    pub local_key: &'static str,
    /// Every table with sealed rows: how they are found (name, ciphertext, nonce, sealed_with; $1 the name of the key), and how
    /// one is sealed anew ($1 the name, then the other three).
    pub rows: &'static [(&'static str, &'static str)],
    /// For tables whose rows must all open for a start: how one is found that another key sealed (name, sealed_with; $1 the
    /// name of the key at hand).
    pub sealed_with_others: &'static [&'static str],
}

/// Seals and opens with one key.
pub struct Sealer {
    cipher: XChaCha20Poly1305,
    name: String,
}

impl Sealer {
    /// The sealer for the key from the environment, or for the local one. Rows that the local key sealed are sealed
    /// anew once the environment has one.
    ///
    /// # Errors
    /// [`SealerError`] when the tables do not answer or a row does not open, as when the key from the environment was lost.
    pub async fn open(
        pool: &Pool,
        from_environment: Option<KeyEncryptionKey>,
        tables: SealedTables,
    ) -> Result<Self, SealerError> {
        let SealedTables { local_key: table, rows, sealed_with_others } = tables;
        let mut client = pool.get().await?;
        let transaction = client.transaction().await?;
        transaction.batch_execute(&format!("LOCK TABLE {table} IN EXCLUSIVE MODE")).await?;
        let stored = transaction.query_opt(&format!("SELECT key FROM {table}"), &[]).await?;
        let local = match stored {
            Some(row) => Some(KeyEncryptionKey::from_slice(row.try_get(0)?).ok_or(SealError::LocalKey)?),
            None => None,
        };
        let sealer = match (from_environment, local) {
            (Some(key), Some(local)) => {
                let sealer = Self::new(&key);
                seal_anew(&transaction, &Self::new(&local), &sealer, rows).await?;
                transaction.execute(&format!("DELETE FROM {table}"), &[]).await?;
                sealer
            }
            (Some(key), None) => Self::new(&key),
            (None, Some(local)) => Self::new(&local),
            (None, None) => {
                let key = KeyEncryptionKey(Zeroizing::new(rand::random()));
                let insert = format!("INSERT INTO {table} (key) VALUES ($1)");
                transaction.execute(&insert, &[&key.0.as_slice()]).await?;
                tracing::info!(
                    table,
                    "OMS_KEY_ENCRYPTION_KEY is not set: secrets are sealed with a key in the database"
                );
                Self::new(&key)
            }
        };
        for select in sealed_with_others {
            if let Some(row) = transaction.query_opt(*select, &[&sealer.name]).await? {
                return Err(SealError::OtherKey { kid: row.try_get(0)?, sealed_with: row.try_get(1)? }.into());
            }
        }
        transaction.commit().await?;
        Ok(sealer)
    }

    /// What names this key without giving it away.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Seals a secret under its name.
    ///
    /// # Errors
    /// [`SealError::Refused`].
    pub fn seal(&self, kid: &str, private_key: &[u8]) -> Result<Sealed, SealError> {
        let nonce = rand::random::<[u8; NONCE_BYTES]>();
        let ciphertext = self
            .cipher
            .encrypt(&XNonce::from(nonce), Payload { msg: private_key, aad: kid.as_bytes() })
            .map_err(|_| SealError::Refused { kid: kid.to_owned() })?;
        Ok(Sealed { ciphertext, nonce: nonce.to_vec(), sealed_with: self.name.clone() })
    }

    /// Opens what was sealed under that name.
    ///
    /// # Errors
    /// [`SealError`] when it was sealed with another key or under another name, or was altered.
    pub fn open_sealed(
        &self,
        kid: &str,
        ciphertext: &[u8],
        nonce: &[u8],
        sealed_with: &str,
    ) -> Result<Zeroizing<Vec<u8>>, SealError> {
        if sealed_with != self.name {
            return Err(SealError::OtherKey { kid: kid.to_owned(), sealed_with: sealed_with.to_owned() });
        }
        let damaged = || SealError::Damaged { kid: kid.to_owned() };
        let nonce: [u8; NONCE_BYTES] = nonce.try_into().map_err(|_| damaged())?;
        self.cipher
            .decrypt(&XNonce::from(nonce), Payload { msg: ciphertext, aad: kid.as_bytes() })
            .map(Zeroizing::new)
            .map_err(|_| damaged())
    }

    fn new(key: &KeyEncryptionKey) -> Self {
        let name = URL_SAFE_NO_PAD.encode(&Sha256::digest(key.0.as_slice())[..12]);
        Self { cipher: XChaCha20Poly1305::new(&Key::from(*key.0)), name }
    }
}

async fn seal_anew(
    transaction: &Transaction<'_>,
    old: &Sealer,
    new: &Sealer,
    rows: &[(&str, &str)],
) -> Result<(), SealerError> {
    for (select, update) in rows {
        for row in transaction.query(*select, &[&old.name]).await? {
            let name: String = row.try_get(0)?;
            let opened = old.open_sealed(&name, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?)?;
            let sealed = new.seal(&name, &opened)?;
            transaction.execute(*update, &[&name, &sealed.ciphertext, &sealed.nonce, &new.name]).await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> KeyEncryptionKey {
        KeyEncryptionKey(Zeroizing::new([byte; KEY_BYTES]))
    }

    #[test]
    fn only_thirty_two_bytes_in_base64_are_a_key() {
        assert!(KeyEncryptionKey::parse(&STANDARD.encode([7; 32])).is_ok());
        assert!(KeyEncryptionKey::parse(&STANDARD.encode([7; 31])).is_err());
        assert!(KeyEncryptionKey::parse("no base64!").is_err());
    }

    #[test]
    fn a_private_key_opens_under_its_own_name_and_key_only() {
        let (sealer, other) = (Sealer::new(&key(1)), Sealer::new(&key(2)));
        let sealed = sealer.seal("kid", b"private").unwrap();
        let open =
            |sealer: &Sealer, kid: &str, name: &str| sealer.open_sealed(kid, &sealed.ciphertext, &sealed.nonce, name);
        assert_eq!(open(&sealer, "kid", sealer.name()).unwrap().as_slice(), b"private");
        assert_eq!(open(&sealer, "other", sealer.name()), Err(SealError::Damaged { kid: "other".to_owned() }));
        assert!(matches!(open(&other, "kid", sealer.name()), Err(SealError::OtherKey { .. })));
        assert!(matches!(open(&other, "kid", other.name()), Err(SealError::Damaged { .. })));
    }
}
