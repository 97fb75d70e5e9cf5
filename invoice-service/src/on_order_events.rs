//! Follows the orders: the event that first covers an order's total gets an invoice, a command after which less is owed a
//! credit note.

use crate::{
    domain::credit_note::may_credit,
    issuing::{IssueError, Issued, Issuing},
};
use feeds::{HandleError, Reaction, StartFrom};
use rust_decimal::Decimal;
use serde::Deserialize;
use shared_events::{
    OrderId, RecordedEvent,
    order::{OrderEvent, PaymentMethod},
};

/// Issues an invoice when an order is first covered.
pub struct InvoiceWhenCovered {
    /// Who issues.
    pub issuing: Issuing,
}

/// What tells of an order whether it is covered from the start; none of it is personal.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Placed {
    payment_method: PaymentMethod,
    totals: Totals,
}

#[derive(Deserialize)]
struct Totals {
    total: Decimal,
}

/// Whether an event can be the one that covers its order. What only looks so costs a look at the order.
fn may_cover(event: &RecordedEvent) -> Result<bool, HandleError> {
    match event.event_type.as_str() {
        "OrderPlaced" => {
            let placed: Placed = event.fields::<OrderEvent, _>()?;
            Ok(placed.payment_method.is_credit() || placed.totals.total.is_zero())
        }
        // The stock of an order that was paid for without it may come back.
        "PaymentAuthorized" | "PaymentCompleted" | "OrderAmended" | "LineCancelled" | "StockConfirmed" => Ok(true),
        _ => Ok(false),
    }
}

impl Reaction for InvoiceWhenCovered {
    fn name(&self) -> &'static str {
        "invoice-when-covered"
    }

    fn start_from(&self) -> StartFrom {
        StartFrom::Start
    }

    async fn react(&self, _log: &str, event: &RecordedEvent) -> Result<(), HandleError> {
        if !may_cover(event)? {
            return Ok(());
        }
        let order_id = OrderId::parse(&event.stream_id).map_err(HandleError::poison)?;
        settled(order_id, self.issuing.issue_for(order_id).await.map(Some))
    }
}

/// Issues a credit note when less is owed than was invoiced: something was cancelled or taken out, or money is to go back
/// in goodwill or for a return.
pub struct CreditWhenLessIsOwed {
    /// Who issues.
    pub issuing: Issuing,
}

impl Reaction for CreditWhenLessIsOwed {
    fn name(&self) -> &'static str {
        "credit-notes"
    }

    fn start_from(&self) -> StartFrom {
        StartFrom::Start
    }

    async fn react(&self, _log: &str, event: &RecordedEvent) -> Result<(), HandleError> {
        if !may_credit(&event.event_type) {
            return Ok(());
        }
        let order_id = OrderId::parse(&event.stream_id).map_err(HandleError::poison)?;
        settled(order_id, self.issuing.correct_for(order_id, event.version).await)
    }
}

/// What came of it, for the reader.
fn settled(order_id: OrderId, issued: Result<Option<Issued>, IssueError>) -> Result<(), HandleError> {
    match issued {
        Ok(Some(Issued { recorded, created: true })) => {
            tracing::info!(order.id = %order_id, series = recorded.stream_id, number = recorded.version, "document issued");
            Ok(())
        }
        Ok(_) | Err(IssueError::NotCovered | IssueError::InvoicedElsewhere(_)) => Ok(()),
        Err(error) if error.is_unavailable() => Err(HandleError::retry(error)),
        Err(error) => Err(HandleError::poison(error)),
    }
}
