//! Waiting for a reader to reach a position.

use crate::fixture::{LOG, Noting, fixture};
use feeds::{Reader, Target, WaitError};
use std::{sync::Arc, time::Duration};
use test_support::eventually;

const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_wait_ends_once_its_positions_are_handled_and_not_before() {
    let world = fixture().await;
    let noting = Noting::new("one");
    let running = world.start(noting.clone());
    eventually(|| async { running.handle.status().partitions.len() == 4 }).await;
    let permit = Arc::clone(&noting.gate).acquire_owned().await.unwrap();
    let appended = world.append("a-stream", 2).await;
    let target = Target { log: LOG.to_owned(), partition: appended.partition, position: appended.last_position };

    let too_early = running.handle.wait_until(std::slice::from_ref(&target), Duration::from_millis(50)).await;
    assert!(matches!(too_early, Err(WaitError::TimedOut)), "{too_early:?}");
    drop(permit);
    running.handle.wait_until(&[target], PATIENCE).await.unwrap();
    assert_eq!(world.noted().await, 2);
}

#[tokio::test]
async fn a_wait_sees_what_another_instance_handled() {
    let world = fixture().await;
    let running = world.start(Noting::new("one"));
    eventually(|| async { running.handle.status().partitions.len() == 4 }).await;
    let (pool, _log, registry) = world.another_process().await;
    let idle = Reader::projector(Noting::new("idle"), pool, vec![registry.subscribe(LOG)]).handle();
    let appended = world.append("a-stream", 1).await;
    let target = Target { log: LOG.to_owned(), partition: appended.partition, position: appended.last_position };

    idle.wait_until(&[target], PATIENCE).await.unwrap();
    assert_eq!(world.noted().await, 1);
}

#[tokio::test]
async fn the_bell_rings_after_every_committed_page() {
    let world = fixture().await;
    let running = world.start(Noting::new("one"));
    let mut progress = running.handle.progress();
    world.append("a-stream", 1).await;
    progress.changed().await.unwrap();
    assert_eq!(world.noted().await, 1);
}
