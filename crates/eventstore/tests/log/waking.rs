//! Readers are told of commits.

use crate::fixture::{command, fixture};
use eventstore::Expected;
use futures_util::future::join_all;
use pg::Listener;
use std::time::Duration;
use tokio::time::timeout;

#[tokio::test]
async fn a_commit_wakes_the_readers_of_this_process() {
    let fixture = fixture().await;
    let mut woken = fixture.log.subscribe();
    assert!(!woken.has_changed().unwrap());
    fixture.log.append(command("a", Expected::Any, 1)).await.unwrap();
    woken.changed().await.unwrap();
    fixture.log.append(command("a", Expected::Version(0), 1)).await.unwrap_err();
    assert!(!woken.has_changed().unwrap());
    fixture.log.wake();
    woken.changed().await.unwrap();
}

#[tokio::test]
async fn other_processes_are_notified_once_for_many_commits() {
    let fixture = fixture().await;
    let mut listener = Listener::connect(&fixture.database, &[&fixture.log.channel()]).await.unwrap();
    fixture.log.append(command("a", Expected::Any, 1)).await.unwrap();
    let notification = listener.recv().await.unwrap();
    assert_eq!(notification.channel(), "oms_tests");
    let appends = (0..2_000).map(|n| fixture.log.append(command(&format!("s-{n}"), Expected::Version(0), 1)));
    join_all(appends).await.into_iter().for_each(|result| assert!(result.is_ok(), "{result:?}"));
    let mut notifications = 0;
    while timeout(Duration::from_millis(300), listener.recv()).await.is_ok() {
        notifications += 1;
    }
    assert!((1..200).contains(&notifications), "{notifications} notifications for 2000 commits");
}
