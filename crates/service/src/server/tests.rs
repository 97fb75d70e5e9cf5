use super::*;
use crate::Health;
use axum::body::Body;
use http::{HeaderMap, Request};
use http_body_util::BodyExt as _;
use serde_json::Value;
use test_support::TestTokens;
use tower::ServiceExt as _;
use web::auth::{JwksSource, VerifierConfig};
use web::{Caller, RequestContext};

fn config() -> ServerConfig {
    ServerConfig {
        cors_origins: vec![HeaderValue::from_static("https://shop.example.org")],
        rate_limiter: RateLimiter::new(Quota { burst: 30, per_second: 0.001 }),
        max_concurrent_requests: 1,
        metrics: true,
        https: true,
    }
}

fn table() -> Routes<()> {
    Routes::new("shop")
        .get("/panic", Access::Public, Doc::new("Panics"), || async { panic!("a bug") as &'static str })
        .get("/whoami", Access::Any, Doc::new("Who calls"), |caller: Caller| async move { caller.subject })
        .get("/trace", Access::Public, Doc::new("The trace"), || async {
            RequestContext::current().map(|context| context.trace_id).unwrap_or_default()
        })
        .get("/slow", Access::Public, Doc::new("Takes for ever"), std::future::pending::<&'static str>)
        .get("/internal/thing", Access::Public, Doc::new("For ourselves"), || async { "internal" })
}

fn router_of(lifecycle: &Lifecycle, tokens: &TestTokens) -> Router {
    let keys = JwksSource::Static(serde_json::from_value(tokens.jwks().clone()).unwrap());
    let verifier = TokenVerifier::new(
        VerifierConfig {
            issuer: tokens.issuer().to_owned(),
            audience: tokens.audience().to_owned(),
            service_token: None,
        },
        keys,
    );
    let check = ReadyCheck::new("shop.database", || std::future::ready(Health::Ok));
    assemble(vec![table()], vec![check], verifier, lifecycle, &config())
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    text: String,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }
}

async fn send(router: &Router, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    Answer { status: parts.status.as_u16(), headers: parts.headers, text: String::from_utf8_lossy(&bytes).into_owned() }
}

async fn get(path: &str) -> Answer {
    send(&router_of(&Lifecycle::new(), &TestTokens::new()), "GET", path, &[]).await
}

#[tokio::test]
async fn a_process_answers_about_itself() {
    assert_eq!(get("/healthz").await.text, "ok");
    let ready = get("/readyz").await;
    assert_eq!((ready.status, &ready.json()["checks"]["shop.database"]["status"]), (200, &"ok".into()));
    let document = get("/openapi.json").await.json();
    for path in ["/whoami", "/healthz", "/readyz", "/metrics", "/openapi.json"] {
        assert!(document["paths"][path]["get"].is_object(), "{path}");
    }
}

#[tokio::test]
async fn the_documentation_comes_from_the_binary_and_names_no_other_host() {
    assert_eq!(get("/docs").await.header("location"), "/docs/index.html");
    let page = get("/docs/index.html").await;
    assert_eq!((page.status, page.header("content-type")), (200, "text/html"));
    assert!(page.header("content-security-policy").contains("script-src 'self'"));
    assert!(!page.text.contains("http://") && !page.text.contains("https://"), "{}", page.text);
    assert!(get("/docs/swagger-initializer.js").await.text.contains("/openapi.json"));
    assert_eq!(get("/docs/nothing.js").await.status, 404);
}

#[tokio::test]
async fn a_panic_is_a_500_that_says_nothing_of_it() {
    let answer = get("/panic").await;
    assert_eq!((answer.status, answer.header("content-type")), (500, "application/problem+json"));
    assert!(answer.json()["traceId"].is_string());
    assert!(!answer.text.contains("a bug"));
}

#[tokio::test]
async fn unknown_paths_and_methods_are_problems_with_the_security_headers() {
    let answer = get("/nowhere").await;
    assert_eq!((answer.status, &answer.json()["code"]), (404, &"NOT_FOUND".into()));
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert_eq!(answer.header("x-frame-options"), "DENY");
    assert!(answer.header("content-security-policy").contains("default-src 'none'"));
    assert!(answer.header("strict-transport-security").contains("max-age"));
    let router = router_of(&Lifecycle::new(), &TestTokens::new());
    for method in ["POST", "DELETE", "PATCH", "QUERY"] {
        let answer = send(&router, method, "/whoami", &[]).await;
        assert_eq!((answer.status, &answer.json()["code"]), (405, &"METHOD_NOT_ALLOWED".into()), "{method}");
        assert_eq!(answer.header("allow"), "GET,HEAD");
    }
}

#[tokio::test]
async fn an_invalid_token_is_401_on_every_path_and_a_valid_one_names_the_caller() {
    let tokens = TestTokens::new();
    let router = router_of(&Lifecycle::new(), &tokens);
    for path in ["/whoami", "/trace", "/healthz", "/nowhere"] {
        assert_eq!(send(&router, "GET", path, &[("authorization", "Bearer x")]).await.status, 401, "{path}");
        assert_eq!(send(&router, "GET", path, &[("x-service-token", "sixteen-letters-x")]).await.status, 401, "{path}");
    }
    let bearer = format!("Bearer {}", tokens.customer("usr_1"));
    assert_eq!(send(&router, "GET", "/whoami", &[("authorization", &bearer)]).await.text, "usr_1");
}

#[tokio::test]
async fn the_trace_is_at_hand_for_whatever_the_request_calls() {
    let router = router_of(&Lifecycle::new(), &TestTokens::new());
    let traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let answer = send(&router, "GET", "/trace", &[("traceparent", traceparent), ("x-request-id", "r-7")]).await;
    assert_eq!(answer.text, "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_eq!(answer.header("x-request-id"), "r-7");
}

#[tokio::test]
async fn what_is_too_much_at_once_is_refused_and_what_operators_need_is_not() {
    let router = router_of(&Lifecycle::new(), &TestTokens::new());
    let slow = send(&router, "GET", "/slow", &[]);
    let others = async {
        let refused = send(&router, "GET", "/trace", &[]).await;
        assert_eq!((refused.status, &refused.json()["code"]), (503, &"OVERLOADED".into()));
        assert_eq!(refused.header("retry-after"), "1");
        for path in ["/healthz", "/readyz", "/metrics", "/internal/thing"] {
            assert_eq!(send(&router, "GET", path, &[]).await.status, 200, "{path}");
        }
    };
    tokio::select! {
        biased;
        _ = slow => panic!("it takes for ever"),
        () = others => {}
    }
    assert_eq!(send(&router, "GET", "/trace", &[]).await.status, 200);
}

#[tokio::test]
async fn a_caller_that_asks_too_often_is_told_when_to_come_back() {
    let tokens = TestTokens::new();
    let router = router_of(&Lifecycle::new(), &tokens);
    let first = send(&router, "GET", "/trace", &[]).await;
    assert_eq!(first.header("ratelimit-policy"), "\"api\";q=30;w=30000");
    assert!(first.header("ratelimit").starts_with("\"api\";r=29;t="));
    for _ in 1..30 {
        assert_eq!(send(&router, "GET", "/trace", &[]).await.status, 200);
    }
    let refused = send(&router, "GET", "/trace", &[]).await;
    assert_eq!((refused.status, &refused.json()["code"]), (429, &"RATE_LIMITED".into()));
    assert!(!refused.header("retry-after").is_empty());
    let bearer = format!("Bearer {}", tokens.customer("usr_1"));
    assert_eq!(send(&router, "GET", "/trace", &[("authorization", &bearer)]).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_takes_far_too_long_is_given_up() {
    let answer = get("/slow").await;
    assert_eq!((answer.status, &answer.json()["code"]), (503, &"UNAVAILABLE".into()));
}

#[tokio::test]
async fn browsers_may_call_from_the_allowed_origins_alone() {
    let router = router_of(&Lifecycle::new(), &TestTokens::new());
    let preflight = |origin| {
        let headers = [
            ("origin", origin),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "authorization,idempotency-key"),
        ];
        let router = router.clone();
        async move { send(&router, "OPTIONS", "/whoami", &headers).await }
    };
    let allowed = preflight("https://shop.example.org").await;
    assert_eq!(allowed.status, 200);
    assert_eq!(allowed.header("access-control-allow-origin"), "https://shop.example.org");
    assert!(allowed.header("access-control-allow-headers").contains("idempotency-key"));
    assert_eq!(preflight("https://evil.example.org").await.header("access-control-allow-origin"), "");
    let answer = send(&router, "GET", "/trace", &[("origin", "https://shop.example.org")]).await;
    assert!(answer.header("access-control-expose-headers").contains("oms-consistency"));
}

#[tokio::test]
async fn every_route_is_measured_and_unknown_paths_share_a_label() {
    metrics::handle();
    let router = router_of(&Lifecycle::new(), &TestTokens::new());
    send(&router, "GET", "/internal/thing", &[]).await;
    send(&router, "GET", "/made-up-by-the-caller", &[]).await;
    let text = send(&router, "GET", "/metrics", &[]).await.text;
    assert!(text.contains("route=\"/internal/thing\"") && text.contains("route=\"none\""), "{text}");
    assert!(!text.contains("made-up") && text.contains("http_request_duration_seconds_bucket"), "{text}");
}

#[tokio::test]
async fn a_listener_serves_until_the_process_stops_and_finishes_what_runs() {
    let lifecycle = Lifecycle::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = router_of(&lifecycle, &TestTokens::new());
    let inner = lifecycle.clone();
    let (done, served) = tokio::sync::oneshot::channel();
    lifecycle.spawn("listener", move |_| async move {
        let result = serve(listener, router, &inner, Duration::from_secs(5)).await;
        assert!(done.send(result.is_ok()).is_ok());
    });
    let client = crate::peers::http_client().unwrap();
    let answer = client.get(format!("http://{address}/healthz")).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    lifecycle.begin_drain();
    assert!(served.await.unwrap());
    assert!(client.get(format!("http://{address}/healthz")).send().await.is_err());
}

#[test]
fn an_origin_is_scheme_host_and_port() {
    let from = |text: &str| {
        let settings = Settings::of([("OMS_CORS_ORIGINS", text)]);
        ServerConfig::from_settings(&settings, SocketAddr::from(([127, 0, 0, 1], 1)), "http://x")
    };
    assert_eq!(from("https://a.example/, http://b:3000").unwrap().cors_origins.len(), 2);
    for wrong in ["*", "a.example", "https://a.example/path", "ftp://a"] {
        assert!(from(wrong).unwrap_err().to_string().contains("OMS_CORS_ORIGINS"), "{wrong}");
    }
}

#[test]
fn metrics_are_on_the_main_listener_only_on_loopback_and_without_one_of_their_own() {
    let metrics = |listen: [u8; 4], settings: &Settings| {
        ServerConfig::from_settings(settings, SocketAddr::from((listen, 1)), "http://x").unwrap().metrics
    };
    assert!(metrics([127, 0, 0, 1], &Settings::of([])));
    assert!(!metrics([0, 0, 0, 0], &Settings::of([])));
    assert!(!metrics([127, 0, 0, 1], &Settings::of([("OMS_ADMIN_LISTEN", "127.0.0.1:9090")])));
}
