//! Idempotency-Key: a request claims its key before it does anything, and its answer is stored in the transaction of
//! the append that it belongs to. So a repeat either finds the answer, or goes on with the same reserved values.
//!
//! Which answers are kept (2xx and domain rejections) is the caller's to decide: it records them or releases the claim.

use crate::append::answer_claim;
use bytes::Bytes;
use deadpool_postgres::PoolError;
use hmac::{Hmac, KeyInit, Mac};
use pg::Pool;
use serde_json::Value;
use sha2::Sha256;
use std::time::Duration;
use tokio_postgres::{Error, Row, error::SqlState};
use uuid::Uuid;

const BEGIN: &str = include_str!("sql/claim_begin.sql");
const READ: &str = include_str!("sql/claim_read.sql");
const RELEASE: &str = "delete from idempotency_claim where scope_hash = $1 and owner = $2 and answered_at is null";
const PURGE: &str = include_str!("sql/claim_purge.sql");
const FORGET_ABANDONED: &str = include_str!("sql/claim_forget_abandoned.sql");
const ERASE: &str = "delete from idempotency_claim where concerns && $1::text[]";
const KEEP_SECRET: &str = "insert into idempotency_secret (secret) values ($1) on conflict do nothing";

/// How often to look again at a row that went away between two statements.
const ATTEMPTS: usize = 5;
const PURGE_ROWS: i64 = 5_000;
const PATIENCE: Duration = Duration::from_secs(4);

/// Whose key it is and for what: equal keys of other callers or routes have nothing to do with each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClaimScope<'a> {
    /// The OAuth client.
    pub client: &'a str,
    /// The user, or the client itself.
    pub subject: &'a str,
    /// The HTTP method.
    pub method: &'a str,
    /// The concrete path; aliases give their main path.
    pub path: &'a str,
    /// The Idempotency-Key.
    pub key: &'a str,
}

/// What became of a request's key.
#[derive(Debug)]
pub enum Begun {
    /// It is this request's to answer.
    Fresh(Claim),
    /// It was answered: say the same again.
    Replay(StoredAnswer),
    /// It was used with another body.
    KeyReused,
    /// Another request is at it.
    InProgress {
        /// When its lease runs out at the latest.
        retry_after: Duration,
    },
}

/// The right to answer a key, for 30 seconds by the database's clock; then another request may take it over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// What the first request with this key reserved: ids and numbers that every attempt uses.
    pub reserved: Value,
    scope_hash: [u8; 32],
    owner: Uuid,
}

impl Claim {
    /// The claim with its answer, to go into [`crate::Append`] or [`Claims::record`].
    #[must_use]
    pub const fn done(&self, answer: StoredAnswer) -> ClaimDone {
        ClaimDone { scope_hash: self.scope_hash, owner: self.owner, answer }
    }
}

/// A claim with its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimDone {
    pub(crate) scope_hash: [u8; 32],
    pub(crate) owner: Uuid,
    pub(crate) answer: StoredAnswer,
}

/// An answer as it is replayed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The headers worth repeating: Location, ETag, OMS-Consistency, Content-Type.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
    /// The customers and orders whose personal data may be in it, see [`Claims::erase`]. Not given back by a replay.
    pub concerns: Vec<String>,
}

impl StoredAnswer {
    pub(crate) fn headers_json(&self) -> String {
        Value::from_iter(self.headers.iter().map(|(name, value)| vec![name.as_str(), value.as_str()])).to_string()
    }

    pub(crate) fn concerns_json(&self) -> String {
        Value::from_iter(self.concerns.iter().map(String::as_str)).to_string()
    }
}

/// Why a claim could not be dealt with.
#[derive(Debug, thiserror::Error)]
pub enum ClaimError {
    /// No connection.
    #[error("no connection for the claim could be had")]
    Connection(#[source] PoolError),
    /// The statement failed.
    #[error("the claim could not be dealt with")]
    Statement(#[source] Error),
    /// The answer did not come in time.
    #[error("the database did not answer in time")]
    TimedOut,
    /// The lease ran out and another request holds the claim.
    #[error("the claim belongs to another request by now")]
    Lost,
    /// The row kept changing under several looks at it.
    #[error("the claim changes too often to be read")]
    Busy,
}

impl ClaimError {
    /// Whether the database is merely away or busy.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::TimedOut | Self::Busy) || pg::is_unavailable(self)
    }
}

/// The claims of one schema.
#[derive(Clone)]
pub struct Claims {
    pool: Pool,
    keyed: Hmac<Sha256>,
}

impl std::fmt::Debug for Claims {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Claims")
    }
}

impl Claims {
    /// Opens the claims in the pool's schema; the first time makes the secret under which requests are hashed.
    ///
    /// # Errors
    /// [`ClaimError`].
    pub async fn open(pool: Pool) -> Result<Self, ClaimError> {
        let client = pool.get().await.map_err(ClaimError::Connection)?;
        let fresh: [u8; 32] = rand::random();
        client.execute(KEEP_SECRET, &[&fresh.as_slice()]).await.map_err(ClaimError::Statement)?;
        let row =
            client.query_one("select secret from idempotency_secret", &[]).await.map_err(ClaimError::Statement)?;
        let keyed = Hmac::new_from_slice(row.get(0)).expect("HMAC takes keys of any length");
        drop(client);
        Ok(Self { pool, keyed })
    }

    /// Claims a key for a request. `reserve` holds the values that the request would use; a later attempt with the
    /// same key gets those of the first.
    ///
    /// # Errors
    /// [`ClaimError`].
    pub async fn begin(&self, scope: &ClaimScope<'_>, body: &[u8], reserve: &Value) -> Result<Begun, ClaimError> {
        let ClaimScope { client, subject, method, path, key } = *scope;
        let scope_hash = self.hash(&[client, subject, method, path, key].map(str::as_bytes));
        let body_hash = self.hash(&[body]);
        self.bounded(async {
            let client = self.pool.get().await.map_err(ClaimError::Connection)?;
            let begin = client.prepare_cached(BEGIN).await.map_err(ClaimError::Statement)?;
            let read = client.prepare_cached(READ).await.map_err(ClaimError::Statement)?;
            for _ in 0..ATTEMPTS {
                let claimed = client
                    .query_opt(&begin, &[&scope_hash.as_slice(), &body_hash.as_slice(), reserve])
                    .await
                    .map_err(ClaimError::Statement)?;
                if let Some(row) = claimed {
                    return Ok(Begun::Fresh(Claim { reserved: row.get(0), scope_hash, owner: row.get(1) }));
                }
                let found = client.query_opt(&read, &[&scope_hash.as_slice()]).await.map_err(ClaimError::Statement)?;
                if let Some(begun) = found.and_then(|row| standing(&row, &body_hash)) {
                    return Ok(begun);
                }
            }
            Err(ClaimError::Busy)
        })
        .await
    }

    /// Stores an answer outside every append: a domain rejection, or a command that changed nothing.
    ///
    /// # Errors
    /// [`ClaimError::Lost`] when another request holds the claim by now.
    pub async fn record(&self, done: &ClaimDone) -> Result<(), ClaimError> {
        self.bounded(record(&self.pool, done)).await
    }

    /// Gives a key up without an answer, so that a repeat starts afresh: for answers that are not kept.
    ///
    /// # Errors
    /// [`ClaimError`].
    pub async fn release(&self, claim: &Claim) -> Result<(), ClaimError> {
        self.bounded(async {
            let client = self.pool.get().await.map_err(ClaimError::Connection)?;
            let statement = client.prepare_cached(RELEASE).await.map_err(ClaimError::Statement)?;
            client
                .execute(&statement, &[&claim.scope_hash.as_slice(), &claim.owner])
                .await
                .map_err(ClaimError::Statement)?;
            Ok(())
        })
        .await
    }

    /// Deletes keys older than 24 hours and says how many. A few thousand at a time: 0 means that none is left.
    ///
    /// # Errors
    /// [`ClaimError`].
    pub async fn purge(&self) -> Result<u64, ClaimError> {
        self.bounded(async {
            let client = self.pool.get().await.map_err(ClaimError::Connection)?;
            client.execute(PURGE, &[&PURGE_ROWS]).await.map_err(ClaimError::Statement)
        })
        .await
    }

    /// Deletes claims whose lease ended ten minutes ago and that nobody took over: their process died, and whoever
    /// asked does not ask again. Nothing was appended under them, because the append is what answers a claim. Only
    /// claims that began within this time are looked at; answers how many were deleted.
    ///
    /// # Errors
    /// [`ClaimError`].
    pub async fn forget_abandoned(&self, begun_within: Duration) -> Result<u64, ClaimError> {
        self.bounded(async {
            let client = self.pool.get().await.map_err(ClaimError::Connection)?;
            client.execute(FORGET_ABANDONED, &[&begun_within.as_secs_f64()]).await.map_err(ClaimError::Statement)
        })
        .await
    }

    /// Deletes the answers that concern any of these customers or orders, because they were erased.
    ///
    /// # Errors
    /// [`ClaimError`].
    pub async fn erase(&self, concerning: &[String]) -> Result<u64, ClaimError> {
        self.bounded(async {
            let client = self.pool.get().await.map_err(ClaimError::Connection)?;
            client.execute(ERASE, &[&concerning]).await.map_err(ClaimError::Statement)
        })
        .await
    }

    async fn bounded<T>(&self, work: impl Future<Output = Result<T, ClaimError>>) -> Result<T, ClaimError> {
        tokio::time::timeout(PATIENCE, work).await.unwrap_or(Err(ClaimError::TimedOut))
    }

    /// A keyed hash of the parts, each with its length, so that no two lists of parts hash alike.
    fn hash(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = self.keyed.clone();
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

/// Stores an answer in a transaction of its own.
pub(crate) async fn record(pool: &Pool, done: &ClaimDone) -> Result<(), ClaimError> {
    let client = pool.get().await.map_err(ClaimError::Connection)?;
    answer_claim(&**client, done).await.map_err(|error| {
        let lost = error.code() == Some(&SqlState::from_code("OM001"));
        if lost { ClaimError::Lost } else { ClaimError::Statement(error) }
    })
}

/// What a row that is not ours says; none when it could be claimed by now.
fn standing(row: &Row, body_hash: &[u8]) -> Option<Begun> {
    let (found, expired): (&[u8], bool) = (row.get(0), row.get(1));
    if expired {
        return None;
    }
    if found != body_hash {
        return Some(Begun::KeyReused);
    }
    let Some(status) = row.get::<_, Option<i16>>(2) else {
        let left: f64 = row.get(5);
        return (left > 0.0).then(|| Begun::InProgress { retry_after: Duration::from_secs_f64(left) });
    };
    let headers: Option<Value> = row.get(3);
    Some(Begun::Replay(StoredAnswer {
        status: status.cast_unsigned(),
        headers: headers.and_then(|headers| serde_json::from_value(headers).ok()).unwrap_or_default(),
        body: Bytes::copy_from_slice(row.get::<_, Option<&[u8]>>(4).unwrap_or_default()),
        concerns: Vec::new(),
    }))
}
