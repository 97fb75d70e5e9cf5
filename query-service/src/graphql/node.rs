//! `Node`: whatever has a global id. The ids are those of everything else; their prefix says which type it is.

use super::{
    customer::Customer,
    error::{FromRead as _, bad_input},
    ids,
    invoice::Invoice,
    loaders::Batches,
    order::Order,
    product::{Product, Stock},
    query::{loader, reads, viewer},
};
use crate::read_models::invoices::InvoiceKind;
use async_graphql::{Context, ID, Interface, Result};
use shared_events::{
    CartId, ClientId, CreditNoteId, EventId, InvoiceId, LineId, OrderId, PaymentId, ProductId, QuoteId, RefundId,
    ReturnId, ShipmentId, StockId, UserId,
};
use web::Scope;

/// What has an id of ours and no node of its own: looked up as what it is a part of.
const PARTS: [&str; 9] = [
    LineId::PREFIX,
    PaymentId::PREFIX,
    RefundId::PREFIX,
    ShipmentId::PREFIX,
    ReturnId::PREFIX,
    EventId::PREFIX,
    CartId::PREFIX,
    QuoteId::PREFIX,
    ClientId::PREFIX,
];

/// Whatever has a global id.
#[derive(Interface)]
#[graphql(field(name = "id", ty = "ID", desc = "Its id: a TypeID."))]
pub enum Node {
    /// An order.
    Order(Order),
    /// A product.
    Product(Product),
    /// The stock of a product.
    Stock(Stock),
    /// A customer.
    Customer(Customer),
    /// An invoice or credit note.
    Invoice(Invoice),
}

/// Loads whatever has this id; null where it is unknown or somebody else's.
///
/// # Errors
/// `BAD_USER_INPUT` for what is no id of ours, `INSUFFICIENT_SCOPE`, `UNAVAILABLE`.
pub async fn load(context: &Context<'_>, id: &ID) -> Result<Option<Node>> {
    let viewer = viewer(context)?;
    match id.split_once('_').map_or("", |(prefix, _)| prefix) {
        OrderId::PREFIX => {
            viewer.require(Scope::OrdersRead).coded()?;
            let order = loader::<Batches>(context)?.load_one(ids::parse::<OrderId>(id)?).await.coded()?;
            Ok(order.filter(|order| viewer.sees(order)).map(|order| Node::Order(Order(order))))
        }
        ProductId::PREFIX => {
            let product = loader::<Batches>(context)?.load_one(ids::parse::<ProductId>(id)?).await.coded()?;
            Ok(product.map(|product| Node::Product(Product(product))))
        }
        StockId::PREFIX => Ok(Stock::load(context, ids::parse::<StockId>(id)?.product()).await?.map(Node::Stock)),
        UserId::PREFIX => Ok(customer(context, ids::parse(id)?).await?.map(Node::Customer)),
        InvoiceId::PREFIX => {
            let id: InvoiceId = ids::parse(id)?;
            invoice(context, InvoiceKind::Invoice, id.as_uuid()).await
        }
        CreditNoteId::PREFIX => {
            let id: CreditNoteId = ids::parse(id)?;
            invoice(context, InvoiceKind::CreditNote, id.as_uuid()).await
        }
        prefix if PARTS.contains(&prefix) => Ok(None),
        _ => Err(bad_input("a global id begins with `ord_`, `prod_`, `stk_`, `usr_`, `inv_` or `crn_`")),
    }
}

async fn invoice(context: &Context<'_>, kind: InvoiceKind, id: uuid::Uuid) -> Result<Option<Node>> {
    let viewer = viewer(context)?;
    viewer.require(Scope::InvoicesRead).coded()?;
    let invoice = reads(context)?.invoices.by_id(kind, id).await.coded()?;
    Ok(invoice.and_then(|invoice| Invoice::visible(viewer, invoice)).map(Node::Invoice))
}

/// A customer: one who is registered, or who ordered once.
///
/// # Errors
/// `INSUFFICIENT_SCOPE`, `UNAVAILABLE`.
pub async fn customer(context: &Context<'_>, id: UserId) -> Result<Option<Customer>> {
    let viewer = viewer(context)?;
    if viewer.caller().subject == id.to_string() {
        return Ok(Some(Customer::new(id)));
    }
    if viewer.confined_to().is_some() {
        return Ok(None);
    }
    viewer.require(Scope::OrdersRead).coded()?;
    let known = reads(context)?.orders.has_orders(id).await.coded()?
        || loader::<Batches>(context)?.load_one(id).await.coded()?.is_some();
    Ok(known.then(|| Customer::new(id)))
}
