//! Children are loaded in batches: what the fields of one level ask for, one statement fetches.

use crate::{
    read_error::ReadError,
    read_models::{invoices::Invoice, products::Product, stock::Stock},
    reads::{Profile, Reads},
};
use async_graphql::dataloader::Loader;
use futures_util::future::try_join_all;
use order::Order;
use shared_events::{OrderId, ProductId, UserId};
use std::{collections::HashMap, sync::Arc};

/// Loads in batches.
pub struct Batches(pub Arc<Reads>);

/// The invoices and credit notes of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct InvoicesOf(pub OrderId);

/// The stock of a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct StockOf(pub ProductId);

impl Loader<OrderId> for Batches {
    type Value = Arc<Order>;
    type Error = Arc<ReadError>;

    async fn load(&self, ids: &[OrderId]) -> Result<HashMap<OrderId, Arc<Order>>, Arc<ReadError>> {
        let orders = self.0.orders.by_ids(ids).await?;
        Ok(orders.into_iter().map(|(id, order)| (id, Arc::new(order))).collect())
    }
}

impl Loader<ProductId> for Batches {
    type Value = Arc<Product>;
    type Error = Arc<ReadError>;

    async fn load(&self, ids: &[ProductId]) -> Result<HashMap<ProductId, Arc<Product>>, Arc<ReadError>> {
        let products = self.0.products.by_ids(ids).await?;
        Ok(products.into_iter().map(|(id, product)| (id, Arc::new(product))).collect())
    }
}

impl Loader<StockOf> for Batches {
    type Value = Arc<Stock>;
    type Error = Arc<ReadError>;

    async fn load(&self, keys: &[StockOf]) -> Result<HashMap<StockOf, Arc<Stock>>, Arc<ReadError>> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let stocks = self.0.stocks.by_products(&ids).await?;
        Ok(stocks.into_iter().map(|(id, stock)| (StockOf(id), Arc::new(stock))).collect())
    }
}

impl Loader<InvoicesOf> for Batches {
    type Value = Vec<Arc<Invoice>>;
    type Error = Arc<ReadError>;

    async fn load(&self, keys: &[InvoicesOf]) -> Result<HashMap<InvoicesOf, Vec<Arc<Invoice>>>, Arc<ReadError>> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let invoices = self.0.invoices.by_orders(&ids).await?;
        let shared = |of: Vec<Invoice>| of.into_iter().map(Arc::new).collect();
        Ok(invoices.into_iter().map(|(id, of)| (InvoicesOf(id), shared(of))).collect())
    }
}

impl Loader<UserId> for Batches {
    type Value = Profile;
    type Error = Arc<ReadError>;

    async fn load(&self, ids: &[UserId]) -> Result<HashMap<UserId, Profile>, Arc<ReadError>> {
        let found = try_join_all(ids.iter().map(|id| self.0.profile(*id))).await?;
        Ok(ids.iter().copied().zip(found).filter_map(|(id, profile)| Some((id, profile?))).collect())
    }
}
