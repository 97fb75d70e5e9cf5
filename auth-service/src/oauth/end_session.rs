//! GET and POST /oauth/logout (OpenID Connect RP-Initiated Logout 1.0): forgets the browser's login and ends the
//! session that the client names by its ID token. Without that proof the person is asked first, so that no other site
//! can log anybody out.

use super::authorize::{Refusal, see_other};
use super::form::{FormOutcome, OAuthForm};
use crate::browser::{self, BrowserLogin};
use crate::clients::{self, Client};
use crate::failure::Failure;
use crate::id_token::{self, IdTokenClaims};
use crate::pages::{self, LogoutPage};
use crate::secret::Secret;
use crate::{App, SharedApp, sessions};
use axum::extract::State;
use axum::response::Response;
use http::header::SET_COOKIE;
use http::{HeaderMap, StatusCode, Uri};
use shared_events::{ClientId, SessionId};
use web::auth::RevocationKind;

/// The parameters that go through the page.
const PARAMETERS: [&str; 4] = ["id_token_hint", "client_id", "post_logout_redirect_uri", "state"];

/// A client's link.
pub(crate) async fn by_link(State(app): State<SharedApp>, headers: HeaderMap, uri: Uri) -> Response {
    let form = OAuthForm::from_query(uri.query().unwrap_or_default());
    match form {
        Ok(form) => answer(&app, &headers, &form).await.unwrap_or_else(pages::failure),
        Err(_) => Refusal::Page("a parameter is there twice").respond(&app),
    }
}

/// A client's form, or our own page's.
pub(crate) async fn by_form(State(app): State<SharedApp>, headers: HeaderMap, form: FormOutcome) -> Response {
    answer(&app, &headers, form.readable()).await.unwrap_or_else(pages::failure)
}

async fn answer(app: &App, headers: &HeaderMap, form: &OAuthForm) -> Result<Response, Failure> {
    let hint = match form.get("id_token_hint") {
        Some(token) => id_token::read_hint(&app.tokens, token).await,
        None => None,
    };
    let client = client(app, form, hint.as_ref()).await?;
    let target = form.get("post_logout_redirect_uri");
    if let Some(target) = target {
        let uris = client.as_ref().map(|client| client.post_logout_redirect_uris.as_slice()).unwrap_or_default();
        if !uris.iter().any(|registered| registered == target) {
            return Ok(Refusal::Page("the post_logout_redirect_uri is not one of the client's").respond(app));
        }
    }
    let cookie = app.cookie.read(headers);
    let login = match &cookie {
        Some(cookie) => browser::find(&app.pool.get().await?, cookie).await?,
        None => None,
    };
    if let (Some(cookie), Some(login)) = (&cookie, &login) {
        let proven = hint.as_ref().is_some_and(|hint| hint.sub == login.user.id.to_string());
        if !proven && !browser::is_own_form(Some(cookie), form.get("csrf").unwrap_or_default()) {
            return Ok(ask(app, cookie, login, form, target));
        }
    }
    end(app, cookie.as_ref(), hint.as_ref()).await?;
    let mut response = match target {
        Some(target) => {
            let state = form.get("state").map(|state| [("state", state)]);
            see_other(&with_parameters(target, state.as_ref().map(<[_; 1]>::as_slice).unwrap_or_default()))
        }
        None => pages::message(StatusCode::OK, "You are logged out", "You can close this page."),
    };
    response.headers_mut().insert(SET_COOKIE, app.cookie.remove());
    Ok(response)
}

/// The client that asks: the hint's audience, which a `client_id` may only repeat.
async fn client(app: &App, form: &OAuthForm, hint: Option<&IdTokenClaims>) -> Result<Option<Client>, Failure> {
    let named = form.get("client_id");
    let id = match (hint, named) {
        (Some(hint), Some(named)) if hint.aud != named => return Ok(None),
        (Some(hint), _) => hint.aud.as_str(),
        (None, Some(named)) => named,
        (None, None) => return Ok(None),
    };
    let Some(id) = ClientId::parse(id).ok().filter(|parsed| parsed.to_string() == id) else { return Ok(None) };
    Ok(clients::find(&app.pool.get().await?, id).await?.filter(|client| client.disabled_at.is_none()))
}

fn ask(app: &App, cookie: &Secret, login: &BrowserLogin, form: &OAuthForm, target: Option<&str>) -> Response {
    let parameters: Vec<(&str, &str)> =
        PARAMETERS.into_iter().filter_map(|name| Some((name, form.get(name)?))).collect();
    let csrf = browser::csrf_token(cookie);
    let page = LogoutPage { base: &app.base, email: &login.user.email, csrf: &csrf, parameters: &parameters };
    pages::page(StatusCode::OK, &page, target)
}

async fn end(app: &App, cookie: Option<&Secret>, hint: Option<&IdTokenClaims>) -> Result<(), Failure> {
    let session = hint.and_then(|hint| SessionId::parse(&hint.sid).ok());
    let mut connection = app.pool.get().await?;
    let transaction = connection.transaction().await?;
    if let Some(cookie) = cookie {
        browser::end(&transaction, cookie).await?;
    }
    if let (Some(session), Some(hint)) = (session, hint) {
        sessions::end(&transaction, session, "logged out", &hint.sub).await?;
        browser::end_behind(&transaction, session).await?;
    }
    transaction.commit().await?;
    if let Some(session) = session {
        app.announcer.announce(RevocationKind::Session, &session.to_string());
    }
    Ok(())
}

fn with_parameters(uri: &str, parameters: &[(&str, &str)]) -> String {
    if parameters.is_empty() {
        return uri.to_owned();
    }
    let separator = if uri.contains('?') { '&' } else { '?' };
    let mut query = form_urlencoded::Serializer::new(String::new());
    format!("{uri}{separator}{}", query.extend_pairs(parameters).finish())
}
