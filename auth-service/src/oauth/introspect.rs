//! POST /oauth/introspect and /oauth/check_token (RFC 7662). It knows of a revocation at once, as it asks the tables.

use super::client_authentication::authenticate_confidential;
use super::form::FormOutcome;
use super::{OAuthError, no_store};
use crate::access_token::{self, AUDIENCE};
use crate::clients::{self, Client};
use crate::secret::Secret;
use crate::sessions::{self, FIRST_PARTY_CLIENT, Origin};
use crate::store::StoreError;
use crate::{App, SharedApp, revocations};
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use shared_events::ClientId;
use utoipa::ToSchema;
use web::{AccessTokenClaims, CallerKind};

/// The parameters, for the documentation.
#[derive(Debug, Deserialize, ToSchema)]
#[expect(dead_code, reason = "documents a form that is read parameter by parameter")]
pub(crate) struct TokenParameters {
    /// An access token or a refresh token.
    token: Secret,
    /// Not needed: both kinds are told apart.
    token_type_hint: Option<String>,
}

/// RFC 7662 §2.2; nothing but `active` for a token that is not.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct Introspection {
    /// Whether the token is good now.
    active: bool,
    #[serde(flatten)]
    #[schema(inline)]
    about: Option<About>,
}

/// What an active token says.
#[derive(Debug, Serialize, ToSchema)]
struct About {
    scope: String,
    client_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_type: Option<&'static str>,
    exp: i64,
    iat: i64,
    sub: String,
    aud: &'static str,
    iss: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    jti: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<String>,
    #[schema(value_type = String)]
    role: CallerKind,
}

/// Says what a token is good for.
pub(crate) async fn introspect(
    State(app): State<SharedApp>,
    origin: Origin,
    headers: HeaderMap,
    form: FormOutcome,
) -> Result<Response, OAuthError> {
    let client = authenticate_confidential(&app, &headers, form.readable(), &origin).await?;
    let form = form.parameters()?;
    let token = form.require("token", "token is missing")?;
    let about = match app.tokens.read(token).await {
        Some(claims) => about_access_token(&app, claims).await?,
        None => about_refresh_token(&app, &client, &Secret::new(token)).await?,
    };
    Ok((no_store(), Json(Introspection { active: about.is_some(), about })).into_response())
}

async fn about_access_token(app: &App, claims: AccessTokenClaims) -> Result<Option<About>, OAuthError> {
    if !is_live(app, &claims).await? {
        return Ok(None);
    }
    Ok(Some(About {
        scope: claims.scope,
        client_id: claims.client_id,
        username: claims.email,
        token_type: Some("Bearer"),
        exp: claims.exp,
        iat: claims.iat,
        sub: claims.sub,
        aud: AUDIENCE,
        iss: claims.iss,
        jti: Some(claims.jti),
        sid: claims.sid,
        role: claims.role,
    }))
}

/// Whether nothing behind a genuine token has been taken back: the token, its session, its user, its client.
pub(crate) async fn is_live(app: &App, claims: &AccessTokenClaims) -> Result<bool, StoreError> {
    let connection = app.pool.get().await?;
    if revocations::is_revoked(&connection, &claims.jti, claims.sid.as_deref()).await? {
        return Ok(false);
    }
    if claims.role == CallerKind::Client {
        let Ok(id) = ClientId::parse(&claims.sub) else { return Ok(false) };
        return Ok(clients::find(&connection, id).await?.is_some_and(|client| client.disabled_at.is_none()));
    }
    match access_token::session(claims) {
        Some(session) => Ok(sessions::find_live(&connection, session).await?.is_some()),
        None => Ok(false),
    }
}

/// A refresh token concerns nobody but the client it was issued to.
async fn about_refresh_token(app: &App, client: &Client, token: &Secret) -> Result<Option<About>, OAuthError> {
    let connection = app.pool.get().await?;
    let Some(presented) = sessions::token_state(&connection, token).await? else { return Ok(None) };
    let active = presented.is_active();
    let session = presented.session;
    if !active || !may_handle(client, &session.client_id) {
        return Ok(None);
    }
    Ok(Some(About {
        scope: session.scopes.to_string(),
        client_id: session.client_id,
        username: Some(session.user.email),
        token_type: None,
        exp: presented.expires_at.timestamp(),
        iat: presented.issued_at.timestamp(),
        sub: session.user.id.to_string(),
        aud: AUDIENCE,
        iss: app.tokens.issuer().to_owned(),
        jti: None,
        sid: Some(session.id.to_string()),
        role: session.user.role.kind(),
    }))
}

/// Whether a client may handle tokens issued to that one: to itself, or to the first-party login if it may refresh.
pub(crate) fn may_handle(client: &Client, issued_to: &str) -> bool {
    client.id.to_string() == issued_to
        || (issued_to == FIRST_PARTY_CLIENT && client.may_use(clients::Grant::RefreshToken))
}
