//! POST /auth/verify-email: whoever shows the mailed code reads the mail of its user.

use crate::SharedApp;
use crate::audit;
use crate::failure::Failure;
use crate::letters::{self, Purpose};
use crate::secret::Secret;
use crate::sessions::Origin;
use crate::store;
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use web::{JsonBody, Problem};

/// The mailed code.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct VerifyEmail {
    /// As it was mailed.
    code: Secret,
}

/// That it is done.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Verified {
    /// Always true.
    email_verified: bool,
}

/// Notes that the address is the user's.
pub(crate) async fn verify_email(
    State(app): State<SharedApp>,
    origin: Origin,
    JsonBody(body): JsonBody<VerifyEmail>,
) -> Result<Json<Verified>, Failure> {
    let attempt = app.limits.client(&origin)?;
    let mut connection = app.pool.get().await?;
    let transaction = connection.transaction().await?;
    let Some(user) = letters::spend(&transaction, &body.code, Purpose::VerifyEmail).await? else {
        attempt.count();
        return Err(no_good().into());
    };
    attempt.give_back();
    let update = "UPDATE users SET email_verified_at = coalesce(email_verified_at, now()), version = version + 1, updated_at = now() WHERE id = $1";
    store::execute(&transaction, update, &[&user.as_uuid()]).await?;
    let subject = user.to_string();
    let entry = audit::Entry::by(&subject, "EMAIL_VERIFIED").on(&subject).at_address(origin.address.as_deref());
    audit::record(&transaction, &entry).await?;
    transaction.commit().await?;
    Ok(Json(Verified { email_verified: true }))
}

/// 422: the code is none, was used before, or is over.
pub(crate) fn no_good() -> Problem {
    Problem::invalid_field("/code", "this code is none, was used before, or is over")
}
