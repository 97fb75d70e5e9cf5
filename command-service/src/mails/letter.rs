//! What a mail says. Text and HTML are templates over the same words; everything in them that came from people is
//! escaped by the HTML one.

use super::MailKind;
use askama::Template;
use order::{Order, ShipmentStatus};
use rust_decimal::Decimal;
use shared_events::Money;

/// A mail's words.
pub struct Letter {
    /// One line.
    pub subject: String,
    /// For readers without HTML.
    pub text: String,
    /// The same as HTML.
    pub html: String,
}

#[derive(Template)]
#[template(path = "order_mail.html")]
struct Html<'a>(&'a Content);

#[derive(Template)]
#[template(path = "order_mail.txt", escape = "none")]
struct Text<'a>(&'a Content);

struct Content {
    shop: String,
    title: String,
    greeting: String,
    sentences: Vec<String>,
    lines: Vec<LineWords>,
    sums: Vec<(&'static str, String)>,
    parcels: Vec<String>,
    number: String,
}

struct LineWords {
    quantity: u32,
    name: String,
    total: String,
}

/// Writes the mail about an order as it stood.
///
/// # Errors
/// When a template fails, which none of these does.
pub fn write(kind: MailKind, order: &Order, shop: &str) -> Result<Letter, askama::Error> {
    let content = content(kind, order, shop);
    let (text, html) = (Text(&content).render()?, Html(&content).render()?);
    Ok(Letter { subject: content.title, text, html })
}

fn content(kind: MailKind, order: &Order, shop: &str) -> Content {
    let number = &order.number;
    let name = order.contact.as_ref().and_then(|contact| contact.name.as_deref());
    let (title, sentences) = words(kind, order);
    let with_lines = kind == MailKind::Confirmation;
    Content {
        shop: shop.to_owned(),
        title: format!("{title} {number}"),
        greeting: name.map_or_else(|| "Hello,".to_owned(), |name| format!("Hello {name},")),
        sentences,
        lines: if with_lines { lines(order) } else { Vec::new() },
        sums: if with_lines { sums(order) } else { Vec::new() },
        parcels: if kind == MailKind::Shipped { parcels(order) } else { Vec::new() },
        number: number.clone(),
    }
}

fn words(kind: MailKind, order: &Order) -> (&'static str, Vec<String>) {
    let money = |amount: Decimal| money(order, amount);
    let said = |sentences: &[&str]| sentences.iter().map(ToString::to_string).collect::<Vec<_>>();
    match kind {
        MailKind::Confirmation => {
            let mut sentences = said(&["Thank you for your order. This is what you have bought:"]);
            if let Some(until) = order.expires() {
                sentences.push(format!(
                    "Please pay by {}; after that the order expires.",
                    until.format("%-d %B %Y, %H:%M UTC")
                ));
            }
            ("Your order", sentences)
        }
        MailKind::Shipped => ("On its way: your order", said(&["A parcel of your order has left us."])),
        MailKind::Delivered => {
            ("Delivered: your order", said(&["Everything of your order has arrived. We hope you like it."]))
        }
        MailKind::Cancelled => (
            "Cancelled: your order",
            said(&["Your order was cancelled. What you have paid for it, if anything, goes back to you."]),
        ),
        MailKind::Expired => (
            "Expired: your order",
            said(&[
                "Your order was not paid in time and has expired. Nothing will be delivered; you are welcome to order again.",
            ]),
        ),
        MailKind::PaymentFailed => {
            ("Payment failed: your order", said(&["A payment for your order did not work. You can try again."]))
        }
        MailKind::Refunded => {
            let sentence =
                format!("Money for your order went back to you. Refunded so far: {}.", money(order.refunded_total()));
            ("Refunded: your order", vec![sentence])
        }
    }
}

fn lines(order: &Order) -> Vec<LineWords> {
    let words = |line: &order::Line| LineWords {
        quantity: line.quantity,
        name: line.name.clone(),
        total: money(order, line.line_total(order.currency)),
    };
    order.lines.iter().map(words).collect()
}

fn sums(order: &Order) -> Vec<(&'static str, String)> {
    let totals = &order.totals;
    let mut sums = Vec::new();
    for (name, amount) in [("Discount", -totals.discount_total), ("Shipping", totals.shipping_total)] {
        if !amount.is_zero() {
            sums.push((name, money(order, amount)));
        }
    }
    sums.push(("Total", money(order, totals.total)));
    sums
}

fn parcels(order: &Order) -> Vec<String> {
    let sent = order.shipments.iter().filter(|shipment| shipment.status == ShipmentStatus::Dispatched);
    sent.filter_map(|shipment| match (&shipment.carrier, &shipment.tracking_number) {
        (Some(carrier), Some(number)) => Some(format!("{carrier} {number}")),
        (Some(one), None) | (None, Some(one)) => Some(one.clone()),
        (None, None) => None,
    })
    .collect()
}

fn money(order: &Order, amount: Decimal) -> String {
    Money::rounded(amount, order.currency).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared_events::Contact;

    fn order() -> Order {
        let contact = Contact { email: "eve@example.org".to_owned(), phone: None, name: Some("<b>Eve</b>".to_owned()) };
        Order { contact: Some(contact), number: "R-000000001".to_owned(), ..Order::default() }
    }

    #[test]
    fn every_kind_has_words_and_names_the_order() {
        for kind in MailKind::ALL {
            let letter = write(kind, &order(), "The shop").unwrap();
            assert!(letter.subject.contains("R-000000001") && !letter.subject.contains('\n'), "{}", letter.subject);
            for body in [&letter.text, &letter.html] {
                assert!(body.contains("R-000000001") && body.contains("The shop"), "{body}");
            }
        }
    }

    #[test]
    fn what_people_have_written_is_no_html() {
        let letter = write(MailKind::Confirmation, &order(), "The shop").unwrap();
        assert!(letter.text.contains("<b>Eve</b>") && !letter.html.contains("<b>Eve</b>"));
    }
}
