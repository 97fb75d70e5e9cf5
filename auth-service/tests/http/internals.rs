//! What other services ask.

use crate::harness::{Harness, SERVICE_TOKEN};
use http::Method;
use serde_json::json;
use web::auth::{RevocationKind, RevocationPage};

fn page(answer: &crate::harness::Answer) -> RevocationPage {
    assert_eq!(answer.status, 200, "{}", answer.body);
    serde_json::from_value(answer.body.clone()).unwrap()
}

#[tokio::test]
async fn services_read_users() {
    let service = Harness::new().await;
    let user = service.register("ada@example.com").await;
    let path = format!("/internal/users/{}", user.text("userId"));
    let client = service.client("shop", "events:read").await;
    let by_token = service.get_as_service(&path).await;
    let by_client = service.get_as(&service.client_token(&client).await, &path).await;
    assert_eq!(by_token.body, by_client.body);
    assert_eq!(by_token.body["email"], "ada@example.com");
    assert_eq!(by_token.body["name"], "Ada");
    assert_eq!(by_token.body["role"], "customer");
    let unknown = service.get_as_service("/internal/users/usr_01h455vb4pex5vsknk084sn02q").await;
    assert_eq!(unknown.error(), (404, "NOT_FOUND"));
    assert_eq!(service.get_as_service("/internal/users/ord_1").await.error(), (400, "INVALID_ID"));
    assert_eq!(service.get_as(&user.text("token"), &path).await.error(), (403, "INSUFFICIENT_SCOPE"));
    assert_eq!(service.get(&path).await.error(), (401, "UNAUTHENTICATED"));
}

#[tokio::test]
async fn revocations_are_followed_by_position() {
    let service = Harness::new().await;
    assert_eq!(page(&service.get_as_service("/internal/revocations?after=0&wait=0").await).head, 0);
    for email in ["ada@example.com", "grace@example.com"] {
        let token = service.register(email).await.text("token");
        service.call_as(Method::POST, &token, "/auth/logout").await;
    }
    let all = page(&service.get_as_service("/internal/revocations?after=0").await);
    assert_eq!(all.revocations.iter().map(|one| one.position).collect::<Vec<_>>(), [1, 2]);
    assert!(all.revocations.iter().all(|one| one.kind == RevocationKind::Session && one.id.starts_with("ses_")));
    let rest = page(&service.get_as_service("/internal/revocations?after=1").await);
    assert_eq!((rest.revocations.len(), rest.head), (1, 2));
    let restored = page(&service.get_as_service("/internal/revocations?after=99").await);
    assert_eq!((restored.revocations.len(), restored.head), (0, 2), "a head before one's own says: begin again");
}

#[tokio::test]
async fn a_waiting_follower_hears_of_a_revocation_at_once() {
    let service = Harness::new().await;
    let token = service.register("ada@example.com").await.text("token");
    let waiting = service.get_as_service("/internal/revocations?after=0&wait=30");
    let logging_out = async {
        tokio::task::yield_now().await;
        service.call_as(Method::POST, &token, "/auth/logout").await
    };
    let (answer, logged_out) = tokio::join!(waiting, logging_out);
    assert_eq!(logged_out.status, 200);
    assert_eq!(page(&answer).revocations.len(), 1);
}

#[tokio::test]
async fn a_follower_hears_of_what_another_instance_revokes() {
    let service = Harness::new().await;
    let connection = service.pool.get().await.unwrap();
    let revoke = async {
        let insert = "WITH taken AS (UPDATE revocation_head SET position = position + 1 RETURNING position)
                      INSERT INTO revocations (position, kind, subject, expires_at)
                      SELECT position, 'token', 'a-jti', now() + interval '10 minutes' FROM taken";
        connection.execute(insert, &[]).await.unwrap();
    };
    let (answer, ()) = tokio::join!(service.get_as_service("/internal/revocations?after=0&wait=30"), revoke);
    assert_eq!(page(&answer).revocations[0].id, "a-jti");
}

#[tokio::test]
async fn the_service_token_is_compared_as_a_whole() {
    let service = Harness::new().await;
    for wrong in ["", "x", &SERVICE_TOKEN[1..], &format!("{SERVICE_TOKEN}x")] {
        let request = http::Request::get("/internal/revocations?wait=0").header("x-service-token", wrong);
        let answer = service.send(request.body(axum::body::Body::empty()).unwrap()).await;
        assert_eq!(answer.error(), (401, "INVALID_TOKEN"));
    }
    let user = service.register("ada@example.com").await.text("token");
    assert_eq!(service.get_as(&user, "/internal/revocations?wait=0").await.error(), (403, "INSUFFICIENT_SCOPE"));
    let answer = service.post("/auth/refresh", &json!({})).await;
    assert_eq!(answer.error(), (422, "VALIDATION_FAILED"));
}
