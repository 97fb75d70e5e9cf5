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

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use shared_events::{Actor, EventId, Metadata, RecordedEvent};
    use std::sync::Arc;

    fn page(order: OrderId, shipments: &[(&str, ShipmentId)]) -> Page {
        let event = |(event_type, shipment): &(&str, ShipmentId)| RecordedEvent {
            partition: 0,
            position: 1,
            stream_id: order.to_string(),
            stream_type: "Order".to_owned(),
            version: 1,
            event_id: EventId::generate(),
            command_id: None,
            event_type: (*event_type).to_owned(),
            schema_version: 1,
            payload: Bytes::from(serde_json::json!({"shipmentId": shipment}).to_string()),
            metadata: Metadata {
                correlation_id: Uuid::nil(),
                causation_id: None,
                actor: Actor::internal(),
                traceparent: None,
                import: false,
            },
            recorded_at: chrono::DateTime::UNIX_EPOCH,
        };
        Page { log: Arc::from("orders"), partition: 0, events: shipments.iter().map(event).collect() }
    }

    #[tokio::test]
    async fn a_shipment_is_of_its_order_also_when_the_page_comes_twice() {
        let database = test_support::database().await;
        let pool = crate::open_schema(&database).await.unwrap();
        let (order, planned, second) = (OrderId::generate(), ShipmentId::generate(), ShipmentId::generate());
        let other = ShipmentId::generate();
        let events = [("OrderPlaced", planned), ("ShipmentCreated", second), ("ShipmentDelivered", other)];
        for _ in 0..2 {
            let mut client = pool.get().await.unwrap();
            let transaction = client.transaction().await.unwrap();
            ShipmentOrders.handle(&transaction, &[page(order, &events)]).await.unwrap();
            transaction.commit().await.unwrap();
        }
        assert_eq!(order_of(&pool, planned).await.unwrap(), Some(order));
        assert_eq!(order_of(&pool, second).await.unwrap(), Some(order));
        assert_eq!(order_of(&pool, other).await.unwrap(), None);
    }
}
