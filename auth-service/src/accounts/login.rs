//! POST /auth/login. An unknown account, a wrong password and a disabled user get the same answer after the same work. Who
//! has an authenticator is asked for its code, but only after the right password.

use super::Tokens;
use crate::email::Email;
use crate::failure::Failure;
use crate::secret::Secret;
use crate::sessions::{self, Origin};
use crate::users::{self, User};
use crate::{App, SharedApp, audit, one_time_codes};
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use pg::deadpool_postgres::GenericClient;
use serde::Deserialize;
use utoipa::ToSchema;
use web::{JsonBody, Problem};

/// Longer texts can't be an account; they are cut before they become a limit's key.
const MAX_ACCOUNT_CHARACTERS: usize = 254;
/// The one answer to every login that is refused.
pub(crate) const WRONG: &str = "the e-mail address or the password is wrong";
/// Said to who has shown the password of an account with an authenticator.
pub(crate) const CODE_WANTED: &str = "this account has an authenticator: send the code it shows as well";
/// Said when that code is no good.
pub(crate) const WRONG_CODE: &str = "this is not the code that your authenticator shows now, or it was used before";

/// Who logs in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Login {
    /// The account's e-mail address.
    email: String,
    /// Its password.
    password: Secret,
    /// What the account's authenticator shows, where it has one.
    code: Option<String>,
}

/// What somebody has shown of themselves.
pub(crate) enum Proof {
    /// Everything that the account asks for.
    Good(User),
    /// Neither a password nor anything else.
    Wrong,
    /// The password, and no code of the authenticator.
    WithoutCode,
    /// The password, and a code that is wrong or was used before.
    WrongCode,
}

/// Begins a session.
pub(crate) async fn login(
    State(app): State<SharedApp>,
    origin: Origin,
    JsonBody(body): JsonBody<Login>,
) -> Result<Response, Failure> {
    let user = match prove(&app, &body.email, body.password, body.code.as_deref(), &origin).await? {
        Proof::Good(user) => user,
        Proof::Wrong => return Err(Problem::unauthenticated(WRONG).into()),
        Proof::WithoutCode => return Err(code_wanted(CODE_WANTED).into()),
        Proof::WrongCode => return Err(code_wanted(WRONG_CODE).into()),
    };
    let mut connection = app.pool.get().await?;
    let transaction = connection.transaction().await?;
    // Checking the password took a while: they may be disabled or have another role by now.
    let user = users::find_to_log_in(&transaction, user.id).await?;
    let user = user.ok_or_else(|| Problem::unauthenticated(WRONG))?;
    let (session, refresh_token) = sessions::begin(&transaction, &user, &origin).await?;
    transaction.commit().await?;
    drop(connection);
    Ok(Tokens::new(&app, &session, refresh_token).await?.respond(StatusCode::OK))
}

fn code_wanted(detail: &'static str) -> Problem {
    Problem::unauthenticated(detail).with_extension("oneTimeCode", "required")
}

/// The enabled user with that address, that password and, where they have an authenticator, that code; within the limits
/// on guessing.
pub(crate) async fn prove(
    app: &App,
    email: &str,
    password: Secret,
    code: Option<&str>,
    origin: &Origin,
) -> Result<Proof, Failure> {
    let account: String = email.trim().to_lowercase().chars().take(MAX_ACCOUNT_CHARACTERS).collect();
    let attempt = app.limits.login(&account, origin)?;
    let proof = match authenticate(app, email, password, origin).await {
        Ok(Some(user)) => second_proof(app, user, code, origin).await,
        Ok(None) => Ok(Proof::Wrong),
        Err(error) => Err(error),
    };
    match &proof {
        Ok(Proof::Wrong | Proof::WrongCode) => attempt.count(),
        Ok(Proof::Good(_) | Proof::WithoutCode) | Err(_) => attempt.give_back(),
    }
    proof
}

async fn second_proof(app: &App, user: User, code: Option<&str>, origin: &Origin) -> Result<Proof, Failure> {
    let connection = app.pool.get().await?;
    if one_time_codes::standing(&connection, user.id).await? == one_time_codes::Standing::Off {
        return Ok(Proof::Good(user));
    }
    let Some(code) = code else { return Ok(Proof::WithoutCode) };
    if one_time_codes::take(&connection, &app.keys, user.id, code).await? {
        return Ok(Proof::Good(user));
    }
    record_failure(&connection, Some(&user), origin).await?;
    Ok(Proof::WrongCode)
}

async fn record_failure(
    client: &impl GenericClient,
    user: Option<&User>,
    origin: &Origin,
) -> Result<(), crate::store::StoreError> {
    let subject = user.map(|user| user.id.to_string());
    let entry = audit::Entry {
        action: "LOGIN_FAILED",
        subject: subject.as_deref(),
        address: origin.address.as_deref(),
        ..audit::Entry::default()
    };
    audit::record(client, &entry).await
}

async fn authenticate(app: &App, email: &str, password: Secret, origin: &Origin) -> Result<Option<User>, Failure> {
    let found = {
        let connection = app.pool.get().await?;
        match Email::parse(email) {
            Ok(email) => users::find_by_email(&connection, &email).await?,
            Err(_) => None,
        }
    };
    // No connection is held while the password is hashed.
    let (user, hash) = found.map(|found| (found.user, found.password_hash)).unzip();
    let genuine = app.hasher.verify(password, hash).await?;
    if let Some(user) = user.as_ref().filter(|user| genuine && user.disabled_at.is_none()) {
        return Ok(Some(user.clone()));
    }
    record_failure(&app.pool.get().await?, user.as_ref(), origin).await?;
    Ok(None)
}
