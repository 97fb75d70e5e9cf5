//! Rotation of refresh tokens (RFC 9700 §4.14.2). A token is used up and its successor inserted by one statement, so it
//! has one successor under any concurrency. Whoever presents the immediate predecessor within ten seconds (a retry, a
//! second tab) gets that same successor again, derived anew from the token and a stored salt; whoever presents an older
//! one holds a stolen or a lost token, and the session ends.

use super::{LiveSession, REFRESH_TOKEN_SECONDS, end};
use crate::secret::Secret;
use crate::store::{self, StoreError};
use chrono::{DateTime, Utc};
use pg::Pool;
use pg::deadpool_postgres::GenericClient;
use shared_events::SessionId;
use tokio_postgres::Row;
use web::Scopes;

/// How long the immediate predecessor of a token is still good for the same successor.
const GRACE_SECONDS: i32 = 10;

/// What is asked for.
pub(crate) struct Refresh<'a> {
    pub(crate) token: &'a Secret,
    /// The clients whose tokens the caller may refresh.
    pub(crate) clients: &'a [&'a str],
    pub(crate) wanted: Wanted,
}

/// The scopes asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Wanted {
    /// Those of the session.
    All,
    /// Some of them, for the access token alone: the refresh token keeps what it has.
    Some(Scopes),
}

/// The answer.
pub(crate) enum Refreshed {
    /// A successor, and what the access token may do.
    Renewed { session: Box<LiveSession>, scopes: Scopes, token: Secret },
    /// Unknown, expired, another client's, of an ended session or a disabled user.
    Refused,
    /// Used before its successor was: the session has been ended.
    Reused(SessionId),
    /// The session does not have a wanted scope; the token is still good.
    ScopeExceeded,
}

/// A refresh token as the table knows it.
pub(crate) struct Presented {
    pub(crate) session: LiveSession,
    pub(crate) session_is_live: bool,
    pub(crate) expires_at: DateTime<Utc>,
    pub(crate) issued_at: DateTime<Utc>,
    pub(crate) state: State,
}

/// How far a token got.
pub(crate) enum State {
    /// It can be used.
    Unused,
    /// It was used a moment ago and its successor was not: the same answer may be given again.
    JustUsed { salt: Vec<u8> },
    /// It is older than the immediate predecessor, or was used too long ago.
    Spent,
    /// It lay unused for too long.
    Expired,
}

impl Presented {
    fn from_row(row: &Row) -> Result<Self, StoreError> {
        let state = match row.try_get::<_, &str>("state")? {
            "unused" => State::Unused,
            "just_used" => State::JustUsed { salt: row.try_get("successor_salt")? },
            "expired" => State::Expired,
            _ => State::Spent,
        };
        Ok(Self {
            session: LiveSession::from_row(row)?,
            session_is_live: row.try_get("session_is_live")?,
            expires_at: row.try_get("token_expires_at")?,
            issued_at: row.try_get("token_created_at")?,
            state,
        })
    }

    /// Whether it could be exchanged for a new one by an ordinary refresh.
    pub(crate) fn is_active(&self) -> bool {
        self.session_is_live && matches!(self.state, State::Unused)
    }
}

/// What the table knows of a token.
pub(crate) async fn token_state(client: &impl GenericClient, token: &Secret) -> Result<Option<Presented>, StoreError> {
    let select = include_str!("../sql/select_refresh_token.sql");
    let row = store::query_opt(client, select, &[&token.hash().as_slice(), &GRACE_SECONDS]).await?;
    row.as_ref().map(Presented::from_row).transpose()
}

/// Exchanges a refresh token for its successor.
pub(crate) async fn refresh(pool: &Pool, request: &Refresh<'_>) -> Result<Refreshed, StoreError> {
    let client = pool.get().await?;
    // The second look follows a lost race: by then the token is used, or gone.
    for _ in 0..2 {
        let Some(presented) = token_state(&client, request.token).await? else { return Ok(Refreshed::Refused) };
        let session = Box::new(presented.session);
        if !request.clients.contains(&session.client_id.as_str()) || !presented.session_is_live {
            return Ok(Refreshed::Refused);
        }
        let scopes = match request.wanted {
            Wanted::All => session.scopes,
            Wanted::Some(wanted) if session.scopes.contains_all(wanted) => wanted,
            Wanted::Some(_) => return Ok(Refreshed::ScopeExceeded),
        };
        match presented.state {
            State::Unused => {
                if let Some(token) = rotate(&client, request.token).await? {
                    return Ok(Refreshed::Renewed { session, scopes, token });
                }
            }
            State::JustUsed { salt } => {
                return Ok(Refreshed::Renewed { session, scopes, token: request.token.successor(&salt) });
            }
            State::Expired => return Ok(Refreshed::Refused),
            State::Spent => {
                drop(client);
                revoke_family(pool, session.id).await?;
                return Ok(Refreshed::Reused(session.id));
            }
        }
    }
    Ok(Refreshed::Refused)
}

/// Uses the token up; `None` if somebody else was faster.
async fn rotate(client: &impl GenericClient, token: &Secret) -> Result<Option<Secret>, StoreError> {
    let salt = rand::random::<[u8; 32]>();
    let successor = token.successor(&salt);
    let row = store::query_opt(
        client,
        include_str!("../sql/rotate_refresh_token.sql"),
        &[&token.hash().as_slice(), &successor.hash().as_slice(), &salt.as_slice(), &REFRESH_TOKEN_SECONDS],
    )
    .await?;
    Ok(row.map(|_| successor))
}

async fn revoke_family(pool: &Pool, session: SessionId) -> Result<(), StoreError> {
    let mut client = pool.get().await?;
    let transaction = client.transaction().await?;
    let ended = end(&transaction, session, "a refresh token was used twice", "auth-service").await?;
    transaction.commit().await?;
    if ended {
        tracing::warn!(session.id = %session, "a refresh token was used twice: its session has been ended");
    }
    Ok(())
}
