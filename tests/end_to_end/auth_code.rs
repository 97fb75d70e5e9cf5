//! The authorization code flow with PKCE as the storefront goes through it: a public client, a person at the login
//! page, and the API with the token that comes of it.

use crate::system::{Answer, eventually, shared};
use reqwest::blocking::{Client, Response};
use reqwest::redirect::Policy;
use serde_json::json;
use std::collections::HashMap;
use std::time::Duration;

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// What a redirect to the client carries.
fn parameters(answer: &Response) -> HashMap<String, String> {
    let location = answer.headers()["location"].to_str().unwrap();
    reqwest::Url::parse(location).unwrap().query_pairs().into_owned().collect()
}

fn cookie(answer: &Response) -> String {
    answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned()
}

/// The value of a hidden field.
fn field(html: &str, name: &str) -> String {
    let (_, rest) = html.split_once(&format!("name=\"{name}\" value=\"")).unwrap();
    rest.split('"').next().unwrap().replace("&#38;", "&")
}

#[test]
fn a_customer_logs_in_at_the_page_and_the_storefront_acts_for_them() {
    let shop = shared();
    let customer = shop.customer();
    let storefront = shop.client("storefront");
    let client_id = storefront["clientId"].as_str().unwrap();
    let redirect_uri = storefront["redirectUris"][0].as_str().unwrap();
    let scope = "openid email orders:read offline_access";
    let http = Client::builder().timeout(Duration::from_secs(60)).redirect(Policy::none()).build().unwrap();

    let request = [
        ("client_id", client_id),
        ("redirect_uri", redirect_uri),
        ("response_type", "code"),
        ("scope", scope),
        ("state", "s1"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    let page = http.get(format!("{}/oauth/authorize", shop.url)).query(&request).send().unwrap();
    assert_eq!(page.status(), 200);
    assert!(page.headers()["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'"));
    let first_cookie = cookie(&page);
    let html = page.text().unwrap();
    let form = [
        ("csrf", field(&html, "csrf")),
        ("request", field(&html, "request")),
        ("email", customer.email.clone()),
        ("password", "correct horse battery staple".to_owned()),
    ];
    let login = http.post(format!("{}/oauth/login", shop.url)).header("cookie", first_cookie).form(&form);
    let login = login.send().unwrap();
    assert_eq!(login.status(), 303);
    let location = login.headers()["location"].to_str().unwrap().to_owned();
    let back = http.get(format!("{}{location}", shop.url)).header("cookie", cookie(&login)).send().unwrap();
    assert_eq!(back.status(), 303, "the shop's own client needs no consent");
    let back = parameters(&back);
    assert_eq!((back["state"].as_str(), back["iss"].as_str()), ("s1", shop.url.as_str()));

    let token =
        |form: &[(&str, &str)]| Answer::of(http.post(format!("{}/oauth/token", shop.url)).form(form).send().unwrap());
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", client_id),
        ("code", &back["code"]),
        ("redirect_uri", redirect_uri),
        ("code_verifier", VERIFIER),
    ];
    let tokens = token(&form).expect(200);
    for other in ["/id_token", "/refresh_token"] {
        shop.get_as(&tokens.text(other), "/api/orders").expect_problem(401, "INVALID_TOKEN");
    }
    let access_token = tokens.text("/access_token");
    shop.get_as(&access_token, "/api/orders").expect(200);
    assert_eq!(shop.get_as(&access_token, "/oauth/userinfo").expect(200).body["email"], json!(customer.email));

    assert_eq!(token(&form).expect(400).body["error"], "invalid_grant", "a code is good once");
    eventually("what the code gave is refused everywhere", || {
        (shop.get_as(&access_token, "/api/orders").status == 401).then_some(())
    });
}
