//! A command_id is kept for ever: a repeat gets the first result.

use crate::fixture::{assert_conflict, command, fixture, some_uuid, with_command_id};
use eventstore::{Append, Appended, Expected};
use futures_util::future::join_all;
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use std::collections::HashMap;
use uuid::Uuid;

#[tokio::test]
async fn a_repeated_command_returns_its_first_result_however_late() {
    let fixture = fixture().await;
    let id = some_uuid();
    let first = fixture.log.append(with_command_id(command("a", Expected::Version(0), 3), id)).await.unwrap();
    fixture.log.append(command("a", Expected::Version(3), 2)).await.unwrap();
    for expected in [Expected::Version(0), Expected::Version(5), Expected::Version(2), Expected::Any] {
        let repeat = fixture.log.append(with_command_id(command("a", expected, 1), id)).await.unwrap();
        assert_eq!(repeat, Appended { duplicate: true, ..first.clone() });
    }
    assert_eq!(fixture.log.first_result("a", id).await.unwrap(), Some(Appended { duplicate: true, ..first }));
    assert_eq!(fixture.log.first_result("a", some_uuid()).await.unwrap(), None);
    assert_eq!(fixture.count().await, 5);
    fixture.assert_sound().await;
}

#[tokio::test]
async fn a_command_id_belongs_to_its_stream() {
    let fixture = fixture().await;
    let id = some_uuid();
    for stream in ["a", "b", "c"] {
        let result = fixture.log.append(with_command_id(command(stream, Expected::Version(0), 1), id)).await.unwrap();
        assert!(!result.duplicate);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_equal_commands_at_once_one_is_appended_and_all_get_its_result() {
    let fixture = fixture().await;
    let other = fixture.another_process(fixture.database.url()).await;
    for round in 0..10 {
        let (stream, id) = (format!("stream-{round}"), some_uuid());
        let appends = (0..16).map(|n| {
            let log = if n % 2 == 0 { &fixture.log } else { &other };
            let expected = if n % 3 == 0 { Expected::Any } else { Expected::Version(0) };
            log.append(with_command_id(command(&stream, expected, 2), id))
        });
        let results: Vec<Appended> = join_all(appends).await.into_iter().map(Result::unwrap).collect();
        assert_eq!(results.iter().filter(|result| !result.duplicate).count(), 1);
        assert!(results.iter().all(|result| result.first_position == results[0].first_position && result.version == 2));
    }
    assert_eq!(fixture.count().await, 20);
    fixture.assert_sound().await;
}

#[tokio::test]
async fn a_command_id_on_a_stream_that_moved_on_conflicts_like_any_other() {
    let fixture = fixture().await;
    fixture.log.append(command("a", Expected::Version(0), 1)).await.unwrap();
    assert_conflict(&fixture.log.append(with_command_id(command("a", Expected::Version(0), 1), some_uuid())).await, 1);
}

/// What is sent: stream, expected version if any, command id if any, number of events; in groups sent at once.
type Sent = Vec<Vec<(u8, Option<i64>, Option<u8>, usize)>>;

fn groups() -> impl Strategy<Value = Sent> {
    let one = (0..3_u8, proptest::option::of(0..6_i64), proptest::option::of(0..5_u8), 1..4_usize);
    proptest::collection::vec(proptest::collection::vec(one, 1..6), 1..8)
}

/// Whatever is sent, in whatever groups: each command id is in a stream at most once and all its senders hear of the
/// same place; a command that was told its place is there; nothing else is in the log.
#[test]
fn appending_is_idempotent_and_all_or_nothing_whatever_is_sent() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let fixture = runtime.block_on(fixture());
    let mut runner = TestRunner::new(Config { cases: 40, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&groups(), |groups| {
        let case = some_uuid();
        runtime.block_on(async {
            let mut places: HashMap<(u8, u8), Appended> = HashMap::new();
            let mut versions: HashMap<u8, i64> = HashMap::new();
            for group in groups {
                let appends = group.iter().map(|&(stream, expected, id, events)| {
                    let expected = expected.map_or(Expected::Any, Expected::Version);
                    let append = command(&format!("{case}-{stream}"), expected, events);
                    let command_id = id.map(|id| Uuid::new_v5(&case, &[id]));
                    fixture.log.append(Append { command_id, ..append })
                });
                for (result, (stream, expected, id, events)) in join_all(appends).await.into_iter().zip(group) {
                    let Ok(place) = result else {
                        prop_assert!(expected.is_some(), "any version conflicted: {:?}", result);
                        continue;
                    };
                    if place.duplicate {
                        let known = id.and_then(|id| places.get(&(stream, id)));
                        if let Some(first) = known {
                            prop_assert_eq!(first.first_position, place.first_position);
                            prop_assert_eq!(first.version, place.version);
                        }
                    } else {
                        *versions.entry(stream).or_default() += i64::try_from(events).unwrap();
                        if let Some(id) = id {
                            prop_assert!(places.get(&(stream, id)).is_none_or(|first| first.duplicate));
                        }
                    }
                    if let Some(id) = id {
                        places.entry((stream, id)).or_insert(place);
                    }
                }
            }
            for (stream, version) in versions {
                let stored = fixture.log.stream_version(&format!("{case}-{stream}")).await.unwrap();
                prop_assert_eq!(stored, version);
            }
            Ok(())
        })
    });
    outcome.unwrap();
    runtime.block_on(fixture.assert_sound());
}
