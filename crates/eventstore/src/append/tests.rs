//! The answers of an append are true, wherever the database or the connection fails: the writers of two processes, the
//! real ones, append to a database in memory that breaks by a schedule. proptest makes commands and schedules, prints
//! the seed of a failure and shrinks it; with paused time a run is the same every time.

mod batches;
mod server;

use super::{Append, AppendError, Appended, Expected, Queue, Seen, Wake, Writer, run_writer};
use crate::{ClaimDone, Spawner, StoredAnswer, partition_of};
use bytes::Bytes;
use futures_util::future::join_all;
use proptest::prelude::*;
use server::{Fault, InMemory, Stored};
use shared_events::{Actor, EventId, Metadata, NewEvent};
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const PARTITIONS: i32 = 2;
const PROCESSES: usize = 2;
/// Longer than anything of ours waits for.
const SETTLED: Duration = Duration::from_secs(60);

/// The version that a command expects.
#[derive(Debug, Clone, Copy)]
enum Wants {
    Any,
    /// What a look at the stream shows, plus this: what was read, or a stale or an invented version.
    Near(i64),
}

/// A command, and when and where it is given.
#[derive(Debug, Clone)]
struct Planned {
    process: usize,
    after_ms: u64,
    stream: u8,
    events: usize,
    wants: Wants,
    command_id: Option<u8>,
    claim: Option<u8>,
    /// Whether another request takes the claim over meanwhile.
    robbed: bool,
}

/// A command with its answer.
#[derive(Debug)]
struct Answered {
    append: Append,
    answer: Result<Appended, AppendError>,
}

fn planned() -> impl Strategy<Value = Planned> {
    let wants = prop_oneof![
        3 => Just(Wants::Any),
        6 => Just(Wants::Near(0)),
        2 => (-2_i64..4).prop_map(Wants::Near),
    ];
    (
        0..PROCESSES,
        prop_oneof![4 => 0_u64..20, 1 => 0_u64..3_000],
        0_u8..4,
        1_usize..4,
        wants,
        proptest::option::of(0_u8..6),
        proptest::option::weighted(0.3, 0_u8..4),
        proptest::bool::weighted(0.2),
    )
        .prop_map(|(process, after_ms, stream, events, wants, command_id, claim, robbed)| Planned {
            process,
            after_ms,
            stream,
            events,
            wants,
            command_id,
            claim,
            robbed,
        })
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        12 => Just(Fault::Fine),
        2 => Just(Fault::BreakBefore),
        2 => Just(Fault::BreakAfter),
        1 => Just(Fault::FallBefore),
        1 => Just(Fault::FallAfter),
        1 => Just(Fault::Refuse),
        2 => (1_u16..4_000).prop_map(Fault::Late),
        2 => (1_u16..4_000).prop_map(Fault::LateAnswer),
        1 => (1_u8..200).prop_map(Fault::ClockBack),
    ]
}

fn numbered(n: u8) -> Uuid {
    Uuid::from_u128(u128::from(n) + 1)
}

fn append_of(planned: &Planned, database: &InMemory, seen: &Seen) -> Append {
    let stream_id = format!("stream-{}", planned.stream);
    let version = database.version(&stream_id);
    if matches!(planned.wants, Wants::Near(0) | Wants::Any) {
        seen.note(&stream_id, version);
    }
    let expected = match planned.wants {
        Wants::Any => Expected::Any,
        Wants::Near(near) => Expected::Version((version + near).max(0)),
    };
    Append {
        stream_id,
        stream_type: "Test",
        expected,
        command_id: planned.command_id.map(numbered),
        events: (0..planned.events)
            .map(|_| NewEvent {
                event_id: EventId::generate(),
                event_type: "Happened",
                schema_version: 1,
                payload: Bytes::from_static(b"{}"),
            })
            .collect(),
        metadata: Metadata {
            correlation_id: Uuid::nil(),
            causation_id: None,
            actor: Actor::internal(),
            traceparent: None,
            import: false,
        },
        claim: planned.claim.map(|claim| begin_claim(database, claim)),
    }
}

/// Claims a key, and has its answer ready.
fn begin_claim(database: &InMemory, claim: u8) -> ClaimDone {
    let scope_hash = [claim; 32];
    let owner = EventId::generate().as_uuid();
    database.world().claim(&scope_hash, owner);
    let answer = StoredAnswer { status: 200, headers: Vec::new(), body: Bytes::new(), concerns: Vec::new() };
    ClaimDone { scope_hash, owner, answer }
}

/// Runs the plan, waits until nothing moves any more, and gives the answers.
async fn run(plan: &[Planned], database: &InMemory, writers: usize) -> Vec<Answered> {
    let stop = CancellationToken::new();
    let processes: Vec<(Queue, Arc<Seen>)> = (0..PROCESSES)
        .map(|_| {
            let seen = Arc::new(Seen::default());
            let (queue, receivers) = Queue::new(writers, PARTITIONS);
            for (number, receiver) in receivers.into_iter().enumerate() {
                let (server, wake) = (Arc::new(database.clone()), Arc::new(Wake::default()));
                let writer = Writer::new("tests", number, server, receiver, Arc::clone(&seen), wake);
                Spawner::default().spawn(run_writer(writer, stop.clone()));
            }
            (queue, seen)
        })
        .collect();
    let commands = plan.iter().map(|planned| async {
        sleep(Duration::from_millis(planned.after_ms)).await;
        let (queue, seen) = &processes[planned.process];
        let append = append_of(planned, database, seen);
        let careful = seen.must_look(&append);
        let rob = async {
            if let Some(claim) = planned.claim.filter(|_| planned.robbed) {
                sleep(Duration::from_millis(2)).await;
                begin_claim(database, claim);
            }
        };
        let (answer, ()) = futures_util::future::join(queue.append(append.clone(), careful), rob).await;
        Answered { append, answer }
    });
    let answered = join_all(commands).await;
    stop.cancel();
    drop(processes);
    sleep(SETTLED).await;
    answered
}

/// The places of a command's events in the log, by their ids.
fn places<'a>(events: &'a [Stored], append: &Append) -> Vec<&'a Stored> {
    append
        .events
        .iter()
        .flat_map(|event| events.iter().filter(move |stored| stored.event_id == event.event_id.as_uuid()))
        .collect()
}

fn count(append: &Append) -> i64 {
    i64::try_from(append.events.len()).unwrap()
}

/// What an answer says is so.
fn check_answer(Answered { append, answer }: &Answered, events: &[Stored]) -> Result<(), TestCaseError> {
    let own = places(events, append);
    match answer {
        Ok(place) => {
            let first = place.first_position;
            prop_assert_eq!(place.partition, partition_of(&append.stream_id, PARTITIONS));
            let told = |event: &&Stored| event.partition == place.partition && event.position == first;
            let stored = events.iter().find(told);
            prop_assert!(stored.is_some(), "nothing stands at {:?}", place);
            let stored = stored.unwrap();
            prop_assert_eq!((&stored.stream_id, stored.recorded_at), (&append.stream_id, place.recorded_at));
            prop_assert_eq!(place.version - stored.version, place.last_position - first);
            if place.duplicate {
                prop_assert!(own.is_empty(), "a repeat was appended: {:?}", own);
                prop_assert_eq!(stored.command_id, append.command_id);
                prop_assert!(append.command_id.is_some());
            } else {
                let expected: Vec<(i64, i64)> =
                    (0..count(append)).map(|n| (first + n, place.version - count(append) + 1 + n)).collect();
                let found: Vec<(i64, i64)> = own.iter().map(|event| (event.position, event.version)).collect();
                prop_assert_eq!(found, expected, "it is not in once, where the answer says");
                if let Expected::Version(version) = append.expected {
                    prop_assert_eq!(place.version, version + count(append));
                }
            }
        }
        Err(AppendError::Unknown) => {
            prop_assert!(own.is_empty() || own.len() == append.events.len(), "half of it is in: {:?}", own);
        }
        Err(error) => {
            prop_assert!(own.is_empty(), "{}: and yet it is in: {:?}", error, own);
            if let (AppendError::Conflict { actual }, Expected::Version(version)) = (error, append.expected) {
                prop_assert_ne!(*actual, version);
            }
        }
    }
    Ok(())
}

/// Positions are dense and timed in order, versions have no holes, and a command_id is on a stream once.
fn check_log(events: &[Stored], heads: &[(i64, chrono::DateTime<chrono::Utc>)]) -> Result<(), TestCaseError> {
    for (partition, (head, _)) in heads.iter().enumerate() {
        let mut stored: Vec<&Stored> =
            events.iter().filter(|event| usize::try_from(event.partition) == Ok(partition)).collect();
        stored.sort_by_key(|event| event.position);
        let positions: Vec<i64> = stored.iter().map(|event| event.position).collect();
        prop_assert_eq!(positions, (1..=*head).collect::<Vec<_>>(), "positions of partition {}", partition);
        prop_assert!(stored.is_sorted_by_key(|event| event.recorded_at), "time runs backwards");
        let mut versions: HashMap<&str, i64> = HashMap::new();
        for event in &stored {
            let version = versions.entry(&event.stream_id).or_default();
            *version += 1;
            prop_assert_eq!(event.version, *version, "the versions of {} in order of position", &event.stream_id);
        }
    }
    let mut commands = HashMap::new();
    for event in events {
        if let Some(id) = event.command_id {
            prop_assert!(commands.insert((&event.stream_id, id), event.event_id).is_none(), "a command is in twice");
        }
    }
    Ok(())
}

fn check(answered: &[Answered], database: &InMemory) -> Result<(), TestCaseError> {
    let world = database.world();
    check_log(&world.events, &world.heads)?;
    let mut firsts: HashMap<(&str, Uuid), (i64, i64, i64)> = HashMap::new();
    for command in answered {
        check_answer(command, &world.events)?;
        if let (Some(id), Ok(place)) = (command.append.command_id, &command.answer) {
            let result = (place.first_position, place.last_position, place.version);
            let first = *firsts.entry((&command.append.stream_id, id)).or_insert(result);
            prop_assert_eq!(result, first, "equal command_ids have equal results");
        }
    }
    // A claim is answered by the command that is in the log with it, and by no other.
    for (hash, claim) in &world.claims {
        let claimants = answered.iter().filter(|command| {
            command.append.claim.as_ref().is_some_and(|done| done.scope_hash[..] == hash[..])
                && !places(&world.events, &command.append).is_empty()
        });
        let claimants: Vec<Uuid> = claimants.map(|command| command.append.claim.as_ref().unwrap().owner).collect();
        let expected: Vec<Uuid> = if claim.answered { vec![claim.owner] } else { Vec::new() };
        prop_assert_eq!(claimants, expected, "a claim and the append that it belongs to are one");
    }
    Ok(())
}

fn in_paused_time<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(work)
}

/// Enough to meet a refusal of each kind of statement; the default of 256 was not.
const CASES: u32 = 1_000;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: CASES, ..ProptestConfig::default() })]

    #[test]
    fn every_answer_is_true_wherever_it_crashes(
        plan in prop::collection::vec(planned(), 1..30),
        faults in prop::collection::vec(fault(), 0..80),
        writers in 1_usize..3,
    ) {
        in_paused_time(async {
            let database = InMemory::new(PARTITIONS, faults);
            let answered = run(&plan, &database, writers).await;
            check(&answered, &database)
        })?;
    }

    #[test]
    fn without_faults_every_command_is_appended_or_refused_for_a_reason(
        plan in prop::collection::vec(planned(), 1..60),
        writers in 1_usize..3,
    ) {
        in_paused_time(async {
            let database = InMemory::new(PARTITIONS, Vec::new());
            let answered = run(&plan, &database, writers).await;
            let reason = |error: &AppendError| {
                matches!(error, AppendError::Conflict { .. } | AppendError::ClaimLost)
            };
            let odd: Vec<_> = answered.iter().filter(|c| c.answer.as_ref().is_err_and(|error| !reason(error))).collect();
            prop_assert!(odd.is_empty(), "{:?}", odd);
            check(&answered, &database)
        })?;
    }
}

/// One command that answers a claim.
const CLAIMING: Planned = Planned {
    process: 0,
    after_ms: 0,
    stream: 0,
    events: 3,
    wants: Wants::Any,
    command_id: None,
    claim: Some(1),
    robbed: false,
};

/// The same crash at each step of one command's way: before, during and after its commit, its answer lost.
#[test]
fn a_command_is_never_appended_twice_whichever_of_its_steps_crashes() {
    for crash in [Fault::BreakBefore, Fault::BreakAfter, Fault::FallBefore, Fault::FallAfter, Fault::LateAnswer(2_500)]
    {
        for step in 0..16 {
            let mut faults = vec![Fault::Fine; step];
            faults.push(crash);
            in_paused_time(async {
                let database = InMemory::new(PARTITIONS, faults);
                let answered = run(&[CLAIMING], &database, 1).await;
                assert!(answered[0].answer.is_ok(), "{crash:?} at {step}: {:?}", answered[0].answer);
                check(&answered, &database).unwrap();
            });
        }
    }
}

/// An administrator may cancel any statement, a BEGIN as well as an INSERT.
#[test]
fn a_command_of_which_one_statement_is_refused_is_in_wholly_or_not_at_all() {
    for before in [Vec::new(), vec![Fault::BreakAfter]] {
        for step in 0..16 {
            let mut faults = before.clone();
            faults.extend(vec![Fault::Fine; step]);
            faults.push(Fault::Refuse);
            in_paused_time(async {
                let database = InMemory::new(PARTITIONS, faults);
                let answered = run(&[CLAIMING, CLAIMING], &database, 1).await;
                check(&answered, &database).unwrap();
            });
        }
    }
}

#[test]
fn a_log_tells_how_its_appends_go() {
    let planned = |wants, claim| Planned {
        process: 0,
        after_ms: 0,
        stream: 0,
        events: 1,
        wants,
        command_id: None,
        claim,
        robbed: false,
    };
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    metrics::with_local_recorder(&recorder, || {
        in_paused_time(async {
            let database = InMemory::new(PARTITIONS, vec![Fault::Fine, Fault::BreakAfter]);
            let plan = [planned(Wants::Any, None), planned(Wants::Any, Some(1)), planned(Wants::Near(7), None)];
            run(&plan, &database, 1).await;
        });
    });
    let told = recorder.handle().render();
    for line in [
        r#"oms_log_commits_total{log="tests",way="careful"} "#,
        r#"oms_log_conflicts_total{log="tests"} 1"#,
        r#"oms_log_unknown_commits_total{log="tests"} 1"#,
        r#"oms_log_waiting_commands{log="tests",writer="0"} 0"#,
        r#"oms_log_append_duration_seconds_count{log="tests"} 3"#,
        r#"oms_log_batch_commands_count{log="tests"} "#,
    ] {
        assert!(told.contains(line), "{line} is not in:\n{told}");
    }
}
