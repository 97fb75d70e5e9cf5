//! Appending inside a transaction that also changes rows of its own.

use crate::fixture::{assert_conflict, command, fixture, some_uuid, with_command_id};
use eventstore::{AppendError, Expected};
use futures_util::future::join_all;

#[tokio::test]
async fn events_and_rows_are_committed_together_or_not_at_all() {
    let fixture = fixture().await;
    let mut client = fixture.pool.get().await.unwrap();
    client.batch_execute("create table stock (on_hand integer not null)").await.unwrap();
    for keep in [false, true] {
        let transaction = client.transaction().await.unwrap();
        transaction.execute("insert into stock values (1)", &[]).await.unwrap();
        let appends = [command("a", Expected::Version(0), 2), command("b", Expected::Version(0), 1)];
        let places = fixture.log.append_in(&transaction, &appends).await.unwrap();
        assert_eq!((places[0].version, places[1].version), (2, 1));
        assert_eq!(places[0].first_position, 1, "a rollback gives positions back");
        if keep { transaction.commit().await.unwrap() } else { transaction.rollback().await.unwrap() }
    }
    assert_eq!(fixture.count().await, 3);
    fixture.assert_sound().await;
}

#[tokio::test]
async fn a_conflict_takes_back_all_events_and_leaves_the_transaction_usable() {
    let fixture = fixture().await;
    fixture.log.append(command("taken", Expected::Version(0), 1)).await.unwrap();
    let mut client = fixture.pool.get().await.unwrap();
    client.batch_execute("create table stock (on_hand integer not null)").await.unwrap();
    let transaction = client.transaction().await.unwrap();
    transaction.execute("insert into stock values (1)", &[]).await.unwrap();
    let appends = [command("free", Expected::Version(0), 1), command("taken", Expected::Version(0), 1)];
    assert_conflict(&fixture.log.append_in(&transaction, &appends).await.map(|mut places| places.remove(0)), 1);
    let again = [command("free", Expected::Version(0), 1), command("taken", Expected::Version(1), 1)];
    fixture.log.append_in(&transaction, &again).await.unwrap();
    // In the same transaction, a stream whose events are not committed yet.
    let more = [command("free", Expected::Any, 1), command("free", Expected::Version(2), 1)];
    let places = fixture.log.append_in(&transaction, &more).await.unwrap();
    assert_eq!((places[0].version, places[1].version), (2, 3));
    transaction.commit().await.unwrap();
    assert_eq!(fixture.count().await, 5);
    fixture.assert_sound().await;
}

#[tokio::test]
async fn a_repeat_returns_the_first_result_beside_new_commands() {
    let fixture = fixture().await;
    let id = some_uuid();
    let first = fixture.log.append(with_command_id(command("a", Expected::Version(0), 2), id)).await.unwrap();
    let mut client = fixture.pool.get().await.unwrap();
    let transaction = client.transaction().await.unwrap();
    let appends = [
        with_command_id(command("a", Expected::Version(2), 1), id),
        command("a", Expected::Any, 1),
        with_command_id(command("b", Expected::Version(0), 1), id),
        with_command_id(command("b", Expected::Any, 1), id),
    ];
    let places = fixture.log.append_in(&transaction, &appends).await.unwrap();
    transaction.commit().await.unwrap();
    fixture.log.committed();
    assert_eq!(places.iter().map(|place| place.duplicate).collect::<Vec<_>>(), [true, false, false, true]);
    assert_eq!((places[0].first_position, places[0].version), (first.first_position, 2));
    assert_eq!((places[1].version, places[3].first_position), (3, places[2].first_position));
    fixture.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn transactions_and_writers_share_the_log_without_deadlock_or_hole() {
    let fixture = fixture().await;
    let transactions = (0..4).map(|task| {
        let (log, pool) = (fixture.log.clone(), fixture.pool.clone());
        async move {
            for n in 0..30 {
                let mut client = pool.get().await.unwrap();
                let transaction = client.transaction().await.unwrap();
                let appends: Vec<_> = (0..6)
                    .map(|part| command(&format!("shared-{}", (n * 5 + task + part) % 9), Expected::Any, 1))
                    .collect();
                log.append_in(&transaction, &appends).await.unwrap();
                if n % 5 == 0 { transaction.rollback().await.unwrap() } else { transaction.commit().await.unwrap() }
            }
        }
    });
    let appends = (0..300).map(|n| fixture.log.append(command(&format!("shared-{}", n % 9), Expected::Any, 2)));
    let (_, results) = futures_util::future::join(join_all(transactions), join_all(appends)).await;
    results.into_iter().for_each(|result| assert!(result.is_ok(), "{result:?}"));
    assert_eq!(fixture.count().await, 4 * 24 * 6 + 600);
    fixture.assert_sound().await;
}

#[tokio::test]
async fn what_is_not_valid_never_reaches_the_transaction() {
    let fixture = fixture().await;
    let mut client = fixture.pool.get().await.unwrap();
    let transaction = client.transaction().await.unwrap();
    let refused = fixture.log.append_in(&transaction, &[command("", Expected::Any, 1)]).await;
    assert!(matches!(refused, Err(AppendError::Invalid(_))));
    assert!(fixture.log.append_in(&transaction, &[]).await.unwrap().is_empty());
    transaction.query_one("select 1", &[]).await.unwrap();
}

#[tokio::test]
async fn a_head_that_stays_locked_holds_up_a_transaction_for_seconds_only() {
    let fixture = fixture().await;
    let blocker = fixture.database.connect().await.unwrap();
    blocker.batch_execute("begin; select * from log_head for update").await.unwrap();
    let mut client = fixture.pool.get().await.unwrap();
    for expected in [Expected::Version(0), Expected::Any] {
        let transaction = client.transaction().await.unwrap();
        let refused = fixture.log.append_in(&transaction, &[command("a", expected, 1)]).await;
        assert!(matches!(refused, Err(AppendError::Unavailable)), "{refused:?}");
        transaction.rollback().await.unwrap();
    }
}
