use super::support::{Shop, shop};
use axum::Router;
use eventstore::{Append, Expected};
use serde_json::Value;
use service::{Lifecycle, feed_routes};
use service::{Peer, PeerError};
use shared_events::{Actor, EventId, Metadata, NewEvent, OrderId};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use uuid::Uuid;

fn peer(shop: &Shop) -> Peer {
    let router: Router = feed_routes(shop.log.clone(), &Lifecycle::new()).into_router();
    Peer::in_process("command", Arc::new(OnceLock::from(router)))
}

async fn place(shop: &Shop) -> (String, i32) {
    let order = OrderId::generate().to_string();
    let event =
        NewEvent { event_id: EventId::generate(), event_type: "OrderPlaced", schema_version: 1, payload: "{}".into() };
    let metadata = Metadata {
        correlation_id: Uuid::nil(),
        causation_id: None,
        actor: Actor::internal(),
        traceparent: None,
        import: false,
    };
    let append = Append {
        stream_id: order.clone(),
        stream_type: "Order",
        expected: Expected::Version(0),
        command_id: None,
        events: vec![event],
        metadata,
        claim: None,
    };
    let appended = shop.log.append(append).await.expect("the log takes it");
    (order, appended.partition)
}

#[tokio::test]
async fn a_log_is_published_by_heads_partitions_and_streams() {
    let shop = shop().await;
    let peer = peer(&shop);
    let (order, partition) = place(&shop).await;
    let heads: Value = peer.get("/internal/feeds/orders").await.expect("heads");
    assert_eq!(heads["heads"][usize::try_from(partition).unwrap()], 1);
    let page: Value = peer.get(&format!("/internal/feeds/orders/{partition}?after=0")).await.expect("a page");
    assert_eq!((&page["events"][0]["streamId"], &page["head"]), (&order.as_str().into(), &1.into()));
    assert_eq!(page["epoch"], heads["epoch"]);
    let stream: Value = peer.get(&format!("/internal/feeds/orders/streams/{order}")).await.expect("a stream");
    assert_eq!((&stream["events"][0]["type"], &stream["events"][0]["version"]), (&"OrderPlaced".into(), &1.into()));
    let behind: Value = peer.get(&format!("/internal/feeds/orders/streams/{order}?after=1")).await.expect("a stream");
    assert_eq!(behind["events"], Value::Array(Vec::new()));
}

#[tokio::test]
async fn a_reader_that_waits_gets_the_next_event_when_it_is_there() {
    let shop = shop().await;
    let peer = peer(&shop);
    let (_, partition) = place(&shop).await;
    let path = format!("/internal/feeds/orders/{partition}?after=1&wait=20s");
    let waiting = peer.get_within::<Value>(&path, Duration::from_secs(25));
    let placing = async { while place(&shop).await.1 != partition {} };
    let (page, ()) = tokio::join!(waiting, placing);
    assert_eq!(page.expect("a page")["events"][0]["position"], 2);
}

#[tokio::test]
async fn wrong_questions_are_problems() {
    let shop = shop().await;
    let peer = peer(&shop);
    for (path, status) in [
        ("/internal/feeds/orders/x", 400),
        ("/internal/feeds/orders/2", 404),
        ("/internal/feeds/orders/-1", 404),
        ("/internal/feeds/orders/0?after=x", 400),
        ("/internal/feeds/orders/0?limit=-1", 400),
        ("/internal/feeds/orders/0?wait=long", 400),
        ("/internal/feeds/orders/streams/%00", 400),
    ] {
        let error = peer.get::<Value>(path).await.expect_err(path);
        assert_eq!(error.status(), Some(status), "{path}: {error}");
    }
    let empty: Value = peer.get("/internal/feeds/orders/streams/ord_unknown").await.expect("an empty stream");
    assert_eq!(empty["events"], Value::Array(Vec::new()));
    shop.pool.close();
    let error: PeerError = peer.get::<Value>("/internal/feeds/orders/0").await.expect_err("no database");
    assert_eq!((error.status(), error.code()), (Some(503), Some("UNAVAILABLE")));
}

#[tokio::test]
async fn whoever_waits_for_news_is_answered_when_the_process_stops() {
    let shop = shop().await;
    let lifecycle = Lifecycle::new();
    let router: Router = feed_routes(shop.log.clone(), &lifecycle).into_router();
    let peer = Peer::in_process("command", Arc::new(OnceLock::from(router)));
    let waiting = async {
        let heads: Value = peer.get("/internal/feeds/orders?known=0&wait=20s").await.unwrap();
        let page: Value = peer.get("/internal/feeds/orders/0?after=0&wait=20s").await.unwrap();
        (heads, page)
    };
    let stopping = async {
        tokio::task::yield_now().await;
        lifecycle.begin_drain();
    };
    let ((heads, page), ()) =
        tokio::time::timeout(Duration::from_secs(15), async { tokio::join!(waiting, stopping) }).await.unwrap();
    assert!(heads["heads"].is_array() && page["events"].as_array().is_some_and(Vec::is_empty), "{heads} {page}");
}
