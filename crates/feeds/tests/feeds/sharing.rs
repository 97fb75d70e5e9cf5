//! Several instances of one reader.

use crate::fixture::{LOG, Noting, fixture};
use feeds::Reader;
use std::sync::Arc;
use test_support::eventually;

#[tokio::test]
async fn two_runners_share_the_partitions_and_nothing_is_handled_twice() {
    let world = fixture().await;
    let (pool, _log, registry) = world.another_process().await;
    let first = world.start(Noting::new("first"));
    eventually(|| async { first.handle.status().partitions.len() == 4 }).await;
    let second = world.run(Reader::projector(Noting::new("second"), pool, vec![registry.subscribe(LOG)]));
    world.append_streams(50).await;

    eventually(|| async {
        first.handle.status().partitions.len() == 2 && second.handle.status().partitions.len() == 2
    })
    .await;
    world.append_streams(100).await;
    world.all_is_noted().await;

    world.assert_noted_once_and_in_order().await;
    let by_second: i64 = world.query("SELECT count(*) FROM noted WHERE reader = 'second'").await;
    assert!(by_second > 0, "the second runner took part");
}

#[tokio::test]
async fn a_runner_that_stops_leaves_its_partitions_to_the_others_at_once() {
    let world = fixture().await;
    let (pool, _log, registry) = world.another_process().await;
    let first = world.start(Noting::new("first"));
    let second = world.run(Reader::projector(Noting::new("second"), pool, vec![registry.subscribe(LOG)]));
    eventually(|| async {
        first.handle.status().partitions.len() == 2 && second.handle.status().partitions.len() == 2
    })
    .await;

    first.stop().await;
    let unowned: i64 = world.query("SELECT count(*) FROM reader_checkpoint WHERE owner IS NULL").await;
    assert!(unowned > 0 || second.handle.status().partitions.len() == 4);
    world.append_streams(40).await;
    world.all_is_noted().await;

    world.assert_noted_once_and_in_order().await;
}

#[tokio::test]
async fn a_frozen_owner_whose_lease_was_stolen_does_no_harm() {
    let world = fixture().await;
    let frozen = Noting::new("frozen");
    let first = world.start(frozen.clone());
    eventually(|| async { first.handle.status().partitions.len() == 4 }).await;
    let permit = Arc::clone(&frozen.gate).acquire_owned().await.unwrap();
    world.append_streams(20).await;
    // It stands in the middle of its transaction.
    let standing = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
                    AND state = 'idle in transaction'";
    eventually(|| async { world.query::<i64>(standing).await > 0 }).await;

    world.execute("UPDATE reader_checkpoint SET lease_until = '-infinity'").await;
    let (pool, _log, registry) = world.another_process().await;
    let second = world.run(Reader::projector(Noting::new("second"), pool, vec![registry.subscribe(LOG)]));
    eventually(|| async {
        world.execute("UPDATE reader_checkpoint SET lease_until = '-infinity' WHERE lease_epoch = 1").await;
        world.noted().await >= 20 / 2 && second.handle.status().partitions.len() >= 2
    })
    .await;
    drop(permit);
    world.all_is_noted().await;
    world.append_streams(20).await;
    world.all_is_noted().await;

    world.assert_noted_once_and_in_order().await;
}

#[tokio::test]
async fn a_checkpoint_that_moved_meanwhile_rolls_the_work_back() {
    let world = fixture().await;
    let noting = Noting::new("one");
    let running = world.start(noting.clone());
    eventually(|| async { running.handle.status().partitions.len() == 4 }).await;
    let permit = Arc::clone(&noting.gate).acquire_owned().await.unwrap();
    let appended = world.append("a-stream", 1).await;
    let standing = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
                    AND state = 'idle in transaction'";
    eventually(|| async { world.query::<i64>(standing).await > 0 }).await;

    // As if a commit had arrived of which its maker never learned.
    let moved = format!(
        "UPDATE reader_checkpoint SET position = {} WHERE partition = {}",
        appended.last_position, appended.partition
    );
    world.execute(&moved).await;
    drop(permit);
    world.append("a-stream", 1).await;

    eventually(|| async { world.noted().await > 0 }).await;
    assert_eq!(world.query::<i64>("SELECT version FROM noted").await, 2, "the first event was handled already");
}

#[tokio::test]
async fn work_under_a_lost_lease_is_rolled_back_though_the_checkpoint_stands_where_it_did() {
    let world = fixture().await;
    let noting = Noting::new("one");
    let running = world.start(noting.clone());
    eventually(|| async { running.handle.status().partitions.len() == 4 }).await;
    let permit = Arc::clone(&noting.gate).acquire_owned().await.unwrap();
    world.append("a-stream", 1).await;
    eventually(|| async { noting.pages() == 1 }).await;

    world.execute("UPDATE reader_checkpoint SET owner = NULL, lease_epoch = lease_epoch + 1").await;
    drop(permit);

    world.all_is_noted().await;
    world.assert_noted_once_and_in_order().await;
    assert_eq!(noting.pages(), 2, "the work was done again under a lease of its own");
}
