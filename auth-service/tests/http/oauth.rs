//! The OAuth endpoints as RFC 6749, 7009, 7662 and 8414 have them.

use crate::harness::{Harness, TestClient, claims, encode, jose_header};
use auth_service::{ClientSpec, Grant, Secrecy, Secret};
use axum::body::Body;
use http::{Request, header};
use serde_json::json;
use web::Scopes;

const CREDENTIALS: [(&str, &str); 1] = [("grant_type", "client_credentials")];

#[tokio::test]
async fn client_credentials_give_an_access_token_by_basic_and_by_post() {
    let service = Harness::new().await;
    let client = service.client("shop", "orders:read orders:write").await;
    let basic = service.form("/oauth/token", Some(&client), &CREDENTIALS).await;
    let parameters = [CREDENTIALS[0], ("client_id", client.id.as_str()), ("client_secret", client.secret.as_str())];
    let post = service.form("/oauth/token", None, &parameters).await;
    for answer in [basic, post] {
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!(
            (answer.body["token_type"].as_str(), answer.body["expires_in"].as_i64()),
            (Some("Bearer"), Some(600))
        );
        assert_eq!(answer.text("scope"), "orders:read orders:write");
        assert!(answer.body.get("refresh_token").is_none());
        let claims = claims(&answer.text("access_token"));
        assert_eq!(claims["sub"].as_str(), Some(client.id.as_str()));
        assert_eq!(claims["client_id"], claims["sub"]);
        assert_eq!(claims["role"], "service");
        assert!(claims.get("sid").is_none());
    }
}

#[tokio::test]
async fn a_client_gets_a_part_of_its_scopes_but_no_others() {
    let service = Harness::new().await;
    let client = service.client("shop", "orders:read orders:write").await;
    let ask = |scope: &'static str| service.form_with(&client, "client_credentials", scope);
    assert_eq!(ask("orders:read").await.text("scope"), "orders:read");
    for scope in ["orders:admin", "orders:read orders:admin", "surprise", "orders:read surprise", " "] {
        assert_eq!(ask(scope).await.error(), (400, "invalid_scope"), "{scope}");
    }
}

#[tokio::test]
async fn grants_that_are_not_served_are_refused() {
    let service = Harness::new().await;
    let client = service.client("shop", "orders:read").await;
    for grant in ["password", "implicit", "urn:ietf:params:oauth:grant-type:device_code", "x"] {
        let parameters = [("grant_type", grant), ("username", "ada@example.com"), ("password", "correct horse")];
        let answer = service.form("/oauth/token", Some(&client), &parameters).await;
        assert_eq!(answer.error(), (400, "unsupported_grant_type"), "{grant}");
        assert!(answer.body["error_description"].is_string());
        assert_eq!(answer.header("cache-control"), "no-store");
    }
    assert_eq!(service.form("/oauth/token", Some(&client), &[]).await.error(), (400, "invalid_request"));
}

#[tokio::test]
async fn a_client_uses_only_the_grants_it_has() {
    let service = Harness::new().await;
    let credentials_only = service.client_with("batch", "orders:read", vec![Grant::ClientCredentials]).await;
    let refresh_only = service.client_with("app", "orders:read", vec![Grant::RefreshToken]).await;
    let refresh = [("grant_type", "refresh_token"), ("refresh_token", "x")];
    let answer = service.form("/oauth/token", Some(&credentials_only), &refresh).await;
    assert_eq!(answer.error(), (400, "unauthorized_client"));
    let answer = service.form("/oauth/token", Some(&refresh_only), &CREDENTIALS).await;
    assert_eq!(answer.error(), (400, "unauthorized_client"));
    let answer = service.form("/oauth/token", Some(&refresh_only), &refresh).await;
    assert_eq!(answer.error(), (400, "invalid_grant"));
    let answer = service.form("/oauth/token", Some(&refresh_only), &refresh[..1]).await;
    assert_eq!(answer.error(), (400, "invalid_request"));
}

#[tokio::test]
async fn a_client_that_is_not_who_it_says_is_refused_everywhere() {
    let service = Harness::new().await;
    let client = service.client("shop", "orders:read").await;
    let wrong_secret = TestClient { id: client.id.clone(), secret: "wrong".to_owned() };
    let no_secret = TestClient { id: client.id.clone(), secret: String::new() };
    let bare_uuid = shared_events::ClientId::parse(&client.id).unwrap().as_uuid().to_string();
    let other_form = TestClient { id: bare_uuid, secret: client.secret.clone() };
    let unknown = TestClient { id: "cli_01h455vb4pex5vsknk084sn02q".to_owned(), secret: client.secret.clone() };
    let nonsense = TestClient { id: "shop".to_owned(), secret: client.secret.clone() };
    for path in ["/oauth/token", "/oauth/introspect", "/oauth/check_token", "/oauth/revoke"] {
        for impostor in [&wrong_secret, &no_secret, &other_form, &unknown, &nonsense] {
            let answer = service.form(path, Some(impostor), &[CREDENTIALS[0], ("token", "x")]).await;
            assert_eq!(answer.error(), (401, "invalid_client"), "{path} {}", impostor.id);
            assert!(answer.header("www-authenticate").starts_with("Basic "));
        }
        let nobody = service.form(path, None, &[]).await;
        assert_eq!(nobody.error(), (401, "invalid_client"), "{path}");
        let garbage = Request::post(path).header(header::AUTHORIZATION, "Basic !!!").body(Body::empty()).unwrap();
        assert_eq!(service.send(garbage).await.error(), (401, "invalid_client"), "{path}");
    }
    assert_eq!(service.form("/oauth/token", Some(&client), &CREDENTIALS).await.status, 200);
}

#[tokio::test]
async fn requests_are_form_encoded_without_repeats_and_with_one_way_to_authenticate() {
    let service = Harness::new().await;
    let client = service.client("shop", "orders:read").await;
    let send = |content_type: &'static str, body: String| {
        let request = Request::post("/oauth/token?grant_type=client_credentials")
            .header(header::AUTHORIZATION, client.basic())
            .header(header::CONTENT_TYPE, content_type);
        service.send(request.body(Body::from(body)).unwrap())
    };
    let json = json!({"grant_type": "client_credentials"}).to_string();
    assert_eq!(send("application/json", json).await.error(), (400, "invalid_request"));
    let form = "application/x-www-form-urlencoded";
    assert_eq!(send(form, String::new()).await.error(), (400, "invalid_request"), "the query string is ignored");
    let twice = "grant_type=client_credentials&grant_type=client_credentials".to_owned();
    assert_eq!(send(form, twice).await.error(), (400, "invalid_request"));
    let two_ways = encode(&[CREDENTIALS[0], ("client_id", &client.id), ("client_secret", &client.secret)]);
    assert_eq!(send(form, two_ways).await.error(), (400, "invalid_request"));
    let same_id = encode(&[CREDENTIALS[0], ("client_id", &client.id)]);
    assert_eq!(send("application/x-www-form-urlencoded; charset=utf-8", same_id).await.status, 200);
    let other_id = encode(&[CREDENTIALS[0], ("client_id", "cli_01h455vb4pex5vsknk084sn02q")]);
    assert_eq!(send(form, other_id).await.error(), (400, "invalid_request"));
}

#[tokio::test]
async fn introspection_tells_what_a_token_is_good_for() {
    let service = Harness::new().await;
    let client = service.client("shop", "orders:read").await;
    let token = service.client_token(&client).await;
    for path in ["/oauth/introspect", "/oauth/check_token"] {
        let answer = service.form(path, Some(&client), &[("token", &token), ("token_type_hint", "access_token")]).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.body["active"], true);
        assert_eq!(answer.body["client_id"].as_str(), Some(client.id.as_str()));
        assert_eq!(answer.body["scope"], "orders:read");
        assert_eq!(answer.body["token_type"], "Bearer");
        assert_eq!(answer.body["aud"], "oms");
        assert_eq!(answer.body["jti"], claims(&token)["jti"]);
        assert_eq!(answer.body["exp"], claims(&token)["exp"]);
        let unknown = service.form(path, Some(&client), &[("token", "unknown")]).await;
        assert_eq!(unknown.body, json!({"active": false}));
        assert_eq!(service.form(path, Some(&client), &[]).await.error(), (400, "invalid_request"));
    }
    let user = service.register("ada@example.com").await;
    let answer = service.form("/oauth/introspect", Some(&client), &[("token", &user.text("token"))]).await;
    assert_eq!(answer.body["username"], "ada@example.com");
    assert_eq!(answer.body["sub"].as_str(), Some(user.text("userId").as_str()));
    assert!(service.is_active(&client, &user.text("refreshToken")).await);
    let stranger = service.client_with("stranger", "orders:read", vec![Grant::ClientCredentials]).await;
    assert!(!service.is_active(&stranger, &user.text("refreshToken")).await, "that is not its token");
}

#[tokio::test]
async fn a_revoked_token_is_refused_at_once_and_the_session_goes_with_its_refresh_token() {
    let service = Harness::new().await;
    let client = service.client("shop", "orders:read").await;
    let first = service.register("ada@example.com").await;
    let revoke = |token: String| {
        let (service, client) = (&service, &client);
        async move { service.form("/oauth/revoke", Some(client), &[("token", token.as_str())]).await }
    };
    assert_eq!(revoke(first.text("token")).await.status, 200);
    assert!(!service.is_active(&client, &first.text("token")).await);
    assert_eq!(service.get_as(&first.text("token"), "/oauth/userinfo").await.error(), (401, "INVALID_TOKEN"));

    let second = service.post("/auth/refresh", &json!({"token": first.text("refreshToken")})).await;
    assert_eq!(second.status, 200, "the session goes on");
    assert_eq!(revoke(second.text("refreshToken")).await.status, 200);
    assert!(!service.is_active(&client, &second.text("token")).await);
    assert_eq!(service.get_as(&second.text("token"), "/oauth/userinfo").await.error(), (401, "INVALID_TOKEN"));
    let third = service.post("/auth/refresh", &json!({"token": second.text("refreshToken")})).await;
    assert_eq!(third.error(), (401, "INVALID_TOKEN"));

    assert_eq!(revoke("unknown".to_owned()).await.status, 200, "RFC 7009 §2.2");
    assert_eq!(revoke(second.text("refreshToken")).await.status, 200, "again");
    assert_eq!(revoke(String::new()).await.error(), (400, "invalid_request"));
}

#[tokio::test]
async fn a_client_revokes_no_other_clients_tokens() {
    let service = Harness::new().await;
    let (client, other) = (service.client("shop", "orders:read").await, service.client("other", "orders:read").await);
    let token = service.client_token(&client).await;
    let refused = service.form("/oauth/revoke", Some(&other), &[("token", &token)]).await;
    assert_eq!(refused.error(), (400, "unauthorized_client"));
    assert!(service.is_active(&client, &token).await);
    assert_eq!(service.form("/oauth/revoke", Some(&client), &[("token", &token)]).await.status, 200);
    assert!(!service.is_active(&client, &token).await);
}

#[tokio::test]
async fn a_public_client_refreshes_without_a_secret_and_does_nothing_else() {
    let service = Harness::new().await;
    let spec = ClientSpec {
        name: "storefront".to_owned(),
        scopes: Scopes::parse("orders:read"),
        grants: vec![Grant::RefreshToken, Grant::ClientCredentials],
        ..ClientSpec::default()
    };
    let (id, secret) = service.directory.create_client(&spec, Secrecy::Public).await.unwrap();
    assert!(secret.is_none());
    let id = id.to_string();
    let user = service.register("ada@example.com").await;
    let refresh_token = user.text("refreshToken");
    let parameters = [("grant_type", "refresh_token"), ("refresh_token", refresh_token.as_str()), ("client_id", &id)];
    assert_eq!(service.form("/oauth/token", None, &parameters).await.status, 200);
    let answer = service.form("/oauth/token", None, &[CREDENTIALS[0], ("client_id", &id)]).await;
    assert_eq!(answer.error(), (400, "unauthorized_client"));
    let answer = service.form("/oauth/introspect", None, &[("token", "x"), ("client_id", &id)]).await;
    assert_eq!(answer.error(), (401, "invalid_client"));
    let answer =
        service.form("/oauth/token", None, &[CREDENTIALS[0], ("client_id", &id), ("client_secret", "x")]).await;
    assert_eq!(answer.error(), (401, "invalid_client"), "it has no secret to give");
}

#[tokio::test]
async fn metadata_names_what_is_served_and_nothing_else() {
    let service = Harness::new().await;
    let jwks = service.get("/.well-known/jwks.json").await;
    assert_eq!(jwks.status, 200);
    let key = &jwks.body["keys"][0];
    assert_eq!((key["kty"].as_str(), key["crv"].as_str()), (Some("EC"), Some("P-256")));
    assert_eq!((key["alg"].as_str(), key["use"].as_str()), (Some("ES256"), Some("sig")));
    assert!(key.get("d").is_none(), "a private key is never published");
    let token = service.register("ada@example.com").await.text("token");
    assert_eq!(key["kid"], jose_header(&token)["kid"]);

    for path in ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"] {
        let document = service.get(path).await.body;
        assert_eq!(document["issuer"], crate::harness::ISSUER);
        assert_eq!(
            document["grant_types_supported"],
            json!(["authorization_code", "client_credentials", "refresh_token"])
        );
        assert_eq!(document["code_challenge_methods_supported"], json!(["S256"]));
        assert_eq!(document["response_types_supported"], json!(["code"]));
        for (name, value) in document.as_object().unwrap() {
            let Some(url) = value.as_str().filter(|_| name != "issuer") else { continue };
            let path = url.strip_prefix(crate::harness::ISSUER).unwrap();
            assert_ne!(service.get(path).await.status, 404, "{name}");
        }
    }
}

#[tokio::test]
async fn a_clients_token_has_no_user_to_inform_about() {
    let service = Harness::new().await;
    let client = service.client("shop", "openid profile").await;
    let token = service.client_token(&client).await;
    assert_eq!(service.get_as(&token, "/oauth/userinfo").await.error(), (403, "INSUFFICIENT_SCOPE"));
}

#[tokio::test]
async fn ensuring_a_client_twice_keeps_its_id_and_takes_the_new_settings() {
    let service = Harness::new().await;
    let mut spec = ClientSpec {
        name: "service".to_owned(),
        scopes: Scopes::parse("orders:read"),
        grants: vec![Grant::ClientCredentials],
        ..ClientSpec::default()
    };
    let secret = Secret::new("0123456789abcdef0123456789abcdef");
    let made = service.directory.ensure_client(&spec, Some(&secret)).await.unwrap();
    let same = service.directory.ensure_client(&spec, Some(&secret)).await.unwrap();
    spec.scopes = Scopes::parse("orders:read orders:write");
    let changed = service.directory.ensure_client(&spec, Some(&secret)).await.unwrap();
    assert!(made.created && !same.created && !changed.created);
    assert!(made.id == same.id && made.id == changed.id);
    let client = TestClient { id: made.id.to_string(), secret: secret.expose().to_owned() };
    let answer = service.form("/oauth/token", Some(&client), &CREDENTIALS).await;
    assert_eq!(answer.text("scope"), "orders:read orders:write");
    assert!(service.directory.ensure_client(&spec, Some(&Secret::new("short"))).await.is_err());
    assert!(service.directory.create_client(&spec, Secrecy::Generated).await.is_err(), "the name is taken");
}

impl Harness {
    async fn form_with(&self, client: &TestClient, grant: &str, scope: &str) -> crate::harness::Answer {
        self.form("/oauth/token", Some(client), &[("grant_type", grant), ("scope", scope)]).await
    }
}
