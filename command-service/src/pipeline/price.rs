//! The fourth stage: a basket is priced with what the catalogue and the tables say at this moment. The prices become part
//! of the order and are never asked for again.

use super::validate::DraftItem;
use crate::{
    app::App,
    inventory::CatalogueProduct,
    tables::{Destination, Tables},
};
use order::{
    FieldError, Rejection,
    pricing::{Discount, LineToPrice, Priced, ToPrice, price},
};
use service::PeerError;
use shared_events::{Attributes, Currency, DEFAULT, LineId, ProductId};
use std::collections::HashMap;
use web::Problem;

/// Why a basket has no price.
#[derive(Debug, thiserror::Error)]
pub enum PriceError {
    /// The shop does not sell it so.
    #[error("the shop does not sell this")]
    Rejected(Rejection),
    /// The catalogue is away.
    #[error("the catalogue could not be asked")]
    Catalogue(#[from] PeerError),
}

impl From<PriceError> for Problem {
    fn from(error: PriceError) -> Self {
        match error {
            PriceError::Rejected(rejection) => crate::rejections::problem(rejection),
            PriceError::Catalogue(error) => error.into_problem(),
        }
    }
}

/// Everything that prices depend on.
#[derive(Debug, Clone)]
pub struct Basket<'a> {
    /// What is bought.
    pub items: &'a [DraftItem],
    /// In which currency.
    pub currency: Currency,
    /// Where it is sold.
    pub channel: &'a str,
    /// The code of the shipping method; the usual one where missing.
    pub shipping_method: Option<&'a str>,
    /// Where it is shipped to.
    pub destination: &'a Destination,
    /// The discount that is granted.
    pub discount: Option<Discount>,
}

/// A basket with prices.
#[derive(Debug, Clone)]
pub struct PricedBasket {
    /// The parts and the sums.
    pub priced: Priced,
    /// The tax class of each line.
    pub tax_classes: Vec<String>,
}

/// Prices a basket.
///
/// # Errors
/// [`PriceError`], naming every item that cannot be sold.
pub async fn run(app: &App, basket: Basket<'_>) -> Result<PricedBasket, PriceError> {
    let invalid = |errors| PriceError::Rejected(Rejection::Invalid(errors));
    let tables = app.tables.now();
    let shipping = tables.shipping(basket.shipping_method, basket.destination, basket.currency);
    let shipping = shipping.map_err(|detail| invalid(vec![FieldError::new("/shippingMethod", detail)]))?;
    let mut ids: Vec<ProductId> = basket.items.iter().map(|item| item.product_id).collect();
    ids.sort_unstable();
    ids.dedup();
    let products = app.inventory.products(&ids, basket.currency).await?;
    let products: HashMap<ProductId, CatalogueProduct> =
        products.into_iter().map(|product| (product.product_id, product)).collect();
    let mut errors = Vec::new();
    let mut lines = Vec::with_capacity(basket.items.len());
    let mut tax_classes = Vec::with_capacity(basket.items.len());
    for item in basket.items {
        match line(item, products.get(&item.product_id), &basket, &tables) {
            Ok((line, tax_class)) => {
                lines.push(line);
                tax_classes.push(tax_class);
            }
            Err(detail) => errors.push(FieldError::new(item.pointer.clone(), detail)),
        }
    }
    if !errors.is_empty() {
        return Err(invalid(errors));
    }
    let priced = price(ToPrice {
        currency: basket.currency,
        prices_include_tax: app.config.prices_include_tax,
        lines,
        shipping_method: Some(shipping.code),
        shipping_amount: shipping.amount,
        shipping_free_from: shipping.free_from,
        shipping_tax_rate: tables.tax_rate(basket.destination, &shipping.tax_class),
        discounts: basket.discount.into_iter().collect(),
    });
    Ok(PricedBasket { priced: priced.map_err(invalid)?, tax_classes })
}

fn line(
    item: &DraftItem,
    product: Option<&CatalogueProduct>,
    basket: &Basket<'_>,
    tables: &Tables,
) -> Result<(LineToPrice, String), String> {
    let product = product.ok_or_else(|| format!("there is no product {}", item.product_id))?;
    let unit_price = product.sold_for(basket.currency)?;
    let line = LineToPrice {
        line_id: LineId::generate(),
        product_id: product.product_id,
        sku: product.sku.clone(),
        name: product.name.clone(),
        quantity: item.quantity,
        unit_price: unit_price.amount(),
        tax_rate: tables.tax_rate(basket.destination, &product.tax_class),
        channel: basket.channel.to_owned(),
        legal_entity: DEFAULT.to_owned(),
        external_id: None,
        attributes: Attributes::new(),
    };
    Ok((line, product.tax_class.clone()))
}
