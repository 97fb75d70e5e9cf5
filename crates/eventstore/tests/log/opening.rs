//! Opening a log.

use crate::fixture::{command, fixture};
use eventstore::{EventLog, Expected, HISTORY_TABLE, LogConfig, LogError, Spawner, migrations};
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
    pg::migrate(&pool, HISTORY_TABLE, migrations().unwrap()).await.unwrap();
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
