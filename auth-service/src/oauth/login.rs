//! POST /oauth/login: what the login page sends. A success sends the browser back to /oauth/authorize with a new
//! cookie; whatever is wrong shows the page again, an unknown account like a wrong password.

use super::authorize::{self, AuthorizationRequest, Objection, Prompt, Refusal, login_page, see_other};
use super::form::FormOutcome;
use crate::accounts::login::{Proof, WRONG, WRONG_CODE, prove};
use crate::failure::Failure;
use crate::secret::Secret;
use crate::sessions::Origin;
use crate::users::User;
use crate::{App, SharedApp, browser, pages};
use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use http::header::SET_COOKIE;

/// What a form of another browser is told.
pub(crate) const FOREIGN_FORM: &str =
    "this page has expired, or cookies are off; go back to where you came from and try again";

/// What the page says to who has an authenticator.
const CODE_WANTED: &str = "your account has an authenticator: give your password again, and the code it shows";

/// Logs a browser in.
pub(crate) async fn login(
    State(app): State<SharedApp>,
    origin: Origin,
    headers: HeaderMap,
    form: FormOutcome,
) -> Response {
    answer(&app, &origin, &headers, form).await.unwrap_or_else(pages::failure)
}

async fn answer(app: &App, origin: &Origin, headers: &HeaderMap, form: FormOutcome) -> Result<Response, Failure> {
    let cookie = app.cookie.read(headers);
    let form = form.readable();
    if !browser::is_own_form(cookie.as_ref(), form.get("csrf").unwrap_or_default()) {
        return Ok(Refusal::Page(FOREIGN_FORM).respond(app));
    }
    let request = match authorize::read(app, form.get("request").unwrap_or_default()).await? {
        Ok(request) => request,
        Err(refusal) => return Ok(refusal.respond(app)),
    };
    let email = form.get("email").unwrap_or_default();
    let password = Secret::new(form.get("password").unwrap_or_default());
    let objection = match prove(app, email, password, form.get("code"), origin).await? {
        Proof::Good(user) => {
            return logged_in(app, &request, &user, cookie.as_ref(), origin).await;
        }
        Proof::Wrong => Objection { text: WRONG, wants_code: form.get("code").is_some() },
        Proof::WithoutCode => Objection { text: CODE_WANTED, wants_code: true },
        Proof::WrongCode => Objection { text: WRONG_CODE, wants_code: true },
    };
    Ok(login_page(app, &request, cookie, email, Some(objection)))
}

async fn logged_in(
    app: &App,
    request: &AuthorizationRequest,
    user: &User,
    cookie: Option<&Secret>,
    origin: &Origin,
) -> Result<Response, Failure> {
    let mut connection = app.pool.get().await?;
    let transaction = connection.transaction().await?;
    let cookie = browser::begin(&transaction, user, cookie, origin).await?;
    transaction.commit().await?;
    let query = request.query_without(&[Prompt::Login, Prompt::SelectAccount]);
    let mut response = see_other(&format!("{}/oauth/authorize?{query}", app.base));
    response.headers_mut().insert(SET_COOKIE, app.cookie.set(&cookie));
    Ok(response)
}
