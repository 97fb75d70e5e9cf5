//! Which order a shipment is of: a table that follows the orders log, because carriers name the shipment alone.

use feeds::{HandleError, Page, Projector};
use pg::{Pool, deadpool_postgres::Transaction};
use serde::Deserialize;
use shared_events::{OrderId, ShipmentId, order::OrderEvent};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Nobody waits for it: it may take many commits together.
const PACE: std::time::Duration = std::time::Duration::from_millis(100);

/// Keeps `shipment_order`.
pub struct ShipmentOrders;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Named {
    shipment_id: ShipmentId,
}

impl Projector for ShipmentOrders {
    fn name(&self) -> &'static str {
        "shipment-orders"
    }

    fn pace(&self) -> std::time::Duration {
        PACE
    }

    async fn handle(&self, transaction: &Transaction<'_>, pages: &[Page]) -> Result<(), HandleError> {
        let mut found: BTreeMap<Uuid, Uuid> = BTreeMap::new();
        for event in pages.iter().flat_map(|page| &page.events) {
            // A dispatch of everything may be of a shipment that was planned nowhere.
            if matches!(event.event_type.as_str(), "OrderPlaced" | "ShipmentCreated" | "ShipmentDispatched") {
                let Named { shipment_id } = event.fields::<OrderEvent, Named>()?;
                let order_id = OrderId::parse(&event.stream_id).map_err(HandleError::poison)?;
                found.insert(shipment_id.as_uuid(), order_id.as_uuid());
            }
        }
        if found.is_empty() {
            return Ok(());
        }
        let (shipments, orders): (Vec<Uuid>, Vec<Uuid>) = found.into_iter().unzip();
        let statement = transaction.prepare_cached(include_str!("sql/insert_shipments.sql")).await?;
        transaction.execute(&statement, &[&shipments, &orders]).await?;
        Ok(())
    }
}

/// The order that a shipment is of, as far as the log was read.
pub(super) async fn order_of(pool: &Pool, shipment: ShipmentId) -> Result<Option<OrderId>, HandleError> {
    let client = pool.get().await?;
    let statement = client.prepare_cached("SELECT order_id FROM shipment_order WHERE shipment_id = $1").await?;
    let row = client.query_opt(&statement, &[&shipment.as_uuid()]).await?;
    Ok(row.map(|row| OrderId::from_uuid(row.get(0))))
}
