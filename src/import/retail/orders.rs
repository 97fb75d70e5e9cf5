//! An order of the plan as a line of the import route. What the file does not know is not made up, but for one thing:
//! it has no shipping dates, and what was not cancelled on the day of its invoice counts as having left and arrived at
//! the midnight that ends it.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::plan::{PlannedOrder, Taken};
use super::table::{Table, Text};
use super::{country, uk_time};

/// The shop sells in pounds.
pub const CURRENCY: &str = "GBP";
/// After the last delivery nothing more is expected for so long, as everywhere in the system.
const RETURN_WINDOW: TimeDelta = TimeDelta::days(14);

/// The line of an order. `product_id` knows the products by their stock codes.
pub fn order_line(
    table: &Table,
    order: &PlannedOrder,
    source: &str,
    product_id: impl Fn(Text) -> Option<String>,
    now: DateTime<Utc>,
) -> Option<Value> {
    let invoice = &table.invoices[order.invoice];
    let placed = table.lines[*invoice.lines.first()?].at;
    let items = order.items.iter().map(|place| {
        let line = &table.lines[*place];
        let sku = table.text(line.sku);
        let description = table.text(line.description);
        Some(json!({
            "productId": product_id(line.sku)?,
            "sku": sku,
            "name": if description.is_empty() { sku } else { description },
            "quantity": line.quantity,
            "unitPrice": money(line.price, CURRENCY),
            "externalId": line.number.to_string(),
        }))
    });
    let items: Option<Vec<Value>> = items.collect();
    let mut attributes = json!({ "source": source, "countryName": table.text(invoice.country) });
    if let Some(code) = country::code(table.text(invoice.country)) {
        attributes["country"] = code.into();
    }
    let mut body = json!({
        "source": source,
        "externalId": invoice.number,
        "placedAt": time(uk_time::utc(placed)),
        "currency": CURRENCY,
        "paymentMethod": "invoice",
        "foreignInvoiceNumber": invoice.number,
        "items": items?,
        "attributes": attributes,
    });
    let fields = body.as_object_mut()?;
    let customer = table.text(invoice.customer);
    if !customer.is_empty() {
        fields.insert("customerKey".to_owned(), customer.into());
    }
    add_taken(fields, "cancellations", table, &order.cancelled);
    add_taken(fields, "returns", table, &order.returned);
    let sold: i64 = order.items.iter().map(|place| table.lines[*place].quantity).sum();
    let cancelled: i64 = order.cancelled.iter().map(|taken| i64::from(taken.pieces)).sum();
    if cancelled < sold {
        let arrived = uk_time::end_of_day(placed);
        fields.insert("dispatchedAt".to_owned(), time(arrived));
        fields.insert("deliveredAt".to_owned(), time(arrived));
        let last = order.returned.iter().map(|taken| uk_time::utc(table.lines[taken.by].at)).max();
        let over = last.unwrap_or(arrived).max(arrived + RETURN_WINDOW);
        if over <= now {
            fields.insert("completedAt".to_owned(), time(over));
        }
    }
    Some(body)
}

/// One entry for each invoice that takes something back.
fn add_taken(fields: &mut Map<String, Value>, name: &str, table: &Table, taken: &[Taken]) {
    let mut by_invoice: BTreeMap<usize, Vec<&Taken>> = BTreeMap::new();
    for taken in taken {
        by_invoice.entry(table.lines[taken.by].invoice).or_default().push(taken);
    }
    let entries = by_invoice.into_iter().map(|(invoice, taken)| {
        let number = &table.invoices[invoice].number;
        let at = taken.iter().map(|taken| uk_time::utc(table.lines[taken.by].at)).max();
        let pieces = taken.iter().map(|taken| json!({ "item": taken.item, "quantity": taken.pieces }));
        let mut entry = json!({
            "at": at.map(time),
            "reason": format!("invoice {number}"),
            "pieces": pieces.collect::<Vec<_>>(),
        });
        if name == "returns" {
            entry["externalId"] = number.as_str().into();
        }
        entry
    });
    let entries: Vec<Value> = entries.collect();
    if !entries.is_empty() {
        fields.insert(name.to_owned(), entries.into());
    }
}

/// Money as the API takes it.
pub fn money(amount: Decimal, currency: &str) -> Value {
    json!({ "amount": amount.to_string(), "currency": currency })
}

fn time(at: DateTime<Utc>) -> Value {
    at.to_rfc3339_opts(SecondsFormat::Secs, true).into()
}
