//! The fourth stage: a draft is priced with what the catalogue says at this moment. The prices become part of the
//! order and are never asked for again.

use super::validate::{Draft, DraftItem};
use crate::inventory::{CatalogueProduct, Inventory};
use order::{
    FieldError, Rejection,
    pricing::{LineToPrice, Priced, ToPrice, price},
};
use rust_decimal::Decimal;
use service::PeerError;
use shared_events::{Attributes, DEFAULT, LineId, ProductId, inventory::ProductStatus};
use std::collections::HashMap;

/// Why an order has no price.
#[derive(Debug, thiserror::Error)]
pub enum PriceError {
    /// The catalogue does not sell it so.
    #[error("the catalogue does not sell this")]
    Rejected(Rejection),
    /// The catalogue is away.
    #[error("the catalogue could not be asked")]
    Catalogue(#[from] PeerError),
}

/// Prices a draft. A fresh shop's prices include tax, at a rate of none, and shipping is free.
///
/// # Errors
/// [`PriceError`], naming every item that cannot be sold.
pub async fn run(draft: &Draft, inventory: &Inventory) -> Result<Priced, PriceError> {
    let mut ids: Vec<ProductId> = draft.items.iter().map(|item| item.product_id).collect();
    ids.sort_unstable();
    ids.dedup();
    let products = inventory.products(&ids, draft.currency).await?;
    let products: HashMap<ProductId, CatalogueProduct> =
        products.into_iter().map(|product| (product.product_id, product)).collect();
    let mut errors = Vec::new();
    let mut lines = Vec::with_capacity(draft.items.len());
    for item in &draft.items {
        match line(item, products.get(&item.product_id), draft) {
            Ok(line) => lines.push(line),
            Err(detail) => errors.push(FieldError::new(item.pointer.clone(), detail)),
        }
    }
    if !errors.is_empty() {
        return Err(PriceError::Rejected(Rejection::Invalid(errors)));
    }
    price(ToPrice {
        currency: draft.currency,
        prices_include_tax: true,
        lines,
        shipping_method: draft.shipping_method.clone(),
        shipping_amount: Decimal::ZERO,
        shipping_tax_rate: Decimal::ZERO,
        discounts: Vec::new(),
    })
    .map_err(|errors| PriceError::Rejected(Rejection::Invalid(errors)))
}

fn line(item: &DraftItem, product: Option<&CatalogueProduct>, draft: &Draft) -> Result<LineToPrice, String> {
    let product = product.ok_or_else(|| format!("there is no product {}", item.product_id))?;
    if product.status != ProductStatus::Active {
        return Err(format!("the product {} is not sold any more", product.sku));
    }
    let unit_price =
        product.unit_price.ok_or_else(|| format!("the product {} has no price in {}", product.sku, draft.currency))?;
    Ok(LineToPrice {
        line_id: LineId::generate(),
        product_id: product.product_id,
        sku: product.sku.clone(),
        name: product.name.clone(),
        quantity: item.quantity,
        unit_price: unit_price.amount(),
        tax_rate: Decimal::ZERO,
        channel: draft.channel.clone(),
        legal_entity: DEFAULT.to_owned(),
        external_id: None,
        attributes: Attributes::new(),
    })
}
