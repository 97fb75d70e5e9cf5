//! What happens to orders by itself, and what follows for the cart that one came from: one that is not covered in time expires, one whose return window is over is
//! complete, stock that was asked for in vain goes back. Timers follow the orders log; when one is due, the order itself
//! decides whether it still is, so a window that was extended or met costs nothing.

use crate::{
    checkouts::{self, Checkout},
    orders::Orders,
    stock_check::StockCheck,
};
use chrono::{DateTime, TimeDelta, Utc};
use feeds::{
    HandleError, Page, Projector,
    timer::{self, DueTimer, NewTimer, TimerHandler},
};
use order::{Command, CompleteOrder, ExpireOrder, Party};
use pg::deadpool_postgres::Transaction;
use serde::Deserialize;
use serde_json::Value;
use shared_events::{Actor, CartId, OrderId, QuoteId, RecordedEvent, RefundId, UserId, order::OrderEvent};
use std::collections::BTreeMap;

const PAYMENT_WINDOW: &str = "payment-window";
const RETURN_WINDOW: &str = "return-window";
/// The return window was over already when the last thing that kept the order open was settled.
const SETTLED_LATE: &str = "settled-late";
/// Stock was asked for in the name of an order that may not come to know of it.
pub const STOCK_CHECK: &str = "stock-check";

/// Sets the timers of orders' windows, and settles what orders came from: both are rows of what the log says.
pub struct OrderTimers {
    /// How long after the last delivery an order is completed.
    pub return_window: TimeDelta,
}

/// The only fields that matter here; they are personal to nobody, so no key is needed.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Times {
    expires_at: Option<DateTime<Utc>>,
    occurred_at: Option<DateTime<Utc>>,
    order_number: Option<String>,
    customer_id: Option<UserId>,
    cart_id: Option<CartId>,
    quote_id: Option<QuoteId>,
    discounts: Option<Vec<Code>>,
}

#[derive(Deserialize)]
struct Code {
    code: String,
}

impl Times {
    /// What an order that was placed tells of where it came from.
    fn checkout(self, stream_id: &str) -> Result<Option<Checkout>, HandleError> {
        let checkout = Checkout {
            order_id: OrderId::parse(stream_id).map_err(HandleError::poison)?,
            order_number: self.order_number.unwrap_or_default(),
            customer: self.customer_id.map(|id| id.to_string()),
            cart_id: self.cart_id,
            is_quoted: self.quote_id.is_some(),
            codes: self.discounts.into_iter().flatten().map(|discount| discount.code).collect(),
        };
        Ok(Some(checkout).filter(Checkout::matters))
    }
}

type Due = (&'static str, DateTime<Utc>);

impl OrderTimers {
    /// Which timer an event sets, and for when; and what it tells of where the order came from.
    fn read(&self, event: &RecordedEvent) -> Result<(Option<Due>, Option<Checkout>), HandleError> {
        if event.event_type == "OrderPlaced" {
            let times = times(event)?;
            let due = times.expires_at.map(|due_at| (PAYMENT_WINDOW, due_at));
            return Ok((due, times.checkout(&event.stream_id)?));
        }
        Ok((self.due(event)?, None))
    }

    fn due(&self, event: &RecordedEvent) -> Result<Option<Due>, HandleError> {
        Ok(match event.event_type.as_str() {
            "OrderAmended" | "PaymentAuthorized" => times(event)?.expires_at.map(|due_at| (PAYMENT_WINDOW, due_at)),
            "ShipmentDelivered" => {
                let over = times(event)?.occurred_at.and_then(|at| at.checked_add_signed(self.return_window));
                over.map(|due_at| (RETURN_WINDOW, due_at))
            }
            "ReturnReceived" | "ReturnRejected" | "LineCancelled" | "OrderResumed" => {
                times(event)?.occurred_at.map(|due_at| (SETTLED_LATE, due_at))
            }
            _ => None,
        })
    }
}

fn times(event: &RecordedEvent) -> Result<Times, HandleError> {
    Ok(event.fields::<OrderEvent, Times>()?)
}

impl Projector for OrderTimers {
    /// From when these were all the timers that there were.
    fn name(&self) -> &'static str {
        "payment-windows"
    }

    async fn handle(&self, transaction: &Transaction<'_>, pages: &[Page]) -> Result<(), HandleError> {
        let mut timers = BTreeMap::new();
        let mut checkouts = Vec::new();
        for event in pages.iter().flat_map(|page| &page.events) {
            let id = |kind: &str| format!("{kind}/{}", event.stream_id);
            // Imports come with their end: it needs no timer.
            if event.event_type == "OrderCompleted" {
                timers.remove(&id(RETURN_WINDOW));
                timers.remove(&id(SETTLED_LATE));
            }
            let (due, checkout) = self.read(event)?;
            checkouts.extend(checkout);
            let Some((kind, due_at)) = due else { continue };
            let timer = NewTimer {
                timer_id: id(kind),
                kind: kind.to_owned(),
                stream_id: event.stream_id.clone(),
                payload: Value::Null,
                due_at,
            };
            // The last one of an order counts: its events come in order.
            timers.insert(timer.timer_id.clone(), timer);
        }
        timer::reschedule_all(transaction, &timers).await?;
        // What two readers of different partitions touch is never the same: it belongs to one order.
        for checkout in &checkouts {
            checkouts::settle(transaction, checkout).await?;
        }
        Ok(())
    }
}

/// Tells orders that a time is over.
pub struct TellOrders {
    /// The orders.
    pub orders: Orders,
    /// What becomes of stock that was asked for in vain.
    pub stock_check: StockCheck,
    /// How long after the last delivery an order is completed.
    pub return_window: TimeDelta,
}

impl TimerHandler for TellOrders {
    fn kinds(&self) -> &'static [&'static str] {
        &[PAYMENT_WINDOW, RETURN_WINDOW, SETTLED_LATE, STOCK_CHECK]
    }

    async fn fire(&self, due: &DueTimer) -> Result<(), HandleError> {
        let order_id = OrderId::parse(&due.stream_id).map_err(HandleError::poison)?;
        // The database's clock may be ahead of this machine's: due is due.
        let now = web::request_context::now().max(due.due_at);
        let command = match due.kind.as_str() {
            STOCK_CHECK => return self.stock_check.settle(order_id).await,
            PAYMENT_WINDOW => Command::from(ExpireOrder { refund_id: RefundId::generate(), now }),
            _ => CompleteOrder { by: Party::System, return_window: self.return_window, now }.into(),
        };
        self.orders.react(order_id, command, None, Actor::internal(), None).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use shared_events::{EventId, Metadata};
    use std::sync::Arc;

    const fn windows() -> OrderTimers {
        OrderTimers { return_window: TimeDelta::days(14) }
    }

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
        windows().handle(&transaction, &[page(events)]).await?;
        transaction.commit().await?;
        let rows = client.query("SELECT due_at FROM timer ORDER BY kind", &[]).await?;
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
    async fn the_log_checks_a_cart_out_and_counts_its_discount_though_the_pipeline_died_before() {
        let database = test_support::database().await;
        let pool = crate::open_schema(&database).await.unwrap();
        let carts = crate::carts::Carts { pool: pool.clone(), time_to_live: TimeDelta::days(30) };
        let cart = carts.open(None, shared_events::Currency::EUR).await.unwrap();
        let placed = serde_json::json!({
            "orderNumber": "R-1", "cartId": cart.cart_id, "discounts": [{"code": "TEN"}]
        });
        for _again in 0..2 {
            deliver(&pool, &[("OrderPlaced", &placed.to_string())]).await.unwrap();
            let cart = carts.find(cart.cart_id).await.unwrap().unwrap();
            assert_eq!((cart.status, cart.is_ordered, cart.version), (crate::carts::CartStatus::CheckedOut, true, 2));
            let client = pool.get().await.unwrap();
            let uses = client.query("SELECT code, order_number FROM discount_use WHERE used", &[]).await.unwrap();
            assert_eq!(uses.iter().map(|row| row.get(0)).collect::<Vec<&str>>(), ["ten"]);
        }
    }

    #[tokio::test]
    async fn an_order_on_credit_has_no_timer() {
        let database = test_support::database().await;
        let pool = crate::open_schema(&database).await.unwrap();
        let due = deliver(&pool, &[("OrderPlaced", "{}"), ("OrderConfirmed", "{}")]).await.unwrap();
        assert!(due.is_empty(), "{due:?}");
    }

    fn time(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[tokio::test]
    async fn the_last_delivery_begins_the_return_window_and_what_is_settled_later_is_looked_at_at_once() {
        let database = test_support::database().await;
        let pool = crate::open_schema(&database).await.unwrap();
        let delivered = |at: &'static str| ("ShipmentDelivered", at);
        let events = [
            delivered(r#"{"occurredAt": "2999-01-01T00:00:00Z"}"#),
            delivered(r#"{"occurredAt": "2999-01-02T00:00:00Z"}"#),
        ];
        assert_eq!(deliver(&pool, &events).await.unwrap(), [time("2999-01-16T00:00:00Z")]);
        let rejected = [("ReturnRejected", r#"{"occurredAt": "2999-01-20T00:00:00Z"}"#)];
        let both = [time("2999-01-16T00:00:00Z"), time("2999-01-20T00:00:00Z")];
        assert_eq!(deliver(&pool, &rejected).await.unwrap(), both);
        let resumed = [("OrderResumed", r#"{"occurredAt": "2999-01-21T00:00:00Z"}"#)];
        let both = [time("2999-01-16T00:00:00Z"), time("2999-01-21T00:00:00Z")];
        assert_eq!(deliver(&pool, &resumed).await.unwrap(), both, "the window may have ended while it was held");
    }

    #[tokio::test]
    async fn an_import_that_comes_with_its_end_has_no_timer() {
        let database = test_support::database().await;
        let pool = crate::open_schema(&database).await.unwrap();
        let at = r#"{"occurredAt": "2011-01-01T00:00:00Z"}"#;
        let due = deliver(&pool, &[("ShipmentDelivered", at), ("ReturnReceived", at), ("OrderCompleted", at)]).await;
        assert!(due.unwrap().is_empty());
    }
}
