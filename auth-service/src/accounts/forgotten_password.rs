//! POST /auth/password/forgot and /auth/password/reset. The first answers the same after the same time whoever is asked
//! for, so that nobody learns who has an account; the second takes the mailed code once and ends every session.

use super::verify_email::no_good;
use crate::audit;
use crate::email::Email;
use crate::failure::Failure;
use crate::letters::{self, Purpose};
use crate::password;
use crate::secret::Secret;
use crate::sessions::{self, Origin};
use crate::store;
use crate::users;
use crate::{App, SharedApp};
use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};
use utoipa::ToSchema;
use web::auth::RevocationKind;
use web::{JsonBody, Problem};

/// No answer comes sooner: longer than writing a letter takes.
const NOT_BEFORE: Duration = Duration::from_millis(250);

/// Who has forgotten their password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Forgot {
    /// The account's e-mail address.
    email: String,
}

/// The mailed code and what is to be the password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Reset {
    /// As it was mailed.
    code: Secret,
    /// 8 to 1024 bytes, and not among the first that are guessed.
    password: Secret,
}

/// That it is done.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Changed {
    /// Always true.
    password_changed: bool,
}

/// Has a code mailed, if there is such an account.
pub(crate) async fn forgot(
    State(app): State<SharedApp>,
    origin: Origin,
    JsonBody(body): JsonBody<Forgot>,
) -> StatusCode {
    let began = Instant::now();
    if let Err(failure) = mail_code(&app, &body.email, &origin).await {
        // Said to nobody: it would tell that there is such an account. They will ask again.
        tracing::warn!(error = &failure as &dyn std::error::Error, "a code for a new password was not written");
    }
    sleep_until(began + NOT_BEFORE).await;
    StatusCode::ACCEPTED
}

async fn mail_code(app: &App, email: &str, origin: &Origin) -> Result<(), Failure> {
    let Ok(email) = Email::parse(email) else { return Ok(()) };
    // Where no mail is sent, a code would help nobody.
    if !app.sends_mail || !app.limits.forgotten(email.as_str(), origin) {
        return Ok(());
    }
    let mut connection = app.pool.get().await?;
    let transaction = connection.transaction().await?;
    let Some(found) = users::find_by_email(&transaction, &email).await? else { return Ok(()) };
    if found.user.disabled_at.is_some() {
        return Ok(());
    }
    letters::write(&transaction, &app.keys, found.user.id, Purpose::ResetPassword).await?;
    let subject = found.user.id.to_string();
    let entry = audit::Entry { action: "PASSWORD_FORGOTTEN", ..audit::Entry::default() };
    audit::record(&transaction, &entry.on(&subject).at_address(origin.address.as_deref())).await?;
    transaction.commit().await?;
    Ok(())
}

/// Sets the password of the code's user and ends all their sessions.
pub(crate) async fn reset(
    State(app): State<SharedApp>,
    origin: Origin,
    JsonBody(body): JsonBody<Reset>,
) -> Result<Json<Changed>, Failure> {
    password::check_strength(&body.password, None)
        .map_err(|error| Problem::invalid_field("/password", error.to_string()))?;
    let attempt = app.limits.client(&origin)?;
    if !letters::is_good(&app.pool.get().await?, &body.code, Purpose::ResetPassword).await? {
        attempt.count();
        return Err(no_good().into());
    }
    attempt.give_back();
    let password_hash = app.hasher.hash(body.password).await?;

    let mut connection = app.pool.get().await?;
    let transaction = connection.transaction().await?;
    // Two at once with one code: the second finds it spent.
    let Some(user) = letters::spend(&transaction, &body.code, Purpose::ResetPassword).await? else {
        return Err(no_good().into());
    };
    let update = include_str!("../sql/set_password.sql");
    store::execute(&transaction, update, &[&user.as_uuid(), &password_hash]).await?;
    let subject = user.to_string();
    let entry = audit::Entry::by(&subject, "PASSWORD_RESET").on(&subject).at_address(origin.address.as_deref());
    audit::record(&transaction, &entry).await?;
    let ended = sessions::end_all(&transaction, user, "the password was reset", &subject).await?;
    store::execute(&transaction, "DELETE FROM browser_logins WHERE user_id = $1", &[&user.as_uuid()]).await?;
    transaction.commit().await?;
    for session in ended {
        app.announcer.announce(RevocationKind::Session, &session.to_string());
    }
    Ok(Json(Changed { password_changed: true }))
}
