use axum::Json;
use axum::middleware::{from_fn, from_fn_with_state};
use serde_json::{Value, json};
use service::peers::http_client;
use service::{Lifecycle, Peer, PeerError, Peers};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use test_support::TestTokens;
use tokio::net::TcpListener;
use web::auth::{JwksSource, ServiceToken, TokenVerifier, VerifierConfig, authenticate};
use web::{Access, Caller, Doc, JsonBody, Problem, RequestContext, Routes, Scope, request_context};

const TOKEN: &str = "the-token-between-services";

fn router() -> axum::Router {
    let tokens = TestTokens::new();
    let keys = JwksSource::Static(serde_json::from_value(tokens.jwks().clone()).expect("a key set"));
    let config = VerifierConfig {
        issuer: tokens.issuer().to_owned(),
        audience: tokens.audience().to_owned(),
        service_token: ServiceToken::parse(TOKEN).ok(),
    };
    let internal = Access::Internal(Scope::EventsRead);
    Routes::new("other")
        .get("/internal/who", internal, Doc::new("Who"), |caller: Caller, context: RequestContext| async move {
            Json(json!({"subject": caller.subject, "trace": context.trace_id}))
        })
        .post("/internal/echo", internal, Doc::new("Echo"), |JsonBody(body): JsonBody<Value>| async move { Json(body) })
        .get("/internal/none", internal, Doc::new("None"), || async { Problem::not_found("there is none") })
        .get("/internal/text", internal, Doc::new("Text"), || async { "no JSON" })
        .get("/internal/slow", internal, Doc::new("Slow"), std::future::pending::<&'static str>)
        .into_router()
        .layer(from_fn_with_state(TokenVerifier::new(config, keys), authenticate))
        .layer(from_fn(request_context::provide))
}

/// The same service in this process and behind a socket: callers see no difference.
async fn both(lifecycle: &Lifecycle) -> [Peer; 2] {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    let inner = lifecycle.clone();
    lifecycle.spawn("other", move |_| async move {
        service::server::serve(listener, router(), &inner, Duration::from_secs(1)).await.expect("it serves");
    });
    let here = Peer::in_process("other", Arc::new(OnceLock::from(router())));
    [here, Peer::http("other", &url, ServiceToken::parse(TOKEN).ok(), http_client().expect("a client"))]
}

#[tokio::test]
async fn a_call_acts_as_internal_and_carries_the_trace_on() {
    let lifecycle = Lifecycle::new();
    for peer in both(&lifecycle).await {
        let context = RequestContext::new();
        let trace = context.trace_id.clone();
        let answer: Value = context.scope(peer.get("/internal/who")).await.expect("an answer");
        assert_eq!(answer, json!({"subject": "internal", "trace": trace}));
        let echo: Value = peer.post("/internal/echo", &json!({"a": [1]})).await.expect("an answer");
        assert_eq!(echo, json!({"a": [1]}));
    }
}

#[tokio::test]
async fn problems_come_back_with_status_and_code() {
    let lifecycle = Lifecycle::new();
    for peer in both(&lifecycle).await {
        let error = peer.get::<Value>("/internal/none").await.expect_err("a problem");
        assert_eq!((error.status(), error.code()), (Some(404), Some("NOT_FOUND")));
        assert!(!error.is_unavailable());
        assert_eq!(error.into_problem().status(), 500);
    }
}

#[tokio::test]
async fn what_is_late_strange_or_away_is_unavailable() {
    let lifecycle = Lifecycle::new();
    for peer in both(&lifecycle).await {
        let late = peer.get_within::<Value>("/internal/slow", Duration::from_millis(20)).await;
        let strange = peer.get::<Value>("/internal/text").await;
        for error in [late.expect_err("late"), strange.expect_err("strange")] {
            assert!(matches!(error, PeerError::Unavailable { .. }), "{error}");
            assert_eq!(error.into_problem().status(), 503);
        }
    }
    let client = http_client().expect("a client");
    let away = Peer::http("other", "http://127.0.0.1:1", None, client);
    let starting = Peers::all_in_process().command;
    for peer in [away, starting, Peer::nowhere("other")] {
        let error = peer.get::<Value>("/internal/who").await.expect_err("nobody answers");
        assert!(matches!(error, PeerError::Unavailable { .. }), "{error}");
    }
}
