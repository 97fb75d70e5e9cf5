//! Connections break at any moment: nothing is lost, nothing is stored twice, nobody waits for ever.

use crate::{
    fixture::{command, fixture, some_uuid, with_command_id},
    proxy::{Mode, Proxy},
};
use eventstore::{Append, AppendError, Begun, ClaimScope, Claims, Expected, StoredAnswer};
use futures_util::future::{join, join_all};
use serde_json::json;
use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};
use test_support::eventually;

const TASKS: usize = 16;
const COMMANDS: usize = 60;

const KILL: &str = "select count(pg_terminate_backend(pid)) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid() and query like '%taken.count%'";

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn appends_survive_the_termination_of_the_writers_connections() {
    let fixture = fixture().await;
    let other = fixture.another_process(fixture.database.url()).await;
    let answered = AtomicUsize::new(0);
    let appends = async {
        let tasks = (0..TASKS).map(|task| {
            let log = if task % 2 == 0 { &fixture.log } else { &other };
            let answered = &answered;
            async move {
                let mut results = Vec::new();
                for n in 0..COMMANDS {
                    let shared = n % 3 == 0;
                    let stream = if shared { format!("shared-{}", n % 5) } else { format!("stream-{task}-{n}") };
                    let expected = if shared { Expected::Any } else { Expected::Version(0) };
                    let command_id = (n % 2 == 0).then(some_uuid);
                    let append = Append { command_id, ..command(&stream, expected, 1 + n % 2) };
                    let event_id = append.events[0].event_id;
                    results.push((event_id, append.events.len(), log.append(append).await));
                    answered.fetch_add(1, Ordering::SeqCst);
                }
                results
            }
        });
        join_all(tasks).await.concat()
    };
    let killer = async {
        let assassin = fixture.database.connect().await.unwrap();
        let mut killed = 0;
        while answered.load(Ordering::SeqCst) < TASKS * COMMANDS {
            // Between two terminations there is always some progress.
            let before = answered.load(Ordering::SeqCst);
            killed += assassin.query_one(KILL, &[]).await.unwrap().get::<_, i64>(0);
            let goal = (before + TASKS / 2).min(TASKS * COMMANDS);
            eventually(|| async { answered.load(Ordering::SeqCst) >= goal }).await;
        }
        killed
    };
    let (results, killed) = join(appends, killer).await;
    assert!(killed > 20, "only {killed} connections were terminated");

    let client = fixture.pool.get().await.unwrap();
    let mut events = 0;
    for (event_id, count, result) in results {
        let found = "select partition, position, version from events where event_id = $1";
        let found = client.query_opt(found, &[&event_id.as_uuid()]).await.unwrap();
        match result {
            Ok(place) => {
                let row = found.expect("an acknowledged event is in the log");
                assert_eq!((row.get::<_, i32>(0), row.get::<_, i64>(1)), (place.partition, place.first_position));
                assert!(!place.duplicate);
                events += count;
            }
            // `Any` reads the stream's version first, and that connection may be gone as well.
            Err(AppendError::Unavailable) => assert!(found.is_none(), "a refused command is in the log"),
            Err(other) => panic!("{other}"),
        }
    }
    assert!(events > TASKS * COMMANDS);
    assert_eq!(fixture.count().await, i64::try_from(events).unwrap());
    fixture.assert_sound().await;
}

#[tokio::test]
async fn a_commit_whose_reply_was_lost_is_found_and_answered() {
    let fixture = fixture().await;
    let proxy = Proxy::start(fixture.database.url()).await;
    let log = fixture.another_process(&proxy.url).await;
    for n in 0..10 {
        log.append(command(&format!("warm-{n}"), Expected::Version(0), 1)).await.unwrap();
    }
    let warm = fixture.count().await;
    for (round, expected) in [Expected::Version(0), Expected::Any].into_iter().enumerate() {
        for id in [None, Some(some_uuid())] {
            let stream = format!("stream-{round}-{}", id.is_some());
            log.stream_version(&stream).await.unwrap();
            proxy.set(Mode::LoseReply);
            let append = Append { command_id: id, ..command(&stream, expected, 2) };
            let place = log.append(append).await.unwrap();
            assert_eq!(proxy.mode(), Mode::Forward, "the reply was lost");
            assert_eq!((place.version, place.duplicate), (2, false));
            let stored = fixture.log.read_stream(&stream, 0, 10).await.unwrap();
            assert_eq!(stored.len(), 2);
            assert_eq!((stored[0].position, stored[0].recorded_at), (place.first_position, place.recorded_at));
            assert_eq!(stored[1].position, place.last_position);
        }
    }
    assert_eq!(fixture.count().await, warm + 8);
    fixture.assert_sound().await;
}

#[tokio::test]
async fn a_request_that_was_lost_is_sent_again() {
    let fixture = fixture().await;
    let proxy = Proxy::start(fixture.database.url()).await;
    let log = fixture.another_process(&proxy.url).await;
    log.append(command("warm", Expected::Version(0), 1)).await.unwrap();
    for n in 0..6 {
        proxy.set(Mode::LoseRequest);
        let place = log.append(command(&format!("stream-{n}"), Expected::Version(0), 2)).await.unwrap();
        assert_eq!((place.version, place.duplicate), (2, false));
        assert_eq!(proxy.mode(), Mode::Forward, "the request was lost");
    }
    assert_eq!(fixture.count().await, 13);
    fixture.assert_sound().await;
}

#[tokio::test]
async fn a_statement_that_arrives_after_its_command_was_sent_again_stores_nothing() {
    let fixture = fixture().await;
    let proxy = Proxy::start(fixture.database.url()).await;
    let log = fixture.another_process(&proxy.url).await;
    log.append(command("warm", Expected::Version(0), 1)).await.unwrap();
    for (n, expected) in [Expected::Version(0), Expected::Any].into_iter().enumerate() {
        let stream = format!("stream-{n}");
        log.stream_version(&stream).await.unwrap();
        proxy.set(Mode::HoldRequest);
        // While the first attempt is held up, the log gives up on that connection and takes another.
        let place = log.append(command(&stream, expected, 2)).await.unwrap();
        assert_eq!((place.version, place.duplicate, proxy.mode()), (2, false, Mode::Forward));
        proxy.release().await;
        assert_eq!(fixture.log.stream_version(&stream).await.unwrap(), 2);
    }
    assert_eq!(fixture.count().await, 5);
    fixture.assert_sound().await;
}

#[tokio::test]
async fn an_answered_claim_survives_a_lost_connection_with_its_events() {
    let fixture = fixture().await;
    let proxy = Proxy::start(fixture.database.url()).await;
    let log = fixture.another_process(&proxy.url).await;
    let claims = Claims::open(fixture.pool.clone()).await.unwrap();
    log.append(command("warm", Expected::Version(0), 1)).await.unwrap();
    for (n, mode) in [Mode::LoseReply, Mode::LoseRequest].into_iter().enumerate() {
        let key = format!("key-{n}");
        let scope = ClaimScope { client: "c", subject: "s", method: "POST", path: "/api/orders", key: &key };
        let Begun::Fresh(claim) = claims.begin(&scope, b"{}", &json!({})).await.unwrap() else { panic!() };
        let answer = StoredAnswer { status: 201, headers: Vec::new(), body: "done".into(), concerns: Vec::new() };
        proxy.set(mode);
        let append = command(&format!("stream-{n}"), Expected::Version(0), 1);
        log.append(Append { claim: Some(claim.done(answer.clone())), ..append }).await.unwrap();
        assert!(
            matches!(claims.begin(&scope, b"{}", &json!({})).await.unwrap(), Begun::Replay(same) if same == answer)
        );
    }
    assert_eq!(fixture.count().await, 3);
    fixture.assert_sound().await;
}

#[tokio::test]
async fn a_dead_server_gives_an_answer_within_seconds_and_needs_no_restart_once_it_is_back() {
    let fixture = fixture().await;
    let proxy = Proxy::start(fixture.database.url()).await;
    let log = fixture.another_process(&proxy.url).await;
    log.append(command("a", Expected::Version(0), 1)).await.unwrap();
    for mode in [Mode::Refuse, Mode::BlackHole] {
        proxy.set(mode);
        let before = Instant::now();
        let appends = (0..50).map(|n| log.append(command(&format!("{mode:?}-{n}"), Expected::Version(0), 1)));
        for result in join_all(appends).await {
            assert!(result.is_err_and(|error| error.is_unavailable()));
        }
        assert!(before.elapsed() < Duration::from_millis(4_000), "it took {:?}", before.elapsed());
        // From now on there is no connection, so it is certain that nothing was sent.
        let refused = log.append(command(&format!("{mode:?}-certain"), Expected::Version(0), 1)).await;
        assert!(matches!(refused, Err(AppendError::Unavailable)), "{refused:?}");
        proxy.set(Mode::Forward);
        let stream = format!("{mode:?}-after");
        log.append(command(&stream, Expected::Version(0), 1)).await.unwrap();
        let certain = fixture.log.stream_version(&format!("{mode:?}-certain")).await.unwrap();
        assert_eq!(certain, 0);
    }
    fixture.assert_sound().await;
}

#[tokio::test]
async fn a_head_that_stays_locked_holds_up_nobody_for_long() {
    let fixture = fixture().await;
    let id = some_uuid();
    let blocker = fixture.database.connect().await.unwrap();
    blocker.batch_execute("begin; select * from log_head for update").await.unwrap();
    let before = Instant::now();
    let append = || with_command_id(command("a", Expected::Version(0), 1), id);
    assert!(fixture.log.append(append()).await.unwrap_err().is_unavailable());
    assert!(before.elapsed() < Duration::from_secs(5));
    assert_eq!(fixture.count().await, 0);
    blocker.batch_execute("rollback").await.unwrap();
    assert_eq!(fixture.log.append(append()).await.unwrap().version, 1);
    fixture.assert_sound().await;
}
