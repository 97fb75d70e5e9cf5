//! A read that says what was written never answers older than that, whatever races with it.

use crate::shop::{Shop, client, nothing, tagged};
use futures_util::future::join_all;
use query_service::{cache::OrderCache, read_models::orders::Orders};
use serde_json::json;
use shared_events::OrderId;
use web::Consistency;

#[tokio::test]
async fn no_read_answers_older_than_what_its_caller_wrote() {
    let shop = Shop::open().await;
    let (id, key, _) = shop.place(None, "R-000000020").await;
    for round in 0..20 {
        let seen = shop.happens(id, &key, [tagged(&[&format!("round{round}")])]).await;
        let expected = seen.0[0].1;
        // Readers without a token fill the cache while the projector writes.
        let path = format!("/api/orders/{id}");
        let fill = (0..4).map(|_| async {
            shop.get(&path, &nothing()).await;
        });
        let read = (0..4).map(|_| async {
            let answer = shop.get(&path, &seen).await;
            assert_eq!(answer.body["version"], expected, "{answer:?}");
        });
        tokio::join!(join_all(fill), join_all(read));
        let query = "query Q($id: ID!) { order(id: $id) { version } orders { nodes { version } } node(id: $id) { ... on Order { version } } }";
        let data = shop.data(query, json!({"id": id}), &seen).await;
        assert_eq!(data["order"]["version"], expected);
        assert_eq!(data["orders"]["nodes"][0]["version"], expected);
        assert_eq!(data["node"]["version"], expected);
    }
}

#[tokio::test]
async fn an_entry_below_the_minimum_is_never_answered_as_new_nor_kept() {
    let shop = Shop::open().await;
    let (id, _, seen) = shop.place(None, "R-000000021").await;
    assert_eq!(shop.get(&format!("/api/orders/{id}"), &seen).await.status, 200);
    let cache = OrderCache::new(Orders::new(shop.pool.clone()));
    let version = async |at_least: i64| cache.get(id, at_least).await.unwrap().unwrap().version;
    assert_eq!(version(0).await, 1);

    // The tail has heard of version 2 while the table still has 1: what is loaded now is answered but not kept.
    cache.raise(id, 2);
    assert_eq!(version(0).await, 1);
    let client = shop.pool.get().await.unwrap();
    let set = "UPDATE query_1.order_view SET version = 2, state = jsonb_set(state::jsonb, '{version}', '2')::json WHERE order_id = $1";
    client.execute(set, &[&id.as_uuid()]).await.unwrap();
    assert_eq!(version(0).await, 2);

    // A caller who has seen more than the entry gets what the table has by now, though nobody raised the minimum.
    let set = "UPDATE query_1.order_view SET version = 3, state = jsonb_set(state::jsonb, '{version}', '3')::json WHERE order_id = $1";
    client.execute(set, &[&id.as_uuid()]).await.unwrap();
    assert_eq!(version(0).await, 2, "kept, and nobody said that there is more");
    assert_eq!(version(3).await, 3);
    assert!(cache.get(OrderId::generate(), 0).await.unwrap().is_none());
}

#[tokio::test]
async fn a_version_that_never_comes_is_a_timeout_that_says_so() {
    let shop = Shop::open().await;
    let (id, _, seen) = shop.place(None, "R-000000022").await;
    assert_eq!(shop.get(&format!("/api/orders/{id}"), &seen).await.status, 200);
    let never = Consistency::of(id, 99);
    let (rest, graphql) = tokio::join!(async { shop.get(&format!("/api/orders/{id}"), &never).await }, async {
        shop.query_as(client(), "{ __typename }", json!({}), &never).await
    },);
    assert_eq!((rest.status.as_u16(), rest.text("/code")), (503, "READ_TIMEOUT"), "{rest:?}");
    assert!(!rest.header("retry-after").is_empty());
    assert_eq!((graphql.status.as_u16(), graphql.text("/errors/0/extensions/code")), (503, "READ_TIMEOUT"));
    assert!(graphql.body.get("data").is_none() && !graphql.header("retry-after").is_empty());

    // Streams of other services are not waited for; nonsense is refused.
    let foreign = Consistency::of("cart_01h455vb4pex5vsknk084sn02q", 7);
    assert_eq!(shop.get(&format!("/api/orders/{id}"), &foreign).await.status, 200);
    let headers = [("oms-consistency", "nonsense")];
    let wrong = shop.send(Some(client()), http::Method::GET, "/api/orders", &headers, axum::body::Body::empty()).await;
    assert_eq!(wrong.status, 400);
}

#[tokio::test]
async fn a_parked_stream_is_told_at_once() {
    let shop = Shop::open().await;
    let (id, _, seen) = shop.place(None, "R-000000023").await;
    assert_eq!(shop.get(&format!("/api/orders/{id}"), &seen).await.status, 200);
    // An event whose shape is not the one of its type: no retry will help.
    let broken = eventstore::Append {
        stream_id: id.to_string(),
        stream_type: "Order",
        expected: eventstore::Expected::Any,
        command_id: None,
        events: vec![shared_events::NewEvent {
            event_id: shared_events::EventId::generate(),
            event_type: "TagsChanged",
            schema_version: 1,
            payload: r#"{"tags": 7}"#.into(),
        }],
        metadata: crate::shop::metadata(),
        claim: None,
    };
    let version = shop.orders.append(broken).await.unwrap().version;
    test_support::eventually(|| async {
        feeds::parked::is_parked(&shop.pool, "query", 1, "orders", &id.to_string()).await.unwrap()
    })
    .await;
    let answer = test_support::eventually_some(|| async {
        let began = std::time::Instant::now();
        let answer = shop.get(&format!("/api/orders/{id}"), &Consistency::of(id, version)).await;
        (began.elapsed() < std::time::Duration::from_secs(3)).then_some(answer)
    })
    .await;
    assert_eq!((answer.status.as_u16(), answer.text("/code")), (503, "READ_TIMEOUT"), "{answer:?}");
    // Others go on, and so does this one without a token.
    assert_eq!(shop.get(&format!("/api/orders/{id}"), &nothing()).await.body["version"], 1);
    let (other, _, seen) = shop.place(None, "R-000000024").await;
    assert_eq!(shop.get(&format!("/api/orders/{other}"), &seen).await.status, 200);
}
