//! GET /api/sessions and DELETE /api/sessions/{sessionId}: a user's own logins. A client has none.

use super::CURSOR_VERSION;
use crate::failure::Failure;
use crate::{SharedApp, browser, sessions};
use axum::extract::State;
use axum::response::Response;
use chrono::{DateTime, Utc};
use http::{StatusCode, Uri};
use serde::Serialize;
use shared_events::{SessionId, UserId};
use utoipa::ToSchema;
use web::auth::RevocationKind;
use web::pagination::PageParams;
use web::{Caller, Cursor, List, PathParams, Problem, QueryParams};

/// A login that is still good.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SessionAnswer {
    session_id: SessionId,
    client_id: String,
    scopes: Vec<String>,
    address: Option<String>,
    user_agent: Option<String>,
    /// Whether the request came with a token of this session.
    current: bool,
    created_at: DateTime<Utc>,
    last_used_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
}

/// The caller's sessions, oldest first.
pub(crate) async fn list(
    State(app): State<SharedApp>,
    caller: Caller,
    QueryParams(params): QueryParams<PageParams>,
    uri: Uri,
) -> Result<Response, Failure> {
    let after = params.after::<SessionId>(CURSOR_VERSION)?;
    let found = match UserId::parse(&caller.subject) {
        Ok(user) => sessions::list(&app.pool.get().await?, user, after, params.limit.plus_one()).await?,
        Err(_) => Vec::new(),
    };
    let items: Vec<SessionAnswer> = found
        .into_iter()
        .map(|row| SessionAnswer {
            current: caller.session.as_deref() == Some(row.id.to_string().as_str()),
            session_id: row.id,
            client_id: row.client_id,
            scopes: row.scope.split(' ').map(ToOwned::to_owned).collect(),
            address: row.address,
            user_agent: row.user_agent,
            created_at: row.created_at,
            last_used_at: row.last_used_at,
            expires_at: row.expires_at,
        })
        .collect();
    Ok(List::cut(items, params.limit, |last| Cursor::encode(CURSOR_VERSION, &last.session_id)).respond(&uri))
}

/// Ends one of the caller's sessions with everything it issued.
pub(crate) async fn end(State(app): State<SharedApp>, caller: Caller, path: PathParams) -> Result<StatusCode, Failure> {
    let id: SessionId = path.id("sessionId")?;
    let mut connection = app.pool.get().await?;
    let transaction = connection.transaction().await?;
    let own = match UserId::parse(&caller.subject) {
        Ok(user) => sessions::find_live(&transaction, id).await?.is_some_and(|session| session.user.id == user),
        Err(_) => false,
    };
    if !own {
        return Err(Problem::not_found("you have no such session").into());
    }
    sessions::end(&transaction, id, "ended by its owner", &caller.subject).await?;
    browser::end_behind(&transaction, id).await?;
    transaction.commit().await?;
    app.announcer.announce(RevocationKind::Session, &id.to_string());
    Ok(StatusCode::NO_CONTENT)
}
