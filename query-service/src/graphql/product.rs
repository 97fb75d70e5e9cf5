//! `Product` and `Stock`.
#![expect(clippy::unused_async, reason = "every resolver is async, whether it waits or not")]

use super::date_time::DateTime;
use super::{
    enums::ProductStatus,
    error::FromRead as _,
    loaders::{Batches, StockOf},
    money::{Attribute, Money},
    paging::PageInfo,
    query::{loader, reads, viewer},
};
use crate::read_models::{
    keyset::Page,
    products::{self, ProductFilter as Filter},
    stock,
};
use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use shared_events::Currency;
use std::sync::Arc;
use web::{Scope, request_context::now};

/// A product of the catalogue.
pub struct Product(pub Arc<products::Product>);

/// A product of the catalogue.
#[Object]
impl Product {
    /// Its id: `prod_…`.
    pub(super) async fn id(&self) -> ID {
        self.0.product_id.into()
    }

    /// The shop's own code for it.
    async fn sku(&self) -> &str {
        &self.0.details.sku
    }

    /// What people call it.
    async fn name(&self) -> &str {
        &self.0.details.name
    }

    /// More words.
    async fn description(&self) -> Option<&str> {
        self.0.details.description.as_deref()
    }

    /// Whether it can be bought.
    async fn status(&self) -> ProductStatus {
        self.0.status.into()
    }

    /// Which tax rate applies.
    async fn tax_class(&self) -> &str {
        &self.0.details.tax_class
    }

    /// Its price now, in the currency that is asked for, or in its only one.
    async fn price(&self, currency: Option<String>) -> Result<Option<Money>> {
        let wanted = currency
            .map(|code| Currency::parse(&code).map_err(|error| super::error::bad_input(error.to_string())))
            .transpose()?;
        let prices = self.0.prices_at(now());
        let found = match wanted {
            Some(currency) => prices.into_iter().find(|price| price.currency() == currency),
            None => prices.iter().find(|price| price.currency() == Currency::EUR).or(prices.first()).copied(),
        };
        Ok(found.map(Money::from))
    }

    /// Its price now in every currency it has one in.
    async fn prices(&self) -> Vec<Money> {
        self.0.prices_at(now()).into_iter().map(Money::from).collect()
    }

    /// Its stock. Needs the scope `inventory:read`.
    #[graphql(complexity = "2 + child_complexity")]
    async fn stock(&self, context: &Context<'_>) -> Result<Option<Stock>> {
        Stock::load(context, self.0.product_id).await
    }

    /// Where it is sold.
    async fn channel(&self) -> &str {
        &self.0.details.channel
    }

    /// Who sells it.
    async fn legal_entity(&self) -> &str {
        &self.0.details.legal_entity
    }

    /// Its id in another system.
    async fn external_id(&self) -> Option<&str> {
        self.0.details.external_id.as_deref()
    }

    /// What the shop remembers about it.
    async fn attributes(&self) -> Vec<Attribute> {
        Attribute::list(&self.0.details.attributes)
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// When it last changed.
    async fn updated_at(&self) -> DateTime {
        self.0.updated_at.into()
    }

    /// How many events it has had.
    async fn version(&self) -> i64 {
        self.0.version
    }
}

/// Which products are wanted.
#[derive(Debug, Clone, Default, InputObject)]
pub struct ProductFilter {
    /// Only those that can (or can no longer) be bought.
    status: Option<ProductStatus>,
    /// Only those whose name or sku holds this text.
    contains: Option<String>,
}

impl From<ProductFilter> for Filter {
    fn from(filter: ProductFilter) -> Self {
        Self { status: filter.status.map(Into::into), contains: filter.contains }
    }
}

/// Part of the list of products, sorted by sku.
pub struct ProductConnection {
    pub(super) filter: Filter,
    pub(super) page: Page<Arc<products::Product>>,
}

/// Part of the list of products, sorted by sku.
#[Object]
impl ProductConnection {
    /// How many products there are in all, counted now.
    #[graphql(complexity = 20)]
    async fn total_count(&self, context: &Context<'_>) -> Result<i64> {
        reads(context)?.products.count(&self.filter).await.coded()
    }

    /// Where this page stands.
    async fn page_info(&self) -> PageInfo {
        PageInfo::of(&self.page, |product| product.place().to_cursor())
    }

    /// The products of this page.
    async fn edges(&self) -> Vec<ProductEdge> {
        let edge = |product: &Arc<products::Product>| ProductEdge {
            cursor: product.place().to_cursor(),
            node: Product(Arc::clone(product)),
        };
        self.page.rows.iter().map(edge).collect()
    }

    /// The products without their cursors.
    async fn nodes(&self) -> Vec<Product> {
        self.page.rows.iter().cloned().map(Product).collect()
    }
}

/// A product with its cursor.
#[derive(SimpleObject)]
pub struct ProductEdge {
    /// Where it stands.
    cursor: String,
    /// The product.
    node: Product,
}

/// The stock of a product, over all locations.
pub struct Stock(Arc<stock::Stock>);

impl Stock {
    /// The stock of a product; none where there never was any.
    ///
    /// # Errors
    /// `INSUFFICIENT_SCOPE`, `UNAVAILABLE`.
    pub async fn load(context: &Context<'_>, product: shared_events::ProductId) -> Result<Option<Self>> {
        viewer(context)?.require(Scope::InventoryRead).coded()?;
        Ok(loader::<Batches>(context)?.load_one(StockOf(product)).await.coded()?.map(Self))
    }
}

/// The stock of a product, over all locations.
#[Object]
impl Stock {
    /// Its id: `stk_…`.
    pub(super) async fn id(&self) -> ID {
        self.0.product_id.stock().into()
    }

    /// The product's id.
    async fn product_id(&self) -> ID {
        self.0.product_id.into()
    }

    /// The product.
    #[graphql(complexity = "2 + child_complexity")]
    async fn product(&self, context: &Context<'_>) -> Result<Option<Product>> {
        Ok(loader::<Batches>(context)?.load_one(self.0.product_id).await.coded()?.map(Product))
    }

    /// Pieces on the shelf.
    async fn on_hand(&self) -> i64 {
        self.0.on_hand()
    }

    /// Pieces of those that are promised.
    async fn reserved(&self) -> i64 {
        self.0.reserved()
    }

    /// Pieces that can be had.
    async fn available(&self) -> i64 {
        self.0.on_hand() - self.0.reserved()
    }

    /// Counts its changes.
    async fn version(&self) -> i64 {
        self.0.version()
    }

    /// The stock at each location.
    async fn locations(&self) -> Vec<StockLocation> {
        self.0.locations.iter().map(StockLocation::from).collect()
    }
}

/// The stock of a product at one location.
#[derive(Debug, Clone, SimpleObject)]
pub struct StockLocation {
    /// The location.
    location: String,
    /// Pieces on the shelf.
    on_hand: i64,
    /// Pieces of those that are promised.
    reserved: i64,
    /// Pieces that can be had.
    available: i64,
}

impl From<&stock::StockLevel> for StockLocation {
    fn from(level: &stock::StockLevel) -> Self {
        let stock::StockLevel { location, on_hand, reserved, .. } = level;
        Self { location: location.clone(), on_hand: *on_hand, reserved: *reserved, available: on_hand - reserved }
    }
}
