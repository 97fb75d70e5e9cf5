//! Events that a handler refuses.

use crate::fixture::{LOG, Noting, fixture};
use feeds::parked;
use test_support::eventually;

#[tokio::test]
async fn a_poison_event_parks_only_its_stream_and_the_order_within_the_stream_is_kept() {
    let world = fixture().await;
    let noting = Noting::refusing(["stream-3".to_owned()]);
    world.append_streams(20).await;
    world.append_streams(20).await;
    let running = world.start(noting.clone());
    eventually(|| async { world.noted().await == 38 }).await;
    world.append_streams(20).await;
    eventually(|| async { world.noted().await == 57 }).await;

    let parked = parked::list(&world.pool, Some("noting")).await.unwrap();
    assert_eq!(parked.len(), 1);
    assert_eq!((parked[0].stream_id.as_str(), parked[0].log.as_str()), ("stream-3", LOG));
    assert!(parked[0].error.contains("division by zero"), "{}", parked[0].error);
    eventually(|| async { parked::list(&world.pool, None).await.unwrap()[0].events == 3 }).await;
    assert!(running.handle.is_parked(LOG, "stream-3").await.unwrap());
    assert!(!running.handle.is_parked(LOG, "stream-4").await.unwrap());
    assert_eq!(world.query::<i64>("SELECT count(*) FROM noted WHERE stream_id = 'stream-3'").await, 0);

    noting.refuse([]);
    assert!(parked::retry(&world.pool, "noting", LOG, "stream-3").await.unwrap());
    eventually(|| async { parked::list(&world.pool, None).await.unwrap().is_empty() }).await;
    world.append("stream-3", 2).await;
    world.all_is_noted().await;
    world.assert_noted_once_and_in_order().await;
}

#[tokio::test]
async fn a_retry_that_is_refused_again_leaves_the_stream_parked() {
    let world = fixture().await;
    world.append("stream-1", 2).await;
    let _running = world.start(Noting::refusing(["stream-1".to_owned()]));
    eventually(|| async { parked::list(&world.pool, None).await.unwrap().len() == 1 }).await;

    parked::retry(&world.pool, "noting", LOG, "stream-1").await.unwrap();

    eventually(|| async { parked::list(&world.pool, None).await.unwrap()[0].attempts == 2 }).await;
    let parked = parked::list(&world.pool, None).await.unwrap();
    assert_eq!((parked[0].events, parked[0].retry_requested), (2, false));
    assert!(!parked::retry(&world.pool, "noting", LOG, "unknown").await.unwrap());
}

#[tokio::test]
async fn skipping_gives_up_the_refused_event_and_handles_those_behind_it() {
    let world = fixture().await;
    let noting = Noting::refusing(["stream-1".to_owned()]);
    world.append("stream-1", 3).await;
    let running = world.start(noting.clone());
    eventually(|| async { parked::list(&world.pool, None).await.unwrap().len() == 1 }).await;
    noting.refuse([]);

    assert!(parked::skip(&world.pool, "noting", LOG, "stream-1").await.unwrap());

    eventually(|| async { world.noted().await == 2 }).await;
    let versions: Vec<i64> = world.query("SELECT array_agg(version ORDER BY place) FROM noted").await;
    assert_eq!(versions, [2, 3]);
    eventually(|| async { running.handle.status().parked == 0 }).await;
    assert!(!parked::skip(&world.pool, "noting", LOG, "stream-1").await.unwrap());
}

#[tokio::test]
async fn parked_streams_outlive_a_restart_of_their_reader() {
    let world = fixture().await;
    let noting = Noting::refusing(["stream-1".to_owned()]);
    world.append("stream-1", 1).await;
    let first = world.start(noting.clone());
    eventually(|| async { parked::list(&world.pool, None).await.unwrap().len() == 1 }).await;
    first.stop().await;

    noting.refuse([]);
    world.append("stream-1", 1).await;
    let _second = world.start(noting);
    eventually(|| async { parked::list(&world.pool, None).await.unwrap()[0].events == 2 }).await;
    assert_eq!(world.noted().await, 0, "the later event waits behind the parked one");

    parked::retry(&world.pool, "noting", LOG, "stream-1").await.unwrap();
    world.all_is_noted().await;
    world.assert_noted_once_and_in_order().await;
}

#[tokio::test]
async fn more_than_a_hundred_parked_streams_stop_the_reader_until_there_are_fewer() {
    let world = fixture().await;
    let noting = Noting::refusing((0..101).map(|n| format!("stream-{n}")));
    let running = world.start(noting.clone());
    world.append_streams(101).await;
    eventually(|| async { running.handle.status().stopped().is_some() }).await;
    assert!(parked::list(&world.pool, None).await.unwrap().len() <= 100);

    noting.refuse([]);
    for parked in parked::list(&world.pool, None).await.unwrap() {
        parked::retry(&world.pool, "noting", &parked.log, &parked.stream_id).await.unwrap();
    }
    world.all_is_noted().await;
    eventually(|| async { running.handle.status().stopped().is_none() }).await;
    world.assert_noted_once_and_in_order().await;
}
