//! Orders beside their credit notes: each command after which less is owed than was invoiced has the note that it caused,
//! over just that much. What notes there are beyond these is looked for among the invoices.

use super::fold::{Credited, Folded};
use super::invoiced::{Wanted, lookup, numbered, opened};
use crate::verify::check::Check;
use crate::verify::logs::Log;
use crate::verify::progress::Progress;
use invoice_service::CREDIT_NOTE;
use invoice_service::domain::series;
use pg::tokio_postgres::{Client, Row};
use rust_decimal::Decimal;
use shared_events::invoice::InvoiceEvent;

/// Looks up the credit notes of these orders and compares them.
pub async fn compare(
    client: &Client,
    orders: &[Folded],
    invoices: &Log,
    issuing: &Progress,
    check: &mut Check,
) -> anyhow::Result<()> {
    let due: Vec<(&Folded, &Credited)> =
        orders.iter().flat_map(|folded| folded.credits.iter().map(move |credited| (folded, credited))).collect();
    let wanted = due.iter().map(|(folded, credited)| Wanted {
        series: series::of_credit_notes(&folded.order.legal_entity, credited.recorded_at),
        cause: credited.event_id,
        step: CREDIT_NOTE,
    });
    let found = lookup(client, wanted, invoices).await?;
    for (ordinal, (folded, credited)) in (0_i64..).zip(&due) {
        let stream_id = &folded.stream_id;
        check.saw(1);
        match found.get(&ordinal) {
            Some(note) => {
                if let Some(wrong) = disagreement(note, folded, credited) {
                    check.wrong(|| format!("{}, a credit note of {stream_id}: {wrong}", numbered(note)));
                }
            }
            None if !issuing.has_passed("orders", folded.partition, credited.position, stream_id) => {}
            None => check.wrong(|| {
                let (version, amount) = (credited.version, credited.amount);
                format!("{stream_id} owes {amount} less since version {version} and has no credit note for it")
            }),
        }
    }
    Ok(())
}

fn disagreement(note: &Row, folded: &Folded, credited: &Credited) -> Option<String> {
    let Some(InvoiceEvent::CreditNoteIssued(event)) = opened(note) else { return Some("cannot be read".to_owned()) };
    let (document, order) = (event.document, &folded.order);
    if document.order_id != order.id || document.currency != order.currency {
        return Some(format!("is for {} in {}", document.order_id, document.currency));
    }
    if document.totals.total != credited.amount {
        return Some(format!("credits {} and {} less is owed", document.totals.total, credited.amount));
    }
    let lines: Decimal = document.lines.iter().map(|line| line.total).sum();
    (lines != document.totals.total)
        .then(|| format!("its lines sum up to {lines}, its total is {}", document.totals.total))
}
