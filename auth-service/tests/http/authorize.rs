//! The authorization code flow as a browser and a client go through it.

use crate::browser::{
    Browser, REDIRECT_URI, VERIFIER, authorize_path, callback, challenge, code_client, field, redeem, redeem_with,
};
use crate::harness::{Answer, Harness, ISSUER, PASSWORD, TestClient, claims, encode, jose_header};
use auth_service::{ClientSpec, Config, Grant, Role, Secrecy};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use web::Scopes;

const ADA: &str = "ada@example.com";
const SCOPES: &str = "openid profile email offline_access orders:read orders:write";

struct Shop {
    service: Harness,
    client: TestClient,
    browser: Browser,
}

/// A first-party client and a customer, nobody logged in.
async fn shop() -> Shop {
    let service = Harness::new().await;
    service.register(ADA).await;
    let client = code_client(&service, "Storefront", SCOPES, true).await;
    Shop { service, client, browser: Browser::default() }
}

impl Shop {
    async fn visit(&mut self, more: &[(&str, &str)]) -> Answer {
        self.browser.get(&self.service, &authorize_path(&self.client, more)).await
    }

    /// Logs in through the page; answers the code.
    async fn log_in(&mut self, more: &[(&str, &str)]) -> String {
        let page = self.visit(more).await;
        let answer = self.browser.log_in(&self.service, &page, ADA, PASSWORD).await;
        callback(&answer)["code"].clone()
    }

    async fn tokens(&mut self) -> Answer {
        let code = self.log_in(&[]).await;
        let answer = redeem(&self.service, &self.client, &code).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer
    }
}

#[tokio::test]
async fn a_user_logs_in_and_the_client_gets_tokens_and_an_id_token() {
    let mut shop = shop().await;
    let page = shop.visit(&[]).await;
    assert_eq!(page.status, 200, "{}", page.body);
    let answer = shop.browser.log_in(&shop.service, &page, "ADA@example.com ", PASSWORD).await;
    let back = callback(&answer);
    assert_eq!(back["state"], "a state &=#");
    let tokens = redeem(&shop.service, &shop.client, &back["code"]).await;
    assert_eq!(tokens.status, 200, "{}", tokens.body);
    assert_eq!((tokens.header("cache-control"), tokens.text("token_type").as_str()), ("no-store", "Bearer"));
    assert_eq!(tokens.text("scope"), "orders:read openid offline_access");
    let (access_token, id_token) = (tokens.text("access_token"), tokens.text("id_token"));

    let (access, id) = (claims(&access_token), claims(&id_token));
    assert_eq!(access["client_id"].as_str(), Some(shop.client.id.as_str()));
    assert_eq!(jose_header(&id_token)["typ"], "JWT");
    assert_eq!((id["iss"].as_str(), id["aud"].as_str()), (Some(ISSUER), Some(shop.client.id.as_str())));
    assert_eq!((&id["sub"], &id["sid"]), (&access["sub"], &access["sid"]));
    assert_eq!(id["nonce"], "a nonce");
    assert!((id["iat"].as_i64().unwrap() - id["auth_time"].as_i64().unwrap()).abs() < 60);
    let half = &Sha256::digest(access_token.as_bytes())[..16];
    assert_eq!(id["at_hash"].as_str(), Some(URL_SAFE_NO_PAD.encode(half).as_str()));

    assert_eq!(shop.service.get_as(&access_token, "/oauth/userinfo").await.body["sub"], id["sub"]);
    let refused = shop.service.get_as(&id_token, "/oauth/userinfo").await;
    assert_eq!(refused.error(), (401, "INVALID_TOKEN"), "an ID token is no access token");

    let refresh_token = tokens.text("refresh_token");
    let parameters = [("grant_type", "refresh_token"), ("refresh_token", refresh_token.as_str())];
    let next = shop.service.form("/oauth/token", Some(&shop.client), &parameters).await;
    assert_eq!(next.status, 200, "{}", next.body);
    let next = claims(&next.text("id_token"));
    assert_eq!((&next["sub"], &next["auth_time"], &next["sid"]), (&id["sub"], &id["auth_time"], &id["sid"]));
    assert!(next.get("nonce").is_none());
}

#[tokio::test]
async fn a_refresh_token_comes_with_offline_access_and_an_id_token_with_openid() {
    let mut shop = shop().await;
    let code = shop.log_in(&[("scope", "orders:read")]).await;
    let tokens = redeem(&shop.service, &shop.client, &code).await;
    assert_eq!(tokens.text("scope"), "orders:read");
    assert!(tokens.body.get("refresh_token").is_none() && tokens.body.get("id_token").is_none());
    let all = callback(&shop.visit(&[("scope", "")]).await);
    let tokens = redeem(&shop.service, &shop.client, &all["code"]).await;
    assert_eq!(Scopes::parse(&tokens.text("scope")), Scopes::parse(SCOPES), "none asked for: all of the client's");
}

#[tokio::test]
async fn the_page_has_no_script_a_strict_policy_and_labels_for_its_fields() {
    let mut shop = shop().await;
    let page = shop.visit(&[("login_hint", "\"><script>alert(1)</script>@example.com")]).await;
    let policy = page.header("content-security-policy");
    for part in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "style-src 'sha256-"] {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(policy.contains("form-action 'self' https://shop.example;"), "{policy}");
    assert!(!policy.contains("unsafe") && !policy.contains("script-src"), "{policy}");
    assert_eq!(page.header("cache-control"), "no-store");
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    let html = page.body.as_str().unwrap();
    assert!(!html.contains("<script"), "{html}");
    assert!(!html.contains("onclick") && !html.contains("style=\"") && !html.contains("src="), "{html}");
    for label in ["<label for=\"email\">", "<label for=\"password\">", "lang=\"en\"", "width=device-width"] {
        assert!(html.contains(label), "{label}");
    }
    let set = page.header("set-cookie");
    assert!(set.contains("HttpOnly") && set.contains("SameSite=Lax") && set.contains("Path=/"), "{set}");
}

#[tokio::test]
async fn a_browser_that_is_logged_in_is_not_asked_again() {
    let mut shop = shop().await;
    shop.log_in(&[]).await;
    let again = callback(&shop.visit(&[("prompt", "none")]).await);
    assert!(again.contains_key("code"));
    assert_eq!(redeem(&shop.service, &shop.client, &again["code"]).await.status, 200);
}

#[tokio::test]
async fn prompts_and_max_age_are_followed() {
    let mut shop = shop().await;
    let nobody = callback(&shop.visit(&[("prompt", "none")]).await);
    assert_eq!((nobody["error"].as_str(), nobody["state"].as_str()), ("login_required", "a state &=#"));
    shop.log_in(&[("prompt", "login"), ("max_age", "0")]).await;

    for prompt in ["login", "select_account"] {
        let page = shop.visit(&[("prompt", prompt)]).await;
        assert_eq!(page.status, 200, "{prompt}");
        let answer = shop.browser.log_in(&shop.service, &page, ADA, PASSWORD).await;
        assert!(callback(&answer).contains_key("code"), "{prompt} is followed once");
    }
    let update = "UPDATE browser_logins SET authenticated_at = authenticated_at - interval '1 minute'";
    shop.service.pool.get().await.unwrap().execute(update, &[]).await.unwrap();
    assert!(callback(&shop.visit(&[("max_age", "600")]).await).contains_key("code"));
    assert_eq!(shop.visit(&[("max_age", "30")]).await.status, 200, "the proof is too old");
    let silent = callback(&shop.visit(&[("max_age", "30"), ("prompt", "none")]).await);
    assert_eq!(silent["error"], "login_required");
    let hinted = shop.visit(&[("prompt", "login"), ("login_hint", "grace@example.com")]).await;
    assert!(hinted.body.as_str().unwrap().contains("value=\"grace@example.com\""));
}

#[tokio::test]
async fn an_id_token_of_somebody_else_asks_for_a_login() {
    let mut shop = shop().await;
    let id_token = shop.tokens().await.text("id_token");
    let hint = [("id_token_hint", id_token.as_str()), ("prompt", "none")];
    assert!(callback(&shop.visit(&hint).await).contains_key("code"));
    shop.service.register("grace@example.com").await;
    let page = shop.visit(&[("prompt", "login")]).await;
    shop.browser.log_in(&shop.service, &page, "grace@example.com", PASSWORD).await;
    assert_eq!(callback(&shop.visit(&hint).await)["error"], "login_required");
}

#[tokio::test]
async fn a_client_or_redirect_uri_that_is_not_genuine_gets_a_page_and_no_redirect() {
    let mut shop = shop().await;
    let disabled = code_client(&shop.service, "Old", SCOPES, true).await;
    let connection = shop.service.pool.get().await.unwrap();
    connection.execute("UPDATE clients SET disabled_at = now() WHERE name = 'Old'", &[]).await.unwrap();
    let disabled_id = disabled.id.clone();
    for (name, value) in [
        ("client_id", ""),
        ("client_id", "shop"),
        ("client_id", "cli_01h455vb4pex5vsknk084sn02q"),
        ("client_id", disabled_id.as_str()),
        ("redirect_uri", ""),
        ("redirect_uri", "https://shop.example/callback"),
        ("redirect_uri", "https://shop.example/callback?from=oms&x=y"),
        ("redirect_uri", "https://shop.example/callback?from=OMS"),
        ("redirect_uri", "https://shop.example:443/callback?from=oms"),
        ("redirect_uri", "HTTPS://shop.example/callback?from=oms"),
        ("redirect_uri", "https://shop.example/./callback?from=oms"),
        ("redirect_uri", "https://shop.example.evil.example/callback?from=oms"),
        ("redirect_uri", "https://evil.example/"),
    ] {
        let answer = shop.visit(&[(name, value), ("prompt", "none")]).await;
        assert_eq!(answer.status, 400, "{name}={value}");
        assert!(answer.headers.get("location").is_none(), "{name}={value}");
        assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    }
    for name in ["client_id", "redirect_uri"] {
        let path = authorize_path(&shop.client, &[]);
        let twice =
            format!("{path}&{}", encode(&[(name, if name == "client_id" { &shop.client.id } else { REDIRECT_URI })]));
        let answer = shop.browser.get(&shop.service, &twice).await;
        assert_eq!((answer.status.as_u16(), answer.headers.get("location")), (400, None), "{name} twice");
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_genuine_clients_request_is_told_to_the_client() {
    let mut shop = shop().await;
    let long = "x".repeat(42);
    for (more, error) in [
        (vec![("response_type", "")], "invalid_request"),
        (vec![("response_type", "token")], "unsupported_response_type"),
        (vec![("response_type", "code id_token")], "unsupported_response_type"),
        (vec![("response_mode", "fragment")], "invalid_request"),
        (vec![("code_challenge", "")], "invalid_request"),
        (vec![("code_challenge_method", "")], "invalid_request"),
        (vec![("code_challenge_method", "plain")], "invalid_request"),
        (vec![("code_challenge", long.as_str())], "invalid_request"),
        (vec![("scope", "openid surprise")], "invalid_scope"),
        (vec![("scope", "orders:admin")], "invalid_scope"),
        (vec![("scope", " ")], "invalid_scope"),
        (vec![("prompt", "none login")], "invalid_request"),
        (vec![("prompt", "surprise")], "invalid_request"),
        (vec![("max_age", "-1")], "invalid_request"),
        (vec![("nonce", "a\0b")], "invalid_request"),
        (vec![("request", "a.b.c")], "request_not_supported"),
        (vec![("request_uri", "https://shop.example/request")], "request_uri_not_supported"),
        (vec![("registration", "{}")], "registration_not_supported"),
    ] {
        let back = callback(&shop.visit(&more).await);
        assert_eq!(back["error"], error, "{more:?}");
        assert!(!back["error_description"].is_empty());
        assert_eq!(back["state"], "a state &=#");
    }
    let twice = format!("{}&nonce=b", authorize_path(&shop.client, &[]));
    assert_eq!(callback(&shop.browser.get(&shop.service, &twice).await)["error"], "invalid_request");

    let spec = ClientSpec {
        name: "batch".to_owned(),
        scopes: Scopes::parse(SCOPES),
        grants: vec![Grant::ClientCredentials],
        redirect_uris: vec![REDIRECT_URI.to_owned()],
        ..ClientSpec::default()
    };
    let (id, _) = shop.service.directory.create_client(&spec, Secrecy::Generated).await.unwrap();
    let id = id.to_string();
    assert_eq!(callback(&shop.visit(&[("client_id", &id)]).await)["error"], "unauthorized_client");
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_account_show_the_page_again_with_one_answer() {
    let mut shop = shop().await;
    let page = shop.visit(&[]).await;
    let mut pages = Vec::new();
    for (email, password) in [(ADA, "wrong password"), ("nobody@example.com", PASSWORD), ("no address", PASSWORD)] {
        let answer = shop.browser.log_in(&shop.service, &page, email, password).await;
        assert_eq!(answer.status, 422, "{email}");
        assert!(answer.headers.get("location").is_none());
        let html = answer.body.as_str().unwrap();
        assert!(html.contains("role=\"alert\"") && !html.contains(password), "{html}");
        pages.push(html.replace(email, ""));
    }
    assert!(pages.iter().all(|page| *page == pages[0]));
    let answer = shop.browser.log_in(&shop.service, &page, ADA, PASSWORD).await;
    assert!(callback(&answer).contains_key("code"));
}

#[tokio::test]
async fn a_form_of_another_browser_is_refused_and_the_cookie_changes_at_login() {
    let mut shop = shop().await;
    let page = shop.visit(&[]).await;
    let mut other = Browser::default();
    let foreign = other.log_in(&shop.service, &page, ADA, PASSWORD).await;
    assert_eq!((foreign.status.as_u16(), foreign.headers.get("location")), (400, None), "no cookie");
    other.get(&shop.service, &authorize_path(&shop.client, &[])).await;
    let foreign = other.log_in(&shop.service, &page, ADA, PASSWORD).await;
    assert_eq!((foreign.status.as_u16(), foreign.headers.get("location")), (400, None), "another cookie");
    assert_eq!(
        callback(&other.get(&shop.service, &authorize_path(&shop.client, &[("prompt", "none")])).await)["error"],
        "login_required"
    );

    let before = shop.browser.cookie().unwrap().to_owned();
    shop.browser.log_in(&shop.service, &page, ADA, PASSWORD).await;
    assert_ne!(shop.browser.cookie().unwrap(), before, "a planted cookie is worth nothing");
    let rows = shop.service.pool.get().await.unwrap();
    let rows = rows.query("SELECT row_to_json(b)::text FROM browser_logins b", &[]).await.unwrap();
    assert_eq!(rows.len(), 1);
    assert!(!rows[0].get::<_, String>(0).contains(shop.browser.cookie().unwrap()), "the cookie itself is not kept");
}

#[tokio::test]
async fn a_code_is_bound_to_its_client_its_redirect_uri_and_its_verifier() {
    let mut shop = shop().await;
    let code = shop.log_in(&[]).await;
    let other = code_client(&shop.service, "Other", SCOPES, true).await;
    let wrong_verifier = "x".repeat(43);
    let challenge = challenge();
    for (client, more, error) in [
        (&other, vec![("code", code.as_str())], "invalid_grant"),
        (&shop.client, vec![("code", code.as_str()), ("redirect_uri", "https://shop.example/other")], "invalid_grant"),
        (&shop.client, vec![("code", code.as_str()), ("redirect_uri", "")], "invalid_request"),
        (&shop.client, vec![("code", code.as_str()), ("code_verifier", wrong_verifier.as_str())], "invalid_grant"),
        (&shop.client, vec![("code", code.as_str()), ("code_verifier", challenge.as_str())], "invalid_grant"),
        (&shop.client, vec![("code", code.as_str()), ("code_verifier", "")], "invalid_request"),
        (&shop.client, vec![("code", "oms_ac_unknown")], "invalid_grant"),
        (&shop.client, vec![("code", "")], "invalid_request"),
    ] {
        assert_eq!(redeem_with(&shop.service, client, &more).await.error(), (400, error), "{more:?}");
    }
    assert_eq!(redeem(&shop.service, &shop.client, &code).await.status, 200, "none of them used it up");
}

#[tokio::test]
async fn a_code_is_good_for_a_minute_and_not_for_a_disabled_user() {
    let mut shop = shop().await;
    let code = shop.log_in(&[]).await;
    let connection = shop.service.pool.get().await.unwrap();
    let left = "SELECT extract(epoch FROM expires_at - now())::int FROM authorization_codes";
    let left: i32 = connection.query_one(left, &[]).await.unwrap().get(0);
    assert!((1..=60).contains(&left), "{left}");
    connection.execute("UPDATE authorization_codes SET expires_at = now()", &[]).await.unwrap();
    assert_eq!(redeem(&shop.service, &shop.client, &code).await.error(), (400, "invalid_grant"));

    let code = callback(&shop.visit(&[]).await)["code"].clone();
    connection.execute("UPDATE users SET disabled_at = now()", &[]).await.unwrap();
    assert_eq!(redeem(&shop.service, &shop.client, &code).await.error(), (400, "invalid_grant"));
    assert_eq!(callback(&shop.visit(&[("prompt", "none")]).await)["error"], "login_required");
}

#[tokio::test]
async fn a_second_use_of_a_code_revokes_what_the_first_one_gave() {
    let mut shop = shop().await;
    let code = shop.log_in(&[]).await;
    let tokens = redeem(&shop.service, &shop.client, &code).await;
    assert_eq!(redeem(&shop.service, &shop.client, &code).await.error(), (400, "invalid_grant"));
    let refused = shop.service.get_as(&tokens.text("access_token"), "/oauth/userinfo").await;
    assert_eq!(refused.error(), (401, "INVALID_TOKEN"));
    let refresh_token = tokens.text("refresh_token");
    let parameters = [("grant_type", "refresh_token"), ("refresh_token", refresh_token.as_str())];
    let refused = shop.service.form("/oauth/token", Some(&shop.client), &parameters).await;
    assert_eq!(refused.error(), (400, "invalid_grant"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_present_a_code_at_once_one_gets_tokens_and_those_are_revoked() {
    let mut shop = shop().await;
    let code = shop.log_in(&[]).await;
    let answers = futures_util::future::join_all((0..8).map(|_| redeem(&shop.service, &shop.client, &code))).await;
    let given: Vec<_> = answers.iter().filter(|answer| answer.status == 200).collect();
    assert_eq!(given.len(), 1);
    let refused = shop.service.get_as(&given[0].text("access_token"), "/oauth/userinfo").await;
    assert_eq!(refused.error(), (401, "INVALID_TOKEN"));
}

#[tokio::test]
async fn a_foreign_client_is_asked_for_once_and_again_when_it_wants_more() {
    let mut shop = shop().await;
    shop.client = code_client(&shop.service, "Price <b>watch</b>", SCOPES, false).await;
    let login = shop.visit(&[("scope", "orders:read")]).await;
    let page = shop.browser.log_in(&shop.service, &login, ADA, PASSWORD).await;
    assert_eq!(page.status, 200, "{}", page.body);
    let html = page.body.as_str().unwrap();
    assert!(html.contains("Read orders.") && html.contains("shop.example") && html.contains(ADA), "{html}");
    assert!(!html.contains("<b>watch"), "{html}");

    let refused = callback(&shop.browser.decide(&shop.service, &page, "deny").await);
    assert_eq!((refused["error"].as_str(), refused["state"].as_str()), ("access_denied", "a state &=#"));
    let silent = callback(&shop.visit(&[("scope", "orders:read"), ("prompt", "none")]).await);
    assert_eq!(silent["error"], "consent_required");

    let page = shop.visit(&[("scope", "orders:read")]).await;
    let allowed = callback(&shop.browser.decide(&shop.service, &page, "allow").await);
    assert_eq!(redeem(&shop.service, &shop.client, &allowed["code"]).await.text("scope"), "orders:read");
    assert!(callback(&shop.visit(&[("scope", "orders:read"), ("prompt", "none")]).await).contains_key("code"));
    assert_eq!(shop.visit(&[("scope", "orders:read orders:write")]).await.status, 200, "it wants more");
    let page = shop.visit(&[("scope", "orders:read"), ("prompt", "consent")]).await;
    assert_eq!(page.status, 200, "the client wants the page");
    let allowed = callback(&shop.browser.decide(&shop.service, &page, "allow").await);
    assert!(allowed.contains_key("code"), "and gets it once");

    let mut other = Browser::default();
    let forged = other.decide(&shop.service, &page, "allow").await;
    assert_eq!((forged.status.as_u16(), forged.headers.get("location")), (400, None));
}

#[tokio::test]
async fn a_user_gives_no_more_than_their_role_has() {
    let mut shop = shop().await;
    shop.client = code_client(&shop.service, "Console", "openid orders:read orders:admin clients:admin", true).await;
    let scope = "openid orders:read orders:admin clients:admin";
    let code = shop.log_in(&[("scope", scope)]).await;
    assert_eq!(redeem(&shop.service, &shop.client, &code).await.text("scope"), "orders:read openid");
    shop.service.user("admin@example.com", Role::Admin).await;
    let page = shop.visit(&[("scope", scope), ("prompt", "login")]).await;
    let answer = shop.browser.log_in(&shop.service, &page, "admin@example.com", PASSWORD).await;
    let tokens = redeem(&shop.service, &shop.client, &callback(&answer)["code"]).await;
    assert_eq!(Scopes::parse(&tokens.text("scope")), Scopes::parse(scope));
}

#[tokio::test]
async fn a_public_client_needs_its_verifier_and_nothing_else() {
    let mut shop = shop().await;
    let spec = ClientSpec {
        name: "app".to_owned(),
        scopes: Scopes::parse(SCOPES),
        grants: vec![Grant::AuthorizationCode],
        redirect_uris: vec![REDIRECT_URI.to_owned()],
        first_party: true,
        ..ClientSpec::default()
    };
    let (id, _) = shop.service.directory.create_client(&spec, Secrecy::Public).await.unwrap();
    let id = id.to_string();
    let code = shop.log_in(&[("client_id", &id)]).await;
    let request = |verifier: &'static str| {
        let (service, code, id) = (&shop.service, &code, &id);
        async move {
            let parameters = [
                ("grant_type", "authorization_code"),
                ("code", code.as_str()),
                ("redirect_uri", REDIRECT_URI),
                ("client_id", id.as_str()),
                ("code_verifier", verifier),
            ];
            service.form("/oauth/token", None, &parameters).await
        }
    };
    assert_eq!(request("another-verifier-of-forty-three-characters-x").await.error(), (400, "invalid_grant"));
    let tokens = request(VERIFIER).await;
    assert_eq!(tokens.status, 200, "{}", tokens.body);
    assert!(tokens.body.get("refresh_token").is_none(), "it may not refresh");
}

#[tokio::test]
async fn guessing_at_the_page_meets_the_same_limits() {
    let service = Harness::with_rate_limit(true).await;
    service.register(ADA).await;
    let client = code_client(&service, "Storefront", SCOPES, true).await;
    let mut browser = Browser::default();
    let page = browser.get(&service, &authorize_path(&client, &[])).await;
    for _ in 0..5 {
        assert_eq!(service.login(ADA, "wrong password").await.status, 401);
        assert_eq!(browser.log_in(&service, &page, ADA, "wrong password").await.status, 422);
    }
    let limited = browser.log_in(&service, &page, ADA, PASSWORD).await;
    assert_eq!(limited.status, 429);
    assert!(limited.header("retry-after").parse::<u64>().unwrap() > 0);
}

#[tokio::test]
async fn a_client_logs_the_browser_out_with_its_id_token() {
    let mut shop = shop().await;
    let tokens = shop.tokens().await;
    let id_token = tokens.text("id_token");
    let target = "https://shop.example/bye";
    let wrong = encode(&[("id_token_hint", &id_token), ("post_logout_redirect_uri", "https://evil.example/")]);
    let refused = shop.browser.get(&shop.service, &format!("/oauth/logout?{wrong}")).await;
    assert_eq!((refused.status.as_u16(), refused.headers.get("location")), (400, None));
    assert!(callback(&shop.visit(&[("prompt", "none")]).await).contains_key("code"), "nothing happened");

    let right = encode(&[("id_token_hint", &id_token), ("post_logout_redirect_uri", target), ("state", "s 1")]);
    let answer = shop.browser.get(&shop.service, &format!("/oauth/logout?{right}")).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "https://shop.example/bye?state=s+1"));
    assert_eq!(shop.browser.cookie(), None);
    assert_eq!(callback(&shop.visit(&[("prompt", "none")]).await)["error"], "login_required");
    let refused = shop.service.get_as(&tokens.text("access_token"), "/oauth/userinfo").await;
    assert_eq!(refused.error(), (401, "INVALID_TOKEN"), "the session is over");
}

#[tokio::test]
async fn without_an_id_token_the_person_is_asked_before_they_are_logged_out() {
    let mut shop = shop().await;
    shop.log_in(&[]).await;
    let page = shop.browser.get(&shop.service, "/oauth/logout").await;
    assert_eq!(page.status, 200);
    assert!(callback(&shop.visit(&[("prompt", "none")]).await).contains_key("code"), "asking logs nobody out");
    let forged = shop.browser.submit(&shop.service, "/oauth/logout", &[("csrf", "x")]).await;
    assert!(forged.body.as_str().unwrap().contains("Log out?"));
    let csrf = field(&page, "csrf");
    let done = shop.browser.submit(&shop.service, "/oauth/logout", &[("csrf", &csrf)]).await;
    assert!(done.body.as_str().unwrap().contains("You are logged out"));
    assert_eq!(callback(&shop.visit(&[("prompt", "none")]).await)["error"], "login_required");
}

#[tokio::test]
async fn who_ends_a_session_is_asked_for_the_password_again() {
    let mut shop = shop().await;
    for by_list in [false, true] {
        let token = shop.tokens().await.text("access_token");
        let (method, path) = if by_list {
            let session = claims(&token)["sid"].as_str().unwrap().to_owned();
            (http::Method::DELETE, format!("/api/sessions/{session}"))
        } else {
            (http::Method::POST, "/auth/logout".to_owned())
        };
        assert!(shop.service.call_as(method, &token, &path).await.status.is_success());
        assert_eq!(callback(&shop.visit(&[("prompt", "none")]).await)["error"], "login_required");
    }
}

#[tokio::test]
async fn what_has_expired_is_swept_and_a_used_code_is_remembered() {
    let mut shop = shop().await;
    let code = shop.log_in(&[]).await;
    redeem(&shop.service, &shop.client, &code).await;
    let connection = shop.service.pool.get().await.unwrap();
    connection.execute("UPDATE authorization_codes SET expires_at = now() - interval '1 hour'", &[]).await.unwrap();
    connection.execute("UPDATE browser_logins SET expires_at = now()", &[]).await.unwrap();
    connection.batch_execute(include_str!("../../src/sql/sweep.sql")).await.unwrap();
    let count = |sql: &'static str| {
        let connection = &connection;
        async move { connection.query_one(sql, &[]).await.unwrap().get::<_, i64>(0) }
    };
    assert_eq!(count("SELECT count(*) FROM browser_logins").await, 0);
    assert_eq!(count("SELECT count(*) FROM authorization_codes").await, 1);
    assert_eq!(redeem(&shop.service, &shop.client, &code).await.error(), (400, "invalid_grant"));
    assert_eq!(count("SELECT count(*) FROM sessions WHERE ended_because LIKE 'its authorization code%'").await, 1);
}

#[tokio::test]
async fn behind_a_path_of_a_public_name_the_forms_and_redirects_stay_there() {
    let database = test_support::database().await;
    let service = Harness::issued_by(
        database,
        Config { key_encryption_key: None, key_rotation: None, rate_limit: false, mail: None },
        "https://oms.example/shop",
    )
    .await;
    let client = code_client(&service, "Storefront", SCOPES, true).await;
    let mut browser = Browser::default();
    let page = browser.get(&service, &authorize_path(&client, &[])).await;
    assert!(page.header("set-cookie").starts_with("__Host-oms_browser="), "{}", page.header("set-cookie"));
    assert!(page.header("set-cookie").ends_with("; Secure"));
    assert!(page.body.as_str().unwrap().contains("action=\"/shop/oauth/login\""));
}
