//! POST /auth/register: a new customer, logged in at once. Whether an address is taken is said, as the shop wants it;
//! the limit per address keeps that from being harvested.

use super::Tokens;
use crate::email::Email;
use crate::failure::Failure;
use crate::letters::{self, Purpose};
use crate::password;
use crate::secret::Secret;
use crate::sessions::{self, Origin};
use crate::users::{self, NewUser, Role};
use crate::{SharedApp, profile};
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;
use web::{Code, JsonBody, Problem};

/// Who registers.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Register {
    /// The account's name; compared without regard to case.
    email: String,
    /// 8 to 1024 bytes, and not among the first that are guessed.
    password: Secret,
    /// What to call them.
    name: Option<String>,
    /// A phone number.
    phone: Option<String>,
}

/// Makes an account and logs it in.
pub(crate) async fn register(
    State(app): State<SharedApp>,
    origin: Origin,
    JsonBody(body): JsonBody<Register>,
) -> Result<Response, Failure> {
    app.limits.registration(&origin)?;
    let account = Account::check(&body.email, &body.password, body.name.as_deref(), body.phone.as_deref())?;
    let password_hash = app.hasher.hash(body.password).await?;

    let mut connection = app.pool.get().await?;
    let transaction = connection.transaction().await?;
    let new = NewUser {
        email: &account.email,
        password_hash: &password_hash,
        role: &Role::Customer.into(),
        name: account.name.as_deref(),
        phone: account.phone.as_deref(),
        made_by: None,
        address: origin.address.as_deref(),
    };
    let Some(user) = users::insert(&transaction, &new).await? else { return Err(email_taken().into()) };
    if app.sends_mail {
        letters::write(&transaction, &app.keys, user.id, Purpose::VerifyEmail).await?;
    }
    let (session, refresh_token) = sessions::begin(&transaction, &user, &origin).await?;
    transaction.commit().await?;
    drop(connection);

    let mut tokens = Tokens::new(&app, &session, refresh_token).await?;
    tokens.user_id = Some(user.id);
    Ok(tokens.respond(StatusCode::CREATED))
}

/// The fields of a new account that have passed their rules.
pub(crate) struct Account {
    pub(crate) email: Email,
    pub(crate) name: Option<String>,
    pub(crate) phone: Option<String>,
}

impl Account {
    /// Checks every field and names all that are wrong.
    pub(crate) fn check(
        email: &str,
        password: &Secret,
        name: Option<&str>,
        phone: Option<&str>,
    ) -> Result<Self, Problem> {
        let mut wrong: Vec<(&str, String)> = Vec::new();
        let email = Email::parse(email).map_err(|error| wrong.push(("/email", error.to_string()))).ok();
        // Without an address the password is still checked against the other rules.
        if let Err(error) = password::check_strength(password, email.as_ref()) {
            wrong.push(("/password", error.to_string()));
        }
        let name = name.map(profile::name).transpose().map_err(|error| wrong.push(("/name", error.to_string()))).ok();
        let phone =
            phone.map(profile::phone).transpose().map_err(|error| wrong.push(("/phone", error.to_string()))).ok();
        match (email, name, phone) {
            (Some(email), Some(name), Some(phone)) if wrong.is_empty() => Ok(Self { email, name, phone }),
            _ => Err(wrong.into_iter().fold(
                Problem::validation_failed("the account can't be made like this"),
                |problem, (pointer, detail)| problem.with_error(pointer, Code::ValidationFailed.as_str(), detail),
            )),
        }
    }
}

/// 409: somebody has this address.
pub(crate) fn email_taken() -> Problem {
    Problem::email_taken("there is an account with this e-mail address")
}
