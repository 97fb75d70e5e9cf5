//! An invoice for an order as it stands: its live lines, shipping as a line of its own, and the tax per rate.
//! The parts sum up to the order's total; nothing is calculated anew that the order has frozen.

use chrono::{DateTime, Days, Utc};
use order::{Line, Order, PaymentMethod};
use rust_decimal::Decimal;
use shared_events::{
    Attributes, Currency, EventId, InvoiceId,
    invoice::{InvoiceDocument, InvoiceIssued, InvoiceLine, TaxSubtotal, TradeParty},
    order::Totals,
};
use std::collections::BTreeMap;

/// Invoices on credit are due after so many days.
const TERMS: Days = Days::new(14);

/// What made an invoice due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cause {
    /// The order's event that first covered its total.
    pub event_id: EventId,
    /// That event's version.
    pub order_version: i64,
}

/// The invoice for an order as it stood at its cause.
#[must_use]
pub fn issue(
    order: &Order,
    cause: Cause,
    seller: TradeParty,
    invoice_id: InvoiceId,
    at: DateTime<Utc>,
) -> InvoiceIssued {
    let lines = lines(order);
    let taxes = taxes(order.currency, &lines);
    let paid_later = order.payment_method == PaymentMethod::Invoice;
    InvoiceIssued {
        invoice_id,
        document: InvoiceDocument {
            order_id: order.id,
            order_number: order.number.clone(),
            order_version: cause.order_version,
            cause_event_id: cause.event_id,
            customer_id: order.customer_id,
            channel: order.channel.clone(),
            legal_entity: order.legal_entity.clone(),
            currency: order.currency,
            prices_include_tax: order.prices_include_tax,
            totals: Totals { ..order.totals },
            lines,
            taxes,
            seller,
            buyer: buyer(order),
            payment_method: order.payment_method,
            payment_reference: order.payments.last().map(|payment| payment.payment_id.clone()),
            due_on: paid_later.then(|| at.date_naive().checked_add_days(TERMS)).flatten(),
            supplied_on: None,
            attributes: Attributes::new(),
            occurred_at: at,
        },
    }
}

/// Who gets the bill; none where the order knows nobody.
fn buyer(order: &Order) -> Option<TradeParty> {
    let address = order.billing_address.as_ref().or(order.shipping_address.as_ref());
    let contact = order.contact.as_ref();
    let name = address
        .and_then(|address| address.company.clone().or_else(|| address.name.clone()))
        .or_else(|| contact.and_then(|contact| contact.name.clone()))
        .or_else(|| contact.map(|contact| contact.email.clone()))?;
    Some(TradeParty {
        name,
        address: address.cloned(),
        email: contact.map(|contact| contact.email.clone()),
        vat_id: None,
        registration: None,
    })
}

fn lines(order: &Order) -> Vec<InvoiceLine> {
    let goods = order.lines.iter().filter(|line| line.quantity > 0).map(|line| goods_line(order, line));
    let shipping = &order.shipping;
    let shipping_line = (!shipping.amount.is_zero()).then(|| InvoiceLine {
        line_id: None,
        product_id: None,
        sku: shipping.method.clone(),
        name: "Shipping".to_owned(),
        quantity: 1,
        unit_price: shipping.amount,
        discount: shipping.discount,
        tax_rate: shipping.tax_rate,
        tax_amount: shipping.tax_amount,
        total: gross(order, shipping.amount - shipping.discount, shipping.tax_amount),
    });
    goods.chain(shipping_line).collect()
}

fn goods_line(order: &Order, line: &Line) -> InvoiceLine {
    let discount = line.discount_of(line.quantity, order.currency);
    let tax_amount = line.tax_of(line.quantity, order.currency);
    InvoiceLine {
        line_id: Some(line.line_id),
        product_id: Some(line.product_id),
        sku: Some(line.sku.clone()),
        name: line.name.clone(),
        quantity: line.quantity,
        unit_price: line.unit_price,
        discount,
        tax_rate: line.tax_rate,
        tax_amount,
        total: gross(order, line.line_total(order.currency) - discount, tax_amount),
    }
}

/// What is paid for it, tax included.
fn gross(order: &Order, amount: Decimal, tax: Decimal) -> Decimal {
    if order.prices_include_tax { amount } else { amount + tax }
}

/// The tax of all lines, summed per rate.
pub(super) fn taxes(currency: Currency, lines: &[InvoiceLine]) -> Vec<TaxSubtotal> {
    let mut by_rate: BTreeMap<Decimal, (Decimal, Decimal)> = BTreeMap::new();
    for line in lines {
        let (base, tax) = by_rate.entry(line.tax_rate.normalize()).or_default();
        *base += line.total - line.tax_amount;
        *tax += line.tax_amount;
    }
    let round = |amount| currency.round(amount);
    let subtotal = |(rate, (base, tax)): (Decimal, (Decimal, Decimal))| TaxSubtotal {
        rate,
        category: if rate.is_zero() { "Z" } else { "S" }.to_owned(),
        base: round(base),
        tax: round(tax),
    };
    by_rate.into_iter().map(subtotal).collect()
}
