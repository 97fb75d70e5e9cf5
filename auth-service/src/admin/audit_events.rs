//! GET /api/audit-events: who did what to whom, newest first, by actor, subject or action (scope clients:admin).

use super::CURSOR_VERSION;
use crate::failure::Failure;
use crate::{SharedApp, audit};
use axum::extract::State;
use axum::response::Response;
use chrono::{DateTime, Utc};
use http::Uri;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use web::{Cursor, Limit, List, QueryParams};

/// Which entries.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AuditParams {
    /// Who did it: a `usr_` or `cli_` id, `internal`, `cli`.
    actor: Option<String>,
    /// What it was done to: an id.
    subject: Option<String>,
    /// What was done, such as `USER_DISABLED`.
    action: Option<String>,
    /// How many items: 1 to 100, 20 unless asked otherwise.
    #[serde(default)]
    #[param(inline, required = false)]
    limit: Limit,
    /// Where the page before ended: its `nextCursor`.
    cursor: Option<String>,
}

/// One thing that happened.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AuditAnswer {
    #[serde(skip)]
    id: i64,
    recorded_at: DateTime<Utc>,
    action: String,
    /// `null` for somebody unknown.
    actor: Option<String>,
    subject: Option<String>,
    address: Option<String>,
    detail: Option<String>,
}

impl From<audit::Recorded> for AuditAnswer {
    fn from(entry: audit::Recorded) -> Self {
        Self {
            id: entry.id,
            recorded_at: entry.recorded_at,
            action: entry.action,
            actor: entry.actor,
            subject: entry.subject,
            address: entry.address,
            detail: entry.detail,
        }
    }
}

/// The entries that match, newest first.
pub(crate) async fn list(
    State(app): State<SharedApp>,
    QueryParams(params): QueryParams<AuditParams>,
    uri: Uri,
) -> Result<Response, Failure> {
    let before = params.cursor.as_deref().map(|text| Cursor::decode::<i64>(CURSOR_VERSION, text)).transpose()?;
    let wanted = audit::Wanted {
        actor: params.actor.as_deref(),
        subject: params.subject.as_deref(),
        action: params.action.as_deref(),
        before,
    };
    let connection = app.pool.get().await?;
    let found = audit::list(&connection, &wanted, params.limit.plus_one()).await?;
    let items: Vec<AuditAnswer> = found.into_iter().map(AuditAnswer::from).collect();
    Ok(List::cut(items, params.limit, |last| Cursor::encode(CURSOR_VERSION, &last.id)).respond(&uri))
}
