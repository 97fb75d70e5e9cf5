//! What the shop does with a paid order: notes, tags, a hold, an invoice, parcels, returns and refunds.

use rand::RngExt;
use serde_json::{Value, json};

use super::shopper::{Ends, Shopper};
use crate::system::Call;

/// A provider that carries refunds out by itself may have been faster, or a request whose answer was lost was done.
const DONE_ALREADY: &[&str] = &["ILLEGAL_TRANSITION"];

/// From the payment to the end.
pub async fn handles(shopper: &mut Shopper<'_>) -> Result<(), Ends> {
    if shopper.chance(15) {
        let note = shopper.post("notes", json!({ "text": "wrap it as a present" }));
        shopper.changes("noted", note, &[]).await?;
    }
    if shopper.chance(10) {
        let tags = Call::put(format!("{}/tags", shopper.path()), json!({ "tags": ["demo", "present"] }));
        shopper.changes("tagged", tags, &[]).await?;
    }
    if shopper.chance(8) {
        let hold = shopper.post("hold", json!({ "reason": "the address looks odd" }));
        shopper.changes("held", hold, &[]).await?;
        let resume = shopper.post("resume", json!({}));
        shopper.changes("resumed", resume, &[]).await?;
    }
    if shopper.chance(15) {
        let body = json!({ "orderId": shopper.order["orderId"] });
        let invoice = Call::post("/api/invoices", shopper.next_key(), body);
        shopper.does("invoice read", invoice, &[]).await?;
    }
    if shopper.chance(60) {
        let processing = Call::put(format!("{}/status", shopper.path()), json!({ "status": "PROCESSING" }));
        shopper.changes("processing", processing, &[]).await?;
    }
    let parts = if shopper.pieces() > 1 && shopper.chance(25) { 2 } else { 1 };
    for part in 0..parts {
        ships(shopper, part + 1 < parts).await?;
    }
    if shopper.chance(20) {
        sent_back(shopper).await?;
    }
    if shopper.chance(5) {
        let refund = shopper.post("refunds", json!({ "reason": "it came late", "amount": one(&shopper.order) }));
        shopper.does("refund requested", refund, &["REFUND_EXCEEDS_CAPTURED"]).await?;
        reads(shopper).await?;
        carries_refunds_out(shopper).await?;
    }
    if shopper.chance(20) && shopper.may("COMPLETE") {
        let completed = Call::put(format!("{}/status", shopper.path()), json!({ "status": "COMPLETED" }));
        shopper.changes("completed", completed, DONE_ALREADY).await?;
    }
    Ok(())
}

/// Reports that the refunds that are still asked for were carried out; now and then that one was not.
pub async fn carries_refunds_out(shopper: &mut Shopper<'_>) -> Result<(), Ends> {
    let refunds = shopper.order["refunds"].as_array().cloned().unwrap_or_default();
    for refund in refunds.iter().filter(|refund| refund["status"] == "REQUESTED") {
        let id = refund["refundId"].as_str().unwrap_or_default();
        let (what, step, body) = if shopper.chance(5) {
            ("failed", "refund failed", json!({ "reason": "account closed" }))
        } else {
            ("completed", "refunded", json!({}))
        };
        let report = shopper.post(&format!("refunds/{id}/{what}"), body);
        match shopper.changes(step, report, DONE_ALREADY).await {
            Err(Ends::Refused) | Ok(()) => {}
            other => return other,
        }
    }
    Ok(())
}

/// A parcel with one piece, or with all that is left, leaves and arrives.
async fn ships(shopper: &mut Shopper<'_>, one_piece: bool) -> Result<(), Ends> {
    let mut body = json!({ "carrier": "dhl", "trackingNumber": shopper.next_key() });
    if one_piece {
        body["lines"] = json!([{ "lineId": shopper.lines()[0]["lineId"], "quantity": 1 }]);
    }
    let create = shopper.post("shipments", body);
    let step = if one_piece { "shipped in parts" } else { "shipped" };
    let shipment = shopper.does(step, create, &[]).await?.text("shipmentId").to_owned();
    let dispatched = shopper.post(&format!("shipments/{shipment}/dispatched"), json!({}));
    shopper.changes("dispatched", dispatched, &[]).await?;
    let delivered = shopper.post(&format!("shipments/{shipment}/delivered"), json!({}));
    shopper.changes("delivered", delivered, &[]).await
}

/// A piece comes back, and is paid back if it is taken.
async fn sent_back(shopper: &mut Shopper<'_>) -> Result<(), Ends> {
    let lines = json!([{ "lineId": shopper.lines()[0]["lineId"], "quantity": 1 }]);
    let ask = shopper.post("returns", json!({ "lines": lines, "reason": "does not fit" }));
    let asked = shopper.does("return requested", ask, &[]).await?.text("returnId").to_owned();
    if shopper.chance(15) {
        let rejected = shopper.post(&format!("returns/{asked}/rejected"), json!({ "reason": "worn" }));
        return shopper.changes("return rejected", rejected, &[]).await;
    }
    let body = json!({ "restock": shopper.random.random_range(0..4) > 0 });
    let received = shopper.post(&format!("returns/{asked}/received"), body);
    shopper.changes("returned", received, &[]).await?;
    let refund = shopper.post("refunds", json!({ "lines": lines, "reason": "sent back" }));
    shopper.does("refund requested", refund, &[]).await?;
    reads(shopper).await?;
    carries_refunds_out(shopper).await
}

/// Reads the order anew, as of at least the version that it has here.
async fn reads(shopper: &mut Shopper<'_>) -> Result<(), Ends> {
    let id = shopper.order["orderId"].as_str().unwrap_or_default();
    let newest = format!("{id}@{}", shopper.order["version"].as_i64().unwrap_or(1) + 1);
    let read = Call::get(shopper.path()).after(Some(&newest));
    shopper.changes("order read", read, &[]).await
}

/// One of the order's currency.
fn one(order: &Value) -> Value {
    json!({ "amount": "1.00", "currency": order["currency"] })
}

impl Shopper<'_> {
    /// Whether the order says that this may be done with it.
    fn may(&self, action: &str) -> bool {
        self.order["allowedActions"].as_array().is_some_and(|actions| actions.iter().any(|allowed| allowed == action))
    }

    /// How many pieces the order has.
    fn pieces(&self) -> u64 {
        self.lines().iter().filter_map(|line| line["quantity"].as_u64()).sum()
    }
}
