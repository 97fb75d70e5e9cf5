//! POST and GET /api/users, GET, PUT and DELETE /api/users/{userId}.

use super::CURSOR_VERSION;
use super::roles::announce;
use crate::accounts::register::{Account, email_taken};
use crate::failure::Failure;
use crate::roles::RoleChoice;
use crate::secret::Secret;
use crate::users::{self, Assigning, Disabling, NewUser, Role, User};
use crate::{SharedApp, one_time_codes, sessions::Origin};
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use http::header::LOCATION;
use http::{StatusCode, Uri};
use serde::{Deserialize, Serialize};
use shared_events::UserId;
use utoipa::ToSchema;
use web::pagination::PageParams;
use web::{Caller, Cursor, JsonBody, List, PathParams, Problem, QueryParams};

/// A user to be, made by an administrator.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NewUserBody {
    /// The account's name.
    email: String,
    /// 8 to 1024 bytes, and not among the first that are guessed.
    password: Secret,
    /// What to call them.
    name: Option<String>,
    /// A phone number.
    phone: Option<String>,
    /// `customer`, `staff`, `admin` or one of the shop's own; `customer` if absent.
    role: Option<String>,
}

/// What is to be another for a user.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ChangedUser {
    /// `customer`, `staff`, `admin` or one of the shop's own.
    role: String,
}

/// A user.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UserAnswer {
    user_id: UserId,
    email: String,
    email_verified: bool,
    name: Option<String>,
    phone: Option<String>,
    /// `customer`, `staff`, `admin` or one of the shop's own.
    role: String,
    disabled: bool,
    version: i64,
    created_at: DateTime<Utc>,
}

impl From<User> for UserAnswer {
    fn from(user: User) -> Self {
        let role = user.role_name().to_owned();
        Self {
            user_id: user.id,
            email: user.email,
            email_verified: user.email_verified,
            name: user.name,
            phone: user.phone,
            role,
            disabled: user.disabled_at.is_some(),
            version: user.version,
            created_at: user.created_at,
        }
    }
}

/// Makes a user.
pub(crate) async fn create(
    State(app): State<SharedApp>,
    caller: Caller,
    origin: Origin,
    JsonBody(body): JsonBody<NewUserBody>,
) -> Result<Response, Failure> {
    let account = Account::check(&body.email, &body.password, body.name.as_deref(), body.phone.as_deref())?;
    let role = body.role.as_deref().map_or(RoleChoice::BuiltIn(Role::Customer), RoleChoice::named);
    let password_hash = app.hasher.hash(body.password).await?;
    let mut connection = app.pool.get().await?;
    let transaction = connection.transaction().await?;
    if !role.is_there(&transaction).await? {
        return Err(unknown_role().into());
    }
    let new = NewUser {
        email: &account.email,
        password_hash: &password_hash,
        role: &role,
        name: account.name.as_deref(),
        phone: account.phone.as_deref(),
        made_by: Some(&caller.subject),
        address: origin.address.as_deref(),
    };
    let user = users::insert(&transaction, &new).await?.ok_or_else(email_taken)?;
    transaction.commit().await?;
    let location = format!("/api/users/{}", user.id);
    Ok((StatusCode::CREATED, [(LOCATION, location)], Json(UserAnswer::from(user))).into_response())
}

/// Every user, oldest first.
pub(crate) async fn list(
    State(app): State<SharedApp>,
    QueryParams(params): QueryParams<PageParams>,
    uri: Uri,
) -> Result<Response, Failure> {
    let after = params.after::<UserId>(CURSOR_VERSION)?;
    let connection = app.pool.get().await?;
    let found = users::list(&connection, after, params.limit.plus_one()).await?;
    let items: Vec<UserAnswer> = found.into_iter().map(UserAnswer::from).collect();
    Ok(List::cut(items, params.limit, |last| Cursor::encode(CURSOR_VERSION, &last.user_id)).respond(&uri))
}

/// One user.
pub(crate) async fn get(State(app): State<SharedApp>, path: PathParams) -> Result<Json<UserAnswer>, Failure> {
    let id: UserId = path.id("userId")?;
    let connection = app.pool.get().await?;
    let user = users::find(&connection, id).await?.ok_or_else(no_such_user)?;
    Ok(Json(user.into()))
}

/// Gives a user another role, which ends their sessions. The last admin stays one.
pub(crate) async fn change(
    State(app): State<SharedApp>,
    caller: Caller,
    path: PathParams,
    JsonBody(body): JsonBody<ChangedUser>,
) -> Result<Json<UserAnswer>, Failure> {
    let id: UserId = path.id("userId")?;
    let mut connection = app.pool.get().await?;
    let transaction = connection.transaction().await?;
    match users::assign(&transaction, id, &RoleChoice::named(&body.role), &caller.subject).await? {
        Assigning::Done(user, ended) => {
            transaction.commit().await?;
            announce(&app, &ended);
            Ok(Json(user.into()))
        }
        Assigning::LastAdmin => Err(last_admin().into()),
        Assigning::UnknownUser => Err(no_such_user().into()),
        Assigning::UnknownRole => Err(unknown_role().into()),
    }
}

/// Disables a user: they log in no more, and their tokens are refused within seconds. The last admin stays.
pub(crate) async fn disable(
    State(app): State<SharedApp>,
    caller: Caller,
    path: PathParams,
) -> Result<StatusCode, Failure> {
    let id: UserId = path.id("userId")?;
    let mut connection = app.pool.get().await?;
    let transaction = connection.transaction().await?;
    let ended = match users::disable(&transaction, id, &caller.subject).await? {
        Disabling::Done(ended) => ended,
        Disabling::LastAdmin => return Err(last_admin().into()),
        Disabling::Unknown => return Err(no_such_user().into()),
    };
    transaction.commit().await?;
    announce(&app, &ended);
    Ok(StatusCode::NO_CONTENT)
}

/// Takes a user's authenticator away, who has lost it: their password is enough again.
pub(crate) async fn turn_codes_off(
    State(app): State<SharedApp>,
    caller: Caller,
    path: PathParams,
) -> Result<StatusCode, Failure> {
    let id: UserId = path.id("userId")?;
    let mut connection = app.pool.get().await?;
    let transaction = connection.transaction().await?;
    users::find(&transaction, id).await?.ok_or_else(no_such_user)?;
    one_time_codes::turn_off(&transaction, id, &caller.subject).await?;
    transaction.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

fn last_admin() -> Problem {
    Problem::illegal_transition("this is the last administrator; make another one first")
}

fn unknown_role() -> Problem {
    Problem::invalid_field("/role", "a role is customer, staff, admin or one that GET /api/roles names")
}

fn no_such_user() -> Problem {
    Problem::not_found("there is no such user")
}
