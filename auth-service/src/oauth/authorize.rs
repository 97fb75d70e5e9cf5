//! GET /oauth/authorize (RFC 6749 §3.1, RFC 7636, RFC 9207, OpenID Connect Core §3.1.2): finds out who is there and
//! whether they agree, then sends a code to the client. The login and consent forms come back here with the same query,
//! so that this is the only place that issues codes.

mod request;

pub(crate) use request::{AuthorizationRequest, Prompt, read};

use crate::browser::{self, BrowserLogin};
use crate::failure::Failure;
use crate::pages::{self, ConsentPage, LoginPage};
use crate::secret::Secret;
use crate::{App, SharedApp, codes, consents, id_token};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, LOCATION, SET_COOKIE};
use http::{HeaderMap, HeaderValue, StatusCode, Uri};
use web::{Scope, Scopes};

/// Why a request gets neither a page nor a code.
pub(crate) enum Refusal {
    /// Said to the person: the client or its redirect URI is not genuine.
    Page(&'static str),
    /// Said to the client.
    Redirect { redirect_uri: String, state: Option<String>, error: &'static str, description: &'static str },
}

impl Refusal {
    /// An error for the client of a genuine request.
    pub(crate) fn of(request: &AuthorizationRequest, error: &'static str, description: &'static str) -> Self {
        let (redirect_uri, state) = (request.redirect_uri.clone(), request.state.clone());
        Self::Redirect { redirect_uri, state, error, description }
    }

    /// The page or the redirect.
    pub(crate) fn respond(self, app: &App) -> Response {
        match self {
            Self::Page(text) => pages::message(StatusCode::BAD_REQUEST, "This link does not work", text),
            Self::Redirect { redirect_uri, state, error, description } => {
                let parameters = [("error", error), ("error_description", description)];
                to_client(app, &redirect_uri, state.as_deref(), &parameters)
            }
        }
    }
}

/// Answers an authorization request.
pub(crate) async fn authorize(State(app): State<SharedApp>, headers: HeaderMap, uri: Uri) -> Response {
    let answer = answer(&app, &headers, uri.query().unwrap_or_default()).await;
    answer.unwrap_or_else(pages::failure)
}

async fn answer(app: &App, headers: &HeaderMap, query: &str) -> Result<Response, Failure> {
    let request = match read(app, query).await? {
        Ok(request) => request,
        Err(refusal) => return Ok(refusal.respond(app)),
    };
    let cookie = app.cookie.read(headers);
    let connection = app.pool.get().await?;
    let login = match &cookie {
        Some(cookie) => browser::find(&connection, cookie).await?,
        None => None,
    };
    let silent = request.prompts_for(Prompt::None);
    let Some(login) = fresh_enough(app, &request, login).await else {
        return Ok(if silent {
            Refusal::of(&request, "login_required", "nobody is logged in").respond(app)
        } else {
            let email = request.login_hint.as_deref().unwrap_or_default();
            login_page(app, &request, cookie, email, None)
        });
    };
    let scopes = grantable(&request, &login);
    let given = consents::given(&connection, login.user.id, request.client.id).await?;
    let agreed = request.client.first_party || given.contains_all(scopes);
    if !agreed || request.prompts_for(Prompt::Consent) && !request.client.first_party {
        return Ok(match &cookie {
            Some(cookie) if !silent => consent_page(app, &request, cookie, &login),
            _ => Refusal::of(&request, "consent_required", "the user has not agreed yet").respond(app),
        });
    }
    let code = codes::issue(&connection, &request, &login, scopes).await?;
    Ok(to_client(app, &request.redirect_uri, request.state.as_deref(), &[("code", code.expose())]))
}

/// The login, unless the client wants another person or a newer proof.
async fn fresh_enough(app: &App, request: &AuthorizationRequest, login: Option<BrowserLogin>) -> Option<BrowserLogin> {
    let login = login?;
    let asked_again = request.prompts_for(Prompt::Login) || request.prompts_for(Prompt::SelectAccount);
    let too_old = request.max_age_seconds.is_some_and(|max_age| login.age_seconds > max_age);
    let somebody_else = match &request.id_token_hint {
        Some(hint) => {
            id_token::read_hint(&app.tokens, hint).await.is_some_and(|hint| hint.sub != login.user.id.to_string())
        }
        None => false,
    };
    (!asked_again && !too_old && !somebody_else).then_some(login)
}

/// What the user can give of what the client asks for.
pub(crate) fn grantable(request: &AuthorizationRequest, login: &BrowserLogin) -> Scopes {
    request.scopes.intersection(login.user.login_scopes().with(Scope::OfflineAccess))
}

/// Why the login page is shown again.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Objection {
    pub(crate) text: &'static str,
    /// Whether a code of an authenticator is asked for too.
    pub(crate) wants_code: bool,
}

/// The login page, for a browser that has a cookie or gets one.
pub(crate) fn login_page(
    app: &App,
    request: &AuthorizationRequest,
    cookie: Option<Secret>,
    email: &str,
    objection: Option<Objection>,
) -> Response {
    let (cookie, set) = match cookie {
        Some(cookie) => (cookie, None),
        None => {
            let cookie = Secret::new_cookie();
            let header = app.cookie.set(&cookie);
            (cookie, Some(header))
        }
    };
    let page = LoginPage {
        base: &app.base,
        client_name: &request.client.name,
        csrf: &browser::csrf_token(&cookie),
        request: &request.query_without(&[]),
        email,
        problem: objection.map(|objection| objection.text),
        wants_code: objection.is_some_and(|objection| objection.wants_code),
    };
    let status = objection.map_or(StatusCode::OK, |_| StatusCode::UNPROCESSABLE_ENTITY);
    let mut response = pages::page(status, &page, Some(&request.redirect_uri));
    if let Some(set) = set {
        response.headers_mut().insert(SET_COOKIE, set);
    }
    response
}

fn consent_page(app: &App, request: &AuthorizationRequest, cookie: &Secret, login: &BrowserLogin) -> Response {
    let destination: Option<Uri> = request.redirect_uri.parse().ok();
    let descriptions: Vec<&'static str> = grantable(request, login).iter().map(Scope::description).collect();
    let page = ConsentPage {
        base: &app.base,
        client_name: &request.client.name,
        destination: destination.as_ref().and_then(|uri| uri.host()).unwrap_or(&request.redirect_uri),
        email: &login.user.email,
        csrf: &browser::csrf_token(cookie),
        request: &request.query_without(&[]),
        descriptions: &descriptions,
    };
    pages::page(StatusCode::OK, &page, Some(&request.redirect_uri))
}

/// A redirect to a client that carries these parameters, its state and our name.
pub(crate) fn to_client(app: &App, redirect_uri: &str, state: Option<&str>, parameters: &[(&str, &str)]) -> Response {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(parameters);
    if let Some(state) = state {
        query.append_pair("state", state);
    }
    query.append_pair("iss", app.tokens.issuer());
    let separator = if redirect_uri.contains('?') { '&' } else { '?' };
    see_other(&format!("{redirect_uri}{separator}{}", query.finish()))
}

/// 303: the method becomes GET, and no form's fields go along.
pub(crate) fn see_other(location: &str) -> Response {
    let Ok(location) = HeaderValue::from_str(location) else {
        return pages::message(StatusCode::BAD_REQUEST, "This link does not work", "the redirect can't be written");
    };
    (StatusCode::SEE_OTHER, [(LOCATION, location), (CACHE_CONTROL, HeaderValue::from_static("no-store"))])
        .into_response()
}
