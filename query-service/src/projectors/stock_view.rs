//! `stock_view`: one row per product and location. Its events come from many streams in any order, so each carries
//! the levels that resulted and the stock version that says which is the newest.

use chrono::{DateTime, Utc};
use feeds::HandleError;
use pg::deadpool_postgres::Transaction;
use shared_events::{
    EventBody, RecordedEvent,
    inventory::{InventoryEvent, StockLine},
    sealed::{KeyRing, open_event},
};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Keeps the newest levels of every product and location that the events name.
pub async fn project(transaction: &Transaction<'_>, events: &[&RecordedEvent]) -> Result<(), HandleError> {
    let mut newest: BTreeMap<(Uuid, String), (StockLine, DateTime<Utc>)> = BTreeMap::new();
    for event in events.iter().copied().filter(|event| InventoryEvent::is_known(&event.event_type)) {
        for line in lines_of(open_event::<InventoryEvent>(event, &KeyRing::default())?) {
            let key = (line.product_id.as_uuid(), line.location.clone());
            if newest.get(&key).is_none_or(|(known, _)| known.stock_version < line.stock_version) {
                newest.insert(key, (line, event.recorded_at));
            }
        }
    }
    if newest.is_empty() {
        return Ok(());
    }
    let (products, locations): (Vec<Uuid>, Vec<String>) = newest.keys().cloned().unzip();
    let column = |value: fn(&StockLine) -> i64| newest.values().map(|(line, _)| value(line)).collect::<Vec<i64>>();
    let updated_at: Vec<_> = newest.values().map(|(_, at)| *at).collect();
    let statement = transaction.prepare_cached(include_str!("../sql/upsert_stock.sql")).await?;
    transaction
        .execute(
            &statement,
            &[
                &products,
                &locations,
                &column(|line| line.on_hand),
                &column(|line| line.reserved),
                &column(|line| line.stock_version),
                &updated_at,
            ],
        )
        .await?;
    Ok(())
}

/// The levels that an event carries.
fn lines_of(event: InventoryEvent) -> Vec<StockLine> {
    match event {
        InventoryEvent::StockReceived(event) => vec![event.line],
        InventoryEvent::StockAdjusted(event) => vec![event.line],
        InventoryEvent::StockReserved(event) => event.lines,
        InventoryEvent::ReservationChanged(event) => event.lines,
        InventoryEvent::ReservationReleased(event) => event.lines,
        InventoryEvent::ReservationExpired(event) => event.lines,
        InventoryEvent::StockShipped(event) => event.lines,
        InventoryEvent::StockRestocked(event) => event.lines,
        InventoryEvent::ProductCreated(_)
        | InventoryEvent::ProductUpdated(_)
        | InventoryEvent::ProductArchived(_)
        | InventoryEvent::PriceSet(_)
        | InventoryEvent::ReservationAttached(_)
        | InventoryEvent::ReservationConfirmed(_)
        | InventoryEvent::ReservationLapsed(_)
        | InventoryEvent::LowStockReached(_) => Vec::new(),
    }
}
