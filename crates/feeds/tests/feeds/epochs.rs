//! A log that was restored or failed over.

use crate::fixture::{Noting, fixture};
use test_support::eventually;

#[tokio::test]
async fn a_reader_adopts_another_epoch_with_the_same_history() {
    let world = fixture().await;
    let running = world.start(Noting::new("one"));
    world.append_streams(20).await;
    world.all_is_noted().await;

    world.execute("UPDATE log_meta SET epoch = gen_random_uuid()").await;
    world.append_streams(20).await;

    world.all_is_noted().await;
    world.assert_noted_once_and_in_order().await;
    let strange = "SELECT count(*) FROM reader_checkpoint, log_meta WHERE reader_checkpoint.epoch <> log_meta.epoch";
    eventually(|| async { world.query::<i64>(strange).await == 0 }).await;
    assert_eq!(running.handle.status().stopped(), None);
}

#[tokio::test]
async fn a_reader_stops_at_another_epoch_with_another_history() {
    let world = fixture().await;
    let running = world.start(Noting::new("one"));
    let appended = world.append("a-stream", 3).await;
    world.all_is_noted().await;

    world
        .execute(&format!(
            "ALTER TABLE events DISABLE TRIGGER ALL;
             UPDATE events SET event_id = gen_random_uuid() WHERE partition = {} AND position = 3;
             UPDATE log_meta SET epoch = gen_random_uuid()",
            appended.partition
        ))
        .await;
    world.append("a-stream", 1).await;

    eventually(|| async { running.handle.status().stopped().is_some_and(|why| why.contains("another history")) }).await;
    assert_eq!(world.noted().await, 3);
}

#[tokio::test]
async fn a_reader_stops_when_the_log_lost_events_it_has_handled() {
    let world = fixture().await;
    let running = world.start(Noting::new("one"));
    let appended = world.append("a-stream", 3).await;
    world.all_is_noted().await;

    world
        .execute(&format!(
            "ALTER TABLE events DISABLE TRIGGER ALL;
             DELETE FROM events WHERE partition = {0} AND position > 1;
             UPDATE log_head SET position = 1 WHERE partition = {0};
             UPDATE log_meta SET epoch = gen_random_uuid()",
            appended.partition
        ))
        .await;

    eventually(|| async { running.handle.status().stopped().is_some_and(|why| why.contains("events were lost")) })
        .await;
}
