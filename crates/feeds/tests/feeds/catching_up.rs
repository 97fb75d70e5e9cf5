//! That every event arrives, in order, however it was written.

use crate::fixture::{LOG, Noting, command, fixture};
use feeds::{HandleError, Page, Projector, Reader, checkpoint};
use futures_util::future::join_all;
use pg::deadpool_postgres::Transaction;
use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};
use std::time::Duration;
use test_support::eventually;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_of_a_log_with_many_writers_never_skips_a_position() {
    let world = fixture().await;
    let (_pool, other_log, _registry) = world.another_process().await;
    let running = world.start(Noting::new("one"));
    let writers = (0..8).map(|writer| {
        let log = if writer % 2 == 0 { world.log.clone() } else { other_log.clone() };
        async move {
            for n in 0..60 {
                log.append(command(&format!("stream-{writer}-{}", n % 7), 1 + n % 3)).await.unwrap();
            }
        }
    });
    join_all(writers).await;

    world.all_is_noted().await;
    world.assert_noted_once_and_in_order().await;
    let dense: bool = world
        .query(
            "SELECT bool_and(steps) FROM (SELECT position = row_number() OVER (PARTITION BY partition ORDER BY place)
             AS steps FROM noted) AS noted",
        )
        .await;
    assert!(dense, "positions were handled 1, 2, 3, … in each partition");
    eventually(|| async { running.handle.caught_up() && running.handle.status().lag() == 0 }).await;
}

#[tokio::test]
async fn a_reader_can_begin_at_every_position() {
    let world = fixture().await;
    let appended = world.append("a-stream", 12).await;
    let feed = world.registry.subscribe(LOG).feed().await;
    for after in 0..12 {
        for limit in 1..=12 {
            let page = feed.read(appended.partition, after, limit).await.unwrap();
            let positions: Vec<i64> = page.events.iter().map(|event| event.position).collect();
            let last = (after + i64::try_from(limit).unwrap()).min(12);
            assert_eq!(positions, (after + 1..=last).collect::<Vec<_>>());
            assert_eq!(page.head, 12);
        }
    }
}

#[tokio::test]
async fn a_missing_position_stops_its_partition_loudly_and_no_other() {
    let world = fixture().await;
    let holed = world.append("stream-0", 5).await;
    world
        .execute(&format!(
            "ALTER TABLE events DISABLE TRIGGER ALL;
             DELETE FROM events WHERE partition = {} AND position = 3;
             ALTER TABLE events ENABLE ALWAYS TRIGGER events_are_append_only",
            holed.partition
        ))
        .await;
    let elsewhere = (1..).map(|n| format!("stream-{n}")).find(|id| world.log.partition_of(id) != holed.partition);
    world.append(&elsewhere.unwrap(), 5).await;
    let running = world.start(Noting::new("one"));

    eventually(|| async { running.handle.status().stopped().is_some() }).await;
    eventually(|| async { world.noted().await == 5 }).await;
    let stopped: Vec<_> = checkpoint::list(&world.pool).await.unwrap();
    let stopped: Vec<_> = stopped.iter().filter(|row| row.stopped.is_some()).collect();
    assert_eq!(stopped.len(), 1);
    assert!(stopped[0].stopped.as_ref().unwrap().contains("position 3 is missing"), "{stopped:?}");
    assert!(!running.handle.caught_up());
}

/// Counts each stream's events; a version it has seen changes nothing, so it may be given any page again.
struct Counting;

impl Projector for Counting {
    fn name(&self) -> &'static str {
        "counting"
    }

    async fn handle(&self, transaction: &Transaction<'_>, pages: &[Page]) -> Result<(), HandleError> {
        const COUNT: &str = "INSERT INTO stream_state AS state (stream_id, version, events) VALUES ($1, $2, 1)
                             ON CONFLICT (stream_id) DO UPDATE
                             SET version = excluded.version, events = state.events + 1
                             WHERE state.version < excluded.version";
        for event in pages.iter().flat_map(|page| &page.events) {
            transaction.execute(COUNT, &[&event.stream_id, &event.version]).await?;
        }
        Ok(())
    }
}

#[tokio::test]
async fn a_projector_that_is_given_everything_twice_builds_the_same() {
    const STATE: &str = "SELECT string_agg(stream_state::text, ';' ORDER BY stream_id) FROM stream_state";
    let world = fixture().await;
    world.append_streams(10).await;
    world.append_streams(10).await;
    let run = || Reader::projector(Counting, world.pool.clone(), vec![world.registry.subscribe(LOG)]);
    let first = world.run(run());
    eventually(|| async { first.handle.caught_up() }).await;
    first.stop().await;
    let once: String = world.query(STATE).await;

    world.execute("UPDATE reader_checkpoint SET position = 0, event_id = NULL").await;
    let second = world.run(run());
    eventually(|| async { second.handle.caught_up() }).await;
    assert_eq!(world.query::<String>(STATE).await, once);
    assert_eq!(world.query::<i64>("SELECT sum(events)::bigint FROM stream_state").await, 20);

    world.execute("DELETE FROM reader_checkpoint; DELETE FROM stream_state").await;
    second.stop().await;
    let rebuilt = world.run(run());
    eventually(|| async { rebuilt.handle.caught_up() }).await;
    assert_eq!(world.query::<String>(STATE).await, once, "rebuilt from the start");
}

/// Says that serialisation fails, so many times.
struct Failing(Arc<AtomicI64>);

impl Projector for Failing {
    fn name(&self) -> &'static str {
        "failing"
    }

    async fn handle(&self, transaction: &Transaction<'_>, pages: &[Page]) -> Result<(), HandleError> {
        for event in pages.iter().flat_map(|page| &page.events) {
            transaction
                .execute(
                    "INSERT INTO noted (partition, position, stream_id, version) VALUES ($1, $2, $3, $4)",
                    &[&event.partition, &event.position, &event.stream_id, &event.version],
                )
                .await?;
        }
        if self.0.fetch_sub(1, Ordering::Relaxed) > 0 {
            transaction.batch_execute("DO $$ BEGIN RAISE EXCEPTION 'no' USING errcode = '40001'; END $$").await?;
        }
        Ok(())
    }
}

#[tokio::test]
async fn serialisation_failures_are_retried_and_park_nothing() {
    let world = fixture().await;
    world.append_streams(10).await;
    let failures = Arc::new(AtomicI64::new(5));
    let failing = Failing(Arc::clone(&failures));
    let running = world.run(Reader::projector(failing, world.pool.clone(), vec![world.registry.subscribe(LOG)]));

    world.all_is_noted().await;
    world.assert_noted_once_and_in_order().await;
    assert!(failures.load(Ordering::Relaxed) < 0);
    assert_eq!(running.handle.status().parked, 0);
}

#[tokio::test]
async fn another_reader_version_builds_from_the_start_beside_the_first_and_may_replace_it_when_level() {
    struct Versioned(i32);
    impl Projector for Versioned {
        fn name(&self) -> &'static str {
            "versioned"
        }
        fn version(&self) -> i32 {
            self.0
        }
        async fn handle(&self, _transaction: &Transaction<'_>, _pages: &[Page]) -> Result<(), HandleError> {
            Ok(())
        }
    }
    let world = fixture().await;
    world.append_streams(10).await;
    let logs = || vec![world.registry.subscribe(LOG)];
    let old = world.run(Reader::projector(Versioned(1), world.pool.clone(), logs()));
    eventually(|| async { old.handle.caught_up() }).await;
    let mut client = world.pool.get().await.unwrap();
    let transaction = client.transaction().await.unwrap();
    let too_early = checkpoint::may_replace(&transaction, "versioned", 1, 2, Duration::ZERO).await;
    assert!(matches!(too_early, Err(checkpoint::NotReady::Behind { .. })), "{too_early:?}");
    transaction.rollback().await.unwrap();

    let new = world.run(Reader::projector(Versioned(2), world.pool.clone(), logs()));
    eventually(|| async { new.handle.caught_up() }).await;
    let transaction = client.transaction().await.unwrap();
    checkpoint::may_replace(&transaction, "versioned", 1, 2, Duration::ZERO).await.unwrap();
    transaction.commit().await.unwrap();
}
