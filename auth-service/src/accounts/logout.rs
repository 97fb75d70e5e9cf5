//! POST /auth/logout: ends the session of the bearer's token with everything it issued. A token without a session (a
//! client's own) is revoked alone. Logging out twice changes nothing.

use crate::failure::Failure;
use crate::{SharedApp, browser, revocations, sessions};
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use shared_events::SessionId;
use utoipa::ToSchema;
use web::Caller;
use web::auth::RevocationKind;

/// That it is done.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LoggedOut {
    /// Always true.
    logged_out: bool,
}

/// Ends the caller's session.
pub(crate) async fn logout(State(app): State<SharedApp>, caller: Caller) -> Result<Json<LoggedOut>, Failure> {
    let mut connection = app.pool.get().await?;
    let transaction = connection.transaction().await?;
    let session = caller.session.as_deref().and_then(|session| SessionId::parse(session).ok());
    let revoked = match (session, &caller.token_id) {
        (Some(session), _) => {
            sessions::end(&transaction, session, "logged out", &caller.subject).await?;
            browser::end_behind(&transaction, session).await?;
            Some((RevocationKind::Session, session.to_string()))
        }
        (None, Some(token_id)) => {
            revocations::append(&transaction, RevocationKind::Token, token_id).await?;
            Some((RevocationKind::Token, token_id.clone()))
        }
        // The service token, which no call can take back.
        (None, None) => None,
    };
    transaction.commit().await?;
    if let Some((kind, subject)) = revoked {
        app.announcer.announce(kind, &subject);
    }
    Ok(Json(LoggedOut { logged_out: true }))
}
