//! The sixth stage: stock is held for the whole order, or for none of it. Until the order is in the log it is held
//! for a short time only, so a crash between this stage and the next costs nobody anything.

use crate::inventory::{Demand, Inventory, ReserveError, Reserved};
use shared_events::{OrderId, ProductId, order::OrderLine};
use std::collections::BTreeMap;

/// Holds stock for the lines of an order, the demand summed per product.
///
/// # Errors
/// [`ReserveError`]; on [`ReserveError::Peer`] it is not known whether stock is held, and nothing is released.
pub async fn run(
    order_id: OrderId,
    revision: i32,
    lines: &[OrderLine],
    inventory: &Inventory,
) -> Result<Reserved, ReserveError> {
    let mut demand: BTreeMap<ProductId, u64> = BTreeMap::new();
    for line in lines {
        *demand.entry(line.product_id).or_default() += u64::from(line.quantity);
    }
    let items: Vec<Demand> = demand.into_iter().map(|(product_id, quantity)| Demand { product_id, quantity }).collect();
    let reserved = inventory.reserve(order_id, revision, &items).await?;
    if reserved.is_held() { Ok(reserved) } else { Err(ReserveError::GivenUp) }
}
