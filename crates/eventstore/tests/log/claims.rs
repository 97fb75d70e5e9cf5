//! Idempotency-Key: one answer per key, stored with the events it belongs to.

use crate::fixture::{Fixture, assert_conflict, command, fixture, some_uuid, with_command_id};
use eventstore::{Append, AppendError, Begun, Claim, ClaimError, ClaimScope, Claims, Expected, StoredAnswer};
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::time::Duration;

const SCOPE: ClaimScope<'static> =
    ClaimScope { client: "shop", subject: "usr_1", method: "POST", path: "/api/orders", key: "k-1" };

fn answer(status: u16) -> StoredAnswer {
    StoredAnswer {
        status,
        headers: vec![("ETag".to_owned(), "\"1\"".to_owned()), ("Location".to_owned(), "/api/orders/ord_1".to_owned())],
        body: r#"{"orderId":"ord_1"}"#.into(),
        concerns: Vec::new(),
    }
}

async fn fresh(claims: &Claims, scope: &ClaimScope<'_>) -> Claim {
    match claims.begin(scope, b"{}", &json!({"orderId": "ord_1"})).await.unwrap() {
        Begun::Fresh(claim) => claim,
        other => panic!("{other:?}"),
    }
}

/// Moves the database's clock for a claim, as far as the claim can tell.
async fn age(fixture: &Fixture, column: &str, by: &str) {
    let client = fixture.pool.get().await.unwrap();
    let age = format!("update idempotency_claim set {column} = {column} - interval '{by}'");
    assert!(client.execute(&age, &[]).await.unwrap() > 0);
}

#[tokio::test]
async fn an_answer_is_stored_with_the_events_and_replayed() {
    let fixture = fixture().await;
    let claims = Claims::open(fixture.pool.clone()).await.unwrap();
    let claim = fresh(&claims, &SCOPE).await;
    let Begun::InProgress { retry_after } = claims.begin(&SCOPE, b"{}", &Value::Null).await.unwrap() else { panic!() };
    assert!(retry_after > Duration::from_secs(20) && retry_after <= Duration::from_secs(30));
    let append = Append { claim: Some(claim.done(answer(201))), ..command("ord_1", Expected::Version(0), 1) };
    fixture.log.append(append).await.unwrap();
    // Another instance has the same secret.
    let claims = Claims::open(fixture.pool.clone()).await.unwrap();
    let Begun::Replay(replayed) = claims.begin(&SCOPE, b"{}", &Value::Null).await.unwrap() else { panic!() };
    assert_eq!(replayed, answer(201));
    assert!(matches!(claims.begin(&SCOPE, b"{ }", &Value::Null).await.unwrap(), Begun::KeyReused));
}

#[tokio::test]
async fn a_key_means_something_else_in_every_other_scope() {
    let fixture = fixture().await;
    let claims = Claims::open(fixture.pool.clone()).await.unwrap();
    let others = [
        SCOPE,
        ClaimScope { client: "other", ..SCOPE },
        ClaimScope { subject: "usr_2", ..SCOPE },
        ClaimScope { method: "PATCH", ..SCOPE },
        ClaimScope { path: "/api/orders/x", ..SCOPE },
        ClaimScope { key: "k-2", ..SCOPE },
        // The same text, divided otherwise.
        ClaimScope { client: "shopu", subject: "sr_1", ..SCOPE },
    ];
    for scope in others {
        fresh(&claims, &scope).await;
    }
}

#[tokio::test]
async fn an_append_that_fails_leaves_its_claim_open() {
    let fixture = fixture().await;
    let claims = Claims::open(fixture.pool.clone()).await.unwrap();
    fixture.log.append(command("ord_1", Expected::Version(0), 1)).await.unwrap();
    let claim = fresh(&claims, &SCOPE).await;
    let append = || Append { claim: Some(claim.done(answer(201))), ..command("ord_1", Expected::Version(0), 1) };
    assert_conflict(&fixture.log.append(append()).await, 1);
    assert!(matches!(claims.begin(&SCOPE, b"{}", &Value::Null).await.unwrap(), Begun::InProgress { .. }));
    claims.record(&claim.done(answer(409))).await.unwrap();
    assert!(
        matches!(claims.begin(&SCOPE, b"{}", &Value::Null).await.unwrap(), Begun::Replay(same) if same.status == 409)
    );
    assert!(matches!(claims.record(&claim.done(answer(201))).await, Err(ClaimError::Lost)), "an answer is final");
}

#[tokio::test]
async fn an_expired_lease_is_taken_over_with_the_same_reserved_values() {
    let fixture = fixture().await;
    let claims = Claims::open(fixture.pool.clone()).await.unwrap();
    let slow = fresh(&claims, &SCOPE).await;
    age(&fixture, "lease_until", "31 seconds").await;
    assert!(matches!(claims.begin(&SCOPE, b"other", &Value::Null).await.unwrap(), Begun::KeyReused));
    let Begun::Fresh(second) = claims.begin(&SCOPE, b"{}", &json!({"orderId": "ord_2"})).await.unwrap() else {
        panic!()
    };
    assert_eq!(second.reserved, json!({"orderId": "ord_1"}));
    // The slow one wakes up, among others: its command fails alone and leaves nothing behind.
    let innocent = (0..20).map(|n| fixture.log.append(command(&format!("free-{n}"), Expected::Version(0), 1)));
    let late = Append { claim: Some(slow.done(answer(201))), ..command("ord_1", Expected::Version(0), 1) };
    let (late, innocent) = futures_util::future::join(fixture.log.append(late), join_all(innocent)).await;
    assert!(matches!(late, Err(AppendError::ClaimLost)), "{late:?}");
    innocent.into_iter().for_each(|result| assert!(result.is_ok(), "{result:?}"));
    let append = Append { claim: Some(second.done(answer(201))), ..command("ord_1", Expected::Version(0), 1) };
    assert_eq!(fixture.log.append(append).await.unwrap().version, 1);
    assert!(matches!(claims.record(&slow.done(answer(409))).await, Err(ClaimError::Lost)));
    fixture.assert_sound().await;
}

#[tokio::test]
async fn a_released_key_starts_afresh_and_only_its_owner_may_release_it() {
    let fixture = fixture().await;
    let claims = Claims::open(fixture.pool.clone()).await.unwrap();
    let first = fresh(&claims, &SCOPE).await;
    claims.release(&first).await.unwrap();
    let second = fresh(&claims, &SCOPE).await;
    claims.release(&first).await.unwrap();
    assert!(matches!(claims.begin(&SCOPE, b"{}", &Value::Null).await.unwrap(), Begun::InProgress { .. }));
    claims.record(&second.done(answer(201))).await.unwrap();
    claims.release(&second).await.unwrap();
    assert!(matches!(claims.begin(&SCOPE, b"{}", &Value::Null).await.unwrap(), Begun::Replay(_)));
}

#[tokio::test]
async fn keys_are_kept_for_24_hours_and_then_purged() {
    let fixture = fixture().await;
    let claims = Claims::open(fixture.pool.clone()).await.unwrap();
    let claim = fresh(&claims, &SCOPE).await;
    claims.record(&claim.done(answer(201))).await.unwrap();
    age(&fixture, "expires_at", "23 hours").await;
    assert_eq!(claims.purge().await.unwrap(), 0);
    assert!(matches!(claims.begin(&SCOPE, b"{}", &Value::Null).await.unwrap(), Begun::Replay(_)));
    age(&fixture, "expires_at", "1 hours").await;
    // Past its time it starts afresh, purged or not.
    let Begun::Fresh(again) = claims.begin(&SCOPE, b"other", &json!({"orderId": "ord_9"})).await.unwrap() else {
        panic!()
    };
    assert_eq!(again.reserved, json!({"orderId": "ord_9"}));
    age(&fixture, "expires_at", "25 hours").await;
    assert_eq!(claims.purge().await.unwrap(), 1);
}

#[tokio::test]
async fn a_claim_that_was_given_up_is_forgotten_and_its_late_owner_appends_nothing() {
    let fixture = fixture().await;
    let claims = Claims::open(fixture.pool.clone()).await.unwrap();
    let lately = Duration::from_secs(2 * 60 * 60);
    let answered = fresh(&claims, &ClaimScope { key: "answered", ..SCOPE }).await;
    claims.record(&answered.done(answer(201))).await.unwrap();
    let given_up = fresh(&claims, &SCOPE).await;
    age(&fixture, "lease_until", "10 minutes").await;
    assert_eq!(
        claims.forget_abandoned(lately).await.unwrap(),
        0,
        "its lease ended ten minutes ago, less half a minute"
    );
    age(&fixture, "lease_until", "31 seconds").await;
    age(&fixture, "expires_at", "3 hours").await;
    assert_eq!(claims.forget_abandoned(lately).await.unwrap(), 0, "it began before that");
    assert_eq!(claims.forget_abandoned(2 * lately).await.unwrap(), 1);
    let late = Append { claim: Some(given_up.done(answer(201))), ..command("ord_1", Expected::Version(0), 1) };
    assert!(matches!(fixture.log.append(late).await, Err(AppendError::ClaimLost)));
    let kept = claims.begin(&ClaimScope { key: "answered", ..SCOPE }, b"{}", &Value::Null).await.unwrap();
    assert!(matches!(kept, Begun::Replay(_)), "{kept:?}");
    fresh(&claims, &SCOPE).await;
    fixture.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_equal_requests_at_once_one_is_fresh() {
    let fixture = fixture().await;
    let claims = Claims::open(fixture.pool.clone()).await.unwrap();
    for round in 0..10 {
        let key = format!("key-{round}");
        let scope = ClaimScope { key: &key, ..SCOPE };
        let reserve = json!({});
        let begun = join_all((0..8).map(|_| claims.begin(&scope, b"{}", &reserve))).await;
        let fresh = begun.iter().filter(|begun| matches!(begun, Ok(Begun::Fresh(_)))).count();
        let waiting = begun.iter().filter(|begun| matches!(begun, Ok(Begun::InProgress { .. }))).count();
        assert_eq!((fresh, waiting), (1, 7));
        age(&fixture, "lease_until", "31 seconds").await;
        let begun = join_all((0..8).map(|_| claims.begin(&scope, b"{}", &reserve))).await;
        assert_eq!(begun.iter().filter(|begun| matches!(begun, Ok(Begun::Fresh(_)))).count(), 1);
    }
}

#[tokio::test]
async fn a_repeated_command_leaves_its_claim_open() {
    let fixture = fixture().await;
    let claims = Claims::open(fixture.pool.clone()).await.unwrap();
    let id = some_uuid();
    fixture.log.append(with_command_id(command("a", Expected::Version(0), 1), id)).await.unwrap();
    let claim = fresh(&claims, &SCOPE).await;
    let append = Append { claim: Some(claim.done(answer(201))), ..command("a", Expected::Any, 1) };
    assert!(fixture.log.append(with_command_id(append, id)).await.unwrap().duplicate);
    claims.record(&claim.done(answer(200))).await.unwrap();
}

#[tokio::test]
async fn the_answers_that_concern_an_erased_customer_are_deleted() {
    let fixture = fixture().await;
    let claims = Claims::open(fixture.pool.clone()).await.unwrap();
    for (key, concerns) in [("a", vec!["usr_1", "ord_1"]), ("b", vec!["usr_2"]), ("c", vec![])] {
        let claim = fresh(&claims, &ClaimScope { key, ..SCOPE }).await;
        let concerns = concerns.into_iter().map(str::to_owned).collect();
        let answer = StoredAnswer { concerns, ..answer(201) };
        let append = command(&format!("stream-{key}"), Expected::Version(0), 1);
        fixture.log.append(Append { claim: Some(claim.done(answer)), ..append }).await.unwrap();
    }
    assert_eq!(claims.erase(&["usr_1".to_owned(), "usr_9".to_owned()]).await.unwrap(), 1);
    let client = fixture.pool.get().await.unwrap();
    let left: i64 = client.query_one("select count(*) from idempotency_claim", &[]).await.unwrap().get(0);
    assert_eq!(left, 2);
}
