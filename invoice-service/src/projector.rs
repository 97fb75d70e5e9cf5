//! The read table `invoice`: one row per document of the log.

use crate::view::{Kind, document_id};
use feeds::{HandleError, Page, Projector};
use pg::deadpool_postgres::Transaction;
use serde::Deserialize;
use shared_events::{OrderId, RecordedEvent, UserId};
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
            let Some((id, kind)) = document_id(event) else { continue };
            let columns = serde_json::from_slice(&event.payload).map_err(HandleError::poison)?;
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
