//! Payment windows: an order that is not covered in time expires. Timers follow the orders log; when one is due,
//! the order itself decides whether it still is, so a window that was extended or met costs nothing.

use crate::orders::Orders;
use chrono::{DateTime, Utc};
use feeds::{
    HandleError, Page, Projector,
    timer::{self, DueTimer, NewTimer, TimerHandler},
};
use order::ExpireOrder;
use pg::deadpool_postgres::Transaction;
use serde::Deserialize;
use serde_json::Value;
use shared_events::{Actor, OrderId, RecordedEvent, RefundId, order::OrderEvent};
use std::collections::BTreeMap;

const KIND: &str = "payment-window";

/// Sets the timers of payment windows.
pub struct PaymentWindows;

/// The only field that matters here; it is personal to nobody, so no key is needed.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Window {
    expires_at: Option<DateTime<Utc>>,
}

fn window(event: &RecordedEvent) -> Result<Option<DateTime<Utc>>, HandleError> {
    match event.event_type.as_str() {
        "OrderPlaced" | "OrderAmended" | "PaymentAuthorized" => Ok(event.fields::<OrderEvent, Window>()?.expires_at),
        _ => Ok(None),
    }
}

impl Projector for PaymentWindows {
    fn name(&self) -> &'static str {
        "payment-windows"
    }

    async fn handle(&self, transaction: &Transaction<'_>, pages: &[Page]) -> Result<(), HandleError> {
        let mut timers = BTreeMap::new();
        for event in pages.iter().flat_map(|page| &page.events) {
            let Some(due_at) = window(event)? else { continue };
            let timer = NewTimer {
                timer_id: format!("{KIND}/{}", event.stream_id),
                kind: KIND.to_owned(),
                stream_id: event.stream_id.clone(),
                payload: Value::Null,
                due_at,
            };
            // The last one of an order counts: its events come in order.
            timers.insert(timer.timer_id.clone(), timer);
        }
        timer::reschedule_all(transaction, &timers).await?;
        Ok(())
    }
}

/// Tells orders that their payment window is over.
pub struct ExpireWhenDue {
    /// The orders.
    pub orders: Orders,
}

impl TimerHandler for ExpireWhenDue {
    fn kinds(&self) -> &'static [&'static str] {
        &[KIND]
    }

    async fn fire(&self, due: &DueTimer) -> Result<(), HandleError> {
        let order_id = OrderId::parse(&due.stream_id).map_err(HandleError::poison)?;
        // The database's clock may be ahead of this machine's: due is due.
        let now = web::request_context::now().max(due.due_at);
        let command = ExpireOrder { refund_id: RefundId::generate(), now };
        self.orders.react(order_id, command, None, Actor::internal(), None).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use shared_events::{EventId, Metadata};
    use std::sync::Arc;

    const ORDER: &str = "ord_01h455vb4pex5vsknk084sn02q";

    fn page(events: &[(&str, &str)]) -> Page {
        let event = |(event_type, payload): &(&str, &str)| RecordedEvent {
            partition: 0,
            position: 1,
            stream_id: ORDER.to_owned(),
            stream_type: "Order".to_owned(),
            version: 1,
            event_id: EventId::generate(),
            command_id: None,
            event_type: (*event_type).to_owned(),
            schema_version: 1,
            payload: Bytes::copy_from_slice(payload.as_bytes()),
            metadata: Metadata {
                correlation_id: uuid::Uuid::nil(),
                causation_id: None,
                actor: Actor::internal(),
                traceparent: None,
                import: false,
            },
            recorded_at: DateTime::UNIX_EPOCH,
        };
        Page { log: Arc::from("orders"), partition: 0, events: events.iter().map(event).collect() }
    }

    async fn deliver(pool: &pg::Pool, events: &[(&str, &str)]) -> Result<Vec<DateTime<Utc>>, HandleError> {
        let mut client = pool.get().await?;
        let transaction = client.transaction().await?;
        PaymentWindows.handle(&transaction, &[page(events)]).await?;
        transaction.commit().await?;
        let rows = client.query("SELECT due_at FROM timer WHERE kind = $1", &[&KIND]).await?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }

    #[tokio::test]
    async fn a_window_delivered_twice_is_one_timer_and_an_extension_moves_it() {
        let database = test_support::database().await;
        let pool = crate::open_schema(&database).await.unwrap();
        let placed = [("OrderPlaced", r#"{"expiresAt": "2999-01-01T00:00:00Z"}"#)];
        let due = vec!["2999-01-01T00:00:00Z".parse::<DateTime<Utc>>().unwrap()];
        assert_eq!(deliver(&pool, &placed).await.unwrap(), due);
        assert_eq!(deliver(&pool, &placed).await.unwrap(), due);
        let authorized = [("PaymentAuthorized", r#"{"expiresAt": "2999-01-02T00:00:00Z"}"#)];
        let later = vec!["2999-01-02T00:00:00Z".parse::<DateTime<Utc>>().unwrap()];
        assert_eq!(deliver(&pool, &authorized).await.unwrap(), later);
    }

    #[tokio::test]
    async fn an_order_on_credit_has_no_timer() {
        let database = test_support::database().await;
        let pool = crate::open_schema(&database).await.unwrap();
        let due = deliver(&pool, &[("OrderPlaced", "{}"), ("OrderConfirmed", "{}")]).await.unwrap();
        assert!(due.is_empty(), "{due:?}");
    }
}
