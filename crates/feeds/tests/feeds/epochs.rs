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

/// The log's server was promoted or its database restored: connections break, and the history is another.
const FAIL_OVER: &str = "UPDATE log_meta SET history = 'another server';
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()";

#[tokio::test]
async fn a_promotion_under_a_running_reader_costs_nothing() {
    let world = fixture().await;
    let running = world.start(Noting::new("one"));
    world.append_streams(20).await;
    world.all_is_noted().await;
    let before = world.log.heads().await.unwrap().epoch;

    let server = world.database.connect().await.unwrap();
    server.batch_execute(FAIL_OVER).await.unwrap();
    world.append_streams(20).await;

    world.all_is_noted().await;
    world.assert_noted_once_and_in_order().await;
    assert_ne!(world.log.heads().await.unwrap().epoch, before, "the log renewed its epoch by itself");
    let strange = "SELECT count(*) FROM reader_checkpoint, log_meta WHERE reader_checkpoint.epoch <> log_meta.epoch";
    eventually(|| async { world.query::<i64>(strange).await == 0 }).await;
    assert_eq!(running.handle.status().stopped(), None);
}

#[tokio::test]
async fn a_restore_from_an_older_backup_stops_the_reader_before_it_skips_what_is_appended_next() {
    let world = fixture().await;
    let running = world.start(Noting::new("one"));
    let appended = world.append("a-stream", 3).await;
    world.all_is_noted().await;

    let server = world.database.connect().await.unwrap();
    let restore = format!(
        "ALTER TABLE events DISABLE TRIGGER ALL;
         DELETE FROM events WHERE partition = {0} AND position > 1;
         UPDATE log_head SET position = 1 WHERE partition = {0}; {FAIL_OVER}",
        appended.partition
    );
    server.batch_execute(&restore).await.unwrap();
    // The log grows past the reader's checkpoint again, with other events.
    world.append("a-stream", 5).await;

    eventually(|| async { running.handle.status().stopped().is_some() }).await;
    assert_eq!(world.noted().await, 3);
}
