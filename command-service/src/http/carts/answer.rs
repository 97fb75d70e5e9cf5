//! A cart as clients read it, with the prices of this moment.

use crate::{
    app::App,
    carts::{Cart, CartLine, CartStatus},
    inventory::CatalogueProduct,
};
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::Serialize;
use service::PeerError;
use shared_events::{CartId, Currency, Money, OrderId, ProductId, UserId, inventory::ProductStatus};
use std::collections::HashMap;
use utoipa::ToSchema;
use web::Problem;

/// A cart.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CartAnswer {
    /// Its id.
    cart_id: CartId,
    /// Whose it is; null for a guest's.
    customer_id: Option<UserId>,
    /// How far it got.
    status: CartStatus,
    /// The currency it is priced in.
    currency: Currency,
    /// What is in it.
    lines: Vec<CartLineAnswer>,
    /// Sum of the lines that can be bought, before discounts, shipping and tax on top.
    subtotal: Money,
    /// The order that it became.
    #[serde(skip_serializing_if = "Option::is_none")]
    order_id: Option<OrderId>,
    /// When it was made.
    created_at: DateTime<Utc>,
    /// When it last changed.
    updated_at: DateTime<Utc>,
    /// When it is deleted unless it changes before.
    expires_at: DateTime<Utc>,
    /// Counts its changes.
    version: i64,
}

/// A product in a cart.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CartLineAnswer {
    /// The product.
    product_id: ProductId,
    /// Its sku now.
    sku: Option<String>,
    /// Its name now.
    name: Option<String>,
    /// Pieces.
    quantity: u32,
    /// Price of one piece now.
    unit_price: Option<Money>,
    /// Quantity × unit price.
    line_total: Option<Money>,
    /// Whether it can be bought.
    valid: bool,
    /// Why not: `UNKNOWN_PRODUCT`, `PRODUCT_ARCHIVED` or `NO_PRICE`.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
}

impl CartAnswer {
    /// The cart with what the catalogue says now.
    ///
    /// # Errors
    /// 503 when the catalogue is away.
    pub async fn priced(app: &App, cart: &Cart) -> Result<Self, Problem> {
        let ids: Vec<ProductId> = cart.lines.iter().map(|line| line.product_id).collect();
        let products = if ids.is_empty() {
            Vec::new()
        } else {
            app.inventory.products(&ids, cart.currency).await.map_err(PeerError::into_problem)?
        };
        let products: HashMap<ProductId, CatalogueProduct> =
            products.into_iter().map(|product| (product.product_id, product)).collect();
        let lines: Vec<_> =
            cart.lines.iter().map(|line| line_answer(*line, products.get(&line.product_id), cart.currency)).collect();
        let valid = lines.iter().filter(|line| line.valid);
        let subtotal: Decimal = valid.filter_map(|line| line.line_total).map(|money| money.amount()).sum();
        Ok(Self {
            cart_id: cart.cart_id,
            customer_id: cart.customer_id,
            status: cart.status,
            currency: cart.currency,
            lines,
            subtotal: Money::rounded(subtotal, cart.currency),
            order_id: cart.is_ordered.then_some(cart.order_id),
            created_at: cart.created_at,
            updated_at: cart.updated_at,
            expires_at: cart.expires_at,
            version: cart.version,
        })
    }
}

fn line_answer(line: CartLine, product: Option<&CatalogueProduct>, currency: Currency) -> CartLineAnswer {
    let unit_price = product.and_then(|product| product.unit_price);
    let code = match product {
        None => Some("UNKNOWN_PRODUCT"),
        Some(product) if product.status != ProductStatus::Active => Some("PRODUCT_ARCHIVED"),
        Some(_) if unit_price.is_none() => Some("NO_PRICE"),
        Some(_) => None,
    };
    let total = |price: Money| price.amount().saturating_mul(Decimal::from(line.quantity));
    CartLineAnswer {
        product_id: line.product_id,
        sku: product.map(|product| product.sku.clone()),
        name: product.map(|product| product.name.clone()),
        quantity: line.quantity,
        unit_price,
        line_total: unit_price.map(|price| Money::rounded(total(price), currency)),
        valid: code.is_none(),
        code,
    }
}
