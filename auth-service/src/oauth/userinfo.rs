//! GET and POST /oauth/userinfo (OpenID Connect Core §5.3): who the user of a token is, as of now.

use crate::failure::Failure;
use crate::{SharedApp, users};
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use shared_events::UserId;
use utoipa::ToSchema;
use web::{Caller, Problem, Scope};

/// The standard claims we know. Those beyond `sub` come with the scopes `email` and `profile`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UserInfo {
    /// The user's id.
    sub: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email_verified: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone_number: Option<String>,
}

/// Answers the claims of the token's user.
pub(crate) async fn userinfo(State(app): State<SharedApp>, caller: Caller) -> Result<Json<UserInfo>, Failure> {
    let Ok(id) = UserId::parse(&caller.subject) else {
        return Err(Problem::insufficient_scope("this is for a user's token; a client has no user").into());
    };
    let connection = app.pool.get().await?;
    let user = users::find(&connection, id).await?.filter(|user| user.disabled_at.is_none());
    let user = user.ok_or_else(|| Problem::invalid_token("the user of this token is gone"))?;
    let (email, profile) = (caller.has(Scope::Email), caller.has(Scope::Profile));
    Ok(Json(UserInfo {
        sub: user.id.to_string(),
        email_verified: email.then_some(user.email_verified),
        email: email.then_some(user.email),
        name: user.name.filter(|_| profile),
        phone_number: user.phone.filter(|_| profile),
    }))
}
