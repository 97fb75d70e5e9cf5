use axum::Json;
use axum::body::Body;
use http::Request;
use http_body_util::BodyExt as _;
use pg::Database;
use serde_json::{Value, json};
use service::{Deps, Process, ReadyCheck, Service, Settings, StartError, Worker};
use std::time::Duration;
use test_support::{TestTokens, database, eventually};
use tower::ServiceExt as _;
use web::{Access, Caller, Doc, JwksSource, Routes, Scope};

const TOKEN: &str = "the-token-between-services";

/// A service that answers who calls, asks another one, and counts in the background.
async fn build(name: &'static str, deps: Deps) -> Result<Service, StartError> {
    let pool = deps.database.pool("public", None).await?;
    let routes = Routes::new(name)
        .get(
            "/api/who",
            Access::Any,
            Doc::new("Who calls"),
            |caller: Caller| async move { Json(json!(caller.subject)) },
        )
        .get("/internal/who", Access::Internal(Scope::EventsRead), Doc::new("Who calls"), |caller: Caller| async move {
            Json(json!(caller.subject))
        })
        .get("/api/asked", Access::Public, Doc::new("Asks itself"), move || {
            let peer = deps.peers.command.clone();
            async move { peer.get::<Value>("/internal/who").await.map(Json).map_err(web::Problem::from) }
        });
    let worker = Worker::new("idle", |stop| async move {
        stop.cancelled().await;
        Ok::<_, std::convert::Infallible>(())
    });
    Ok(Service { name, routes, workers: vec![worker], checks: vec![ReadyCheck::database("command.database", pool)] })
}

async fn get(router: &axum::Router, path: &str, bearer: Option<&str>) -> (u16, Value) {
    let mut request = Request::get(path);
    if let Some(token) = bearer {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let request = request.body(Body::empty()).expect("a valid request");
    let response = router.clone().oneshot(request).await.expect("a router never fails");
    let status = response.status().as_u16();
    let bytes = response.into_body().collect().await.expect("in memory").to_bytes();
    (status, serde_json::from_slice(&bytes).unwrap_or_default())
}

#[tokio::test]
async fn a_service_runs_in_a_process_with_its_peers_its_checks_and_its_workers() {
    let test_database = database().await;
    let tokens = TestTokens::new();
    let settings = Settings::of([("INTERNAL_SERVICE_TOKEN", TOKEN)]);
    let pool = Database::new(test_database.url(), 4).expect("the test server's URL is valid");
    let keys = JwksSource::Static(serde_json::from_value(tokens.jwks().clone()).expect("a key set"));
    let process =
        Process::new(settings, pool, &["command"]).and_then(|process| process.with_keys(keys)).expect("a process");
    let deps = process.deps().clone();
    let service = build("command", deps.clone()).await.expect("a service");
    let router = process.start(vec![service], Vec::new());

    assert_eq!(get(&router, "/readyz", None).await.0, 200);
    assert_eq!(get(&router, "/api/who", Some(&tokens.customer("usr_1"))).await, (200, json!("usr_1")));
    assert_eq!(get(&router, "/api/who", None).await.0, 401);
    assert_eq!(get(&router, "/api/asked", None).await, (200, json!("internal")));
    let client = tokens.client("cli_1", &["events:read"]);
    assert_eq!(get(&router, "/internal/who", Some(&client)).await, (200, json!("cli_1")));

    assert!(deps.lifecycle.shut_down(Duration::from_secs(5)).await);
    assert_eq!(get(&router, "/readyz", None).await.1["status"], "draining");
}

#[tokio::test]
async fn a_process_serves_on_its_listener_until_it_is_told_to_stop() {
    let test_database = database().await;
    let settings = Settings::of([("OMS_LISTEN", "127.0.0.1:0"), ("OMS_SHUTDOWN_TIMEOUT", "5s")]);
    let pool = Database::new(test_database.url(), 4).expect("the test server's URL is valid");
    let process = Process::new(settings, pool, &["command"]).expect("a process");
    let deps = process.deps().clone();
    let service = build("command", deps.clone()).await.expect("a service");
    let (sender, address) = tokio::sync::oneshot::channel();
    let running = process.run(vec![service], Vec::new(), |address| sender.send(address).expect("somebody waits"));
    let using = async {
        let url = format!("http://{}/healthz", address.await.expect("it listens"));
        let client = service::peers::http_client().expect("a client");
        eventually(|| async { client.get(&url).send().await.is_ok_and(|answer| answer.status() == 200) }).await;
        deps.lifecycle.begin_drain();
    };
    let (done, ()) = tokio::join!(running, using);
    done.expect("it stops well");
}

#[test]
fn wrong_settings_stop_the_start() {
    let start = |settings: Settings| {
        let database = Database::new("postgres://localhost/none", 1).expect("a URL");
        Process::new(settings, database, &["command"]).map(drop).expect_err("a wrong setting").chain()
    };
    for (name, value) in [
        ("OMS_LISTEN", "everywhere"),
        ("OMS_PUBLIC_URL", "shop"),
        ("INTERNAL_SERVICE_TOKEN", "short"),
        ("OMS_SHUTDOWN_TIMEOUT", "soon"),
        ("OMS_QUERY_URL", "ftp://query"),
        ("OMS_CORS_ORIGINS", "*"),
        ("OMS_ADMIN_LISTEN", "9090"),
        ("OMS_RATE_LIMIT", "perhaps"),
    ] {
        let text = start(Settings::of([(name, value)]));
        assert!(text.contains(name) && text.contains("for example"), "{text}");
    }
    let open = start(Settings::of([("OMS_RATE_LIMIT", "off"), ("OMS_LISTEN", "0.0.0.0:8081")]));
    assert!(open.contains("loopback"), "{open}");
    let free = start(Settings::of([("OMS_PAYMENT_PROVIDER", "simulated"), ("OMS_LISTEN", "0.0.0.0:8081")]));
    assert!(free.contains("OMS_PAYMENT_PROVIDER") && free.contains("loopback"), "{free}");
}
