//! From the line of an import to the command: every value is read and bounded here, all that is wrong is said at once.

use super::{
    body::{ImportOrderBody, ImportedItemBody, PiecesBody},
    ids::{self, OrderIds},
};
use crate::{
    input::Checks,
    pipeline::validate::{MOST_LINES, MOST_PIECES, payment_method},
};
use chrono::{DateTime, Utc};
use order::{
    ImportOrder, ImportedCancellation, ImportedPayment, ImportedReturn, ImportedShipment, PlaceOrder,
    pricing::{LineToPrice, ToPrice, price},
};
use rust_decimal::Decimal;
use shared_events::{
    Attributes, Currency, DEFAULT, OrderId, ProductId, UserId, default_name,
    order::{LineQuantity, PaymentMethod},
};

const LONGEST_NAME: usize = 500;
const LONGEST_KEY: usize = 200;
const LONGEST_NOTE: usize = 2_000;

/// An order that can be brought in.
#[derive(Debug)]
pub struct Imported {
    /// Its id.
    pub order_id: OrderId,
    /// The products it names.
    pub products: Vec<ProductId>,
    /// The command.
    pub command: ImportOrder,
}

/// Reads a line. `now` is what nothing can have happened after.
///
/// # Errors
/// Every rule that it breaks.
pub fn read(body: ImportOrderBody, now: DateTime<Utc>) -> Result<Imported, order::Rejection> {
    let mut checks = Checks::default();
    let read = read_checked(body, now, &mut checks);
    checks.finish()?;
    // Whatever is missing was said.
    read.ok_or_else(|| order::Rejection::Invalid(Vec::new()))
}

fn read_checked(body: ImportOrderBody, now: DateTime<Utc>, checks: &mut Checks) -> Option<Imported> {
    let source = checks.name("/source", body.source.as_deref());
    if source.is_none() && body.source.as_deref().is_none_or(|text| text.trim().is_empty()) {
        checks.broken("/source", "this field is required");
    }
    let external_id = checks.required("/externalId", body.external_id.as_deref(), LONGEST_KEY);
    let number = match body.order_number.as_deref() {
        Some(number) => order_number(number, "/orderNumber", checks),
        None => order_number(body.external_id.as_deref()?, "/externalId", checks),
    };
    let placed_at = body.placed_at.or_else(|| {
        checks.broken("/placedAt", "this field is required");
        None
    })?;
    let mut period = Period { from: DateTime::UNIX_EPOCH, to: now, checks };
    period.holds("/placedAt", Some(placed_at));
    period.from = placed_at;
    period.holds("/dispatchedAt", body.dispatched_at);
    period.holds("/deliveredAt", body.delivered_at);
    period.holds("/completedAt", body.completed_at);
    for (list, times) in [
        ("cancellations", body.cancellations.iter().flatten().map(|entry| entry.at).collect::<Vec<_>>()),
        ("returns", body.returns.iter().flatten().map(|entry| entry.at).collect()),
        ("payments", body.payments.iter().flatten().map(|entry| entry.at).collect()),
    ] {
        for (index, at) in times.into_iter().enumerate() {
            period.holds(&format!("/{list}/{index}/at"), Some(at));
        }
    }
    let currency = match body.currency.as_deref() {
        Some(code) => checks.value("/currency", Currency::parse(code)),
        None => {
            checks.broken("/currency", "this field is required");
            None
        }
    };
    let method = payment_method(body.payment_method.as_deref(), "/paymentMethod", checks);
    let channel = checks.name("/channel", body.channel.as_deref()).unwrap_or_else(default_name);
    let (source, external_id, currency) = (source?, external_id?, currency?);
    let ids = OrderIds { source: &source, external_id: &external_id, placed_at };
    let lines = lines(body.items.as_deref().unwrap_or_default(), &ids, currency, &channel, checks);
    let customer_id = customer(&body, &source, checks);
    let shipped = shipment(&body, checks);
    let items = body.items.as_ref().map_or(0, Vec::len);
    let pieces = |list: &[PiecesBody], at: &str, checks: &mut Checks| pieces(list, at, (&lines, items), checks);
    let cancellations = body.cancellations.unwrap_or_default().into_iter().enumerate().map(|(index, entry)| {
        let at = format!("/cancellations/{index}");
        ImportedCancellation {
            lines: pieces(&entry.pieces, &at, checks),
            reason: checks.optional(&format!("{at}/reason"), entry.reason.as_deref(), LONGEST_NAME),
            occurred_at: entry.at,
        }
    });
    let cancellations = cancellations.collect();
    let returns = body.returns.unwrap_or_default().into_iter().enumerate().map(|(index, entry)| {
        let at = format!("/returns/{index}");
        let key = checks.required(&format!("{at}/externalId"), Some(&entry.external_id), LONGEST_KEY);
        ImportedReturn {
            return_id: ids.return_of(&key.unwrap_or_default()),
            lines: pieces(&entry.pieces, &at, checks),
            reason: checks.optional(&format!("{at}/reason"), entry.reason.as_deref(), LONGEST_NAME),
            occurred_at: entry.at,
        }
    });
    let returns = returns.collect();
    let method = method.unwrap_or(PaymentMethod::Other);
    let payments = body.payments.unwrap_or_default().into_iter().enumerate().filter_map(|(index, entry)| {
        let at = format!("/payments/{index}");
        let used = payment_method(entry.method.as_deref(), &format!("{at}/method"), checks);
        let amount = checks.value(&format!("{at}/amount"), entry.amount.parse())?;
        Some(ImportedPayment {
            payment_id: entry.payment_id,
            provider: checks.name(&format!("{at}/provider"), entry.provider.as_deref()),
            method: used.unwrap_or(method),
            amount,
            occurred_at: entry.at,
        })
    });
    let payments = payments.collect();
    let contact = body.contact.as_ref().and_then(|contact| contact.check("/contact", checks));
    let shipping_address = body.shipping_address.as_ref().and_then(|address| address.check("/shippingAddress", checks));
    let billing_address = body.billing_address.as_ref().and_then(|address| address.check("/billingAddress", checks));
    let attributes = checks.attributes("/attributes", body.attributes);
    let note = checks.optional("/note", body.note.as_deref(), LONGEST_NOTE);
    let foreign_invoice_number =
        checks.optional("/foreignInvoiceNumber", body.foreign_invoice_number.as_deref(), LONGEST_KEY);
    if !checks.hold() {
        // Lines that could not be read are missing: what they add up to says nothing.
        return None;
    }
    let products = lines.iter().map(|line| line.product_id).collect();
    let priced = price(ToPrice {
        currency,
        prices_include_tax: true,
        lines,
        shipping_method: None,
        shipping_amount: Decimal::ZERO,
        shipping_free_from: None,
        shipping_tax_rate: Decimal::ZERO,
        discounts: Vec::new(),
    })
    .map_err(|errors| errors.into_iter().for_each(|error| checks.broken(error.pointer, error.detail)))
    .ok()?;
    let placing = PlaceOrder {
        order_number: number?,
        customer_id,
        channel,
        legal_entity: DEFAULT.to_owned(),
        external_id: Some(external_id.clone()),
        attributes,
        cart_id: None,
        quote_id: None,
        priced,
        payment_method: method,
        contact,
        shipping_address,
        billing_address,
        note,
        shipment_id: ids.shipment(),
        reservation_revision: 0,
        expires_at: placed_at,
        now: placed_at,
    };
    let completed_at = body.completed_at;
    let command =
        ImportOrder { placing, cancellations, payments, shipped, returns, completed_at, foreign_invoice_number };
    Some(Imported { order_id: ids.order(), products, command })
}

/// When something can have happened.
struct Period<'a> {
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    checks: &'a mut Checks,
}

impl Period<'_> {
    fn holds(&mut self, pointer: &str, at: Option<DateTime<Utc>>) {
        let Some(at) = at else { return };
        if at < self.from {
            self.checks.broken(pointer, format!("must not be before {}", self.from.to_rfc3339()));
        } else if at > self.to {
            self.checks.broken(pointer, "must not be in the future");
        }
    }
}

/// A number that nobody takes for one of ours, nor for an id.
fn order_number(text: &str, pointer: &str, checks: &mut Checks) -> Option<String> {
    let number = checks.name(pointer, Some(text))?;
    let digits = number.strip_prefix("R-").is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()));
    if digits || OrderId::parse(&number).is_ok() || UserId::parse(&number).is_ok() {
        checks.broken(pointer, "must not look like an order number or an id of this system");
        return None;
    }
    Some(number)
}

fn customer(body: &ImportOrderBody, source: &str, checks: &mut Checks) -> Option<UserId> {
    let key = checks.optional("/customerKey", body.customer_key.as_deref(), LONGEST_KEY);
    match (&body.customer_id, key) {
        (Some(_), Some(_)) => {
            checks.broken("/customerKey", "either `customerId` or `customerKey`, not both");
            None
        }
        (Some(id), None) => checks.value("/customerId", UserId::parse(id)),
        (None, key) => key.map(|key| ids::customer(source, &key)),
    }
}

fn shipment(body: &ImportOrderBody, checks: &mut Checks) -> Option<ImportedShipment> {
    let carrier = checks.optional("/carrier", body.carrier.as_deref(), LONGEST_KEY);
    let tracking_number = checks.optional("/trackingNumber", body.tracking_number.as_deref(), LONGEST_KEY);
    match (body.dispatched_at, body.delivered_at) {
        (Some(dispatched_at), delivered_at) => {
            if delivered_at.is_some_and(|at| at < dispatched_at) {
                checks.broken("/deliveredAt", "must not be before `dispatchedAt`");
            }
            Some(ImportedShipment { carrier, tracking_number, dispatched_at, delivered_at })
        }
        (None, None) => None,
        (None, Some(_)) => {
            checks.broken("/dispatchedAt", "what arrived has left");
            None
        }
    }
}

fn lines(
    items: &[ImportedItemBody],
    ids: &OrderIds<'_>,
    currency: Currency,
    channel: &str,
    checks: &mut Checks,
) -> Vec<LineToPrice> {
    if items.is_empty() || items.len() > MOST_LINES {
        checks.broken("/items", format!("1 to {MOST_LINES} items"));
        return Vec::new();
    }
    let read = items.iter().enumerate().filter_map(|(index, item)| {
        let at = |field: &str| format!("/items/{index}/{field}");
        let product_id = match item.product_id.as_deref() {
            Some(id) => checks.value(&at("productId"), ProductId::parse(id)),
            None => {
                checks.broken(at("productId"), "this field is required");
                None
            }
        };
        let sku = checks.required(&at("sku"), item.sku.as_deref(), LONGEST_NAME);
        let name = checks.required(&at("name"), item.name.as_deref(), LONGEST_NAME);
        let quantity = item.quantity.filter(|pieces| (1..=MOST_PIECES).contains(pieces));
        if quantity.is_none() {
            checks.broken(at("quantity"), format!("1 to {MOST_PIECES} pieces"));
        }
        let unit_price = match &item.unit_price {
            Some(price) => checks.value(&at("unitPrice"), price.parse()),
            None => {
                checks.broken(at("unitPrice"), "this field is required");
                None
            }
        };
        if unit_price.is_some_and(|price| price.currency() != currency) {
            checks.broken(at("unitPrice"), format!("must be in the order's currency, {currency}"));
        }
        Some(LineToPrice {
            line_id: ids.line(index),
            product_id: product_id?,
            sku: sku?,
            name: name?,
            quantity: u32::try_from(quantity?).ok()?,
            unit_price: unit_price?.amount(),
            tax_rate: Decimal::ZERO,
            channel: channel.to_owned(),
            legal_entity: DEFAULT.to_owned(),
            external_id: checks.optional(&at("externalId"), item.external_id.as_deref(), LONGEST_KEY),
            attributes: Attributes::new(),
        })
    });
    read.collect()
}

/// Of which lines: those that could be read, of so many items.
fn pieces(
    list: &[PiecesBody],
    at: &str,
    (lines, items): (&[LineToPrice], usize),
    checks: &mut Checks,
) -> Vec<LineQuantity> {
    let known = list.iter().enumerate().filter_map(|(index, part)| {
        let line = lines.get(part.item);
        if part.item >= items {
            checks.broken(format!("{at}/pieces/{index}/item"), format!("there is no item {}", part.item));
        }
        line.map(|line| LineQuantity { line_id: line.line_id, quantity: part.quantity })
    });
    known.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn line() -> Value {
        json!({
            "source": "shop", "externalId": "7", "placedAt": "2011-02-01T10:00:00+01:00", "currency": "GBP",
            "paymentMethod": "invoice", "customerKey": "17850", "foreignInvoiceNumber": "7",
            "items": [
                {"productId": "prod_01h455vb4pex5vsknk084sn02q", "sku": "A", "name": "Cup", "quantity": 2,
                 "unitPrice": {"amount": "1.50", "currency": "GBP"}},
            ],
            "cancellations": [{"at": "2011-02-01T12:00:00Z", "pieces": [{"item": 0, "quantity": 1}]}],
            "dispatchedAt": "2011-02-02T00:00:00Z", "deliveredAt": "2011-02-02T00:00:00Z",
            "returns": [{"externalId": "C8", "at": "2011-02-09T00:00:00Z", "pieces": [{"item": 0, "quantity": 1}]}],
            "completedAt": "2011-02-16T00:00:00Z",
        })
    }

    fn read_line(line: Value) -> Result<Imported, order::Rejection> {
        read(serde_json::from_value(line).unwrap(), "2026-01-01T00:00:00Z".parse().unwrap())
    }

    fn pointers(line: Value) -> Vec<String> {
        let Err(order::Rejection::Invalid(errors)) = read_line(line) else { panic!("it must be refused") };
        errors.into_iter().map(|error| error.pointer).collect()
    }

    #[test]
    fn the_same_line_is_the_same_order_with_the_same_ids() {
        let (one, other) = (read_line(line()).unwrap(), read_line(line()).unwrap());
        assert_eq!((one.order_id, &one.command), (other.order_id, &other.command));
        let placing = &one.command.placing;
        assert_eq!((placing.order_number.as_str(), placing.external_id.as_deref()), ("7", Some("7")));
        assert_eq!(placing.now, "2011-02-01T09:00:00Z".parse::<DateTime<Utc>>().unwrap());
        assert_eq!(placing.priced.totals.total.to_string(), "3.00");
        assert_eq!(one.command.returns[0].lines[0].line_id, placing.priced.lines[0].line_id);
        let order = order::Order::of(one.order_id);
        assert_eq!(order::decide(&order, one.command).unwrap().len(), 7);
    }

    #[test]
    fn everything_that_is_wrong_is_said_at_once() {
        let mut wrong = line();
        wrong["orderNumber"] = json!("R-000000123");
        wrong["customerId"] = json!("usr_01h455vb4pex5vsknk084sn02q");
        wrong["items"][0]["quantity"] = json!(10_000);
        wrong["items"][0]["unitPrice"]["amount"] = json!("1.501");
        wrong["returns"][0]["pieces"][0]["item"] = json!(1);
        wrong["cancellations"][0]["at"] = json!("2011-01-01T00:00:00Z");
        wrong["completedAt"] = json!("2027-01-01T00:00:00Z");
        let expected = [
            "/orderNumber",
            "/completedAt",
            "/cancellations/0/at",
            "/items/0/quantity",
            "/items/0/unitPrice",
            "/customerKey",
            "/returns/0/pieces/0/item",
        ];
        assert_eq!(pointers(wrong), expected);
    }

    #[test]
    fn what_is_missing_is_named() {
        assert_eq!(pointers(json!({})), ["/source", "/externalId"]);
        let mut line = line();
        for field in ["placedAt", "currency", "items"] {
            line.as_object_mut().unwrap().remove(field);
        }
        assert_eq!(pointers(line.clone()), ["/placedAt"]);
        line["placedAt"] = json!("2011-02-01T09:00:00Z");
        line["dispatchedAt"] = Value::Null;
        assert_eq!(pointers(line), ["/currency"]);
    }

    #[test]
    fn another_currency_and_an_arrival_without_a_dispatch_are_refused() {
        let mut line = line();
        line["currency"] = json!("EUR");
        line["dispatchedAt"] = Value::Null;
        assert_eq!(pointers(line), ["/items/0/unitPrice", "/dispatchedAt"]);
    }
}
