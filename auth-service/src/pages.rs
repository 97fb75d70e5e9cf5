//! The pages that people see: login, consent, logout and what went wrong. They have no script, load nothing, and are
//! served under a policy that allows neither. What is in them was escaped by their templates.

use crate::failure::Failure;
use askama::Template;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, RETRY_AFTER};
use http::{HeaderValue, StatusCode, Uri};
use sha2::{Digest as _, Sha256};
use std::sync::LazyLock;
use web::Problem;

/// The style of every page, inline and allowed by its hash.
pub(crate) const STYLE: &str = include_str!("../templates/page.css");

static STYLE_HASH: LazyLock<String> = LazyLock::new(|| STANDARD.encode(Sha256::digest(STYLE.as_bytes())));

/// Asks who somebody is.
#[derive(Template)]
#[template(path = "login.html")]
pub(crate) struct LoginPage<'a> {
    pub(crate) base: &'a str,
    pub(crate) client_name: &'a str,
    pub(crate) csrf: &'a str,
    /// The query of the authorization request, to come back to.
    pub(crate) request: &'a str,
    pub(crate) email: &'a str,
    pub(crate) problem: Option<&'a str>,
    /// Whether the account has an authenticator: then its code is asked for too.
    pub(crate) wants_code: bool,
}

/// Asks whether a client may act for somebody.
#[derive(Template)]
#[template(path = "consent.html")]
pub(crate) struct ConsentPage<'a> {
    pub(crate) base: &'a str,
    pub(crate) client_name: &'a str,
    /// The host that the code is sent to: a client may call itself anything.
    pub(crate) destination: &'a str,
    pub(crate) email: &'a str,
    pub(crate) csrf: &'a str,
    pub(crate) request: &'a str,
    pub(crate) descriptions: &'a [&'static str],
}

/// Asks whether somebody wants to log out.
#[derive(Template)]
#[template(path = "logout.html")]
pub(crate) struct LogoutPage<'a> {
    pub(crate) base: &'a str,
    pub(crate) email: &'a str,
    pub(crate) csrf: &'a str,
    /// The parameters of the request, to be sent again.
    pub(crate) parameters: &'a [(&'a str, &'a str)],
}

/// Says one thing.
#[derive(Template)]
#[template(path = "message.html")]
struct MessagePage<'a> {
    title: &'a str,
    text: &'a str,
}

/// A page. Its forms lead to ourselves and, by way of a redirect, to `destination`.
pub(crate) fn page(status: StatusCode, page: &impl Template, destination: Option<&str>) -> Response {
    let Ok(html) = page.render() else {
        return Problem::internal_error("the page could not be made").into_response();
    };
    let style = STYLE_HASH.as_str();
    let form_action = destination.and_then(source).unwrap_or_default();
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{style}'; form-action 'self' {form_action}; base-uri 'none'; frame-ancestors 'none'"
    );
    let policy = HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'"));
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (CONTENT_SECURITY_POLICY, policy),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ];
    (status, headers, html).into_response()
}

/// A page that says one thing.
pub(crate) fn message(status: StatusCode, title: &str, text: &str) -> Response {
    page(status, &MessagePage { title, text }, None)
}

/// The page of a failure; causes are in the log.
pub(crate) fn failure(failure: Failure) -> Response {
    let problem = Problem::from(failure);
    let text = problem.detail().to_owned();
    let plain = problem.into_response();
    let mut response = message(plain.status(), "This did not work", &text);
    if let Some(seconds) = plain.headers().get(RETRY_AFTER) {
        response.headers_mut().insert(RETRY_AFTER, seconds.clone());
    }
    response
}

/// What a policy calls the origin of a URI. Browsers hold the redirect after a form against the form's policy too.
fn source(uri: &str) -> Option<String> {
    let uri: Uri = uri.parse().ok()?;
    let (scheme, authority) = (uri.scheme_str()?, uri.authority()?.as_str());
    // A policy has no way to write an IPv6 address, and a registered name may hold what ends a directive.
    let plain = authority.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.:".contains(&byte));
    Some(if plain { format!("{scheme}://{authority}") } else { format!("{scheme}:") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_may_lead_to_the_origin_it_redirects_to_and_to_no_other() {
        assert_eq!(source("https://shop.example/cb?a=b").as_deref(), Some("https://shop.example"));
        assert_eq!(source("http://127.0.0.1:3000/cb").as_deref(), Some("http://127.0.0.1:3000"));
        assert_eq!(source("http://[::1]:3000/cb").as_deref(), Some("http:"));
        assert_eq!(source("https://a;script-src.example/").as_deref(), Some("https:"));
        assert_eq!(source("nonsense"), None);
    }

    #[test]
    fn what_people_are_called_is_escaped() {
        let page = MessagePage { title: "<script>", text: "\"><img src=x onerror=alert(1)>" };
        let html = page.render().unwrap();
        assert!(!html.contains("<script>") && !html.contains("<img"), "{html}");
        assert!(html.contains(STYLE), "the style must be what its hash is of");
    }
}
