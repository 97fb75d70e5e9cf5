//! POST /oauth/revoke (RFC 7009): an access token alone, or a refresh token with its whole session. Services learn of it
//! within seconds by following the revocations; a token nobody knows is as good as revoked.

use super::client_authentication::authenticate;
use super::form::FormOutcome;
use super::introspect::may_handle;
use super::{OAuthError, no_store};
use crate::secret::Secret;
use crate::sessions::{self, Origin};
use crate::{SharedApp, audit, revocations};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use web::auth::RevocationKind;

/// Takes a token back.
pub(crate) async fn revoke(
    State(app): State<SharedApp>,
    origin: Origin,
    headers: HeaderMap,
    form: FormOutcome,
) -> Result<Response, OAuthError> {
    let client = authenticate(&app, &headers, form.readable(), &origin).await?;
    let form = form.parameters()?;
    let token = form.require("token", "token is missing")?;
    let done = (StatusCode::OK, no_store()).into_response();
    let client_id = client.id.to_string();
    let not_yours = OAuthError::UnauthorizedClient("the token was issued to another client");
    let access_token = app.tokens.read(token).await;
    let mut connection = app.pool.get().await?;

    if let Some(claims) = access_token {
        if !may_handle(&client, &claims.client_id) {
            return Err(not_yours);
        }
        let transaction = connection.transaction().await?;
        revocations::append(&transaction, RevocationKind::Token, &claims.jti).await?;
        let entry = audit::Entry::by(&client_id, "TOKEN_REVOKED").on(&claims.jti);
        audit::record(&transaction, &entry.at_address(origin.address.as_deref())).await?;
        transaction.commit().await?;
        app.announcer.announce(RevocationKind::Token, &claims.jti);
        return Ok(done);
    }
    if let Some(presented) = sessions::token_state(&connection, &Secret::new(token)).await? {
        if !may_handle(&client, &presented.session.client_id) {
            return Err(not_yours);
        }
        let transaction = connection.transaction().await?;
        sessions::end(&transaction, presented.session.id, "its refresh token was revoked", &client_id).await?;
        transaction.commit().await?;
        app.announcer.announce(RevocationKind::Session, &presented.session.id.to_string());
    }
    Ok(done)
}
