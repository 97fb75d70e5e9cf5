//! GET and POST /api/roles, PUT and DELETE /api/roles/{name} (scope clients:admin): the roles that every shop has, and
//! those it makes for itself.

use super::CURSOR_VERSION;
use crate::failure::Failure;
use crate::roles::{self, CustomRole, Deleting};
use crate::users::Role;
use crate::{App, SharedApp};
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::LOCATION;
use http::{StatusCode, Uri};
use serde::{Deserialize, Serialize};
use shared_events::SessionId;
use utoipa::ToSchema;
use web::auth::RevocationKind;
use web::pagination::PageParams;
use web::{Caller, Cursor, JsonBody, List, PathParams, Problem, QueryParams, Scope, Scopes};

/// A role to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NewRole {
    /// 2 to 40 lower-case letters, digits and hyphens; unique.
    name: String,
    /// What a login of somebody with it may do.
    scopes: Vec<String>,
}

/// A role's new scopes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ChangedRole {
    /// All of them.
    scopes: Vec<String>,
}

/// A role.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RoleAnswer {
    name: String,
    /// Whether every shop has it; it stays as it is then.
    built_in: bool,
    scopes: Vec<&'static str>,
    version: i64,
}

impl From<CustomRole> for RoleAnswer {
    fn from(role: CustomRole) -> Self {
        Self { name: role.name, built_in: false, scopes: names(role.scopes), version: role.version }
    }
}

impl From<Role> for RoleAnswer {
    fn from(role: Role) -> Self {
        Self { name: role.as_str().to_owned(), built_in: true, scopes: names(role.login_scopes()), version: 1 }
    }
}

fn names(scopes: Scopes) -> Vec<&'static str> {
    scopes.iter().map(Scope::as_str).collect()
}

/// Every role, by name.
pub(crate) async fn list(
    State(app): State<SharedApp>,
    QueryParams(params): QueryParams<PageParams>,
    uri: Uri,
) -> Result<Response, Failure> {
    let after = params.after::<String>(CURSOR_VERSION)?;
    let custom = roles::list(&app.pool.get().await?).await?;
    let built_in = Role::ALL.into_iter().map(RoleAnswer::from);
    let mut items: Vec<RoleAnswer> = custom.into_iter().map(RoleAnswer::from).chain(built_in).collect();
    items.sort_by(|one, other| one.name.cmp(&other.name));
    items.retain(|role| after.as_ref().is_none_or(|after| role.name > *after));
    items.truncate(usize::from(params.limit.get()) + 1);
    Ok(List::cut(items, params.limit, |last| Cursor::encode(CURSOR_VERSION, &last.name)).respond(&uri))
}

/// Makes a role.
pub(crate) async fn create(
    State(app): State<SharedApp>,
    caller: Caller,
    JsonBody(body): JsonBody<NewRole>,
) -> Result<Response, Failure> {
    roles::check_name(&body.name).map_err(|detail| Problem::invalid_field("/name", detail))?;
    let scopes = roles::check_scopes(&body.scopes).map_err(wrong_field)?;
    let mut connection = app.pool.get().await?;
    let transaction = connection.transaction().await?;
    let Some(role) = roles::insert(&transaction, &body.name, scopes, &caller.subject).await? else {
        return Err(Problem::invalid_field("/name", "there is a role of this name already").into());
    };
    transaction.commit().await?;
    let location = format!("/api/roles/{}", role.name);
    Ok((StatusCode::CREATED, [(LOCATION, location)], Json(RoleAnswer::from(role))).into_response())
}

/// Gives a role other scopes, and ends the sessions of those who have it.
pub(crate) async fn change(
    State(app): State<SharedApp>,
    caller: Caller,
    path: PathParams,
    JsonBody(body): JsonBody<ChangedRole>,
) -> Result<Json<RoleAnswer>, Failure> {
    let name = path.get("name");
    if Role::parse(name).is_some() {
        return Err(built_in_stays().into());
    }
    let scopes = roles::check_scopes(&body.scopes).map_err(wrong_field)?;
    let mut connection = app.pool.get().await?;
    let transaction = connection.transaction().await?;
    let changed = roles::change(&transaction, name, scopes, &caller.subject).await?;
    let (role, ended) = changed.ok_or_else(no_such_role)?;
    transaction.commit().await?;
    announce(&app, &ended);
    Ok(Json(role.into()))
}

/// Deletes a role that nobody has.
pub(crate) async fn delete(
    State(app): State<SharedApp>,
    caller: Caller,
    path: PathParams,
) -> Result<StatusCode, Failure> {
    let name = path.get("name");
    if Role::parse(name).is_some() {
        return Err(built_in_stays().into());
    }
    let mut connection = app.pool.get().await?;
    let transaction = connection.transaction().await?;
    match roles::delete(&transaction, name, &caller.subject).await? {
        Deleting::Done => transaction.commit().await?,
        Deleting::InUse => {
            return Err(Problem::illegal_transition("somebody has this role; give them another one first").into());
        }
        Deleting::Unknown => return Err(no_such_role().into()),
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Tells this process at once, and those who wait, that sessions were ended.
pub(super) fn announce(app: &App, ended: &[SessionId]) {
    for session in ended {
        app.announcer.announce(RevocationKind::Session, &session.to_string());
    }
}

fn wrong_field((pointer, detail): (String, String)) -> Problem {
    Problem::invalid_field(pointer, detail)
}

fn built_in_stays() -> Problem {
    Problem::illegal_transition("a role that every shop has stays as it is; make one of your own")
}

fn no_such_role() -> Problem {
    Problem::not_found("there is no such role")
}
