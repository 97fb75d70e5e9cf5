//! Orders beside their invoices: each that was covered has the one that its covering event caused, and that says what
//! the order cost then.

use super::fold::{Covered, Folded};
use crate::verify::check::Check;
use crate::verify::logs::Log;
use crate::verify::progress::Progress;
use anyhow::Context;
use eventstore::partition_of;
use feeds::derived_command_id;
use invoice_service::INVOICE;
use invoice_service::domain::series;
use pg::tokio_postgres::{Client, Row};
use rust_decimal::Decimal;
use shared_events::invoice::{InvoiceEvent, number};
use shared_events::{EventBody, EventId};
use std::collections::HashMap;
use uuid::Uuid;

/// A document that there should be.
pub struct Wanted {
    /// Its series.
    pub series: String,
    /// The event that caused it.
    pub cause: EventId,
    /// What its command is derived with.
    pub step: &'static str,
}

/// Looks up the invoices of these orders and compares them.
pub async fn compare(
    client: &Client,
    orders: &[Folded],
    invoices: &Log,
    issuing: &Progress,
    (issued, totals): (&mut Check, &mut Check),
) -> anyhow::Result<()> {
    let covered: Vec<(&Folded, &Covered)> =
        orders.iter().filter_map(|folded| Some((folded, folded.covered.as_ref()?))).collect();
    let wanted = covered.iter().map(|(folded, covered)| Wanted {
        series: series::of_invoices(&folded.order.legal_entity, covered.recorded_at),
        cause: covered.event_id,
        step: INVOICE,
    });
    let found = lookup(client, wanted, invoices).await?;
    for (ordinal, (folded, covered)) in (0_i64..).zip(&covered) {
        let stream_id = &folded.stream_id;
        issued.saw(1);
        match (found.get(&ordinal), &folded.order.foreign_invoice_number) {
            (Some(invoice), None) => {
                totals.saw(1);
                if let Some(wrong) = disagreement(invoice, folded, covered) {
                    totals.wrong(|| format!("{}, the invoice of {stream_id}: {wrong}", numbered(invoice)));
                }
            }
            (Some(invoice), Some(foreign)) => issued
                .wrong(|| format!("{stream_id} came with the invoice {foreign} and has {} besides", numbered(invoice))),
            (None, Some(_)) => {}
            (None, None) if !issuing.has_passed("orders", folded.partition, covered.position, stream_id) => {}
            (None, None) => {
                issued.wrong(|| format!("{stream_id} was covered at version {} and has no invoice", covered.version));
            }
        }
    }
    Ok(())
}

/// Looks for these documents, by their ordinal.
pub async fn lookup(
    client: &Client,
    wanted: impl Iterator<Item = Wanted>,
    invoices: &Log,
) -> anyhow::Result<HashMap<i64, Row>> {
    let mut ordinals: Vec<i64> = Vec::new();
    let mut partitions: Vec<i32> = Vec::new();
    let mut all_series: Vec<String> = Vec::new();
    let mut commands: Vec<Uuid> = Vec::new();
    for (ordinal, Wanted { series, cause, step }) in (0_i64..).zip(wanted) {
        ordinals.push(ordinal);
        partitions.push(partition_of(&series, invoices.partitions));
        commands.push(derived_command_id(cause.as_uuid(), step));
        all_series.push(series);
    }
    if ordinals.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = client
        .query(include_str!("../sql/invoices_by_command.sql"), &[&ordinals, &partitions, &all_series, &commands])
        .await
        .context("the invoices of orders cannot be looked up")?;
    Ok(rows.into_iter().map(|row| (row.get(0), row)).collect())
}

/// The number of what was found.
pub fn numbered(invoice: &Row) -> String {
    number(invoice.get(1), invoice.get(2))
}

/// What was found, but for its buyer.
pub fn opened(document: &Row) -> Option<InvoiceEvent> {
    let payload: &[u8] = document.get(5);
    let payload = serde_json::from_slice(payload).ok().map(without_buyer)?;
    InvoiceEvent::from_json(document.get(3), document.get(4), payload).ok()
}

fn disagreement(invoice: &Row, folded: &Folded, covered: &Covered) -> Option<String> {
    let Some(InvoiceEvent::InvoiceIssued(event)) = opened(invoice) else { return Some("cannot be read".to_owned()) };
    let document = event.document;
    let order = &folded.order;
    if document.order_id != order.id || document.order_number != order.number {
        return Some(format!("is for {} ({})", document.order_id, document.order_number));
    }
    if document.currency != order.currency || document.totals != covered.totals {
        let (asked, cost) = (document.totals.total, covered.totals.total);
        return Some(format!("asks for {asked} {} and the order cost {cost} {}", document.currency, order.currency));
    }
    let lines: Decimal = document.lines.iter().map(|line| line.total).sum();
    if lines != document.totals.total {
        return Some(format!("its lines sum up to {lines}, its total is {}", document.totals.total));
    }
    let taxed: Decimal = document.taxes.iter().map(|tax| tax.base + tax.tax).sum();
    (taxed != document.totals.total)
        .then(|| format!("base and tax sum up to {taxed}, its total is {}", document.totals.total))
}

/// The buyer is sealed and not what this is about.
fn without_buyer(mut payload: serde_json::Value) -> serde_json::Value {
    if let Some(fields) = payload.as_object_mut() {
        fields.remove("buyer");
    }
    payload
}
