//! The feed of a service in another process.

use crate::fixture::{LOG, Noting, fixture};
use axum::{
    Json, Router,
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode},
    routing::get,
};
use eventstore::EventLog;
use feeds::{
    Feed, FeedRegistry, Reader, RemoteLog,
    feed::wire::{HeadsBody, PageBody, StreamBody, serve_heads, serve_page, serve_stream},
};
use serde::Deserialize;
use std::time::Duration;
use test_support::eventually;

#[derive(Deserialize)]
struct Asked {
    after: Option<i64>,
    limit: Option<usize>,
    known: Option<i64>,
}

const WAIT: Duration = Duration::from_millis(200);

async fn heads(State(log): State<EventLog>, Query(asked): Query<Asked>) -> Json<HeadsBody> {
    Json(serve_heads(&log, asked.known, WAIT).await.unwrap())
}

async fn page(
    State(log): State<EventLog>,
    Path(partition): Path<i32>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Result<Json<PageBody>, StatusCode> {
    if headers.get("x-service-token").is_none_or(|token| token != "secret") {
        return Err(StatusCode::UNAUTHORIZED);
    }
    let (after, limit) = (asked.after.unwrap(), asked.limit.unwrap());
    Ok(Json(serve_page(&log, partition, after, limit, Duration::ZERO).await.unwrap()))
}

async fn stream(
    State(log): State<EventLog>,
    Path(stream_id): Path<String>,
    Query(asked): Query<Asked>,
) -> Json<StreamBody> {
    Json(serve_stream(&log, &stream_id, asked.after.unwrap(), asked.limit.unwrap()).await.unwrap())
}

async fn serve(log: EventLog) -> String {
    let routes = Router::new()
        .route("/internal/feeds/tests", get(heads))
        .route("/internal/feeds/tests/{partition}", get(page))
        .route("/internal/feeds/tests/streams/{stream_id}", get(stream))
        .with_state(log);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio_util::task::TaskTracker::new().spawn(async move { axum::serve(listener, routes).await.unwrap() });
    url
}

#[tokio::test]
async fn the_feed_over_http_is_the_log() {
    let world = fixture().await;
    let url = serve(world.log.clone()).await;
    world.append_streams(10).await;
    let appended = world.append("a-stream", 5).await;
    let registry = FeedRegistry::new(world.spawner.clone());
    registry.add_remote(LOG, &RemoteLog { base_url: url.clone(), service_token: "secret".to_owned() }).unwrap();
    let (remote, log) = (registry.subscribe(LOG).feed().await, Feed::Log(world.log.clone()));

    assert_eq!(remote.heads().await.unwrap(), log.heads().await.unwrap());
    for partition in 0..4 {
        let (ours, theirs) =
            (remote.read(partition, 0, 100).await.unwrap(), log.read(partition, 0, 100).await.unwrap());
        assert_eq!((ours.events, ours.head, ours.epoch), (theirs.events, theirs.head, theirs.epoch));
    }
    let stream = remote.stream("a-stream", 2, 2).await.unwrap();
    assert_eq!(stream, log.stream("a-stream", 2, 2).await.unwrap());
    assert_eq!(stream.len(), 2);
    registry.add_remote(LOG, &RemoteLog { base_url: url, service_token: "wrong".to_owned() }).unwrap();
    let refused = registry.subscribe(LOG).feed().await.read(appended.partition, 0, 1).await;
    assert!(refused.is_err_and(|error| error.to_string().ends_with("answered 401")));
}

#[tokio::test]
async fn a_reader_follows_a_log_over_http() {
    let world = fixture().await;
    world.append_streams(20).await;
    let registry = FeedRegistry::new(world.spawner.clone());
    let subscription = registry.subscribe(LOG);
    let running = world.run(Reader::projector(Noting::new("remote"), world.pool.clone(), vec![subscription]));
    assert!(registry.subscribe(LOG).get().is_none(), "nobody has named it yet");

    let remote = RemoteLog { base_url: serve(world.log.clone()).await, service_token: "secret".to_owned() };
    registry.add_remote(LOG, &remote).unwrap();
    world.append_streams(20).await;
    world.all_is_noted().await;
    world.assert_noted_once_and_in_order().await;
    eventually(|| async { running.handle.caught_up() }).await;
}
