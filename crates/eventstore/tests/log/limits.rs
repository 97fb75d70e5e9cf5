//! What a log refuses, and what it holds.

use crate::fixture::{command, event, fixture, metadata};
use eventstore::{Append, AppendError, Expected};
use futures_util::future::join_all;
use pg::tokio_postgres::error::SqlState;
use shared_events::Actor;

#[tokio::test]
async fn an_event_over_four_mebibytes_is_refused_and_one_of_four_is_not() {
    let fixture = fixture().await;
    let text = |bytes: usize| format!("\"{}\"", "x".repeat(bytes - 2));
    let large = Append { events: vec![event(&text(4 * 1024 * 1024 + 1))], ..command("a", Expected::Any, 1) };
    assert!(matches!(fixture.log.append(large).await, Err(AppendError::TooLarge { .. })));
    let fits = Append { events: vec![event(&text(4 * 1024 * 1024)), event("1")], ..command("a", Expected::Any, 1) };
    assert_eq!(fixture.log.append(fits).await.unwrap().version, 2);
    // A page with large events is short; what is after them is asked for next.
    let more = Append { events: vec![event(&text(4 * 1024 * 1024)); 1], ..command("a", Expected::Any, 1) };
    let place = fixture.log.append(more).await.unwrap();
    fixture.log.append(command("a", Expected::Any, 1)).await.unwrap();
    let page = fixture.log.read_partition(place.partition, 0, 100).await.unwrap();
    assert_eq!((page.events.len(), page.head), (3, 4));
    assert_eq!(fixture.log.read_partition(place.partition, 3, 100).await.unwrap().events.len(), 1);
    assert_eq!(fixture.log.stream_version("a").await.unwrap(), 4);
}

#[tokio::test]
async fn u0000_is_refused_everywhere_and_harms_no_other_command() {
    let fixture = fixture().await;
    let mut actor = metadata();
    actor.actor = Actor { subject: "a\0b".to_owned(), client: None };
    let refused = [
        Append { events: vec![event(r#"{"note":"a\u0000b"}"#)], ..command("a", Expected::Any, 1) },
        Append { stream_id: "a\0b".to_owned(), ..command("a", Expected::Any, 1) },
        Append { metadata: actor, ..command("a", Expected::Any, 1) },
        Append { events: Vec::new(), ..command("a", Expected::Any, 1) },
        Append { stream_id: String::new(), ..command("a", Expected::Any, 1) },
        command("a", Expected::Version(-1), 1),
    ];
    let fine = (0..20).map(|n| fixture.log.append(command(&format!("fine-{n}"), Expected::Version(0), 1)));
    let (refused, fine) =
        futures_util::future::join(join_all(refused.map(|append| fixture.log.append(append))), join_all(fine)).await;
    refused.into_iter().for_each(|result| assert!(matches!(result, Err(AppendError::Invalid(_))), "{result:?}"));
    fine.into_iter().for_each(|result| assert!(result.is_ok(), "{result:?}"));
    let backslash = Append { events: vec![event(r#"{"path":"\\u0000"}"#)], ..command("b", Expected::Any, 1) };
    fixture.log.append(backslash).await.unwrap();
    let client = fixture.pool.get().await.unwrap();
    let row = client.query_one("select payload->>'path' from event_log where stream_id = 'b'", &[]).await.unwrap();
    assert_eq!(row.get::<_, &str>(0), "\\u0000");
}

#[tokio::test]
async fn what_the_database_refuses_harms_no_other_command_of_the_batch() {
    let fixture = fixture().await;
    let client = fixture.pool.get().await.unwrap();
    client.batch_execute("alter table events add check (stream_type <> 'Forbidden')").await.unwrap();
    let bad = (0..3).map(|n| {
        let append = command(&format!("bad-{n}"), Expected::Version(0), 1);
        fixture.log.append(Append { stream_type: "Forbidden", ..append })
    });
    let fine = (0..30).map(|n| fixture.log.append(command(&format!("fine-{n}"), Expected::Version(0), 1)));
    let (bad, fine) = futures_util::future::join(join_all(bad), join_all(fine)).await;
    bad.into_iter().for_each(|result| assert!(matches!(result, Err(AppendError::Refused(_))), "{result:?}"));
    fine.into_iter().for_each(|result| assert!(result.is_ok(), "{result:?}"));
    assert_eq!(fixture.count().await, 30);
    fixture.assert_sound().await;
}

#[tokio::test]
async fn events_cannot_be_changed_deleted_or_truncated_even_by_a_replica_role() {
    let fixture = fixture().await;
    fixture.log.append(command("a", Expected::Any, 1)).await.unwrap();
    let client = fixture.pool.get().await.unwrap();
    for role in ["origin", "replica"] {
        client.batch_execute(&format!("set session_replication_role = {role}")).await.unwrap();
        for statement in ["update events set type = 'Other'", "delete from events where false", "truncate events"] {
            let refused = client.batch_execute(statement).await.unwrap_err();
            assert_eq!(refused.code(), Some(&SqlState::from_code("OM002")), "{statement}");
        }
    }
    client.batch_execute("reset session_replication_role").await.unwrap();
    assert_eq!(fixture.count().await, 1);
}

#[tokio::test]
async fn a_queue_that_is_full_says_so_at_once() {
    let fixture = fixture().await;
    let blocker = fixture.database.connect().await.unwrap();
    blocker.batch_execute("begin; select * from log_head for update").await.unwrap();
    let appends = (0..10_000).map(|n| fixture.log.append(command(&format!("stream-{n}"), Expected::Version(0), 1)));
    let results = join_all(appends).await;
    let overloaded = results.iter().filter(|result| matches!(result, Err(AppendError::Overloaded))).count();
    assert!(overloaded > 1_000, "{overloaded} were turned away");
    assert!(results.iter().all(|result| result.as_ref().is_err_and(AppendError::is_unavailable)));
    blocker.batch_execute("rollback").await.unwrap();
    fixture.log.append(command("after", Expected::Version(0), 1)).await.unwrap();
    fixture.assert_sound().await;
}

#[tokio::test]
async fn the_view_shows_every_payload_that_was_let_in() {
    let fixture = fixture().await;
    let texts = ["plain", "\u{1}\u{1f}\u{7f}", "\"\\/\t\n", "naïve 注文 🛒", "\u{fffd}\u{10ffff}", "\\u0000", ""];
    for (n, text) in texts.iter().enumerate() {
        let payload = serde_json::json!({"text": text, "amount": 1.5e300, "n": u64::MAX}).to_string();
        let append = Append { events: vec![event(&payload)], ..command(&format!("s-{n}"), Expected::Any, 1) };
        fixture.log.append(append).await.unwrap();
    }
    let escaped = Append { events: vec![event(r#"{"text":"\ud83d\ude00 \u0001"}"#)], ..command("e", Expected::Any, 1) };
    fixture.log.append(escaped).await.unwrap();
    let client = fixture.pool.get().await.unwrap();
    for (n, text) in texts.iter().enumerate() {
        let shown = "select payload->>'text', metadata->'actor'->>'subject' from event_log where stream_id = $1";
        let row = client.query_one(shown, &[&format!("s-{n}")]).await.unwrap();
        assert_eq!((row.get::<_, &str>(0), row.get::<_, &str>(1)), (*text, "internal"));
    }
    let all: i64 = client.query_one("select count(payload::text) from event_log", &[]).await.unwrap().get(0);
    assert_eq!(usize::try_from(all).unwrap(), texts.len() + 1);
}

#[tokio::test]
async fn time_stands_still_rather_than_run_backwards() {
    let fixture = fixture().await;
    let client = fixture.pool.get().await.unwrap();
    let before = fixture.log.append(command("a", Expected::Any, 1)).await.unwrap();
    // As if the clock had been an hour ahead when the last event was appended.
    client.batch_execute("update log_head set last_recorded_at = clock_timestamp() + interval '1 hour'").await.unwrap();
    let first = fixture.log.append(command("a", Expected::Any, 2)).await.unwrap();
    let second = fixture.log.append(command("a", Expected::Version(3), 1)).await.unwrap();
    assert!(first.recorded_at > before.recorded_at + chrono::Duration::minutes(59));
    assert_eq!(second.recorded_at, first.recorded_at);
    fixture.assert_sound().await;
}

#[tokio::test]
async fn heads_have_room_for_their_updates_and_partitions_their_heads() {
    let fixture = fixture().await;
    let client = fixture.pool.get().await.unwrap();
    let options = "select array_to_string(reloptions, ',') from pg_class where oid = 'log_head'::regclass";
    assert_eq!(client.query_one(options, &[]).await.unwrap().get::<_, &str>(0), "fillfactor=10");
    let heads = fixture.log.heads().await.unwrap();
    assert_eq!(heads.positions, [0; 4], "heads are there from the start");
}
