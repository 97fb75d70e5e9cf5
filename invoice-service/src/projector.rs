//! The read table `invoice`: one row per document of the log.

use crate::view::{Kind, document_id};
use feeds::{HandleError, Page, Projector};
use pg::deadpool_postgres::Transaction;
use serde::Deserialize;
use shared_events::{OrderId, RecordedEvent, UserId, invoice::InvoiceEvent};
use uuid::Uuid;

/// Writes the read table.
pub struct InvoiceTable;

/// The columns that a row has beside the payload; none of it is personal.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Columns {
    order_id: OrderId,
    customer_id: Option<UserId>,
    occurred_at: chrono::DateTime<chrono::Utc>,
}

struct Row<'a> {
    id: Uuid,
    kind: Kind,
    columns: Columns,
    event: &'a RecordedEvent,
}

impl Projector for InvoiceTable {
    fn name(&self) -> &'static str {
        "invoice-table"
    }

    async fn handle(&self, transaction: &Transaction<'_>, pages: &[Page]) -> Result<(), HandleError> {
        let mut rows = Vec::new();
        for event in pages.iter().flat_map(|page| &page.events) {
            let Some((id, kind)) = document_id(event)? else { continue };
            let columns = event.fields::<InvoiceEvent, _>()?;
            rows.push(Row { id, kind, columns, event });
        }
        rows.sort_by_key(|row| row.id);
        let statement = transaction.prepare_cached(include_str!("sql/insert_invoices.sql")).await?;
        let column = |pick: fn(&Row<'_>) -> Uuid| rows.iter().map(pick).collect::<Vec<_>>();
        transaction
            .execute(
                &statement,
                &[
                    &column(|row| row.id),
                    &rows.iter().map(|row| row.kind.as_str()).collect::<Vec<_>>(),
                    &rows.iter().map(|row| row.event.stream_id.as_str()).collect::<Vec<_>>(),
                    &rows.iter().map(|row| row.event.version).collect::<Vec<_>>(),
                    &column(|row| row.columns.order_id.as_uuid()),
                    &rows.iter().map(|row| row.columns.customer_id.map(|id| id.as_uuid())).collect::<Vec<_>>(),
                    &rows.iter().map(|row| row.columns.occurred_at).collect::<Vec<_>>(),
                    &rows.iter().map(|row| row.event.schema_version).collect::<Vec<_>>(),
                    &rows.iter().map(|row| row.event.payload.as_ref()).collect::<Vec<_>>(),
                ],
            )
            .await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use shared_events::{Actor, EventId, Metadata};
    use std::sync::Arc;

    fn page() -> Page {
        let issued = |event_type: &str, series: &str, payload: &'static [u8]| RecordedEvent {
            partition: 3,
            position: 1,
            stream_id: series.to_owned(),
            stream_type: "InvoiceSeries".to_owned(),
            version: 1,
            event_id: EventId::generate(),
            command_id: None,
            event_type: event_type.to_owned(),
            schema_version: 1,
            payload: Bytes::from_static(payload),
            metadata: Metadata {
                correlation_id: Uuid::nil(),
                causation_id: None,
                actor: Actor::internal(),
                traceparent: None,
                import: false,
            },
            recorded_at: chrono::DateTime::UNIX_EPOCH,
        };
        let events = vec![
            issued("InvoiceIssued", "INV-2026", include_bytes!("../../shared-events/golden/InvoiceIssued.v1.json")),
            issued(
                "CreditNoteIssued",
                "CN-2026",
                include_bytes!("../../shared-events/golden/CreditNoteIssued.v1.json"),
            ),
            issued("SomethingOfTheFuture", "INV-2026", b"{}"),
        ];
        Page { log: Arc::from("invoices"), partition: 3, events }
    }

    async fn rows(pool: &pg::Pool) -> Vec<(String, String, i64)> {
        let client = pool.get().await.unwrap();
        let rows = client.query("SELECT kind, series, version FROM invoice ORDER BY kind", &[]).await.unwrap();
        rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect()
    }

    async fn deliver(pool: &pg::Pool) {
        let mut client = pool.get().await.unwrap();
        let transaction = client.transaction().await.unwrap();
        InvoiceTable.handle(&transaction, &[page()]).await.unwrap();
        transaction.commit().await.unwrap();
    }

    #[tokio::test]
    async fn documents_delivered_twice_and_rebuilt_from_zero_are_one_row_each() {
        let database = test_support::database().await;
        let pool = crate::open_schema(&database).await.unwrap();
        let expected =
            [("CREDIT_NOTE".to_owned(), "CN-2026".to_owned(), 1), ("INVOICE".to_owned(), "INV-2026".to_owned(), 1)];
        deliver(&pool).await;
        deliver(&pool).await;
        assert_eq!(rows(&pool).await, expected);
        pool.get().await.unwrap().execute("TRUNCATE invoice", &[]).await.unwrap();
        deliver(&pool).await;
        assert_eq!(rows(&pool).await, expected);
    }
}
