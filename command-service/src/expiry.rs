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
use shared_events::{Actor, OrderId, RecordedEvent, RefundId};

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
        "OrderPlaced" | "OrderAmended" | "PaymentAuthorized" => {
            let window: Window = serde_json::from_slice(&event.payload).map_err(HandleError::poison)?;
            Ok(window.expires_at)
        }
        _ => Ok(None),
    }
}

impl Projector for PaymentWindows {
    fn name(&self) -> &'static str {
        "payment-windows"
    }

    async fn handle(&self, transaction: &Transaction<'_>, pages: &[Page]) -> Result<(), HandleError> {
        for event in pages.iter().flat_map(|page| &page.events) {
            let Some(due_at) = window(event)? else { continue };
            let timer = NewTimer {
                timer_id: format!("{KIND}/{}", event.stream_id),
                kind: KIND.to_owned(),
                stream_id: event.stream_id.clone(),
                payload: Value::Null,
                due_at,
            };
            timer::reschedule(transaction, &timer).await?;
        }
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
