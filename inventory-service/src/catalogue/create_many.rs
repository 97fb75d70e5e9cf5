//! Making many products in one transaction: all of them, or none.

use super::change::{INSERT_PRICE, INSERT_PRODUCT, INSERT_STOCK, attributes, status_text};
use super::{Catalogue, CatalogueError, NewProduct, Product, taken};
use eventstore::{Append, Expected};
use futures_util::future::try_join_all;
use shared_events::inventory::{InventoryEvent, PRODUCT_STREAM, PriceSet, ProductCreated, ProductStatus};
use shared_events::sealed::seal_event;
use shared_events::{Metadata, NewEvent};

/// Many fit into one batch of the log.
pub const MOST_AT_ONCE: usize = 100;

impl Catalogue {
    /// Makes products of different skus with their first prices and empty shelves.
    ///
    /// # Errors
    /// [`CatalogueError::SkuTaken`] among others; then none was made.
    pub async fn create_many(
        &self,
        mut products: Vec<NewProduct>,
        metadata: &Metadata,
    ) -> Result<Vec<Product>, CatalogueError> {
        // Two that make the same ones wait for each other in one order.
        products.sort_by(|one, other| one.details.sku.cmp(&other.details.sku));
        let made: Vec<Product> = products.iter().map(NewProduct::made).collect();
        let mut client = self.pool.get().await?;
        let tx = client.transaction().await?;
        let [product, price, stock] = {
            let (product, price) = (tx.prepare(INSERT_PRODUCT).await?, tx.prepare(INSERT_PRICE).await?);
            [product, price, tx.prepare(INSERT_STOCK).await?]
        };
        // The statements of all go out together, in that order.
        try_join_all(products.iter().zip(&made).map(async |(new, made)| {
            let NewProduct { product_id, details, now, .. } = new;
            tx.execute(
                &product,
                &[
                    &product_id.as_uuid(),
                    &details.sku,
                    &details.name,
                    &details.description,
                    &details.tax_class,
                    &details.channel,
                    &details.legal_entity,
                    &details.external_id,
                    &attributes(details),
                    &details.backorder,
                    &details.low_stock_threshold,
                    &status_text(ProductStatus::Active),
                    &made.version,
                    now,
                ],
            )
            .await
            .map_err(|error| taken(error, &details.sku))
        }))
        .await?;
        try_join_all(products.iter().map(async |new| {
            let (id, first) = (new.product_id.as_uuid(), new.price);
            tx.execute(&price, &[&id, &first.currency().code(), &new.now, &first.amount()]).await
        }))
        .await?;
        try_join_all(products.iter().map(async |new| {
            let details = &new.details;
            tx.execute(&stock, &[&new.product_id.as_uuid(), &details.backorder, &details.low_stock_threshold]).await
        }))
        .await?;
        let appends = products.into_iter().map(|new| append(new, metadata)).collect::<Result<Vec<_>, _>>()?;
        self.log.append_in(&tx, &appends).await?;
        tx.commit().await.map_err(CatalogueError::Commit)?;
        self.log.committed();
        Ok(made)
    }
}

fn append(new: NewProduct, metadata: &Metadata) -> Result<Append, CatalogueError> {
    let NewProduct { product_id, details, price, now } = new;
    let stream_id = product_id.to_string();
    let created: InventoryEvent = ProductCreated { product_id, product: details, occurred_at: now }.into();
    let priced: InventoryEvent = PriceSet { product_id, price, valid_from: now, occurred_at: now }.into();
    let events: Result<Vec<NewEvent>, _> =
        [created, priced].iter().map(|event| seal_event(event, &stream_id, None)).collect();
    Ok(Append {
        stream_id,
        stream_type: PRODUCT_STREAM,
        expected: Expected::Version(0),
        command_id: None,
        events: events?,
        metadata: metadata.clone(),
        claim: None,
    })
}
