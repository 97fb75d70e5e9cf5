//! Stock that was asked for in the name of an order that did not come to know of it, because its change was refused or
//! this process died: the order says anew what it needs, and the rest goes back. A timer, set before the stock is asked
//! for, sees to it that this happens.

use crate::{inventory::Inventory, orders::Orders, timers::STOCK_CHECK};
use chrono::TimeDelta;
use feeds::{
    HandleError,
    timer::{self, NewTimer},
};
use order::{Order, ReserveStock};
use pg::{PgError, Pool};
use serde_json::Value;
use shared_events::{Actor, OrderId};
use web::request_context::now;

/// Longer than any request takes.
const PATIENCE: TimeDelta = TimeDelta::minutes(2);

/// Keeps reservations from being ahead of their orders. Cheap to clone.
#[derive(Clone)]
pub struct StockCheck {
    /// The orders.
    pub orders: Orders,
    /// inventory-service.
    pub inventory: Inventory,
    /// Where the timers are.
    pub pool: Pool,
}

impl StockCheck {
    /// Before stock is asked for under a revision that the order does not have yet.
    ///
    /// # Errors
    /// [`PgError`] when the database is away.
    pub async fn watch(&self, order_id: OrderId, revision: i32) -> Result<(), PgError> {
        let timer = NewTimer {
            timer_id: format!("{STOCK_CHECK}/{order_id}/{revision}"),
            kind: STOCK_CHECK.to_owned(),
            stream_id: order_id.to_string(),
            payload: Value::Null,
            due_at: now() + PATIENCE,
        };
        let failed = |source| PgError::Statement { action: "set a timer", source };
        let mut client = self.pool.get().await?;
        let transaction = client.transaction().await.map_err(failed)?;
        timer::reschedule(&transaction, &timer).await.map_err(failed)?;
        transaction.commit().await.map_err(failed)
    }

    /// Brings the reservation back to what the order needs, if it is ahead of the order.
    ///
    /// # Errors
    /// [`HandleError`], to be tried again.
    pub async fn settle(&self, order_id: OrderId) -> Result<(), HandleError> {
        let reserved = match self.inventory.reservation(order_id).await {
            Ok(reserved) => reserved,
            Err(error) if error.status() == Some(404) => return Ok(()),
            Err(error) => return Err(HandleError::retry(error)),
        };
        let order = self.orders.load(order_id).await.map_err(HandleError::retry)?;
        let ahead = |order: &Order| holds(order) && reserved.revision > order.reservation_revision();
        if !reserved.is_held() || !order.as_ref().is_some_and(ahead) {
            return Ok(());
        }
        // An order that changes meanwhile has a demand of its own, which this event then states.
        let command = ReserveStock { reservation_revision: reserved.revision + 1, now: now() };
        self.orders.react(order_id, command, None, Actor::internal(), None).await
    }
}

/// What an order does not hold waits with a time limit, and runs out by itself.
fn holds(order: &Order) -> bool {
    !order.is_over() && order.reservation.is_some() && !order.stock_was_released()
}
