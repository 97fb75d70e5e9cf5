//! The root of all queries. What is unknown, and what is somebody else's, is null; only wrong arguments and missing
//! scopes are errors.
#![expect(clippy::unused_async, reason = "every resolver is async, whether it waits or not")]

use super::{
    customer::Customer,
    error::{FromRead as _, bad_input},
    ids,
    invoice::Invoice,
    loaders::Batches,
    node::{self, Node},
    order::Order,
    orders::{OrderConnection, OrderFilter, OrderOrder},
    paging::{PageArguments, page_cost},
    product::{Product, ProductConnection, ProductFilter, Stock},
};
use crate::{
    read_models::{invoices::InvoiceKind, keyset::Page, products},
    reads::Reads,
    viewer::Viewer,
};
use async_graphql::{Context, ID, Object, Result, dataloader::DataLoader};
use futures_util::future::join_all;
use shared_events::{CreditNoteId, InvoiceId, OrderId, ProductId, UserId};
use std::sync::Arc;
use web::Scope;

/// The caller of this request.
pub(super) fn viewer<'a>(context: &Context<'a>) -> Result<&'a Viewer> {
    context.data()
}

/// The read tables.
pub(super) fn reads<'a>(context: &Context<'a>) -> Result<&'a Arc<Reads>> {
    context.data()
}

/// The loader of this request.
pub(super) fn loader<'a, T: Send + Sync + 'static>(context: &Context<'a>) -> Result<&'a DataLoader<T>> {
    context.data()
}

/// How many ids `nodes` takes.
const MOST_NODES: usize = 100;

/// The root of all queries.
pub struct Query;

/// The root of all queries. Unknown or foreign things are null.
#[Object]
impl Query {
    /// An order, by its id or by its number. Needs the scope `orders:read`.
    async fn order(&self, context: &Context<'_>, id: Option<ID>, number: Option<String>) -> Result<Option<Order>> {
        let (viewer, reads) = (viewer(context)?, reads(context)?);
        viewer.require(Scope::OrdersRead).coded()?;
        let id: Option<OrderId> = match (id, number) {
            (Some(id), None) => Some(ids::parse(&id)?),
            (None, Some(number)) => reads.orders.id_of_number(&number).await.coded()?,
            _ => return Err(bad_input("give either `id` or `number`")),
        };
        let Some(id) = id else { return Ok(None) };
        let order = reads.cache.get(id, 0).await.coded()?;
        Ok(order.filter(|order| viewer.sees(order)).map(Order))
    }

    /// Orders, newest first unless told otherwise. Needs the scope `orders:read`; customers see their own.
    #[expect(clippy::too_many_arguments, reason = "the arguments of the schema")]
    #[graphql(complexity = "page_cost(first, last, child_complexity)")]
    async fn orders(
        &self,
        context: &Context<'_>,
        filter: Option<OrderFilter>,
        order_by: Option<OrderOrder>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Option<OrderConnection>> {
        let page = PageArguments { first, after, last, before };
        OrderConnection::of(context, None, filter, order_by, page).await.map(Some)
    }

    /// The user whose token this is; null for a client's own token.
    async fn me(&self, context: &Context<'_>) -> Result<Option<Customer>> {
        Ok(UserId::parse(&viewer(context)?.caller().subject).ok().map(Customer::new))
    }

    /// A customer. Needs the scope `orders:read`; customers see themselves.
    async fn customer(&self, context: &Context<'_>, id: ID) -> Result<Option<Customer>> {
        let id: UserId = ids::parse(&id)?;
        node::customer(context, id).await
    }

    /// A product, by its id or by its sku.
    async fn product(&self, context: &Context<'_>, id: Option<ID>, sku: Option<String>) -> Result<Option<Product>> {
        match (id, sku) {
            (Some(id), None) => {
                let id: ProductId = ids::parse(&id)?;
                Ok(loader::<Batches>(context)?.load_one(id).await.coded()?.map(Product))
            }
            (None, Some(sku)) => {
                let product = reads(context)?.products.by_sku(&sku).await.coded()?;
                Ok(product.map(|product| Product(Arc::new(product))))
            }
            _ => Err(bad_input("give either `id` or `sku`")),
        }
    }

    /// Products, sorted by sku.
    #[graphql(complexity = "page_cost(first, last, child_complexity)")]
    async fn products(
        &self,
        context: &Context<'_>,
        filter: Option<ProductFilter>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Option<ProductConnection>> {
        let request = PageArguments { first, after, last, before }.request(products::Product::parse_cursor)?;
        let filter = filter.unwrap_or_default().into();
        let Page { rows, has_next, has_previous } = reads(context)?.products.page(&filter, &request).await.coded()?;
        let rows = rows.into_iter().map(Arc::new).collect();
        Ok(Some(ProductConnection { filter, page: Page { rows, has_next, has_previous } }))
    }

    /// The stock of a product. Needs the scope `inventory:read`.
    async fn stock(&self, context: &Context<'_>, product_id: ID) -> Result<Option<Stock>> {
        Stock::load(context, ids::parse(&product_id)?).await
    }

    /// An invoice or credit note, by its id or by its number. Needs the scope `invoices:read`.
    async fn invoice(&self, context: &Context<'_>, id: Option<ID>, number: Option<String>) -> Result<Option<Invoice>> {
        let (viewer, invoices) = (viewer(context)?, &reads(context)?.invoices);
        viewer.require(Scope::InvoicesRead).coded()?;
        let found = match (id, number) {
            (Some(id), None) if id.starts_with("crn_") => {
                let id: CreditNoteId = ids::parse(&id)?;
                invoices.by_id(InvoiceKind::CreditNote, id.as_uuid()).await
            }
            (Some(id), None) => {
                let id: InvoiceId = ids::parse(&id)?;
                invoices.by_id(InvoiceKind::Invoice, id.as_uuid()).await
            }
            (None, Some(number)) => invoices.by_number(&number).await,
            _ => return Err(bad_input("give either `id` or `number`")),
        };
        Ok(found.coded()?.and_then(|invoice| Invoice::visible(viewer, invoice)))
    }

    /// Anything that has a global id.
    async fn node(&self, context: &Context<'_>, id: ID) -> Result<Option<Node>> {
        node::load(context, &id).await
    }

    /// Several things that have global ids, in the same order; at most 100.
    #[graphql(complexity = "ids.len().min(1_000) * child_complexity + 1")]
    async fn nodes(&self, context: &Context<'_>, ids: Vec<ID>) -> Result<Vec<Option<Node>>> {
        if ids.len() > MOST_NODES {
            return Err(bad_input(format!("`ids` takes at most {MOST_NODES}")));
        }
        join_all(ids.iter().map(|id| node::load(context, id))).await.into_iter().collect()
    }
}
