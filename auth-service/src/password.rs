//! Passwords: what is accepted as one, and argon2id behind a queue as wide as the machine. Hashing is made expensive
//! on purpose, so at most one runs per core, 32 more may wait, and whoever comes after them is sent away at once.

use crate::email::Email;
use crate::secret::Secret;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use std::collections::HashSet;
use std::sync::{Arc, LazyLock};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The fewest bytes of a password.
pub const MIN_BYTES: usize = 8;
/// The most bytes of a password.
pub const MAX_BYTES: usize = 1024;
/// How many requests may wait for a core before the next is refused.
pub const MAX_WAITING: usize = 32;

const MEMORY_KIB: u32 = 19 * 1024;
const ITERATIONS: u32 = 2;
const LANES: u32 = 1;

static COMMON: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| include_str!("common_passwords.txt").lines().map(str::trim).collect());

/// Why a password is refused when it is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WeakPassword {
    /// Fewer than [`MIN_BYTES`].
    #[error("a password has at least {MIN_BYTES} characters")]
    TooShort,
    /// More than [`MAX_BYTES`].
    #[error("a password has at most {MAX_BYTES} bytes")]
    TooLong,
    /// Among the first that anybody would try.
    #[error("this password is among the first that are guessed")]
    Common,
}

/// Why no hash was computed or checked.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// More than [`MAX_WAITING`] others wait already.
    #[error("too many password checks are waiting")]
    Overloaded,
    /// argon2 refused its parameters or the stored text.
    #[error("password hashing failed")]
    Failed(#[from] argon2::password_hash::Error),
    /// The blocking task ended early.
    #[error("the hashing task was lost")]
    Lost(#[from] tokio::task::JoinError),
}

/// Checks a password that someone wants to set; their own address is none.
///
/// # Errors
/// [`WeakPassword`] says what is wrong with it.
pub fn check_strength(password: &Secret, email: Option<&Email>) -> Result<(), WeakPassword> {
    let text = password.expose();
    if text.len() < MIN_BYTES {
        return Err(WeakPassword::TooShort);
    }
    if text.len() > MAX_BYTES {
        return Err(WeakPassword::TooLong);
    }
    let lower_case = text.to_lowercase();
    let one_character = text.chars().all(|character| text.starts_with(character));
    let own_address = email.is_some_and(|email| lower_case == email.as_str() || lower_case == email.local_part());
    if one_character || own_address || COMMON.contains(lower_case.as_str()) {
        return Err(WeakPassword::Common);
    }
    Ok(())
}

/// The queue in front of argon2id.
#[derive(Debug, Clone)]
pub struct PasswordHasher {
    places: Arc<Semaphore>,
    cores: Arc<Semaphore>,
    /// Checked in place of an unknown user's hash, so that both take equally long.
    dummy_hash: Arc<str>,
}

impl PasswordHasher {
    /// A queue as wide as this machine.
    ///
    /// # Errors
    /// [`HashError`] when argon2 does not work here.
    pub fn new() -> Result<Self, HashError> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self::with_width(cores)
    }

    /// A queue in which `cores` hashes are computed at once.
    ///
    /// # Errors
    /// [`HashError`] when argon2 does not work here.
    pub fn with_width(cores: usize) -> Result<Self, HashError> {
        let dummy_hash = hash_now(Secret::new_client_secret().expose())?;
        Ok(Self {
            places: Arc::new(Semaphore::new(cores + MAX_WAITING)),
            cores: Arc::new(Semaphore::new(cores)),
            dummy_hash: dummy_hash.into(),
        })
    }

    /// Hashes a new password into a PHC string.
    ///
    /// # Errors
    /// [`HashError::Overloaded`] when the queue is full.
    pub async fn hash(&self, password: Secret) -> Result<String, HashError> {
        self.run(move || hash_now(password.expose())).await?
    }

    /// Whether the password belongs to the stored hash. Without one (nobody by that name) the answer is no, after
    /// the same work.
    ///
    /// # Errors
    /// [`HashError::Overloaded`] when the queue is full.
    pub async fn verify(&self, password: Secret, stored_hash: Option<String>) -> Result<bool, HashError> {
        let known = stored_hash.is_some();
        let hash = stored_hash.unwrap_or_else(|| self.dummy_hash.to_string());
        let matches = self
            .run(move || {
                // An overlong password can't have been set; its first bytes cost the same as any other password.
                let bytes = password.expose().as_bytes();
                let fits = bytes.len() <= MAX_BYTES;
                let checked = if fits { bytes } else { &bytes[..MAX_BYTES] };
                Argon2::default().verify_password(checked, hash.as_str()).is_ok() && fits
            })
            .await?;
        Ok(matches && known)
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, HashError> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| HashError::Overloaded)?;
        let core = Arc::clone(&self.cores).acquire_owned().await.map_err(|_| HashError::Overloaded)?;
        // The permits travel with the work: a client that hangs up does not free a core that is still busy.
        let permits: [OwnedSemaphorePermit; 2] = [place, core];
        let result = tokio::task::spawn_blocking(move || {
            let result = work();
            drop(permits);
            result
        });
        Ok(result.await?)
    }
}

fn hash_now(password: &str) -> Result<String, HashError> {
    let params = Params::new(MEMORY_KIB, ITERATIONS, LANES, None).map_err(argon2::password_hash::Error::from)?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    Ok(argon2.hash_password(password.as_bytes())?.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strength(password: &str) -> Result<(), WeakPassword> {
        check_strength(&Secret::new(password), Email::parse("ada.lovelace@example.com").ok().as_ref())
    }

    #[test]
    fn weak_passwords_are_refused() {
        assert_eq!(strength("short"), Err(WeakPassword::TooShort));
        assert_eq!(strength(&"long".repeat(300)), Err(WeakPassword::TooLong));
        for common in
            ["password123", "PassWord123", "qwertyuiop", "zzzzzzzzzzzz", "Ada.Lovelace@example.com", "ada.lovelace"]
        {
            assert_eq!(strength(common), Err(WeakPassword::Common), "{common}");
        }
        assert_eq!(strength("correct horse battery staple"), Ok(()));
        assert_eq!(strength(&"lo".repeat(512)), Ok(()));
    }

    #[tokio::test]
    async fn a_hash_is_argon2id_and_only_its_password_matches() {
        let hasher = PasswordHasher::new().unwrap();
        let hash = hasher.hash(Secret::new("correct horse")).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(hasher.verify(Secret::new("correct horse"), Some(hash.clone())).await.unwrap());
        assert!(!hasher.verify(Secret::new("wrong horse"), Some(hash.clone())).await.unwrap());
        assert!(!hasher.verify(Secret::new("x".repeat(5000)), Some(hash)).await.unwrap());
        assert!(!hasher.verify(Secret::new("correct horse"), None).await.unwrap());
    }

    #[tokio::test]
    async fn the_queue_is_bounded() {
        let hasher = PasswordHasher::with_width(1).unwrap();
        let (release, gate) = std::sync::mpsc::channel::<()>();
        let running = tokio::join!(hasher.run(move || gate.recv().is_ok()), async {
            let waiting: Vec<_> = (0..MAX_WAITING).map(|_| hasher.places.clone().try_acquire_owned()).collect();
            assert!(waiting.iter().all(Result::is_ok));
            assert!(matches!(hasher.hash(Secret::new("one too many")).await, Err(HashError::Overloaded)));
            release.send(()).unwrap();
        });
        assert!(running.0.unwrap());
        assert!(hasher.hash(Secret::new("there is room again")).await.is_ok());
    }
}
