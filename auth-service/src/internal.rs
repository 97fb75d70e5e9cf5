//! What other services ask: who a user is, and what has been revoked.

use crate::failure::Failure;
use crate::users::Role;
use crate::{SharedApp, users};
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use shared_events::UserId;
use std::time::Duration;
use utoipa::{IntoParams, ToSchema};
use web::auth::RevocationPage;
use web::{PathParams, Problem, QueryParams};

/// How long a follower waits unless it says otherwise.
const DEFAULT_WAIT_SECONDS: u64 = 20;
/// How long a follower may wait.
const MAX_WAIT_SECONDS: u64 = 20;

/// A user as other services see them.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InternalUser {
    user_id: UserId,
    email: String,
    email_verified: bool,
    name: Option<String>,
    phone: Option<String>,
    role: Role,
    disabled: bool,
    version: i64,
}

/// Where a follower of the revocations stands.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct RevocationParams {
    /// The last position it has; 0 to begin with.
    #[serde(default)]
    after: i64,
    /// For how many seconds to wait for news, at most and by default 20.
    wait: Option<u64>,
}

/// Who a user is.
pub(crate) async fn user(State(app): State<SharedApp>, path: PathParams) -> Result<Json<InternalUser>, Failure> {
    let id: UserId = path.id("id")?;
    let connection = app.pool.get().await?;
    let user = users::find(&connection, id).await?.ok_or_else(|| Problem::not_found("there is no such user"))?;
    Ok(Json(InternalUser {
        user_id: user.id,
        email: user.email,
        email_verified: user.email_verified,
        name: user.name,
        phone: user.phone,
        role: user.role,
        disabled: user.disabled_at.is_some(),
        version: user.version,
    }))
}

/// What has been revoked since, after waiting for it.
pub(crate) async fn revocations(
    State(app): State<SharedApp>,
    QueryParams(params): QueryParams<RevocationParams>,
) -> Result<Json<RevocationPage>, Failure> {
    let wait = params.wait.unwrap_or(DEFAULT_WAIT_SECONDS).min(MAX_WAIT_SECONDS);
    let page = app.announcer.wait_page(&app.pool, params.after.max(0), Duration::from_secs(wait)).await?;
    Ok(Json(page))
}
