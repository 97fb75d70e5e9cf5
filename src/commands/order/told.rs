//! An order as people read it in a terminal: aligned, plain, in words.

use std::io::{self, Write};

use order::{Order, WaitingFor};
use serde_json::{Value, json};
use shared_events::RecordedEvent;
use shared_events::inventory::{InventoryEvent, RESERVATION_STREAM};
use shared_events::invoice::{InvoiceEvent, number};
use shared_events::order::OrderEvent;

/// The order as it stands.
pub fn order(out: &mut impl Write, order: &Order, waiting: Option<WaitingFor>) -> io::Result<()> {
    let currency = order.currency;
    let money = |amount| format!("{:.*} {currency}", currency.decimals() as usize, amount);
    let customer = order.customer_id.map_or_else(|| "a guest".to_owned(), |id| id.to_string());
    let waiting = waiting.map_or_else(
        || "nothing".to_owned(),
        |waiting| match waiting.until {
            Some(until) => format!("{} until {}", waiting.reason.as_str(), until.format("%Y-%m-%d %H:%M:%S UTC")),
            None => waiting.reason.as_str().to_owned(),
        },
    );
    writeln!(out, "order {}  {}  version {}\n", order.number, order.id, order.version)?;
    for (name, value) in [
        ("status", order.status().to_string()),
        ("payment", order.payment_status().to_string()),
        ("fulfilment", order.fulfilment_status().to_string()),
        ("waits for", waiting),
        ("customer", customer),
        ("placed", order.placed_at.format("%Y-%m-%d %H:%M:%S UTC").to_string()),
        ("total", money(order.totals.total)),
        ("paid", money(order.paid_total())),
        ("refunded", money(order.refunded_total())),
        ("open", money(order.outstanding())),
    ] {
        writeln!(out, "  {name:11} {value}")?;
    }
    writeln!(out, "\n  {:>5}  {:16}  {:36}  {:>14}  {:>14}  sent", "pcs", "sku", "name", "each", "in all")?;
    for line in &order.lines {
        let name: String = line.name.chars().take(36).collect();
        let (each, in_all) = (money(line.unit_price), money(line.line_total(currency)));
        writeln!(
            out,
            "  {:>5}  {:16}  {name:36}  {each:>14}  {in_all:>14}  {}",
            line.quantity, line.sku, line.shipped
        )?;
    }
    Ok(())
}

/// What happened in a stream, a line each.
pub fn timeline(out: &mut impl Write, title: &str, events: &[RecordedEvent]) -> io::Result<()> {
    if events.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{title}")?;
    for event in events {
        let at = event.recorded_at.format("%Y-%m-%d %H:%M:%S%.3f");
        let by = &event.metadata.actor.subject;
        writeln!(out, "  {:>3}  {at}  {:28}  {by:32}  {}", event.version, in_words(&event.event_type), about(event))?;
    }
    Ok(())
}

/// Its invoices, a line each.
pub fn invoices(out: &mut impl Write, events: &[RecordedEvent]) -> io::Result<()> {
    if events.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nits invoices")?;
    for event in events {
        let payload = payload(event);
        let total = payload["totals"]["total"].as_str().unwrap_or("?");
        let at = event.recorded_at.format("%Y-%m-%d %H:%M:%S%.3f");
        let currency = payload["currency"].as_str().unwrap_or_default();
        writeln!(out, "  {:18}  {at}  {total} {currency}", number(&event.stream_id, event.version))?;
    }
    Ok(())
}

/// `PaymentCompleted` is "payment completed".
fn in_words(event_type: &str) -> String {
    let mut words = String::with_capacity(event_type.len() + 4);
    for (index, letter) in event_type.chars().enumerate() {
        if letter.is_uppercase() && index > 0 {
            words.push(' ');
        }
        words.extend(letter.to_lowercase());
    }
    words
}

/// The most telling of what an event says; nothing of it is personal.
fn about(event: &RecordedEvent) -> String {
    let payload = payload(event);
    let text = |field: &str| payload[field].as_str().map(str::to_owned);
    let amount = text("amount").map(|amount| format!("{amount} {}", text("currency").unwrap_or_default()));
    let total = payload["totals"]["total"].as_str().map(|total| format!("{total} in all"));
    let pieces = payload["lines"].as_array().map(|lines| {
        let pieces: i64 = lines.iter().filter_map(|line| line["quantity"].as_i64()).sum();
        format!("{pieces} pcs")
    });
    let parts = [total, amount, pieces, text("reason"), text("paymentId"), text("trackingNumber")];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// What an event says in its current shape; nothing where this build does not know it.
fn payload(event: &RecordedEvent) -> Value {
    let read = match event.stream_type.as_str() {
        shared_events::order::STREAM_TYPE => event.fields::<OrderEvent, Value>(),
        RESERVATION_STREAM => event.fields::<InventoryEvent, Value>(),
        _ => event.fields::<InvoiceEvent, Value>(),
    };
    read.unwrap_or_default()
}

/// An event for programs; personal fields stay sealed.
pub fn as_json(event: &RecordedEvent) -> Value {
    json!({
        "version": event.version, "type": event.event_type, "recordedAt": event.recorded_at,
        "actor": event.metadata.actor, "payload": payload(event),
    })
}

/// An invoice for programs.
pub fn invoice_as_json(event: &RecordedEvent) -> Value {
    let number = number(&event.stream_id, event.version);
    json!({ "number": number, "type": event.event_type, "recordedAt": event.recorded_at, "payload": payload(event) })
}

#[cfg(test)]
mod tests {
    use super::in_words;

    #[test]
    fn an_event_is_told_in_words() {
        assert_eq!(in_words("PaymentCompleted"), "payment completed");
        assert_eq!(in_words("OrderPlaced"), "order placed");
    }
}
