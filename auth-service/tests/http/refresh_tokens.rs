//! Rotation, reuse, and families.

use crate::harness::{Harness, claims};
use futures_util::future::join_all;
use serde_json::json;
use std::collections::HashSet;

/// Lets a moment pass for the tokens: everything that was used was used that much earlier.
async fn age(service: &Harness, seconds: i32) {
    let update = "UPDATE refresh_tokens SET used_at = used_at - make_interval(secs => $1::int)";
    service.pool.get().await.unwrap().execute(update, &[&seconds]).await.unwrap();
}

async fn refresh(service: &Harness, token: &str) -> crate::harness::Answer {
    service.post("/auth/refresh", &json!({"token": token})).await
}

#[tokio::test]
async fn a_refresh_gives_new_tokens_of_the_same_session() {
    let service = Harness::new().await;
    let first = service.register("ada@example.com").await;
    let second = refresh(&service, &first.text("refreshToken")).await;
    assert_eq!(second.status, 200, "{}", second.body);
    assert_eq!(second.header("cache-control"), "no-store");
    assert_ne!(first.text("refreshToken"), second.text("refreshToken"));
    assert_ne!(first.text("token"), second.text("token"));
    let (before, after) = (claims(&first.text("token")), claims(&second.text("token")));
    assert_eq!((&before["sid"], &before["sub"], &before["scope"]), (&after["sid"], &after["sub"], &after["scope"]));
    assert_ne!(before["jti"], after["jti"]);
    assert_eq!(refresh(&service, &second.text("refreshToken")).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_token_has_one_successor_under_any_concurrency() {
    let service = Harness::new().await;
    let mut token = service.register("ada@example.com").await.text("refreshToken");
    for round in 0..25 {
        let answers = join_all((0..8).map(|_| refresh(&service, &token))).await;
        for answer in &answers {
            assert_eq!(answer.status, 200, "round {round}: {}", answer.body);
        }
        let successors: HashSet<String> = answers.iter().map(|answer| answer.text("refreshToken")).collect();
        assert_eq!(successors.len(), 1, "round {round}");
        token = successors.into_iter().next().unwrap();
    }
    let connection = service.pool.get().await.unwrap();
    let count = |sql: &'static str| {
        let connection = &connection;
        async move { connection.query_one(sql, &[]).await.unwrap().get::<_, i64>(0) }
    };
    assert_eq!(count("SELECT count(*) FROM refresh_tokens").await, 26);
    assert_eq!(count("SELECT count(*) FROM refresh_tokens WHERE used_at IS NULL").await, 1);
}

#[tokio::test]
async fn the_immediate_predecessor_gets_the_same_successor_for_ten_seconds() {
    let service = Harness::new().await;
    let first = service.register("ada@example.com").await.text("refreshToken");
    let second = refresh(&service, &first).await.text("refreshToken");
    age(&service, 8).await;
    assert_eq!(refresh(&service, &first).await.text("refreshToken"), second);
    age(&service, 3).await;
    assert_eq!(refresh(&service, &first).await.error(), (401, "INVALID_TOKEN"));
    assert_eq!(refresh(&service, &second).await.error(), (401, "INVALID_TOKEN"), "the family is gone");
}

#[tokio::test]
async fn an_older_token_ends_the_session_with_everything_it_issued() {
    let service = Harness::new().await;
    let client = service.client("shop", "orders:read").await;
    let first = service.register("ada@example.com").await;
    let second = refresh(&service, &first.text("refreshToken")).await;
    let third = refresh(&service, &second.text("refreshToken")).await;
    assert!(service.is_active(&client, &third.text("token")).await);

    let reused = refresh(&service, &first.text("refreshToken")).await;
    assert_eq!(reused.error(), (401, "INVALID_TOKEN"));

    assert_eq!(refresh(&service, &third.text("refreshToken")).await.error(), (401, "INVALID_TOKEN"));
    for token in [first.text("token"), third.text("token"), third.text("refreshToken")] {
        assert!(!service.is_active(&client, &token).await);
    }
    assert_eq!(service.get_as(&third.text("token"), "/oauth/userinfo").await.error(), (401, "INVALID_TOKEN"));
    let again = service.login("ada@example.com", crate::harness::PASSWORD).await;
    assert_eq!(refresh(&service, &again.text("refreshToken")).await.status, 200, "a new login is not concerned");
}

#[tokio::test]
async fn an_expired_unknown_or_malformed_token_is_refused_and_ends_nothing() {
    let service = Harness::new().await;
    let first = service.register("ada@example.com").await.text("refreshToken");
    for token in ["", "x", "oms_rt_unknown", "a.b.c"] {
        assert_eq!(refresh(&service, token).await.error(), (401, "INVALID_TOKEN"), "{token}");
    }
    let connection = service.pool.get().await.unwrap();
    connection.execute("UPDATE refresh_tokens SET expires_at = now()", &[]).await.unwrap();
    assert_eq!(refresh(&service, &first).await.error(), (401, "INVALID_TOKEN"));
    let live: i64 =
        connection.query_one("SELECT count(*) FROM sessions WHERE ended_at IS NULL", &[]).await.unwrap().get(0);
    assert_eq!(live, 1);
}

#[tokio::test]
async fn a_disabled_user_and_an_expired_session_are_not_refreshed() {
    let service = Harness::new().await;
    let connection = service.pool.get().await.unwrap();
    let first = service.register("ada@example.com").await;
    connection.execute("UPDATE users SET disabled_at = now()", &[]).await.unwrap();
    assert_eq!(refresh(&service, &first.text("refreshToken")).await.error(), (401, "INVALID_TOKEN"));
    assert_eq!(refresh(&service, &first.text("token")).await.error(), (401, "INVALID_TOKEN"));
    connection.execute("UPDATE users SET disabled_at = NULL", &[]).await.unwrap();
    connection.execute("UPDATE sessions SET expires_at = now()", &[]).await.unwrap();
    assert_eq!(refresh(&service, &first.text("refreshToken")).await.error(), (401, "INVALID_TOKEN"));
}

#[tokio::test]
async fn the_access_token_of_a_live_session_is_refreshed_too() {
    let service = Harness::new().await;
    let first = service.register("ada@example.com").await;
    let second = refresh(&service, &first.text("token")).await;
    assert_eq!(second.status, 200, "{}", second.body);
    assert_eq!(claims(&second.text("token"))["sid"], claims(&first.text("token"))["sid"]);
    assert_eq!(refresh(&service, &second.text("refreshToken")).await.status, 200);
    assert_eq!(refresh(&service, &first.text("refreshToken")).await.status, 200, "the other line goes on");
    service.call_as(http::Method::POST, &second.text("token"), "/auth/logout").await;
    assert_eq!(refresh(&service, &second.text("token")).await.error(), (401, "INVALID_TOKEN"));
}

#[tokio::test]
async fn a_clients_own_token_is_no_session() {
    let service = Harness::new().await;
    let client = service.client("shop", "orders:read").await;
    let token = service.client_token(&client).await;
    assert_eq!(refresh(&service, &token).await.error(), (401, "INVALID_TOKEN"));
}

#[tokio::test]
async fn oauth_refreshes_with_fewer_scopes_but_never_with_more() {
    let service = Harness::new().await;
    let client = service.client("shop", "orders:read").await;
    let first = service.register("ada@example.com").await.text("refreshToken");
    let form = |token: String, scope: &'static str| {
        let (service, client) = (&service, &client);
        async move {
            let parameters = [("grant_type", "refresh_token"), ("refresh_token", token.as_str()), ("scope", scope)];
            service.form("/oauth/token", Some(client), &parameters).await
        }
    };
    assert_eq!(form(first.clone(), "orders:admin").await.error(), (400, "invalid_scope"));
    let narrow = form(first.clone(), "orders:read").await;
    assert_eq!(narrow.status, 200, "{}", narrow.body);
    assert_eq!(narrow.text("scope"), "orders:read");
    assert_eq!(claims(&narrow.text("access_token"))["scope"], "orders:read");
    let wide = form(narrow.text("refresh_token"), "").await;
    assert!(wide.text("scope").contains("orders:write"), "the refresh token keeps what it had");
    let stale = form(first, "").await;
    assert_eq!(stale.error(), (400, "invalid_grant"));
    assert_eq!(form(wide.text("refresh_token"), "").await.error(), (400, "invalid_grant"), "the family is gone");
}
