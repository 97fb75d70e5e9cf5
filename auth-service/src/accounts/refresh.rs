//! POST /auth/refresh: the next tokens of a first-party session. Besides the refresh token it takes the access token of
//! a live session while that is good, for clients that keep no other; each such call begins a further line of refresh
//! tokens in the same session.

use super::Tokens;
use crate::failure::Failure;
use crate::oauth::introspect::is_live;
use crate::secret::Secret;
use crate::sessions::{self, FIRST_PARTY_CLIENT, Refresh, Refreshed, Wanted};
use crate::{App, SharedApp, access_token};
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;
use web::auth::RevocationKind;
use web::{JsonBody, Problem};

/// What to refresh.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RefreshBody {
    /// The refresh token.
    #[serde(alias = "refreshToken")]
    token: Secret,
}

/// Answers the next tokens.
pub(crate) async fn refresh(
    State(app): State<SharedApp>,
    JsonBody(body): JsonBody<RefreshBody>,
) -> Result<Response, Failure> {
    if let Some(tokens) = from_access_token(&app, &body.token).await? {
        return Ok(tokens.respond(StatusCode::OK));
    }
    let request = Refresh { token: &body.token, clients: &[FIRST_PARTY_CLIENT], wanted: Wanted::All };
    match sessions::refresh(&app.pool, &request).await? {
        Refreshed::Renewed { session, token, .. } => {
            Ok(Tokens::new(&app, &session, token).await?.respond(StatusCode::OK))
        }
        Refreshed::Reused(session) => {
            app.announcer.announce(RevocationKind::Session, &session.to_string());
            Err(Problem::invalid_token("the refresh token was used before; its session has been ended").into())
        }
        Refreshed::Refused | Refreshed::ScopeExceeded => {
            Err(Problem::invalid_token("the token is not valid (any more); log in again").into())
        }
    }
}

async fn from_access_token(app: &App, token: &Secret) -> Result<Option<Tokens>, Failure> {
    let Some(claims) = app.tokens.read(token.expose()).await else { return Ok(None) };
    if claims.client_id != FIRST_PARTY_CLIENT || !is_live(app, &claims).await? {
        return Ok(None);
    }
    let Some(session) = access_token::session(&claims) else { return Ok(None) };
    let connection = app.pool.get().await?;
    let Some(live) = sessions::find_live(&connection, session).await? else { return Ok(None) };
    let refresh_token = sessions::issue_refresh_token(&connection, session).await?;
    drop(connection);
    Ok(Some(Tokens::new(app, &live, refresh_token).await?))
}
