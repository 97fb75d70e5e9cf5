//! Many writers at once, in several processes.

use crate::fixture::{PARTITIONS, assert_conflict, command, fixture};
use eventstore::{AppendError, EventLog, Expected};
use futures_util::future::join_all;
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

const TASKS: usize = 16;
const COMMANDS: usize = 60;

/// Appends to shared streams, each time at the version it believes in; says how many commands went in.
async fn compete(log: EventLog, task: usize) -> usize {
    let mut done = 0;
    for n in 0..COMMANDS {
        let stream = format!("stream-{}", (n + task) % 7);
        let mut expected = log.stream_version(&stream).await.unwrap();
        loop {
            match log.append(command(&stream, Expected::Version(expected), 1 + n % 3)).await {
                Ok(_) => break,
                Err(AppendError::Conflict { actual }) => expected = actual,
                Err(other) => panic!("{other}"),
            }
        }
        done += 1 + n % 3;
    }
    done
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_writers_of_two_processes_leave_a_dense_log() {
    let fixture = fixture().await;
    let other = fixture.another_process(fixture.database.url()).await;
    let watched = AtomicBool::new(true);
    let writers = async {
        let tasks = (0..TASKS).map(|task| {
            let log = if task % 2 == 0 { fixture.log.clone() } else { other.clone() };
            tokio::task::spawn_blocking(move || tokio::runtime::Handle::current().block_on(compete(log, task)))
        });
        let done: usize = join_all(tasks).await.into_iter().map(Result::unwrap).sum();
        watched.store(false, Ordering::SeqCst);
        done
    };
    // A reader that polls all the while must see every position, in order.
    let reader = async {
        let mut after: BTreeMap<i32, i64> = (0..PARTITIONS).map(|partition| (partition, 0)).collect();
        let mut seen = 0;
        loop {
            let last_round = !watched.load(Ordering::SeqCst);
            for (partition, after) in &mut after {
                let page = fixture.log.read_partition(*partition, *after, 7).await.unwrap();
                for event in &page.events {
                    assert_eq!(event.position, *after + 1, "partition {partition} has a hole");
                    *after += 1;
                    seen += 1;
                }
                assert!(page.head >= *after);
            }
            let heads = fixture.log.heads().await.unwrap().positions;
            if last_round && heads.iter().sum::<i64>() == after.values().sum::<i64>() {
                return seen;
            }
        }
    };
    let (written, seen) = futures_util::future::join(writers, reader).await;
    assert_eq!(written, seen);
    fixture.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn any_version_never_conflicts_however_many_append() {
    let fixture = fixture().await;
    let other = fixture.another_process(fixture.database.url()).await;
    let appends = (0..400).map(|n| {
        let log = if n % 2 == 0 { &fixture.log } else { &other };
        log.append(command(&format!("stream-{}", n % 3), Expected::Any, 2))
    });
    for result in join_all(appends).await {
        result.unwrap();
    }
    assert_eq!(fixture.count().await, 800);
    fixture.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_commands_at_one_version_exactly_one_goes_in() {
    let fixture = fixture().await;
    let other = fixture.another_process(fixture.database.url()).await;
    for version in 0..20 {
        for log in [&fixture.log, &other] {
            log.stream_version("contested").await.unwrap();
        }
        let appends = (0..12).map(|n| {
            let log = if n % 2 == 0 { &fixture.log } else { &other };
            log.append(command("contested", Expected::Version(version), 1))
        });
        let results = join_all(appends).await;
        assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
        for lost in results.into_iter().filter(Result::is_err) {
            assert_conflict(&lost, version + 1);
        }
    }
    fixture.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_conflicting_command_fails_alone_and_takes_no_position() {
    let fixture = fixture().await;
    fixture.log.append(command("taken", Expected::Version(0), 1)).await.unwrap();
    let innocent = (0..50).map(|n| fixture.log.append(command(&format!("free-{n}"), Expected::Version(0), 2)));
    let guilty = (0..50).map(|_| fixture.log.append(command("taken", Expected::Version(0), 1)));
    let (innocent, guilty) = futures_util::future::join(join_all(innocent), join_all(guilty)).await;
    innocent.into_iter().for_each(|result| assert_eq!(result.unwrap().version, 2));
    guilty.into_iter().for_each(|result| assert_conflict(&result, 1));
    assert_eq!(fixture.count().await, 101);
    fixture.assert_sound().await;
}

#[tokio::test]
async fn a_version_that_nobody_has_seen_leaves_no_hole() {
    let fixture = fixture().await;
    assert_conflict(&fixture.log.append(command("a", Expected::Version(7), 1)).await, 0);
    fixture.log.append(command("a", Expected::Version(0), 3)).await.unwrap();
    assert_conflict(&fixture.log.append(command("a", Expected::Version(9), 1)).await, 3);
    assert_eq!(fixture.log.append(command("a", Expected::Version(3), 1)).await.unwrap().version, 4);
    fixture.assert_sound().await;
}

#[tokio::test]
async fn a_command_is_told_where_its_events_stand() {
    let fixture = fixture().await;
    let first = fixture.log.append(command("a", Expected::Version(0), 3)).await.unwrap();
    assert_eq!((first.first_position, first.last_position, first.version), (1, 3, 3));
    let second = fixture.log.append(command("a", Expected::Version(3), 2)).await.unwrap();
    assert_eq!((second.first_position, second.last_position, second.version), (4, 5, 5));
    assert!(second.recorded_at >= first.recorded_at && !second.duplicate);
    let stream = fixture.log.read_stream("a", 3, 10).await.unwrap();
    assert_eq!(stream.iter().map(|event| event.version).collect::<Vec<_>>(), [4, 5]);
    let page = fixture.log.read_partition(second.partition, 0, 2).await.unwrap();
    assert_eq!((page.events.len(), page.head, page.epoch), (2, 5, fixture.log.epoch()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_batch_is_one_transaction_and_a_lone_command_does_not_wait() {
    let fixture = fixture().await;
    let log = Arc::new(fixture.log.clone());
    log.append(command("warm", Expected::Any, 1)).await.unwrap();
    let before = std::time::Instant::now();
    for n in 0..50 {
        log.append(command(&format!("lone-{n}"), Expected::Version(0), 1)).await.unwrap();
    }
    assert!(before.elapsed().as_millis() < 2_500, "a lone command took {:?}", before.elapsed() / 50);
    let crowd = (0..300).map(|n| log.append(command(&format!("crowd-{n}"), Expected::Version(0), 1)));
    join_all(crowd).await.into_iter().for_each(|result| assert!(result.is_ok(), "{result:?}"));
    let client = fixture.pool.get().await.unwrap();
    let count = "select count(distinct xmin::text) from events where stream_id like 'crowd-%'";
    let transactions: i64 = client.query_one(count, &[]).await.unwrap().get(0);
    assert!(transactions < 30, "{transactions} transactions for 300 commands");
}

#[tokio::test]
async fn a_batch_that_waited_for_a_head_goes_on_where_the_other_commit_ended() {
    let fixture = fixture().await;
    let other = fixture.database.connect().await.unwrap();
    // The joins that Postgres may choose re-read a head that moved in different ways.
    for (round, plan) in ["hashjoin, mergejoin", "nestloop, mergejoin", "nestloop, hashjoin"].into_iter().enumerate() {
        for join in ["hashjoin", "mergejoin", "nestloop"] {
            let setting = if plan.contains(join) { "off" } else { "on" };
            let alter = format!(
                "do $$ begin execute format('alter database %I set enable_{join} = {setting}', current_database()); end $$"
            );
            other.batch_execute(&alter).await.unwrap();
        }
        let log = fixture.another_process(fixture.database.url()).await;
        log.append(command(&format!("warm-{round}"), Expected::Version(0), 1)).await.unwrap();
        let before = fixture.log.heads().await.unwrap().positions;
        // Another writer, written by hand: it has moved all heads and not committed yet.
        other
            .batch_execute("begin; update log_head set position = position + 1, last_recorded_at = '2222-02-22Z'")
            .await
            .unwrap();
        let appends = (0..40).map(|n| log.append(command(&format!("round-{round}-{n}"), Expected::Version(0), 2)));
        let appends = join_all(appends);
        let commit = async {
            let waiting =
                "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()";
            let client = fixture.pool.get().await.unwrap();
            test_support::eventually(|| async { client.query_one(waiting, &[]).await.unwrap().get::<_, i64>(0) == 2 })
                .await;
            other.batch_execute(FILL_IN).await.unwrap();
            other.batch_execute("commit").await.unwrap();
        };
        let (results, ()) = futures_util::future::join(appends, commit).await;
        for result in results {
            let place = result.unwrap();
            let base = before[usize::try_from(place.partition).unwrap()] + 1;
            assert!(place.first_position > base);
            assert_eq!(place.recorded_at.to_rfc3339(), "2222-02-22T00:00:00+00:00");
        }
        fixture.assert_sound().await;
    }
}

/// The events of the writer that moved every head by one.
const FILL_IN: &str = "insert into events
    select partition, position, 'by-hand-' || partition || '-' || position, 'Test', 1, gen_random_uuid(), null,
           'Happened', 1, '{}', '{}', last_recorded_at
    from log_head";
