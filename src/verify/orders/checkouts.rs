//! Orders beside the rows of what they came from: their carts are checked out and their discounts counted, and no use of a
//! discount is counted of an order that is not there.

use super::fold::Folded;
use crate::verify::check::Check;
use crate::verify::logs::Log;
use crate::verify::progress::Progress;
use crate::verify::streams_missing;
use anyhow::Context;
use chrono::{DateTime, Utc};
use pg::tokio_postgres::Client;
use std::collections::HashMap;
use uuid::Uuid;

/// Settles what orders came from.
pub const READER: &str = "payment-windows";

const OPEN_CARTS: &str = "select cart_id from orders.cart where cart_id = any($1) and ordered_at is null";
const MORE_USES: &str = "select distinct order_id from orders.discount_use where used and order_id > $1 \
                         order by order_id limit 5000";

/// Looks at the carts and discounts of these orders.
pub async fn compare(client: &Client, orders: &[Folded], settling: &Progress, check: &mut Check) -> anyhow::Result<()> {
    let came_from = |folded: &&Folded| folded.order.cart_id.is_some() || !folded.order.discounts.is_empty();
    let settled =
        |folded: &&Folded| settling.has_passed("orders", folded.partition, folded.placed_position, &folded.stream_id);
    let due: Vec<&Folded> = orders.iter().filter(came_from).filter(settled).collect();
    if due.is_empty() {
        return Ok(());
    }
    check.saw(due.len() as u64);
    let of_cart: HashMap<Uuid, &str> =
        due.iter().filter_map(|folded| Some((folded.order.cart_id?.as_uuid(), folded.stream_id.as_str()))).collect();
    let carts: Vec<Uuid> = of_cart.keys().copied().collect();
    for row in client.query(OPEN_CARTS, &[&carts]).await.context("the carts cannot be read")? {
        let cart: Uuid = row.get(0);
        check.wrong(|| format!("{} came from the cart {cart}, which does not know it", of_cart[&cart]));
    }
    let (mut ids, mut codes, mut times): (Vec<Uuid>, Vec<&str>, Vec<DateTime<Utc>>) = Default::default();
    for folded in &due {
        for discount in &folded.order.discounts {
            ids.push(folded.order.id.as_uuid());
            codes.push(&discount.code);
            times.push(folded.placed_at);
        }
    }
    let uncounted = client.query(include_str!("../sql/uncounted_discounts.sql"), &[&ids, &codes, &times]).await;
    for row in uncounted.context("the uses of discounts cannot be read")? {
        let (order, code): (Uuid, &str) = (row.get(0), row.get(1));
        check.wrong(|| format!("the order {order} used the discount {code}, which does not count it"));
    }
    Ok(())
}

/// Uses of discounts that are counted of orders which the log does not have.
pub async fn look_for_more_uses(client: &Client, log: &Log, check: &mut Check) -> anyhow::Result<()> {
    let mut after = Uuid::nil();
    loop {
        let page = client.query(MORE_USES, &[&after]).await.context("the uses of discounts cannot be read")?;
        let ids: Vec<Uuid> = page.iter().map(|row| row.get(0)).collect();
        let Some(last) = ids.last() else { return Ok(()) };
        after = *last;
        for stream_id in streams_missing(client, log, &ids).await? {
            check.wrong(|| format!("a discount counts a use of {stream_id}, which has no events"));
        }
    }
}
