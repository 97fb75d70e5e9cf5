//! The sixth stage: stock is held for the whole order, or for none of it. Until the order is in the log it is held
//! for a short time only, so a crash between this stage and the next costs nobody anything.

use super::decide::FIRST_REVISION;
use crate::{
    inventory::{Demand, Inventory, ReserveError, Reserved},
    stock_check::StockCheck,
};
use shared_events::{OrderId, ProductId, order::OrderLine};
use std::collections::BTreeMap;

/// How often another revision is tried where other attempts at the same order have used one up.
const MOST_ATTEMPTS: usize = 4;

/// Why stock is not held for an order that several requests may be placing.
#[derive(Debug, thiserror::Error)]
pub enum SharedError {
    /// inventory-service does not hold it.
    #[error(transparent)]
    Reserve(#[from] ReserveError),
    /// The timer that watches over it could not be set, so nothing was asked for.
    #[error("the stock could not be watched")]
    Watch(#[from] pg::PgError),
}

/// Holds stock for the lines of an order that only this request knows of, the demand summed per product.
///
/// # Errors
/// [`ReserveError`]; on [`ReserveError::Peer`] it is not known whether stock is held, and nothing is released.
pub async fn run(order_id: OrderId, lines: &[OrderLine], inventory: &Inventory) -> Result<Reserved, ReserveError> {
    let reserved = inventory.reserve(order_id, FIRST_REVISION, &demand(lines)).await?;
    if reserved.is_held() { Ok(reserved) } else { Err(ReserveError::GivenUp) }
}

/// The same for the order of a cart or quote, which other requests may be placing too: a revision that was used for other
/// lines, or given up, is passed over. Nobody releases what is held so; it runs out where no order comes of it.
///
/// # Errors
/// [`SharedError`].
pub async fn shared(
    order_id: OrderId,
    lines: &[OrderLine],
    inventory: &Inventory,
    stock_check: &StockCheck,
) -> Result<Reserved, SharedError> {
    let demand = demand(lines);
    let mut revision = FIRST_REVISION;
    for _ in 0..MOST_ATTEMPTS {
        if revision > FIRST_REVISION {
            // Another attempt may win, and its order must not be left with this demand.
            stock_check.watch(order_id, revision).await?;
        }
        let reserved = inventory.reserve(order_id, revision, &demand).await?;
        if reserved.holds_exactly(revision, &demand) {
            return Ok(reserved);
        }
        revision = inventory.next_revision(order_id, revision).await.map_err(ReserveError::Peer)?;
    }
    Err(ReserveError::GivenUp.into())
}

fn demand(lines: &[OrderLine]) -> Vec<Demand> {
    let mut demand: BTreeMap<ProductId, u64> = BTreeMap::new();
    for line in lines {
        *demand.entry(line.product_id).or_default() += u64::from(line.quantity);
    }
    demand.into_iter().map(|(product_id, quantity)| Demand { product_id, quantity }).collect()
}
