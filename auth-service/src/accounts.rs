//! The JSON login of first-party storefronts: register, log in, refresh, log out. All of them answer the same tokens as
//! the OAuth endpoints; only the form differs.

pub(crate) mod forgotten_password;
pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod one_time_codes;
pub(crate) mod refresh;
pub(crate) mod register;
pub(crate) mod verify_email;

use crate::App;
use crate::access_token::LIFETIME_SECONDS;
use crate::failure::Failure;
use crate::secret::Secret;
use crate::sessions::LiveSession;
use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Serialize;
use shared_events::UserId;
use utoipa::ToSchema;

/// What a login gives.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Tokens {
    /// The new user's id, at registration.
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<UserId>,
    /// The access token, a JWT.
    token: String,
    /// Good for one refresh.
    refresh_token: Secret,
    /// Always `Bearer`.
    token_type: &'static str,
    /// The access token's lifetime in seconds.
    expires_in: i64,
}

impl Tokens {
    async fn new(app: &App, session: &LiveSession, refresh_token: Secret) -> Result<Self, Failure> {
        Ok(Self {
            user_id: None,
            token: app.tokens.for_session(session, session.scopes).await?,
            refresh_token,
            token_type: "Bearer",
            expires_in: LIFETIME_SECONDS,
        })
    }

    fn respond(self, status: StatusCode) -> Response {
        (status, crate::oauth::no_store(), Json(self)).into_response()
    }
}
