//! The keeper of the stock: looks at it every second and has more delivered of what runs low.

use std::cell::Cell;
use std::time::Duration;

use serde_json::json;
use tokio::time::sleep;

use super::shopper::Run;
use crate::system::Call;

const EVERY: Duration = Duration::from_secs(1);
/// Pieces below which more is ordered, beside what a few seconds of traffic take.
const LOW: f64 = 20.0;
const SECONDS_OF_TRAFFIC: f64 = 5.0;

/// Keeps it until all is over.
pub async fn keep(run: &Run<'_>, over: &Cell<bool>) {
    let low = LOW + run.traffic.rate * SECONDS_OF_TRAFFIC;
    while !over.get() {
        for goods in &run.goods {
            let path = format!("/api/inventory/{}", goods.product_id);
            // Without an answer the system stays away, which the shoppers notice as well.
            let Ok(stock) = run.call(&Call::get(path.as_str())).await else { return };
            if stock.status != 200 || stock.body["available"].as_f64().is_none_or(|available| available >= low) {
                continue;
            }
            // What was not answered and is sent again may come in twice, which only means that more is there.
            let delivery = json!({ "delta": (low * 4.0) as i64, "reason": "delivery" });
            let Ok(answered) = run.call(&Call::put(path, delivery)).await else { return };
            if answered.status == 200 {
                run.tally.did("restocked");
            } else {
                run.tally.absurd(&format!("a delivery of {}: {}", goods.sku, answered.told()));
            }
        }
        sleep(EVERY).await;
    }
}
