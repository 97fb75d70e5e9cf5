use super::support::{Shop, shop};
use axum::body::Body;
use axum::extract::State;
use axum::middleware::from_fn;
use axum::response::Response;
use axum::{Extension, Router};
use eventstore::{Append, Expected};
use http::{HeaderMap, Request};
use http_body_util::BodyExt as _;
use serde::{Deserialize, Serialize};
use serde_json::json;
use service::idempotent::Attempt;
use service::{Answer, CommandRequest, Idempotency, Outcome};
use shared_events::{Actor, EventId, Metadata, NewEvent, OrderId};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::Notify;
use tower::ServiceExt as _;
use uuid::Uuid;
use web::{Access, Caller, Consistency, Doc, Problem, RawJsonBody, Routes, Scope, request_context};

#[derive(Clone)]
struct App {
    idempotency: Idempotency,
    log: eventstore::EventLog,
    runs: Arc<AtomicUsize>,
    gate: Arc<Notify>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    outcome: String,
}

#[derive(Serialize, Deserialize)]
struct Reserved {
    order: OrderId,
}

async fn command(State(app): State<App>, request: CommandRequest, body: RawJsonBody<Wish>) -> Response {
    let reserve = json!(Reserved { order: OrderId::generate() });
    let inner = app.clone();
    let work = move |attempt: Attempt| async move { work(inner, attempt, body.value.outcome).await };
    app.idempotency.run(&request, &body.bytes, reserve, work).await
}

async fn work(app: App, attempt: Attempt, wish: String) -> Outcome {
    let run = app.runs.fetch_add(1, Ordering::SeqCst);
    let reserved: Reserved = match attempt.reserved() {
        Ok(reserved) => reserved,
        Err(problem) => return Outcome::Refused(problem),
    };
    let order = reserved.order;
    let answer = Answer::json(201, &json!({"orderId": order, "run": run}))
        .etag(1)
        .location(format!("/api/orders/{order}"))
        .consistency(&Consistency::of(order, 1))
        .concerning(order);
    match wish.as_str() {
        "append" => {
            let event = NewEvent {
                event_id: EventId::generate(),
                event_type: "OrderPlaced",
                schema_version: 1,
                payload: "{}".into(),
            };
            let metadata = Metadata {
                correlation_id: Uuid::nil(),
                causation_id: None,
                actor: Actor::internal(),
                traceparent: None,
                import: false,
            };
            let append = Append {
                stream_id: order.to_string(),
                stream_type: "Order",
                expected: Expected::Version(0),
                command_id: None,
                events: vec![event],
                metadata,
                claim: attempt.done(&answer),
            };
            match app.log.append(append).await {
                Ok(_) => Outcome::Appended(answer),
                Err(error) => Outcome::Unknown(Problem::unavailable(error.to_string())),
            }
        }
        "nothing to do" => Outcome::Answered(answer),
        "shortage" => Problem::insufficient_stock(format!("refused in run {run}")).into(),
        "forbidden" => Problem::insufficient_scope("not this one").into(),
        "unknown" => Outcome::Unknown(Problem::unavailable("nobody knows")),
        "slow" => {
            app.gate.notified().await;
            Outcome::Answered(answer)
        }
        other => panic!("a bug in {other}"),
    }
}

struct Test {
    shop: Shop,
    app: App,
    router: Router,
}

async fn test() -> Test {
    let shop = shop().await;
    let app = App {
        idempotency: Idempotency::new(shop.claims.clone(), shop.lifecycle.clone()),
        log: shop.log.clone(),
        runs: Arc::default(),
        gate: Arc::default(),
    };
    let router = Routes::new("command")
        .post("/api/orders/{id}", Access::Scope(Scope::OrdersWrite), Doc::new("A command").idempotent(), command)
        .alias("/order/{id}")
        .with_state(app.clone())
        .into_router()
        .layer(from_fn(request_context::provide));
    Test { shop, app, router }
}

struct Got {
    status: u16,
    headers: HeaderMap,
    body: serde_json::Value,
}

impl Got {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    fn replayed(&self) -> bool {
        self.header("idempotency-replayed") == "true"
    }

    fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }
}

impl Test {
    async fn send(&self, path: &str, key: Option<&str>, outcome: &str) -> Got {
        self.send_as(path, key, outcome, "usr_1").await
    }

    async fn send_as(&self, path: &str, key: Option<&str>, outcome: &str, subject: &str) -> Got {
        let mut request = Request::post(path).header("content-type", "application/json");
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        let body = Body::from(json!({"outcome": outcome}).to_string());
        let mut request = request.body(body).expect("a valid request");
        request.extensions_mut().insert(Caller { subject: subject.to_owned(), ..Caller::internal() });
        let response = self.router.clone().oneshot(request).await.expect("a router never fails");
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.expect("in memory").to_bytes();
        Got {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: serde_json::from_slice(&bytes).unwrap_or_default(),
        }
    }

    fn runs(&self) -> usize {
        self.app.runs.load(Ordering::SeqCst)
    }
}

#[tokio::test]
async fn a_repeat_gets_the_first_answer_with_its_headers_whether_or_not_it_was_an_append() {
    let test = test().await;
    for outcome in ["append", "nothing to do"] {
        let first = test.send("/api/orders/1", Some(outcome.split(' ').next().unwrap()), outcome).await;
        assert_eq!((first.status, first.replayed()), (201, false));
        let runs = test.runs();
        let again = test.send("/api/orders/1", Some(outcome.split(' ').next().unwrap()), outcome).await;
        assert_eq!((again.status, again.replayed(), &again.body), (201, true, &first.body));
        for name in ["location", "etag", "oms-consistency", "content-type"] {
            assert!(!first.header(name).is_empty(), "{name}");
            assert_eq!(again.header(name), first.header(name));
        }
        assert_eq!(test.runs(), runs);
    }
}

#[tokio::test]
async fn a_key_belongs_to_its_caller_and_path_and_an_alias_shares_it() {
    let test = test().await;
    test.send("/api/orders/1", Some("k"), "append").await;
    assert!(test.send("/order/1", Some("k"), "append").await.replayed());
    assert!(!test.send("/order/2", Some("k"), "append").await.replayed());
    assert!(!test.send_as("/api/orders/1", Some("k"), "append", "usr_2").await.replayed());
    assert_eq!(test.runs(), 3);
}

#[tokio::test]
async fn another_body_under_the_same_key_is_refused() {
    let test = test().await;
    test.send("/api/orders/1", Some("k"), "append").await;
    let other = test.send("/api/orders/1", Some("k"), "shortage").await;
    assert_eq!((other.status, other.code()), (422, "IDEMPOTENCY_KEY_REUSED"));
    assert!(test.send("/api/orders/1", Some("k"), "append").await.replayed());
}

#[tokio::test]
async fn a_refusal_by_the_domain_is_kept_and_any_other_frees_the_key() {
    let test = test().await;
    let first = test.send("/api/orders/1", Some("a"), "shortage").await;
    assert_eq!((first.status, first.code()), (409, "INSUFFICIENT_STOCK"));
    assert_eq!(first.body["instance"], "/api/orders/1");
    let again = test.send("/api/orders/1", Some("a"), "shortage").await;
    assert_eq!((again.status, again.replayed(), &again.body), (409, true, &first.body));
    assert_eq!(again.header("content-type"), "application/problem+json");

    for _ in 0..2 {
        let refused = test.send("/api/orders/1", Some("b"), "forbidden").await;
        assert_eq!((refused.status, refused.replayed()), (403, false));
    }
    assert_eq!(test.runs(), 3);
}

#[tokio::test]
async fn while_the_first_runs_or_its_outcome_is_unknown_a_repeat_is_told_to_wait() {
    let test = test().await;
    assert_eq!(test.send("/api/orders/1", Some("u"), "unknown").await.status, 503);
    let again = test.send("/api/orders/1", Some("u"), "unknown").await;
    assert_eq!((again.status, again.code()), (409, "IDEMPOTENCY_IN_PROGRESS"));
    assert_eq!(again.header("retry-after"), "2");
    assert_eq!(test.runs(), 1);
}

#[tokio::test]
async fn a_client_that_hangs_up_changes_nothing() {
    let test = test().await;
    {
        let slow = test.send("/api/orders/1", Some("s"), "slow");
        tokio::pin!(slow);
        tokio::select! {
            biased;
            _ = &mut slow => panic!("the gate is closed"),
            () = test_support::eventually(|| async { test.runs() == 1 }) => {}
        }
    }
    test.app.gate.notify_one();
    test_support::eventually(|| async { test.send("/api/orders/1", Some("s"), "slow").await.replayed() }).await;
    assert_eq!(test.runs(), 1);
    assert!(test.shop.lifecycle.shut_down(std::time::Duration::from_secs(5)).await);
}

#[tokio::test]
async fn without_a_key_every_request_is_one_of_its_own() {
    let test = test().await;
    let first = test.send("/api/orders/1", None, "append").await;
    let second = test.send("/api/orders/1", None, "append").await;
    assert_eq!((first.status, second.status), (201, 201));
    assert_ne!(first.body, second.body);
}

#[tokio::test]
async fn a_key_that_is_none_is_refused() {
    let test = test().await;
    let answer = test.send("/api/orders/1", Some("two words"), "append").await;
    assert_eq!((answer.status, answer.code()), (400, "INVALID_PARAMETER"));
    assert_eq!(test.runs(), 0);
}

#[tokio::test]
async fn while_the_database_is_away_a_command_with_a_key_is_a_503() {
    let test = test().await;
    test.shop.pool.close();
    let answer = test.send("/api/orders/1", Some("k"), "append").await;
    assert_eq!((answer.status, answer.code(), answer.header("retry-after")), (503, "UNAVAILABLE", "1"));
    assert_eq!(test.runs(), 0);
}

#[tokio::test]
async fn the_work_has_the_trace_of_its_request() {
    async fn handler(Extension(idempotency): Extension<Idempotency>, request: CommandRequest) -> Response {
        let work = |_| async {
            let trace = web::RequestContext::current().map(|context| context.trace_id);
            Outcome::Answered(Answer::json(200, &json!({ "trace": trace })))
        };
        idempotency.run(&request, b"", json!(null), work).await
    }
    let test = test().await;
    let router = Routes::new("command")
        .post("/x", Access::Public, Doc::new("x"), handler)
        .into_router()
        .layer(Extension(test.app.idempotency.clone()))
        .layer(from_fn(request_context::provide));
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let mut request = Request::post("/x").header("traceparent", format!("00-{trace}-00f067aa0ba902b7-01"));
    request.extensions_mut().expect("a valid request").insert(Caller::internal());
    let response = router.oneshot(request.body(Body::empty()).expect("valid")).await.expect("never fails");
    let bytes = response.into_body().collect().await.expect("in memory").to_bytes();
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&bytes).expect("JSON"), json!({ "trace": trace }));
}
