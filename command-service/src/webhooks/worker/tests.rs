//! The rows of deliveries on a real Postgres: who takes what, and what comes of it.

use super::*;
use crate::webhooks::{AllowedAddresses, Deliveries, SEALED};
use service::sealing::{KeyEncryptionKey, SealError, Sealer, SealerError};
use shared_events::{OrderId, WebhookEndpointId};
use std::sync::Arc;

async fn delivering(pool: &Pool) -> Delivering {
    let sealer = Sealer::open(pool, None, SEALED).await.unwrap();
    let seconds = Duration::from_secs;
    Delivering {
        pool: pool.clone(),
        endpoints: Endpoints::new(pool.clone(), Arc::new(sealer)),
        sender: Sender::new(AllowedAddresses::Public).unwrap(),
        patience: Patience { attempts: 3, first_wait: seconds(3600), disable_after: seconds(3600) },
        bell: Bell::default(),
    }
}

async fn endpoint_with(delivering: &Delivering, deliveries: usize) -> WebhookEndpointId {
    let (endpoint, _) = delivering.endpoints.create("https://example.org/", &["*".to_owned()]).await.unwrap();
    let client = delivering.pool.get().await.unwrap();
    let tell = include_str!("../../notifications/sql/tell.sql");
    for _ in 0..deliveries {
        let id = NotificationId::generate().as_uuid();
        let order = OrderId::generate().as_uuid();
        client.query_one(tell, &[&id, &"order.placed", &order, &"{}"]).await.unwrap();
        client.query_one(tell, &[&id, &"order.placed", &order, &"{}"]).await.unwrap();
    }
    endpoint.endpoint_id
}

fn answered(status: u16) -> Outcome {
    let error = (status >= 300).then(|| format!("it answered {status}"));
    Outcome { status_code: Some(status), duration: Duration::from_millis(7), error }
}

#[tokio::test]
async fn a_key_that_was_lost_or_changed_is_told_at_the_start_and_not_at_the_first_delivery() {
    let database = test_support::database().await;
    let pool = crate::open_schema(&database).await.unwrap();
    let key = |text: &str| Some(KeyEncryptionKey::parse(text).unwrap());
    let (first, other) =
        ("AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=", "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=");
    endpoint_with(&delivering(&pool).await, 0).await;
    Sealer::open(&pool, key(first), SEALED).await.expect("what the local key sealed is sealed anew");
    for wrong in [None, key(other)] {
        let error = Sealer::open(&pool, wrong, SEALED).await.unwrap_err();
        assert!(matches!(error, SealerError::Seal(SealError::OtherKey { .. })), "{error:?}");
    }
    Sealer::open(&pool, key(first), SEALED).await.expect("with the right key it starts again");
}

#[tokio::test]
async fn a_repeat_is_told_once_and_two_processes_take_different_deliveries_but_few_of_one_endpoint() {
    let database = test_support::database().await;
    let pool = crate::open_schema(&database).await.unwrap();
    let (one, other) = (delivering(&pool).await, delivering(&pool).await);
    let endpoint = endpoint_with(&one, 6).await.as_uuid();
    let (first, second) = tokio::join!(one.claim(100, HashMap::new()), other.claim(100, HashMap::new()));
    let (first, second) = (first.unwrap(), second.unwrap());
    assert!(first.len() <= 4 && second.len() <= 4);
    let mut ids: Vec<Uuid> = first.iter().chain(&second).map(|taken| taken.delivery_id).collect();
    ids.extend(one.claim(100, HashMap::new()).await.unwrap().iter().map(|taken| taken.delivery_id));
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 6, "each was taken, by one");
    let busy = HashMap::from([(endpoint, 4)]);
    assert!(one.claim(100, busy).await.unwrap().is_empty());
    let opened = one.endpoints.open(endpoint, &first[0].secret).unwrap();
    assert!(opened.to_text().starts_with("whsec_"));
}

#[tokio::test]
async fn a_failure_waits_then_is_dead_and_can_be_sent_again_and_a_late_note_changes_nothing() {
    let database = test_support::database().await;
    let pool = crate::open_schema(&database).await.unwrap();
    let (delivering, deliveries) = (delivering(&pool).await, Deliveries::new(pool.clone()));
    let endpoint = endpoint_with(&delivering, 1).await;
    let read = async || deliveries.page(endpoint, None, 10).await.unwrap().remove(0);
    for attempt in 1..=3 {
        let client = pool.get().await.unwrap();
        client.batch_execute("UPDATE webhook_delivery SET next_at = now()").await.unwrap();
        let taken = delivering.claim(10, HashMap::new()).await.unwrap().remove(0);
        assert_eq!(taken.attempts, attempt);
        delivering.note(taken.delivery_id, taken.lease, attempt, &answered(500)).await.unwrap();
        delivering.note(taken.delivery_id, Uuid::nil(), attempt, &answered(200)).await.unwrap();
    }
    let dead = read().await;
    assert_eq!((dead.state.as_str(), dead.next_attempt_at, dead.attempts[0].status_code), ("DEAD", None, Some(500)));
    assert!(delivering.claim(10, HashMap::new()).await.unwrap().is_empty());
    assert!(deliveries.again(endpoint, dead.delivery_id).await.unwrap());
    let taken = delivering.claim(10, HashMap::new()).await.unwrap().remove(0);
    assert_eq!((taken.attempts, taken.notification_id), (1, dead.notification_id));
    delivering.note(taken.delivery_id, taken.lease, 1, &answered(204)).await.unwrap();
    assert_eq!(read().await.state, "DELIVERED");
}

#[tokio::test]
async fn an_endpoint_that_only_fails_for_long_is_disabled_with_its_reason() {
    let database = test_support::database().await;
    let pool = crate::open_schema(&database).await.unwrap();
    let delivering = delivering(&pool).await;
    let endpoint = endpoint_with(&delivering, 2).await;
    let taken = delivering.claim(10, HashMap::new()).await.unwrap();
    delivering.note(taken[0].delivery_id, taken[0].lease, 1, &answered(503)).await.unwrap();
    let failing = delivering.endpoints.by_id(endpoint).await.unwrap().unwrap();
    assert!(failing.enabled && failing.failing_since.is_some());
    let client = pool.get().await.unwrap();
    let long_ago = "UPDATE webhook_endpoint SET failing_since = now() - interval '2 hours'";
    client.batch_execute(long_ago).await.unwrap();
    delivering.note(taken[1].delivery_id, taken[1].lease, 1, &answered(503)).await.unwrap();
    let disabled = delivering.endpoints.by_id(endpoint).await.unwrap().unwrap();
    assert!(!disabled.enabled && disabled.disabled_reason.unwrap().ends_with("it answered 503"));
    client.batch_execute("UPDATE webhook_delivery SET next_at = now()").await.unwrap();
    assert!(delivering.claim(10, HashMap::new()).await.unwrap().is_empty(), "nothing is sent there any more");
}
