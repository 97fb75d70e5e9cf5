//! Clients and users for administrators, sessions for everybody.

use crate::harness::{Harness, PASSWORD, TestClient};
use auth_service::Role;
use http::Method;
use serde_json::json;

async fn admin(service: &Harness) -> String {
    service.user("admin@example.com", Role::Admin).await;
    service.login("admin@example.com", PASSWORD).await.text("token")
}

#[tokio::test]
async fn an_administrator_registers_clients_and_reads_the_secret_once() {
    let service = Harness::new().await;
    let token = admin(&service).await;
    let body = json!({
        "name": "erp", "scopes": ["orders:read", "events:read"], "grants": ["client_credentials"],
        "redirectUris": ["https://erp.example/callback"]
    });
    let made = service.post_as(&token, "/api/clients", &body).await;
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!(made.header("location"), format!("/api/clients/{}", made.text("clientId")));
    assert_eq!(made.header("cache-control"), "no-store");
    let client = TestClient { id: made.text("clientId"), secret: made.text("clientSecret") };
    assert!(!service.client_token(&client).await.is_empty());

    let read = service.get_as(&token, made.header("location")).await;
    assert_eq!(read.status, 200);
    assert!(read.body.get("clientSecret").is_none());
    assert_eq!(read.body["scopes"], json!(["orders:read", "events:read"]));
    let list = service.get_as(&token, "/api/clients").await;
    assert_eq!(list.body["items"][0], read.body);

    let again = service.post_as(&token, "/api/clients", &body).await;
    assert_eq!(again.error(), (422, "VALIDATION_FAILED"));
    assert_eq!(again.body["errors"][0]["pointer"], "/name");
    let wrong = service.post_as(&token, "/api/clients", &json!({"name": "x", "scopes": ["surprise"]})).await;
    assert_eq!(wrong.body["errors"][0]["pointer"], "/scopes/0");
    let public = json!({"name": "app", "scopes": ["orders:read"], "grants": ["refresh_token"], "public": true});
    assert!(service.post_as(&token, "/api/clients", &public).await.body.get("clientSecret").is_none());

    let issued = service.client_token(&client).await;
    let path = format!("/api/clients/{}", client.id);
    assert_eq!(service.call_as(Method::DELETE, &token, &path).await.status, 204);
    let refused = service.form("/oauth/token", Some(&client), &[("grant_type", "client_credentials")]).await;
    assert_eq!(refused.error(), (401, "invalid_client"));
    let other = service.client("other", "orders:read").await;
    assert!(!service.is_active(&other, &issued).await);
    let unknown = service.call_as(Method::DELETE, &token, "/api/clients/cli_01h455vb4pex5vsknk084sn02q").await;
    assert_eq!(unknown.error(), (404, "NOT_FOUND"));
    assert_eq!(service.get_as(&token, "/api/clients/usr_1").await.error(), (400, "INVALID_ID"));
}

#[tokio::test]
async fn an_administrator_makes_and_lists_users_page_by_page() {
    let service = Harness::new().await;
    let token = admin(&service).await;
    let body = json!({"email": "grace@example.com", "password": PASSWORD, "role": "staff", "name": "Grace"});
    let made = service.post_as(&token, "/api/users", &body).await;
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!(made.body["role"], "staff");
    assert_eq!(service.post_as(&token, "/api/users", &body).await.error(), (409, "EMAIL_TAKEN"));
    let boss = json!({"email": "boss@example.com", "password": PASSWORD, "role": "boss"});
    assert_eq!(service.post_as(&token, "/api/users", &boss).await.body["errors"][0]["pointer"], "/role");
    assert_eq!(service.get_as(&token, made.header("location")).await.body, made.body);

    service.register("ada@example.com").await;
    let mut emails = Vec::new();
    let mut path = "/api/users?limit=2".to_owned();
    loop {
        let page = service.get_as(&token, &path).await;
        for item in page.body["items"].as_array().unwrap() {
            assert!(item.get("passwordHash").is_none());
            emails.push(item["email"].as_str().unwrap().to_owned());
        }
        let Some(cursor) = page.body["nextCursor"].as_str() else { break };
        assert!(page.header("link").contains("rel=\"next\""));
        path = format!("/api/users?limit=2&cursor={cursor}");
    }
    assert_eq!(emails, ["admin@example.com", "grace@example.com", "ada@example.com"]);
    assert_eq!(service.get_as(&token, "/api/users?cursor=x").await.error(), (400, "INVALID_CURSOR"));
}

#[tokio::test]
async fn nobody_but_an_administrator_administers() {
    let service = Harness::new().await;
    service.user("staff@example.com", Role::Staff).await;
    let staff = service.login("staff@example.com", PASSWORD).await.text("token");
    let customer = service.register("ada@example.com").await.text("token");
    let client = service.client("shop", "orders:admin events:read").await;
    let program = service.client_token(&client).await;
    for path in ["/api/clients", "/api/users", "/api/users/usr_01h455vb4pex5vsknk084sn02q"] {
        assert_eq!(service.get(path).await.error(), (401, "UNAUTHENTICATED"), "{path}");
        for token in [&staff, &customer, &program] {
            assert_eq!(service.get_as(token, path).await.error(), (403, "INSUFFICIENT_SCOPE"), "{path}");
        }
        assert_eq!(service.get_as_service(path).await.error(), (403, "INSUFFICIENT_SCOPE"), "{path}");
    }
    for path in ["/api/clients", "/api/users"] {
        let refused = service.post_as(&staff, path, &json!({"surprise": true})).await;
        assert_eq!(refused.error(), (403, "INSUFFICIENT_SCOPE"), "{path}");
    }
}

#[tokio::test]
async fn everybody_sees_and_ends_their_own_sessions_alone() {
    let service = Harness::new().await;
    let first = service.register("ada@example.com").await;
    let second = service.login("ada@example.com", PASSWORD).await;
    let stranger = service.register("grace@example.com").await.text("token");
    let list = service.get_as(&second.text("token"), "/api/sessions").await;
    let items = list.body["items"].as_array().unwrap();
    assert_eq!(items.len(), 2, "{}", list.body);
    assert_eq!((&items[0]["current"], &items[1]["current"]), (&json!(false), &json!(true)));
    assert_eq!(items[0]["address"], "192.0.2.1");

    let path = format!("/api/sessions/{}", items[0]["sessionId"].as_str().unwrap());
    assert_eq!(service.call_as(Method::DELETE, &stranger, &path).await.error(), (404, "NOT_FOUND"));
    assert_eq!(service.call_as(Method::DELETE, &second.text("token"), &path).await.status, 204);
    assert_eq!(service.get_as(&first.text("token"), "/oauth/userinfo").await.error(), (401, "INVALID_TOKEN"));
    assert_eq!(service.get_as(&second.text("token"), "/oauth/userinfo").await.status, 200);
    assert_eq!(service.get("/api/sessions").await.error(), (401, "UNAUTHENTICATED"));
}

#[tokio::test]
async fn a_disabled_user_is_refused_everywhere_at_once_and_the_last_admin_stays() {
    let service = Harness::new().await;
    let token = admin(&service).await;
    let client = service.client("shop", "orders:read").await;
    let (first, second) = (service.register("ada@example.com").await, service.login("ada@example.com", PASSWORD).await);
    let path = format!("/api/users/{}", first.text("userId"));
    assert_eq!(service.call_as(Method::DELETE, &first.text("token"), &path).await.error(), (403, "INSUFFICIENT_SCOPE"));
    assert_eq!(service.call_as(Method::DELETE, &token, &path).await.status, 204);
    assert_eq!(service.get_as(&token, &path).await.body["disabled"], true);
    for login in [&first, &second] {
        assert_eq!(service.get_as(&login.text("token"), "/oauth/userinfo").await.error(), (401, "INVALID_TOKEN"));
        assert!(!service.is_active(&client, &login.text("token")).await);
        let refreshed = service.post("/auth/refresh", &json!({"token": login.text("refreshToken")})).await;
        assert_eq!(refreshed.error(), (401, "INVALID_TOKEN"));
    }
    assert_eq!(service.login("ada@example.com", PASSWORD).await.error(), (401, "UNAUTHENTICATED"));
    assert_eq!(service.call_as(Method::DELETE, &token, &path).await.status, 204, "again");

    let own = format!("/api/users/{}", crate::harness::claims(&token)["sub"].as_str().unwrap());
    assert_eq!(service.call_as(Method::DELETE, &token, &own).await.error(), (409, "ILLEGAL_TRANSITION"));
    service.user("second@example.com", Role::Admin).await;
    assert_eq!(service.call_as(Method::DELETE, &token, &own).await.status, 204);
    let unknown = service.call_as(Method::DELETE, &token, "/api/users/usr_01h455vb4pex5vsknk084sn02q").await;
    assert_eq!(unknown.error(), (401, "INVALID_TOKEN"), "an administrator who is disabled is none");
}

#[tokio::test]
async fn the_audit_is_searched_by_actor_subject_and_action_newest_first() {
    let service = Harness::new().await;
    let token = admin(&service).await;
    let ada = service.register("ada@example.com").await.text("userId");
    for _ in 0..3 {
        service.login("ada@example.com", "wrong password").await;
    }
    let admin_id = crate::harness::claims(&token)["sub"].as_str().unwrap().to_owned();
    assert_eq!(service.call_as(Method::DELETE, &token, &format!("/api/users/{ada}")).await.status, 204);

    let actions = |path: String| {
        let (service, token) = (&service, &token);
        async move {
            let answer = service.get_as(token, &path).await;
            assert_eq!(answer.status, 200, "{}", answer.body);
            let items = answer.body["items"].as_array().unwrap().clone();
            let next = answer.body["nextCursor"].as_str().map(ToOwned::to_owned);
            (items.iter().map(|item| item["action"].as_str().unwrap().to_owned()).collect::<Vec<_>>(), next)
        }
    };
    let expected = ["USER_DISABLED", "LOGIN_FAILED", "LOGIN_FAILED", "LOGIN_FAILED", "USER_CREATED"];
    assert_eq!(actions(format!("/api/audit-events?subject={ada}")).await.0, expected);
    let by_admin = actions(format!("/api/audit-events?actor={admin_id}&action=USER_DISABLED")).await;
    assert_eq!(by_admin.0, ["USER_DISABLED"]);
    assert!(actions("/api/audit-events?actor=nobody".to_owned()).await.0.is_empty());

    let (mut paged, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let after = cursor.map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
        let (page, next) = actions(format!("/api/audit-events?subject={ada}&limit=2{after}")).await;
        paged.extend(page);
        cursor = next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(paged, expected);
    assert_eq!(service.get_as(&token, "/api/audit-events?cursor=x").await.error(), (400, "INVALID_CURSOR"));
    service.user("staff@example.com", Role::Staff).await;
    let staff = service.login("staff@example.com", PASSWORD).await.text("token");
    assert_eq!(service.get_as(&staff, "/api/audit-events").await.error(), (403, "INSUFFICIENT_SCOPE"));
}
