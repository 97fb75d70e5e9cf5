//! Uses of discounts: claimed before the append, given back where the order is known not to exist, kept for ever where it
//! does. What a crash leaves behind is settled by asking the log for the order.

use super::Discounts;
use crate::{
    orders::Orders,
    rows::{PATIENCE, RowsError},
};
use chrono::{DateTime, Utc};
use shared_events::OrderId;
use tokio::time::timeout;
use uuid::Uuid;

const LOCK: &str = "SELECT 1 FROM discount WHERE lower(code) = lower($1) FOR NO KEY UPDATE";
const CLAIM: &str = include_str!("claim.sql");
const GIVE_BACK: &str = "DELETE FROM discount_use WHERE code = lower($1) AND order_number = $2 AND NOT used";
const LEFT_BEHIND: &str = include_str!("left_behind.sql");
const DROP: &str = include_str!("drop_claim.sql");
const USED: &str = "UPDATE discount_use SET used = true WHERE code = $1 AND order_number = $2";

/// An attempt to place an order with a discount.
#[derive(Debug, Clone, Copy)]
pub struct Use<'a> {
    /// The discount's code, in any case.
    pub code: &'a str,
    /// The number of the attempt, which is the order's if it succeeds.
    pub order_number: &'a str,
    /// The order.
    pub order_id: OrderId,
    /// Who uses it; see [`super::user_of`].
    pub customer: Option<&'a str>,
}

impl Discounts {
    /// Claims a use within the discount's limits. False where they are reached, or where it is limited per customer and
    /// nobody knows who this is.
    ///
    /// # Errors
    /// [`RowsError`] when the database is away.
    pub async fn claim(&self, wanted: Use<'_>) -> Result<bool, RowsError> {
        let Use { code, order_number, order_id, customer } = wanted;
        let mut client = self.pool.get().await?;
        let claimed = timeout(PATIENCE, async {
            let transaction = client.transaction().await?;
            // Whoever waits here counts, once it is their turn, what the one before them has claimed.
            transaction.execute(LOCK, &[&code]).await?;
            let claimed = transaction.execute(CLAIM, &[&code, &order_number, &order_id.as_uuid(), &customer]).await?;
            transaction.commit().await?;
            Ok::<_, tokio_postgres::Error>(claimed > 0)
        })
        .await;
        Ok(pg::in_time(client, claimed)??)
    }

    /// Gives a claimed use back: no order of this attempt exists or ever will.
    ///
    /// # Errors
    /// [`RowsError`] when the database is away; the claim is settled later then.
    pub async fn give_back(&self, code: &str, order_number: &str) -> Result<(), RowsError> {
        let client = self.pool.get().await?;
        let given = timeout(PATIENCE, client.execute(GIVE_BACK, &[&code, &order_number])).await;
        pg::in_time(client, given)??;
        Ok(())
    }

    /// Settles claims whose attempt is over for sure: their orders are asked for.
    ///
    /// # Errors
    /// [`RowsError`] when the database is away.
    pub async fn settle_left_behind(&self, orders: &Orders) -> Result<(), RowsError> {
        let client = self.pool.get().await?;
        let read = timeout(PATIENCE, client.query(LEFT_BEHIND, &[])).await;
        for row in pg::in_time(client, read)?? {
            let (code, order_number): (String, String) = (row.try_get("code")?, row.try_get("order_number")?);
            let order_id = OrderId::from_uuid(row.try_get::<_, Uuid>("order_id")?);
            let claimed_at: DateTime<Utc> = row.try_get("claimed_at")?;
            let order = match orders.load(order_id).await {
                Ok(order) => order,
                Err(error) => {
                    tracing::warn!(order.id = %order_id, %error, "a claimed use of a discount has to wait");
                    continue;
                }
            };
            let client = self.pool.get().await?;
            let is_used = order.is_some_and(|order| order.number == order_number);
            let settled = if is_used {
                timeout(PATIENCE, client.execute(USED, &[&code, &order_number])).await
            } else {
                timeout(PATIENCE, client.execute(DROP, &[&code, &order_number, &claimed_at])).await
            };
            pg::in_time(client, settled)??;
        }
        Ok(())
    }
}
