//! POST /auth/login. An unknown account, a wrong password and a disabled user get the same answer after the same work.

use super::Tokens;
use crate::email::Email;
use crate::failure::Failure;
use crate::secret::Secret;
use crate::sessions::{self, Origin};
use crate::users::{self, User};
use crate::{App, SharedApp, audit};
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;
use web::{JsonBody, Problem};

/// Longer texts can't be an account; they are cut before they become a limit's key.
const MAX_ACCOUNT_CHARACTERS: usize = 254;
/// The one answer to every login that is refused.
pub(crate) const WRONG: &str = "the e-mail address or the password is wrong";

/// Who logs in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Login {
    /// The account's e-mail address.
    email: String,
    /// Its password.
    password: Secret,
}

/// Begins a session.
pub(crate) async fn login(
    State(app): State<SharedApp>,
    origin: Origin,
    JsonBody(body): JsonBody<Login>,
) -> Result<Response, Failure> {
    let Some(user) = check(&app, &body.email, body.password, &origin).await? else {
        return Err(Problem::unauthenticated(WRONG).into());
    };
    let mut connection = app.pool.get().await?;
    let transaction = connection.transaction().await?;
    let (session, refresh_token) = sessions::begin(&transaction, &user, &origin).await?;
    transaction.commit().await?;
    drop(connection);
    Ok(Tokens::new(&app, &session, refresh_token).await?.respond(StatusCode::OK))
}

/// The enabled user with that address and password, within the limits on guessing.
pub(crate) async fn check(app: &App, email: &str, password: Secret, origin: &Origin) -> Result<Option<User>, Failure> {
    let account: String = email.trim().to_lowercase().chars().take(MAX_ACCOUNT_CHARACTERS).collect();
    let attempt = app.limits.login(&account, origin)?;
    let checked = authenticate(app, email, password, origin).await;
    match &checked {
        Ok(None) => attempt.count(),
        Ok(Some(_)) | Err(_) => attempt.give_back(),
    }
    checked
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
    let subject = user.map(|user| user.id.to_string());
    let entry = audit::Entry {
        action: "LOGIN_FAILED",
        subject: subject.as_deref(),
        address: origin.address.as_deref(),
        ..audit::Entry::default()
    };
    audit::record(&app.pool.get().await?, &entry).await?;
    Ok(None)
}
