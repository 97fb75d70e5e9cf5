//! Register, log in, log out.

use crate::harness::{Harness, PASSWORD, claims, jose_header};
use auth_service::{Role, Secret};
use serde_json::json;
use web::Scopes;

#[tokio::test]
async fn registering_makes_a_customer_who_is_logged_in() {
    let service = Harness::new().await;
    let answer = service.register(" Ada@Example.com ").await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.body["tokenType"], "Bearer");
    assert_eq!(answer.body["expiresIn"], 600);
    let (user, token) = (answer.text("userId"), answer.text("token"));
    assert!(user.starts_with("usr_"));

    let header = jose_header(&token);
    assert_eq!((header["typ"].as_str(), header["alg"].as_str()), (Some("at+jwt"), Some("ES256")));
    let claims = claims(&token);
    assert_eq!(claims["iss"], crate::harness::ISSUER);
    assert_eq!(claims["aud"], "oms");
    assert_eq!(claims["sub"].as_str(), Some(user.as_str()));
    assert_eq!(claims["client_id"], "oms");
    assert_eq!(claims["role"], "customer");
    assert_eq!(claims["email"], "ada@example.com");
    assert_eq!(claims["name"], "Ada");
    assert_eq!(claims["phone_number"], "+49 30 1");
    assert!(claims["sid"].as_str().unwrap().starts_with("ses_"));
    assert!(claims["jti"].as_str().unwrap().len() >= 20);
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 600);
    let scopes = Scopes::parse(claims["scope"].as_str().unwrap());
    let expected = "orders:read orders:write inventory:read invoices:read openid profile email";
    assert_eq!(scopes, Scopes::parse(expected));

    let info = service.get_as(&token, "/oauth/userinfo").await;
    assert_eq!(info.status, 200);
    assert_eq!(info.body["sub"].as_str(), Some(user.as_str()));
    assert_eq!(info.body["email"], "ada@example.com");
    assert_eq!(info.body["email_verified"], false);
}

#[tokio::test]
async fn an_address_is_taken_once_whatever_its_case() {
    let service = Harness::new().await;
    assert_eq!(service.register("ada@example.com").await.status, 201);
    let second = service.register("ADA@example.com").await;
    assert_eq!(second.error(), (409, "EMAIL_TAKEN"));
    assert_eq!(second.header("content-type"), "application/problem+json");
    assert_eq!(second.body["error"], second.body["detail"]);
}

#[tokio::test]
async fn of_many_who_register_one_address_at_once_one_gets_it() {
    let service = Harness::new().await;
    let register = || async { service.register("ada@example.com").await.status.as_u16() };
    let statuses = futures_util::future::join_all((0..8).map(|_| register())).await;
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| [201, 409].contains(status)), "{statuses:?}");
}

#[tokio::test]
async fn every_wrong_field_of_a_registration_is_named() {
    let service = Harness::new().await;
    let body = json!({"email": "no address", "password": "short", "name": "", "phone": "call me"});
    let answer = service.post("/auth/register", &body).await;
    assert_eq!(answer.error(), (422, "VALIDATION_FAILED"));
    let pointers: Vec<&str> =
        answer.body["errors"].as_array().unwrap().iter().map(|error| error["pointer"].as_str().unwrap()).collect();
    assert_eq!(pointers, ["/email", "/password", "/name", "/phone"]);

    for password in ["password123", "12345678", "aaaaaaaaaaaa", &"x1".repeat(513)] {
        let body = json!({"email": "ada@example.com", "password": password});
        let answer = service.post("/auth/register", &body).await;
        assert_eq!(answer.error(), (422, "VALIDATION_FAILED"), "{password}");
        assert_eq!(answer.body["errors"][0]["pointer"], "/password");
        assert!(!answer.body.to_string().contains(password), "a password is not repeated");
    }
}

#[tokio::test]
async fn malformed_registrations_are_refused_in_the_order_of_checks() {
    let service = Harness::new().await;
    let missing = service.post("/auth/register", &json!({"email": "ada@example.com"})).await;
    assert_eq!(missing.error(), (422, "VALIDATION_FAILED"));
    let body = json!({"email": "ada@example.com", "password": PASSWORD, "role": "admin"});
    let unknown = service.post("/auth/register", &body).await;
    assert_eq!(unknown.error(), (400, "UNKNOWN_FIELD"));
    let wrong_type = service.post("/auth/login", &json!({"email": 1, "password": PASSWORD})).await;
    assert_eq!(wrong_type.error(), (400, "MALFORMED_JSON"));
    let form = service.form("/auth/login", None, &[("email", "ada@example.com")]).await;
    assert_eq!(form.error(), (415, "UNSUPPORTED_MEDIA_TYPE"));
}

#[tokio::test]
async fn logging_in_works_before_the_address_is_verified_and_whatever_its_case() {
    let service = Harness::new().await;
    let registered = service.register("ada@example.com").await;
    let answer = service.login(" ADA@example.com", PASSWORD).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.header("cache-control"), "no-store");
    assert!(answer.body.get("userId").is_none());
    let (first, second) = (claims(&registered.text("token")), claims(&answer.text("token")));
    assert_eq!(first["sub"], second["sub"]);
    assert_ne!(first["sid"], second["sid"]);
}

#[tokio::test]
async fn whoever_is_disabled_while_the_password_is_checked_gets_no_session() {
    let service = Harness::new().await;
    service.register("ada@example.com").await;
    let mut admin = service.pool.get().await.unwrap();
    let disabling = admin.transaction().await.unwrap();
    let disable = "UPDATE users SET disabled_at = now() WHERE email = 'ada@example.com'";
    disabling.execute(disable, &[]).await.unwrap();
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
    let commit = async {
        let looking = service.database.connect().await.unwrap();
        test_support::eventually(|| async { looking.query_one(waits, &[]).await.unwrap().get::<_, i64>(0) == 1 }).await;
        disabling.commit().await.unwrap();
    };
    let (answer, ()) = tokio::join!(service.login("ada@example.com", PASSWORD), commit);
    assert_eq!(answer.error(), (401, "UNAUTHENTICATED"));
}

#[tokio::test]
async fn unknown_users_wrong_passwords_and_disabled_users_get_one_answer() {
    let service = Harness::new().await;
    service.register("ada@example.com").await;
    service.register("grace@example.com").await;
    let disable = "UPDATE users SET disabled_at = now() WHERE email = 'grace@example.com'";
    service.pool.get().await.unwrap().execute(disable, &[]).await.unwrap();

    let overlong = "x".repeat(2000);
    let mut bodies = Vec::new();
    for (email, password) in [
        ("ada@example.com", "wrong password"),
        ("nobody@example.com", PASSWORD),
        ("no address", PASSWORD),
        ("grace@example.com", PASSWORD),
        ("ada@example.com", overlong.as_str()),
        ("ada@example.com", ""),
    ] {
        let mut answer = service.login(email, password).await;
        assert_eq!(answer.error(), (401, "UNAUTHENTICATED"), "{email}");
        assert!(answer.header("www-authenticate").starts_with("Bearer"));
        answer.body["traceId"] = json!(null);
        bodies.push(answer.body);
    }
    assert!(bodies.iter().all(|body| *body == bodies[0]), "{bodies:?}");
}

#[tokio::test]
async fn the_roles_log_in_with_their_scopes() {
    let service = Harness::new().await;
    service.user("staff@example.com", Role::Staff).await;
    service.user("admin@example.com", Role::Admin).await;
    let staff = claims(&service.login("staff@example.com", PASSWORD).await.text("token"));
    assert_eq!(staff["role"], "staff");
    let scopes = Scopes::parse(staff["scope"].as_str().unwrap());
    assert!(scopes.contains(web::Scope::OrdersAdmin) && !scopes.contains(web::Scope::ClientsAdmin));
    let admin = claims(&service.login("admin@example.com", PASSWORD).await.text("token"));
    assert_eq!(admin["role"], "admin");
    assert!(Scopes::parse(admin["scope"].as_str().unwrap()).contains(web::Scope::ClientsAdmin));
}

#[tokio::test]
async fn logging_out_ends_the_session_with_all_its_tokens() {
    let service = Harness::new().await;
    let client = service.client("shop", "orders:read").await;
    let first = service.register("ada@example.com").await;
    let other = service.login("ada@example.com", PASSWORD).await;
    let next = service.post("/auth/refresh", &json!({"token": first.text("refreshToken")})).await;
    assert!(service.is_active(&client, &first.text("token")).await);

    let answer = service.call_as(http::Method::POST, &next.text("token"), "/auth/logout").await;
    assert_eq!(answer.status, 200, "{}", answer.body);

    for token in [first.text("token"), next.text("token"), next.text("refreshToken")] {
        assert!(!service.is_active(&client, &token).await);
    }
    for token in [first.text("token"), next.text("token")] {
        assert_eq!(service.get_as(&token, "/oauth/userinfo").await.error(), (401, "INVALID_TOKEN"));
    }
    let refused = service.post("/auth/refresh", &json!({"token": next.text("refreshToken")})).await;
    assert_eq!(refused.error(), (401, "INVALID_TOKEN"));
    assert!(service.is_active(&client, &other.text("token")).await, "the other session goes on");
}

#[tokio::test]
async fn a_token_is_needed_to_log_out_and_an_invalid_one_is_refused_everywhere() {
    let service = Harness::new().await;
    assert_eq!(service.post("/auth/logout", &json!({})).await.error(), (401, "UNAUTHENTICATED"));
    let body = json!({"email": "ada@example.com", "password": PASSWORD});
    assert_eq!(service.post_as("garbage", "/auth/register", &body).await.error(), (401, "INVALID_TOKEN"));
    assert_eq!(service.get_as("garbage", "/.well-known/jwks.json").await.error(), (401, "INVALID_TOKEN"));
}

#[tokio::test]
async fn guessing_is_limited_per_account_and_a_success_is_no_guess() {
    let service = Harness::with_rate_limit(true).await;
    service.register("ada@example.com").await;
    service.register("grace@example.com").await;
    for _ in 0..15 {
        assert_eq!(service.login("grace@example.com", PASSWORD).await.status, 200);
    }
    for _ in 0..10 {
        assert_eq!(service.login("ada@example.com", "wrong password").await.status, 401);
    }
    let limited = service.login("Ada@example.com", PASSWORD).await;
    assert_eq!(limited.error(), (429, "RATE_LIMITED"));
    assert!(limited.header("retry-after").parse::<u64>().unwrap() > 0);
    assert_eq!(service.login("grace@example.com", PASSWORD).await.status, 200, "other accounts are not concerned");
}

#[tokio::test]
async fn guessing_is_limited_per_address() {
    let service = Harness::with_rate_limit(true).await;
    let client = service.client("shop", "orders:read").await;
    let wrong = crate::harness::TestClient { id: client.id.clone(), secret: "wrong".to_owned() };
    for _ in 0..100 {
        let answer = service.form("/oauth/token", Some(&wrong), &[("grant_type", "client_credentials")]).await;
        assert_eq!(answer.status, 401);
    }
    let limited = service.form("/oauth/token", Some(&client), &[("grant_type", "client_credentials")]).await;
    assert_eq!(limited.status, 429);
    assert!(limited.header("retry-after").parse::<u64>().unwrap() > 0);
    assert_eq!(service.login("nobody@example.com", PASSWORD).await.error(), (429, "RATE_LIMITED"));
}

#[tokio::test]
async fn without_limits_guessing_is_only_slow() {
    let service = Harness::with_rate_limit(false).await;
    for _ in 0..12 {
        assert_eq!(service.login("nobody@example.com", "wrong password").await.status, 401);
    }
}

#[tokio::test]
async fn a_flood_of_logins_is_turned_away_instead_of_queued_for_ever() {
    let service = Harness::new().await;
    let logins = (0..120).map(|_| service.login("nobody@example.com", PASSWORD));
    let answers = futures_util::future::join_all(logins).await;
    let turned_away: Vec<_> = answers.iter().filter(|answer| answer.status == 503).collect();
    assert!(!turned_away.is_empty());
    for answer in turned_away {
        assert_eq!(answer.error(), (503, "OVERLOADED"));
        assert!(!answer.header("retry-after").is_empty());
    }
    assert!(answers.iter().filter(|answer| answer.status == 401).count() >= 32);
}

#[tokio::test]
async fn ensuring_a_user_twice_keeps_the_first() {
    let service = Harness::new().await;
    let (first, second) = (Secret::new(PASSWORD), Secret::new("another long password"));
    let made = service.directory.ensure_user("Ada@example.com", &first, Role::Admin).await.unwrap();
    let found = service.directory.ensure_user("ada@example.com", &second, Role::Staff).await.unwrap();
    assert!(made.created && !found.created);
    assert_eq!(made.id, found.id);
    assert_eq!(service.login("ada@example.com", PASSWORD).await.status, 200);
    assert!(service.directory.create_user("ada@example.com", &first, Role::Staff).await.is_err());
    assert!(service.directory.create_user("grace@example.com", &Secret::new("short"), Role::Staff).await.is_err());
}

#[tokio::test]
async fn what_happened_is_in_the_audit_table_for_good_and_no_secret_is() {
    let service = Harness::new().await;
    let registered = service.register("ada@example.com").await;
    service.login("ada@example.com", "wrong password").await;
    service.call_as(http::Method::POST, &registered.text("token"), "/auth/logout").await;
    let connection = service.pool.get().await.unwrap();
    let rows =
        connection.query("SELECT action, row_to_json(a)::text FROM audit_events a ORDER BY id", &[]).await.unwrap();
    let actions: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(actions, ["USER_CREATED", "SESSION_BEGUN", "LOGIN_FAILED", "SESSION_ENDED"]);
    let everything: String = rows.iter().map(|row| row.get::<_, String>(1)).collect();
    for secret in [PASSWORD, "wrong password", &registered.text("refreshToken"), &registered.text("token")] {
        assert!(!everything.contains(secret));
    }
    for statement in ["UPDATE audit_events SET actor = 'me'", "DELETE FROM audit_events", "TRUNCATE audit_events"] {
        assert!(connection.execute(statement, &[]).await.is_err(), "{statement}");
    }
}

#[tokio::test]
async fn nothing_that_opens_a_door_is_stored_as_it_is() {
    let service = Harness::new().await;
    let client = service.client("shop", "orders:read").await;
    let registered = service.register("ada@example.com").await;
    service.post("/auth/refresh", &json!({"token": registered.text("refreshToken")})).await;
    let connection = service.pool.get().await.unwrap();
    let mut everything = String::new();
    for table in ["users", "clients", "sessions", "refresh_tokens", "revocations", "audit_events", "signing_keys"] {
        let select = format!("SELECT coalesce(string_agg(row_to_json(t)::text, ''), '') FROM {table} t");
        everything.push_str(connection.query_one(select.as_str(), &[]).await.unwrap().get(0));
    }
    for secret in [PASSWORD, &client.secret, &registered.text("refreshToken"), &registered.text("token")] {
        assert!(!everything.contains(secret));
    }
}
