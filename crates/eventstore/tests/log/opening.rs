//! Opening a log.

use crate::fixture::{command, fixture};
use eventstore::{EventLog, Expected, LogConfig, LogError, Spawner};
use futures_util::future::join_all;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

#[tokio::test]
async fn another_number_of_partitions_refuses_the_start() {
    let fixture = fixture().await;
    let config = LogConfig { name: "tests", partitions: 8, writers: 2 };
    let refused = EventLog::open(fixture.pool.clone(), config, &Spawner::default()).await.unwrap_err();
    assert!(matches!(refused, LogError::PartitionMismatch { stored: 4, configured: 8, .. }), "{refused}");
}

#[tokio::test]
async fn several_processes_may_create_the_log_at_the_same_time() {
    let database = test_support::database().await;
    let pool = database.pool("public", None).await.unwrap();
    eventstore::migrate(&pool).await.unwrap();
    let config = LogConfig { name: "tests", partitions: 8, writers: 100 };
    let spawner = Spawner::default();
    let logs = join_all((0..8).map(|_| EventLog::open(pool.clone(), config, &spawner))).await;
    let epochs: Vec<_> = logs.into_iter().map(|log| log.unwrap().epoch()).collect();
    assert!(epochs.iter().all(|epoch| *epoch == epochs[0]));
    let client = pool.get().await.unwrap();
    let heads: i64 = client.query_one("select count(*) from log_head", &[]).await.unwrap().get(0);
    assert_eq!(heads, 8);
}

#[tokio::test]
async fn the_writers_end_once_they_are_stopped_or_the_last_handle_is_gone() {
    let fixture = fixture().await;
    let config = LogConfig { name: "tests", partitions: 4, writers: 2 };
    let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
    let log = EventLog::open(fixture.pool.clone(), config, &Spawner::new(tracker.clone(), stop.clone())).await.unwrap();
    log.append(command("a", Expected::Any, 1)).await.unwrap();
    drop(log);
    tracker.close();
    tracker.wait().await;

    let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
    let log = EventLog::open(fixture.pool.clone(), config, &Spawner::new(tracker.clone(), stop.clone())).await.unwrap();
    stop.cancel();
    tracker.close();
    tracker.wait().await;
    assert!(log.append(command("a", Expected::Any, 1)).await.unwrap_err().is_unavailable());
}

#[tokio::test]
async fn what_waits_when_the_writers_are_stopped_is_still_appended() {
    let fixture = fixture().await;
    let config = LogConfig { name: "tests", partitions: 4, writers: 2 };
    let stop = CancellationToken::new();
    let spawner = Spawner::new(TaskTracker::new(), stop.clone());
    let log = EventLog::open(fixture.pool.clone(), config, &spawner).await.unwrap();
    let appends = join_all((0..500).map(|n| log.append(command(&format!("s-{n}"), Expected::Version(0), 1))));
    let stopping = async { stop.cancel() };
    let (results, ()) = futures_util::future::join(appends, stopping).await;
    assert!(results.iter().all(Result::is_ok));
    assert_eq!(fixture.count().await, 500);
}

#[tokio::test]
async fn logs_in_several_schemas_of_one_database_have_nothing_to_do_with_each_other() {
    let database = test_support::database().await;
    database.connect().await.unwrap().batch_execute("create schema orders; create schema inventory").await.unwrap();
    let spawner = Spawner::default();
    let mut logs = Vec::new();
    for (name, partitions) in [("orders", 8), ("inventory", 3)] {
        let pool = database.pool(name, None).await.unwrap();
        eventstore::migrate(&pool).await.unwrap();
        let config = LogConfig { name, partitions, writers: 2 };
        logs.push(EventLog::open(pool, config, &spawner).await.unwrap());
    }
    for log in &logs {
        let place = log.append(command("ord_1", Expected::Version(0), 1)).await.unwrap();
        assert_eq!((place.first_position, log.read_stream("ord_1", 0, 10).await.unwrap().len()), (1, 1));
        assert_eq!(log.heads().await.unwrap().positions.iter().sum::<i64>(), 1);
    }
    assert_ne!(logs[0].epoch(), logs[1].epoch());
    spawner.stop().cancel();
}
