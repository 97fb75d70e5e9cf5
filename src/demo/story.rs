//! What a shopper does: looks around, orders, looks at the order, changes their mind, pays. From there on the shop's staff
//! has the order.

use std::time::Instant;

use rand::RngExt;
use serde_json::{Value, json};

use super::shopper::{Ends, Shopper};
use super::staff;
use crate::system::{Answered, Call};

const BROWSE: &str =
    "query($first: Int) { products(first: $first) { edges { node { id sku name price(currency: \"EUR\")
    { amount currency } stock { available } } } } }";
const LOOK: &str = "query($id: ID!) { product(id: $id) { id name description price(currency: \"EUR\") { amount }
    stock { onHand available } } }";
const READ: &str = "query($id: ID!) { order(id: $id) { id number status version waitingFor total { amount currency }
    lines { sku quantity } } }";
const MOST_LINES: usize = 3;
const SHORT: &[&str] = &["INSUFFICIENT_STOCK"];

/// From the door to the end.
pub async fn unfolds(shopper: &mut Shopper<'_>) -> Result<(), Ends> {
    browses(shopper).await?;
    places(shopper).await?;
    if shopper.chance(8) {
        // Leaves it: it expires by itself.
        return Ok(());
    }
    if shopper.chance(8) {
        let cancel = shopper.post("cancel", json!({ "reason": "found it elsewhere" }));
        return shopper.changes("cancelled before paying", cancel, &[]).await;
    }
    if shopper.chance(12) {
        amends(shopper).await?;
    }
    pays(shopper).await?;
    if shopper.chance(6) {
        let cancel = shopper.post("cancel", json!({ "reason": "changed my mind" }));
        shopper.changes("cancelled after paying", cancel, &[]).await?;
        return staff::carries_refunds_out(shopper).await;
    }
    staff::handles(shopper).await
}

async fn browses(shopper: &mut Shopper<'_>) -> Result<(), Ends> {
    let list = Call::graphql(BROWSE, &json!({ "first": 20 }));
    let listed = shopper.does("browsed", list, &[]).await?;
    must(shopper, "browsed", &listed, !listed.body["data"]["products"]["edges"].is_null())?;
    for _ in 0..shopper.random.random_range(0..3) {
        let goods = &shopper.run.goods;
        let id = goods[shopper.random.random_range(0..goods.len())].product_id.clone();
        let seen = shopper.does("looked at a product", Call::graphql(LOOK, &json!({ "id": id })), &[]).await?;
        must(shopper, "looked at a product", &seen, seen.body["data"]["product"]["id"] == id.as_str())?;
    }
    Ok(())
}

async fn places(shopper: &mut Shopper<'_>) -> Result<(), Ends> {
    let run = shopper.run;
    let first = shopper.random.random_range(0..run.goods.len());
    let lines = shopper.random.random_range(1..=MOST_LINES.min(run.goods.len()));
    let items: Vec<Value> = (0..lines)
        .map(|line| &run.goods[(first + line) % run.goods.len()])
        .map(|goods| json!({ "productId": goods.product_id, "quantity": shopper.random.random_range(1..=3) }))
        .collect();
    let body = json!({
        "items": items,
        "contact": { "email": "shopper@example.org", "name": "A shopper" },
        "shippingAddress": {
            "name": "A shopper", "line1": "1 High Street", "city": "London", "postalCode": "N1 1AA", "country": "GB",
        },
        "paymentMethod": "card",
        "channel": "demo",
    });
    let call = Call::post("/api/orders", shopper.next_key(), body);
    let placed = shopper.does("placed", call, SHORT).await?;
    run.tally.placed_in(placed.took);
    shopper.order = placed.body.clone();
    let answered = Instant::now();
    let id = placed.text("orderId").to_owned();
    let read = Call::graphql(READ, &json!({ "id": id })).after(placed.consistency.as_deref());
    let Ok(seen) = run.call(&read).await else { return Err(Ends::Unanswered) };
    run.tally.seen_after(answered.elapsed());
    let order = &seen.body["data"]["order"];
    must(
        shopper,
        "read its own order",
        &seen,
        order["id"] == id.as_str() && order["number"] == placed.body["orderNumber"],
    )
}

async fn amends(shopper: &mut Shopper<'_>) -> Result<(), Ends> {
    let (mut items, more) = (Vec::new(), shopper.chance(50));
    for line in shopper.lines() {
        let quantity = line["quantity"].as_u64().unwrap_or(1);
        let quantity = if more { quantity + 1 } else { quantity.saturating_sub(1).max(1) };
        items.push(json!({ "productId": line["productId"], "quantity": quantity }));
    }
    let amend = Call::put(shopper.path(), json!({ "items": items, "note": "as we said on the phone" }));
    match shopper.changes("amended", amend, SHORT).await {
        // What more they want is not there; they take what they have.
        Err(Ends::Refused) => Ok(()),
        other => other,
    }
}

async fn pays(shopper: &mut Shopper<'_>) -> Result<(), Ends> {
    if shopper.chance(12) {
        let failed = payment(shopper, "failed", "card_declined");
        shopper.changes("payment failed", failed, &[]).await?;
    }
    if shopper.chance(20) {
        // Held first, captured under the same reference.
        let reference = shopper.next_key();
        let amount = shopper.order["totalAmount"].clone();
        let body = json!({ "paymentId": reference, "amount": amount });
        let authorized = shopper.post("payment/authorized", body.clone());
        shopper.changes("payment authorised", authorized, &[]).await?;
        let completed = shopper.post("payment/completed", body);
        return shopper.changes("paid", completed, &[]).await;
    }
    let completed = payment(shopper, "completed", "");
    shopper.changes("paid", completed, &[]).await
}

fn payment(shopper: &mut Shopper<'_>, what: &str, reason: &str) -> Call {
    let mut body = json!({ "paymentId": shopper.next_key(), "amount": shopper.order["totalAmount"] });
    if !reason.is_empty() {
        body["reason"] = reason.into();
    }
    shopper.post(&format!("payment/{what}"), body)
}

/// What a read has to say.
fn must(shopper: &Shopper<'_>, step: &str, answered: &Answered, holds: bool) -> Result<(), Ends> {
    if holds && answered.status == 200 {
        return Ok(());
    }
    shopper.run.tally.absurd(&format!("{step}: {}", answered.told()));
    Err(Ends::Absurd)
}
