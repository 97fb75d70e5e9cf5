//! GET, POST and PUT /auth/one-time-codes: staff set up their authenticator. The password is asked for, so that a token
//! alone can't lock its owner out; from the first code on every login needs one.

use super::login::{Proof, prove};
use crate::failure::Failure;
use crate::one_time_codes::{self, Standing};
use crate::secret::Secret;
use crate::sessions::Origin;
use crate::users::{self, Role, User};
use crate::{App, SharedApp};
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::CACHE_CONTROL;
use serde::{Deserialize, Serialize};
use shared_events::UserId;
use utoipa::ToSchema;
use web::{Caller, JsonBody, Problem};

/// Who wants to set up an authenticator.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Enrol {
    /// The caller's password.
    password: Secret,
}

/// What the authenticator shows.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct FirstCode {
    /// Six digits.
    code: String,
}

/// What an authenticator is set up with; told once.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EnrolmentAnswer {
    /// In Base32, to be typed.
    secret: String,
    /// The same for a camera.
    uri: String,
}

/// Where the caller stands.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StandingAnswer {
    /// Whether a login of theirs needs a code.
    enabled: bool,
}

/// Whether the caller's logins need a code.
pub(crate) async fn standing(State(app): State<SharedApp>, caller: Caller) -> Result<Json<StandingAnswer>, Failure> {
    let user = staff(&app, &caller).await?;
    let standing = one_time_codes::standing(&app.pool.get().await?, user.id).await?;
    Ok(Json(StandingAnswer { enabled: standing == Standing::On }))
}

/// Gives the caller a secret for their authenticator. Nothing changes for their logins yet.
pub(crate) async fn enrol(
    State(app): State<SharedApp>,
    caller: Caller,
    origin: Origin,
    JsonBody(body): JsonBody<Enrol>,
) -> Result<Response, Failure> {
    let user = staff(&app, &caller).await?;
    if one_time_codes::standing(&app.pool.get().await?, user.id).await? == Standing::On {
        return Err(are_on().into());
    }
    match prove(&app, &user.email, body.password, None, &origin).await? {
        Proof::Good(proven) if proven.id == user.id => {}
        _ => return Err(Problem::invalid_field("/password", "this is not your password").into()),
    }
    let connection = app.pool.get().await?;
    let enrolment = one_time_codes::enrol(&connection, &app.keys, user.id, &user.email, app.host()).await?;
    let enrolment = enrolment.ok_or_else(are_on)?;
    let answer = EnrolmentAnswer { secret: enrolment.secret, uri: enrolment.uri };
    Ok((StatusCode::CREATED, [(CACHE_CONTROL, "no-store")], Json(answer)).into_response())
}

/// Takes the first code of the authenticator: from now on every login needs one.
pub(crate) async fn confirm(
    State(app): State<SharedApp>,
    caller: Caller,
    origin: Origin,
    JsonBody(body): JsonBody<FirstCode>,
) -> Result<Json<StandingAnswer>, Failure> {
    let user = staff(&app, &caller).await?;
    let attempt = app.limits.login(&user.email, &origin)?;
    let mut connection = app.pool.get().await?;
    let transaction = connection.transaction().await?;
    if !one_time_codes::take(&transaction, &app.keys, user.id, &body.code).await? {
        attempt.count();
        return Err(Problem::invalid_field("/code", "this is not the code that your authenticator shows now").into());
    }
    attempt.give_back();
    one_time_codes::turn_on(&transaction, user.id).await?;
    transaction.commit().await?;
    Ok(Json(StandingAnswer { enabled: true }))
}

/// The caller, who has to be a user and to work in the shop.
async fn staff(app: &App, caller: &Caller) -> Result<User, Failure> {
    let not_staff = || Problem::insufficient_scope("one-time codes are for the shop's staff");
    let id = UserId::parse(&caller.subject).map_err(|_| not_staff())?;
    let user = users::find(&app.pool.get().await?, id).await?.ok_or_else(not_staff)?;
    if user.role == Role::Customer { Err(not_staff().into()) } else { Ok(user) }
}

fn are_on() -> Problem {
    Problem::illegal_transition("your logins need a code already; an administrator can take the authenticator away")
}
