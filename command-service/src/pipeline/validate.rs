//! The third stage: a body becomes a draft whose values are valid in themselves. Ids are read first (a wrong
//! form is 400), then every rule (422, all broken ones at once). What needs the catalogue comes later.

use super::source::{Source, items_of};
use crate::input::{AddressInput, Checks, ContactInput};
use order::Rejection;
use serde::{Deserialize, Serialize};
use shared_events::{
    Address, Attributes, CartId, Contact, Currency, IdError, ProductId, QuoteId, UserId, default_name,
    order::PaymentMethod,
};
use web::{Caller, Problem};

/// How many lines an order may have: real invoices have had 1,114 lines.
pub const MOST_LINES: usize = 1_500;
/// How many pieces a line may have.
pub const MOST_PIECES: i64 = 9_999;
const LONGEST_NOTE: usize = 2_000;
const LONGEST_EXTERNAL_ID: usize = 200;

/// The body of `POST /api/orders`, both spellings.
#[derive(Debug, Clone, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PlaceOrderBody {
    /// The customer; a customer's own token needs none, without one staff and services place a guest order.
    pub customer_id: Option<String>,
    /// The customer, in the short spelling.
    #[serde(rename = "userID")]
    pub user_id: Option<String>,
    /// What is bought.
    pub items: Option<Vec<ItemBody>>,
    /// What is bought, in the short spelling.
    #[serde(rename = "orderItems")]
    pub order_items: Option<Vec<OrderItemBody>>,
    /// The cart to order.
    pub cart_id: Option<String>,
    /// The quote to order.
    pub quote_id: Option<String>,
    /// ISO 4217; the shop's own where missing.
    pub currency: Option<String>,
    /// How the customer is reached; from the profile where missing.
    pub contact: Option<ContactInput>,
    /// Where it goes.
    pub shipping_address: Option<AddressInput>,
    /// Who gets the bill, where that is another address.
    pub billing_address: Option<AddressInput>,
    /// card, bank_transfer, paypal, invoice, cash_on_delivery or other.
    pub payment_method: Option<String>,
    /// The code of a shipping method.
    pub shipping_method: Option<String>,
    /// The code of a discount.
    pub discount_code: Option<String>,
    /// What the customer wants to say.
    pub note: Option<String>,
    /// Where it was sold.
    pub channel: Option<String>,
    /// Its id in another system.
    pub external_id: Option<String>,
    /// What the shop wants to remember about it.
    pub attributes: Option<Attributes>,
}

/// One product of an order.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ItemBody {
    /// The product.
    pub product_id: Option<String>,
    /// 1 to 9,999 pieces.
    pub quantity: Option<i64>,
}

/// One product of an order, in the short spelling.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderItemBody {
    /// The product.
    #[serde(rename = "productID")]
    pub product_id: Option<String>,
    /// 1 to 9,999 pieces.
    pub quantity: Option<i64>,
}

/// A product and how much of it, with the place in the body it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DraftItem {
    /// The product.
    pub product_id: ProductId,
    /// Pieces.
    pub quantity: u32,
    /// Where the product stands in the body.
    pub pointer: String,
}

/// An order that could be placed if the catalogue and the stock agree.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The customer; none for a guest.
    pub customer_id: Option<UserId>,
    /// What is bought.
    pub items: Vec<DraftItem>,
    /// In which currency.
    pub currency: Currency,
    /// How the customer is reached.
    pub contact: Option<Contact>,
    /// Where it goes.
    pub shipping_address: Option<Address>,
    /// Who gets the bill.
    pub billing_address: Option<Address>,
    /// How it is paid.
    pub payment_method: PaymentMethod,
    /// The code of the shipping method.
    pub shipping_method: Option<String>,
    /// The code of a discount.
    pub discount_code: Option<String>,
    /// The cart that is ordered, or that the quote is of.
    pub cart_id: Option<CartId>,
    /// The quote that is ordered.
    pub quote_id: Option<QuoteId>,
    /// What the customer wrote.
    pub note: Option<String>,
    /// Where it was sold.
    pub channel: String,
    /// Its id in another system.
    pub external_id: Option<String>,
    /// What the shop wants to remember about it.
    pub attributes: Attributes,
}

/// The ids of a body, read before anything else of it.
#[derive(Debug, Clone)]
pub struct Identified {
    /// The customer; none for a guest, and where the caller leaves it to the cart or quote.
    pub customer_id: Option<UserId>,
    /// The cart to order.
    pub cart_id: Option<CartId>,
    /// The quote to order.
    pub quote_id: Option<QuoteId>,
    items: Vec<(ProductId, Option<i64>, String)>,
}

/// Reads the ids. A foreign customer is not there for a customer.
///
/// # Errors
/// 400 for an id of the wrong form, 404 for somebody else's, 422 where an id is missing.
pub fn identify(body: &PlaceOrderBody, caller: &Caller) -> Result<Identified, Problem> {
    let named = match (&body.customer_id, &body.user_id) {
        (Some(id), _) => Some((id.as_str(), "/customerId")),
        (None, Some(id)) => Some((id.as_str(), "/userID")),
        (None, None) => None,
    };
    let customer_id = customer(named, caller)?;
    let cart_id = body.cart_id.as_deref().map(|id| CartId::parse(id).map_err(|error| malformed("/cartId", &error)));
    let quote_id = body.quote_id.as_deref().map(|id| QuoteId::parse(id).map_err(|error| malformed("/quoteId", &error)));
    let (list, product) = if body.order_items.is_some() { ("orderItems", "productID") } else { ("items", "productId") };
    let written: Vec<(Option<&String>, Option<i64>)> = match (&body.items, &body.order_items) {
        (_, Some(items)) => items.iter().map(|item| (item.product_id.as_ref(), item.quantity)).collect(),
        (Some(items), None) => items.iter().map(|item| (item.product_id.as_ref(), item.quantity)).collect(),
        (None, None) => Vec::new(),
    };
    let mut items = Vec::with_capacity(written.len());
    for (index, (id, quantity)) in written.into_iter().enumerate() {
        let at = format!("/{list}/{index}");
        let pointer = format!("{at}/{product}");
        let id = id.ok_or_else(|| Problem::invalid_field(&pointer, "this field is required"))?;
        let id = ProductId::parse(id).map_err(|error| malformed(&pointer, &error))?;
        items.push((id, quantity, at));
    }
    Ok(Identified { customer_id, cart_id: cart_id.transpose()?, quote_id: quote_id.transpose()?, items })
}

/// The customer that the caller acts for: a customer's own token is that customer's, whatever is named.
///
/// # Errors
/// 400 for an id of the wrong form, 404 for somebody else's.
pub fn customer(named: Option<(&str, &str)>, caller: &Caller) -> Result<Option<UserId>, Problem> {
    let named = named.map(|(id, pointer)| user_id(id, pointer)).transpose()?;
    if !caller.is_customer() {
        return Ok(named);
    }
    let own = user_id(&caller.subject, "/customerId")?;
    match named {
        Some(named) if named != own => Err(Problem::not_found("there is no such customer")),
        _ => Ok(Some(own)),
    }
}

fn user_id(text: &str, pointer: &str) -> Result<UserId, Problem> {
    UserId::parse(text).map_err(|error| malformed(pointer, &error))
}

fn malformed(pointer: &str, error: &IdError) -> Problem {
    Problem::invalid_id(error.to_string()).with_error(pointer, "INVALID_ID", error.to_string())
}

/// Checks every rule that needs nothing but the body and what it orders.
///
/// # Errors
/// Every broken rule.
pub fn validate(
    body: PlaceOrderBody,
    identified: Identified,
    source: &Source,
    shop_currency: Currency,
) -> Result<Draft, Rejection> {
    let mut checks = Checks::default();
    let list = if body.order_items.is_some() { "/orderItems" } else { "/items" };
    let names_items = body.items.is_some() || body.order_items.is_some();
    if body.items.is_some() && body.order_items.is_some() {
        checks.broken("/orderItems", "either `items` or `orderItems`, not both");
    }
    if body.cart_id.is_some() && body.quote_id.is_some() {
        checks.broken("/cartId", "either `cartId` or `quoteId`, not both");
    }
    if names_items && !matches!(source, Source::Items) {
        checks.broken(list, "either items or a cart or quote, not both");
    }
    let Identified { customer_id, items: named, .. } = identified;
    let product = if body.order_items.is_some() { "productID" } else { "productId" };
    let items = match source {
        Source::Items => quantities(named, list, product, &mut checks),
        Source::Cart(cart) => items_of(cart),
        Source::Quote(..) => Vec::new(),
    };
    if matches!(source, Source::Cart(_)) && items.is_empty() {
        checks.broken("/cartId", "the cart is empty");
    }
    let usual = match source {
        Source::Items => shop_currency,
        Source::Cart(cart) => cart.currency,
        Source::Quote(quote, _) => quote.content.priced.currency,
    };
    let currency = match body.currency.as_deref() {
        None => Some(usual),
        Some(code) => checks.value("/currency", Currency::parse(code)),
    };
    if matches!(source, Source::Quote(..)) && currency.is_some_and(|currency| currency != usual) {
        checks.broken("/currency", format!("the quote is in {usual}"));
    }
    let contact = body.contact.as_ref().and_then(|contact| contact.check("/contact", &mut checks));
    let shipping_address =
        body.shipping_address.as_ref().and_then(|address| address.check("/shippingAddress", &mut checks));
    let billing_address =
        body.billing_address.as_ref().and_then(|address| address.check("/billingAddress", &mut checks));
    let payment_method = payment_method(body.payment_method.as_deref(), "/paymentMethod", &mut checks);
    let shipping_method = checks.name("/shippingMethod", body.shipping_method.as_deref());
    let discount_code = checks.name("/discountCode", body.discount_code.as_deref());
    let note = checks.optional("/note", body.note.as_deref(), LONGEST_NOTE);
    let channel = checks.name("/channel", body.channel.as_deref()).unwrap_or_else(default_name);
    let external_id = checks.optional("/externalId", body.external_id.as_deref(), LONGEST_EXTERNAL_ID);
    let attributes = checks.attributes("/attributes", body.attributes);
    checks.finish()?;
    let (quoted_address, quoted_method) = match source {
        Source::Quote(quote, _) => (quote.shipping_address.clone(), quote.content.payment_method),
        Source::Items | Source::Cart(_) => (None, None),
    };
    Ok(Draft {
        customer_id: customer_id.or(source.customer_id()),
        items,
        currency: currency.unwrap_or(usual),
        contact,
        shipping_address: shipping_address.or(quoted_address),
        billing_address,
        payment_method: payment_method.or(quoted_method).unwrap_or(PaymentMethod::Other),
        shipping_method,
        discount_code,
        cart_id: source.cart_id(),
        quote_id: source.quote_id(),
        note,
        channel,
        external_id,
        attributes,
    })
}

/// The items that a body names, with their quantities checked.
fn quantities(
    named: Vec<(ProductId, Option<i64>, String)>,
    list: &str,
    product: &str,
    checks: &mut Checks,
) -> Vec<DraftItem> {
    if named.is_empty() {
        checks.broken(list, "at least one item");
    } else if named.len() > MOST_LINES {
        checks.broken(list, format!("at most {MOST_LINES} items"));
    }
    let mut items = Vec::with_capacity(named.len());
    for (product_id, quantity, at) in named {
        let pointer = format!("{at}/quantity");
        if let Some(quantity) = pieces(quantity, &pointer, checks) {
            items.push(DraftItem { product_id, quantity, pointer: format!("{at}/{product}") });
        }
    }
    items
}

/// A number of pieces that a line may have.
pub fn pieces(quantity: Option<i64>, pointer: &str, checks: &mut Checks) -> Option<u32> {
    match quantity {
        Some(pieces @ 1..=MOST_PIECES) => return u32::try_from(pieces).ok(),
        Some(_) => checks.broken(pointer, format!("1 to {MOST_PIECES} pieces")),
        None => checks.broken(pointer, "this field is required"),
    }
    None
}

/// The payment method of that name. None is asked for later; until then the order counts as `other`.
pub fn payment_method(name: Option<&str>, pointer: &str, checks: &mut Checks) -> Option<PaymentMethod> {
    let name = name?;
    let method = PaymentMethod::parse(name);
    if method.is_none() {
        let all = PaymentMethod::ALL.map(PaymentMethod::as_str).join(", ");
        checks.broken(pointer, format!("one of {all}"));
    }
    method
}
