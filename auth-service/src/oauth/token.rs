//! POST /oauth/token (RFC 6749 §3.2): `authorization_code`, `client_credentials` and `refresh_token`. `password` and
//! `implicit` are refused like everything else that is not served, as RFC 9700 wants it.

use super::client_authentication::authenticate;
use super::form::{FormOutcome, OAuthForm};
use super::{OAuthError, no_store};
use crate::access_token::LIFETIME_SECONDS;
use crate::clients::{Client, Grant};
use crate::codes::{self, Redeemed, Redemption};
use crate::secret::Secret;
use crate::sessions::{self, FIRST_PARTY_CLIENT, LiveSession, Origin, Refresh, Refreshed, Wanted};
use crate::{App, SharedApp, id_token};
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use web::auth::RevocationKind;
use web::{Scope, Scopes};

/// The parameters, for the documentation.
#[derive(Debug, Deserialize, ToSchema)]
#[expect(dead_code, reason = "documents a form that is read parameter by parameter")]
pub(crate) struct TokenRequest {
    /// `authorization_code`, `client_credentials` or `refresh_token`.
    grant_type: String,
    /// Scopes with spaces between; all that are possible if absent.
    scope: Option<String>,
    /// The authorization code.
    code: Option<String>,
    /// Where the code was sent.
    redirect_uri: Option<String>,
    /// What the code's challenge was made of (RFC 7636).
    code_verifier: Option<Secret>,
    /// The refresh token.
    refresh_token: Option<String>,
    /// The client, unless it authenticates by the Authorization header.
    client_id: Option<String>,
    /// Its secret.
    client_secret: Option<Secret>,
    /// A JWT of its own in place of a secret (RFC 7523).
    client_assertion: Option<Secret>,
    /// `urn:ietf:params:oauth:client-assertion-type:jwt-bearer`.
    client_assertion_type: Option<String>,
}

/// RFC 6749 §5.1.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TokenAnswer {
    /// A JWT per RFC 9068.
    access_token: String,
    /// Always `Bearer`.
    token_type: &'static str,
    /// In seconds.
    expires_in: i64,
    /// What the access token may do.
    scope: String,
    /// The successor of the refresh token.
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<Secret>,
    /// Who logged in, where `openid` was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<String>,
}

/// Issues a token.
pub(crate) async fn token(
    State(app): State<SharedApp>,
    origin: Origin,
    headers: HeaderMap,
    form: FormOutcome,
) -> Result<Response, OAuthError> {
    let client = authenticate(&app, &headers, form.readable(), &origin).await?;
    let form = form.parameters()?;
    let grant_type = form.require("grant_type", "grant_type is missing")?;
    let answer = match Grant::parse(grant_type) {
        Some(Grant::ClientCredentials) => client_credentials(&app, &client, &form).await?,
        Some(Grant::RefreshToken) => refresh_token(&app, &client, &form).await?,
        Some(Grant::AuthorizationCode) => authorization_code(&app, &client, &form, &origin).await?,
        None => {
            let served = "use authorization_code, client_credentials or refresh_token";
            return Err(OAuthError::UnsupportedGrantType(served));
        }
    };
    Ok((no_store(), Json(answer)).into_response())
}

async fn client_credentials(app: &App, client: &Client, form: &OAuthForm) -> Result<TokenAnswer, OAuthError> {
    if !client.confidential || !client.may_use(Grant::ClientCredentials) {
        return Err(OAuthError::UnauthorizedClient("the client may not use client_credentials"));
    }
    let scopes = match wanted_scopes(form)? {
        Some(wanted) if client.scopes.contains_all(wanted) => wanted,
        Some(_) => return Err(OAuthError::InvalidScope("the client does not have every scope it asks for")),
        None => client.scopes,
    };
    Ok(TokenAnswer {
        access_token: app.tokens.for_client(&client.id.to_string(), scopes).await?,
        token_type: "Bearer",
        expires_in: LIFETIME_SECONDS,
        scope: scopes.to_string(),
        refresh_token: None,
        id_token: None,
    })
}

async fn authorization_code(
    app: &App,
    client: &Client,
    form: &OAuthForm,
    origin: &Origin,
) -> Result<TokenAnswer, OAuthError> {
    if !client.may_use(Grant::AuthorizationCode) {
        return Err(OAuthError::UnauthorizedClient("the client may not use authorization_code"));
    }
    let redemption = Redemption {
        client,
        code: &Secret::new(form.require("code", "code is missing")?),
        redirect_uri: form.require("redirect_uri", "redirect_uri is missing")?,
        code_verifier: form.require("code_verifier", "code_verifier is missing")?,
        origin,
    };
    let mut connection = app.pool.get().await?;
    let transaction = connection.transaction().await?;
    let (session, nonce) = match codes::redeem(&transaction, &redemption).await? {
        Redeemed::Given { session, nonce } => (session, nonce),
        Redeemed::Reused(session) => {
            transaction.commit().await?;
            app.announcer.announce(RevocationKind::Session, &session.to_string());
            return Err(OAuthError::InvalidGrant("the code was used before; what it gave has been revoked"));
        }
        Redeemed::Refused => {
            return Err(OAuthError::InvalidGrant("the code, its redirect_uri or its code_verifier is not valid"));
        }
    };
    let refreshable = session.scopes.contains(Scope::OfflineAccess) && client.may_use(Grant::RefreshToken);
    let refresh_token =
        if refreshable { Some(sessions::issue_refresh_token(&transaction, session.id).await?) } else { None };
    transaction.commit().await?;
    drop(connection);
    session_answer(app, &session, session.scopes, refresh_token, nonce).await
}

/// The tokens of a user's session.
async fn session_answer(
    app: &App,
    session: &LiveSession,
    scopes: Scopes,
    refresh_token: Option<Secret>,
    nonce: Option<String>,
) -> Result<TokenAnswer, OAuthError> {
    let access_token = app.tokens.for_session(session, scopes).await?;
    let id_token = if scopes.contains(Scope::OpenId) {
        id_token::issue(&app.tokens, session, nonce, &access_token).await?
    } else {
        None
    };
    Ok(TokenAnswer {
        access_token,
        token_type: "Bearer",
        expires_in: LIFETIME_SECONDS,
        scope: scopes.to_string(),
        refresh_token,
        id_token,
    })
}

async fn refresh_token(app: &App, client: &Client, form: &OAuthForm) -> Result<TokenAnswer, OAuthError> {
    if !client.may_use(Grant::RefreshToken) {
        return Err(OAuthError::UnauthorizedClient("the client may not use refresh_token"));
    }
    let token = Secret::new(form.require("refresh_token", "refresh_token is missing")?);
    let wanted = wanted_scopes(form)?.map_or(Wanted::All, Wanted::Some);
    // The first-party login's tokens are refreshed without any client at /auth/refresh, so a client adds nothing.
    let client_id = client.id.to_string();
    let request = Refresh { token: &token, clients: &[&client_id, FIRST_PARTY_CLIENT], wanted };
    match sessions::refresh(&app.pool, &request).await? {
        Refreshed::Renewed { session, scopes, token } => session_answer(app, &session, scopes, Some(token), None).await,
        Refreshed::Reused(session) => {
            app.announcer.announce(RevocationKind::Session, &session.to_string());
            Err(OAuthError::InvalidGrant("the refresh token was used before; its session has been ended"))
        }
        Refreshed::Refused => Err(OAuthError::InvalidGrant("the refresh token is not valid")),
        Refreshed::ScopeExceeded => Err(OAuthError::InvalidScope("the session does not have every scope asked for")),
    }
}

/// The scopes asked for; an unknown name is refused, not passed over.
fn wanted_scopes(form: &OAuthForm) -> Result<Option<Scopes>, OAuthError> {
    let Some(text) = form.get("scope") else { return Ok(None) };
    let scopes: Option<Scopes> = text.split(' ').filter(|name| !name.is_empty()).map(Scope::parse).collect();
    match scopes {
        Some(scopes) if !scopes.is_empty() => Ok(Some(scopes)),
        Some(_) | None => Err(OAuthError::InvalidScope("a scope is not known")),
    }
}
