//! A browser as far as the login needs one: it keeps cookies, follows our own redirects, and fills in forms.

use crate::harness::{Answer, Harness, ISSUER, TestClient, encode};
use auth_service::{ClientSpec, Grant, Secrecy};
use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{Request, header};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use web::Scopes;

pub const REDIRECT_URI: &str = "https://shop.example/callback?from=oms";
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// The S256 challenge of [`VERIFIER`].
pub fn challenge() -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER.as_bytes()))
}

#[derive(Default)]
pub struct Browser {
    cookies: BTreeMap<String, String>,
}

impl Browser {
    pub async fn get(&mut self, service: &Harness, path: &str) -> Answer {
        self.send(service, Request::get(path), Body::empty()).await
    }

    /// Sends a form and follows the redirects that stay with us.
    pub async fn submit(&mut self, service: &Harness, path: &str, fields: &[(&str, &str)]) -> Answer {
        let request = Request::post(path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        let mut answer = self.send(service, request, Body::from(encode(fields))).await;
        while answer.status == 303 && answer.header("location").starts_with('/') {
            let location = answer.header("location").to_owned();
            answer = self.get(service, &location).await;
        }
        answer
    }

    /// Fills in the login page and sends it.
    pub async fn log_in(&mut self, service: &Harness, page: &Answer, email: &str, password: &str) -> Answer {
        let (csrf, request) = (field(page, "csrf"), field(page, "request"));
        let fields = [("csrf", csrf.as_str()), ("request", &request), ("email", email), ("password", password)];
        self.submit(service, "/oauth/login", &fields).await
    }

    /// Presses a button of the consent page.
    pub async fn decide(&mut self, service: &Harness, page: &Answer, decision: &str) -> Answer {
        let (csrf, request) = (field(page, "csrf"), field(page, "request"));
        let fields = [("csrf", csrf.as_str()), ("request", &request), ("decision", decision)];
        self.submit(service, "/oauth/consent", &fields).await
    }

    pub fn cookie(&self) -> Option<&str> {
        self.cookies.values().next().map(String::as_str)
    }

    async fn send(&mut self, service: &Harness, request: http::request::Builder, body: Body) -> Answer {
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = if cookies.is_empty() { request } else { request.header(header::COOKIE, cookies.join("; ")) };
        let answer = service.send(request.body(body).unwrap()).await;
        for line in answer.headers.get_all(header::SET_COOKIE) {
            let (name, rest) = line.to_str().unwrap().split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            if rest.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }
}

/// A client that may use codes.
pub async fn code_client(service: &Harness, name: &str, scopes: &str, first_party: bool) -> TestClient {
    let spec = ClientSpec {
        name: name.to_owned(),
        scopes: Scopes::parse(scopes),
        grants: vec![Grant::AuthorizationCode, Grant::RefreshToken],
        redirect_uris: vec![REDIRECT_URI.to_owned()],
        post_logout_redirect_uris: vec!["https://shop.example/bye".to_owned()],
        first_party,
        jwks: None,
    };
    let (id, secret) = service.directory.create_client(&spec, Secrecy::Generated).await.unwrap();
    TestClient { id: id.to_string(), secret: secret.unwrap().expose().to_owned() }
}

/// The path of an authorization request; later values replace earlier ones, an empty one removes the parameter.
pub fn authorize_path(client: &TestClient, more: &[(&str, &str)]) -> String {
    let challenge = challenge();
    let mut parameters: Vec<(&str, &str)> = vec![
        ("client_id", &client.id),
        ("redirect_uri", REDIRECT_URI),
        ("response_type", "code"),
        ("scope", "openid orders:read offline_access"),
        ("state", "a state &=#"),
        ("nonce", "a nonce"),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ];
    for (name, value) in more {
        parameters.retain(|(present, _)| present != name);
        if !value.is_empty() {
            parameters.push((name, value));
        }
    }
    format!("/oauth/authorize?{}", encode(&parameters))
}

/// What a redirect to the client carries.
pub fn callback(answer: &Answer) -> BTreeMap<String, String> {
    assert_eq!(answer.status, 303, "{}", answer.body);
    let location = answer.header("location");
    let query = location.strip_prefix("https://shop.example/callback?").unwrap_or_else(|| panic!("{location}"));
    let parameters: BTreeMap<String, String> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    assert_eq!(parameters["from"], "oms", "the URI's own query stays");
    assert_eq!(parameters["iss"], ISSUER, "RFC 9207");
    parameters
}

/// The parameters of a token request for a code.
pub async fn redeem(service: &Harness, client: &TestClient, code: &str) -> Answer {
    redeem_with(service, client, &[("code", code)]).await
}

/// The same with other values; an empty one removes the parameter.
pub async fn redeem_with(service: &Harness, client: &TestClient, more: &[(&str, &str)]) -> Answer {
    let mut parameters: Vec<(&str, &str)> =
        vec![("grant_type", "authorization_code"), ("redirect_uri", REDIRECT_URI), ("code_verifier", VERIFIER)];
    for (name, value) in more {
        parameters.retain(|(present, _)| present != name);
        parameters.push((name, value));
    }
    service.form("/oauth/token", Some(client), &parameters).await
}

/// The value of a hidden field.
pub fn field(page: &Answer, name: &str) -> String {
    let html = page.body.as_str().unwrap_or_else(|| panic!("no page: {}", page.body));
    let (_, rest) = html.split_once(&format!("name=\"{name}\" value=\"")).unwrap_or_else(|| panic!("{html}"));
    rest.split('"').next().unwrap().replace("&#38;", "&").replace("&amp;", "&")
}
