//! Sessions: one per login or authorisation, with its refresh tokens. A session is the family of its tokens: when one
//! of them turns up a second time, the session ends and everything it issued with it.

mod refresh;

pub(crate) use refresh::{Refresh, Refreshed, Wanted, refresh, token_state};

use crate::audit;
use crate::revocations;
use crate::secret::Secret;
use crate::store::{self, StoreError};
use crate::users::User;
use chrono::{DateTime, Utc};
use pg::deadpool_postgres::{GenericClient, Transaction};
use shared_events::{SessionId, UserId};
use tokio_postgres::Row;
use uuid::Uuid;
use web::auth::RevocationKind;
use web::{Scope, Scopes};

/// The `client_id` of sessions begun at `/auth/login` and `/auth/register`: the shop's own front end, which has no
/// registration and no secret.
pub const FIRST_PARTY_CLIENT: &str = "oms";

/// How long a refresh token may lie unused.
pub(crate) const REFRESH_TOKEN_SECONDS: i32 = 30 * 24 * 60 * 60;
/// How long a session lasts at most, however often it is refreshed.
const SESSION_SECONDS: i32 = 90 * 24 * 60 * 60;

/// A session that is alive, and its user as of now.
#[derive(Debug, Clone)]
pub(crate) struct LiveSession {
    pub(crate) id: SessionId,
    pub(crate) client_id: String,
    pub(crate) scopes: Scopes,
    pub(crate) user: User,
    /// When they proved at our own page who they are; `None` for the JSON login.
    pub(crate) authenticated_at: Option<DateTime<Utc>>,
}

impl LiveSession {
    fn from_row(row: &Row) -> Result<Self, StoreError> {
        let user = User::from_row(row)?;
        // Somebody whose role was narrowed since gets no more than the role gives now.
        let granted = Scopes::parse(row.try_get("scope")?);
        let scopes = granted.intersection(user.login_scopes().with(Scope::OfflineAccess));
        Ok(Self {
            id: SessionId::from_uuid(row.try_get("session_id")?),
            client_id: row.try_get("client_id")?,
            scopes,
            user,
            authenticated_at: row.try_get("authenticated_at")?,
        })
    }
}

/// A session as its owner sees it.
#[derive(Debug, Clone)]
pub(crate) struct SessionRow {
    pub(crate) id: SessionId,
    pub(crate) client_id: String,
    pub(crate) scope: String,
    pub(crate) address: Option<String>,
    pub(crate) user_agent: Option<String>,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) last_used_at: DateTime<Utc>,
    pub(crate) expires_at: DateTime<Utc>,
}

/// Where a session is begun from.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// The peer's IP address.
    pub address: Option<String>,
    /// What the peer calls itself.
    pub user_agent: Option<String>,
}

/// What a session is begun with.
pub(crate) struct NewSession<'a> {
    pub(crate) user: &'a User,
    pub(crate) client_id: &'a str,
    pub(crate) scopes: Scopes,
    pub(crate) origin: &'a Origin,
    /// The login of a browser that it came from; `None` for the JSON login.
    pub(crate) login: Option<FromBrowser>,
}

/// The login of a browser that a session came from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FromBrowser {
    pub(crate) login_id: Uuid,
    pub(crate) authenticated_at: DateTime<Utc>,
}

/// Begins a session, without any token yet.
pub(crate) async fn open(client: &impl GenericClient, new: &NewSession<'_>) -> Result<LiveSession, StoreError> {
    let id = SessionId::generate();
    let authenticated_at = new.login.map(|login| login.authenticated_at);
    store::execute(
        client,
        include_str!("sql/insert_session.sql"),
        &[
            &id.as_uuid(),
            &new.user.id.as_uuid(),
            &new.client_id,
            &new.scopes.to_string(),
            &new.origin.address,
            &new.origin.user_agent,
            &SESSION_SECONDS,
            &authenticated_at,
            &new.login.map(|login| login.login_id),
        ],
    )
    .await?;
    let (actor, subject) = (new.user.id.to_string(), id.to_string());
    let entry = audit::Entry::by(&actor, "SESSION_BEGUN").on(&subject).at_address(new.origin.address.as_deref());
    audit::record(client, &entry).await?;
    let (client_id, user) = (new.client_id.to_owned(), new.user.clone());
    Ok(LiveSession { id, client_id, scopes: new.scopes, user, authenticated_at })
}

/// Begins a session of the first-party login with its first refresh token.
pub(crate) async fn begin(
    client: &impl GenericClient,
    user: &User,
    origin: &Origin,
) -> Result<(LiveSession, Secret), StoreError> {
    let scopes = user.login_scopes();
    let new = NewSession { user, client_id: FIRST_PARTY_CLIENT, scopes, origin, login: None };
    let session = open(client, &new).await?;
    let token = issue_refresh_token(client, session.id).await?;
    Ok((session, token))
}

/// The session, if it is alive and its user enabled.
pub(crate) async fn find_live(client: &impl GenericClient, id: SessionId) -> Result<Option<LiveSession>, StoreError> {
    let row = store::query_opt(client, include_str!("sql/select_live_session.sql"), &[&id.as_uuid()]).await?;
    row.as_ref().map(LiveSession::from_row).transpose()
}

/// One more refresh token for a live session: a family of its own line, ended with the session.
pub(crate) async fn issue_refresh_token(client: &impl GenericClient, id: SessionId) -> Result<Secret, StoreError> {
    let token = Secret::new_refresh_token();
    store::execute(
        client,
        include_str!("sql/insert_refresh_token.sql"),
        &[&token.hash().as_slice(), &id.as_uuid(), &REFRESH_TOKEN_SECONDS],
    )
    .await?;
    Ok(token)
}

/// Ends a session and revokes everything it issued; `false` if it had ended before. To be announced after the commit.
pub(crate) async fn end(
    transaction: &Transaction<'_>,
    id: SessionId,
    because: &'static str,
    actor: &str,
) -> Result<bool, StoreError> {
    let update = "UPDATE sessions SET ended_at = now(), ended_because = $2 WHERE id = $1 AND ended_at IS NULL";
    if store::execute(transaction, update, &[&id.as_uuid(), &because]).await? == 0 {
        return Ok(false);
    }
    let subject = id.to_string();
    audit::record(transaction, &audit::Entry::by(actor, "SESSION_ENDED").on(&subject).with(because)).await?;
    revocations::append(transaction, RevocationKind::Session, &subject).await?;
    Ok(true)
}

/// Ends every session of a user; answers those that were alive. To be announced after the commit.
pub(crate) async fn end_all(
    transaction: &Transaction<'_>,
    user: UserId,
    because: &'static str,
    actor: &str,
) -> Result<Vec<SessionId>, StoreError> {
    let select = "SELECT id FROM sessions WHERE user_id = $1 AND ended_at IS NULL AND expires_at > now() ORDER BY id";
    let mut ended = Vec::new();
    for row in store::query(transaction, select, &[&user.as_uuid()]).await? {
        let id = SessionId::from_uuid(row.try_get(0)?);
        if end(transaction, id, because, actor).await? {
            ended.push(id);
        }
    }
    Ok(ended)
}

/// The live sessions of a user after the given one, by id; at most `limit`.
pub(crate) async fn list(
    client: &impl GenericClient,
    user: UserId,
    after: Option<SessionId>,
    limit: i64,
) -> Result<Vec<SessionRow>, StoreError> {
    let after = after.map(|id| id.as_uuid());
    let rows = store::query(client, include_str!("sql/list_sessions.sql"), &[&user.as_uuid(), &after, &limit]).await?;
    rows.iter()
        .map(|row| {
            Ok(SessionRow {
                id: SessionId::from_uuid(row.try_get("id")?),
                client_id: row.try_get("client_id")?,
                scope: row.try_get("scope")?,
                address: row.try_get("address")?,
                user_agent: row.try_get("user_agent")?,
                created_at: row.try_get("created_at")?,
                last_used_at: row.try_get("last_used_at")?,
                expires_at: row.try_get("expires_at")?,
            })
        })
        .collect()
}

/// Forgets tokens, sessions and revocations that nothing can refer to any more.
pub(crate) async fn sweep(client: &impl GenericClient) -> Result<(), StoreError> {
    client.batch_execute(include_str!("sql/sweep.sql")).await?;
    Ok(())
}
