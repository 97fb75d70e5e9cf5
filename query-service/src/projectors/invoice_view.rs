//! `invoice_view`: one row per invoice and credit note. They never change.

use crate::read_models::invoices::{Invoice, InvoiceKind};
use feeds::HandleError;
use pg::{deadpool_postgres::Transaction, tokio_postgres::types::Json};
use shared_events::{
    EventBody, RecordedEvent,
    invoice::{InvoiceEvent, number},
    sealed::{KeyRing, open_event},
};

/// Writes a row for every document that was issued.
pub async fn project(
    transaction: &Transaction<'_>,
    events: &[&RecordedEvent],
    keys: &KeyRing,
) -> Result<(), HandleError> {
    let mut issued = Vec::new();
    for event in events.iter().copied().filter(|event| InvoiceEvent::is_known(&event.event_type)) {
        issued.push((
            document_of(number(&event.stream_id, event.version), open_event::<InvoiceEvent>(event, keys)?),
            event,
        ));
    }
    if issued.is_empty() {
        return Ok(());
    }
    issued.sort_by_key(|(invoice, _)| invoice.document_id);
    let statement = transaction.prepare_cached(include_str!("../sql/insert_invoices.sql")).await?;
    transaction
        .execute(
            &statement,
            &[
                &issued.iter().map(|(invoice, _)| invoice.document_id).collect::<Vec<_>>(),
                &issued.iter().map(|(invoice, _)| invoice.kind.as_str()).collect::<Vec<_>>(),
                &issued.iter().map(|(invoice, _)| invoice.number.as_str()).collect::<Vec<_>>(),
                &issued.iter().map(|(invoice, _)| invoice.document.order_id.as_uuid()).collect::<Vec<_>>(),
                &issued
                    .iter()
                    .map(|(invoice, _)| invoice.document.customer_id.map(|id| id.as_uuid()))
                    .collect::<Vec<_>>(),
                &issued.iter().map(|(invoice, _)| invoice.document.occurred_at).collect::<Vec<_>>(),
                &issued.iter().map(|(_, event)| event.version).collect::<Vec<_>>(),
                &issued.iter().map(|(_, event)| event.partition).collect::<Vec<_>>(),
                &issued.iter().map(|(_, event)| event.position).collect::<Vec<_>>(),
                &issued.iter().map(|(invoice, _)| Json(invoice)).collect::<Vec<_>>(),
            ],
        )
        .await?;
    Ok(())
}

fn document_of(number: String, event: InvoiceEvent) -> Invoice {
    match event {
        InvoiceEvent::InvoiceIssued(event) => Invoice {
            document_id: event.invoice_id.as_uuid(),
            kind: InvoiceKind::Invoice,
            number,
            corrects: None,
            reason: None,
            document: event.document,
        },
        InvoiceEvent::CreditNoteIssued(event) => Invoice {
            document_id: event.credit_note_id.as_uuid(),
            kind: InvoiceKind::CreditNote,
            number,
            corrects: Some(event.invoice_id),
            reason: event.reason,
            document: event.document,
        },
    }
}
