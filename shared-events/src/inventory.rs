//! The events of catalogue and stock, version 1. Every stock line carries the levels that resulted, with
//! the product's stock version, so that a reader of any partition can keep the newest without order.

use crate::{
    Attributes, default_name,
    envelope::event_enum,
    ids::{OrderId, ProductId, ReturnId, ShipmentId},
    money::Money,
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// The stream of a product's catalogue events; its id is the product's.
pub const PRODUCT_STREAM: &str = "Product";
/// The stream of a product's own stock events; its id is the product's `stk_` id.
pub const STOCK_STREAM: &str = "Stock";
/// The stream of an order's reservation; its id is the order's.
pub const RESERVATION_STREAM: &str = "Reservation";

event_enum! {
    /// Everything that can happen to products and stock.
    InventoryEvent, domain = "inventory", entity = "", {
        /// A product exists.
        ProductCreated v 1 personal [],
        /// Its description changed.
        ProductUpdated v 1 personal [],
        /// It is sold no longer.
        ProductArchived v 1 personal [],
        /// It has a price from some moment on.
        PriceSet v 1 personal [],
        /// Goods came in.
        StockReceived v 1 personal [],
        /// Somebody counted.
        StockAdjusted v 1 personal [],
        /// Stock is held for an order.
        StockReserved v 1 personal [],
        /// The order exists; only its events release the stock now.
        ReservationAttached v 1 personal [],
        /// The order holds other quantities now.
        ReservationChanged v 1 personal [],
        /// The order is covered.
        ReservationConfirmed v 1 personal [],
        /// The stock is free again.
        ReservationReleased v 1 personal [],
        /// Nobody placed the order in time; the stock is free again.
        ReservationExpired v 1 personal [],
        /// The order exists but its stock is gone.
        ReservationLapsed v 1 personal [],
        /// Goods left.
        StockShipped v 1 personal [],
        /// Goods came back.
        StockRestocked v 1 personal [],
        /// Less is available than the threshold.
        LowStockReached v 1 personal [],
    }
}

/// Whether a product can be bought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ProductStatus {
    /// It can.
    Active,
    /// Not any more.
    Archived,
}

/// What a product is, apart from price and stock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProductDetails {
    /// The shop's own code for it, unique.
    pub sku: String,
    /// What people call it.
    pub name: String,
    /// More words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Which tax rate applies.
    pub tax_class: String,
    /// Where it is sold.
    #[serde(default = "default_name")]
    pub channel: String,
    /// Who sells it.
    #[serde(default = "default_name")]
    pub legal_entity: String,
    /// Its id in another system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// What the shop wants to remember about it.
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub attributes: Attributes,
    /// Whether more may be sold than there is.
    #[serde(default)]
    pub backorder: bool,
    /// Below this, stock is low.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low_stock_threshold: Option<i64>,
    /// Its pictures, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<ProductImage>,
}

/// A picture of a product. Its bytes are in the image store, under their hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProductImage {
    /// What callers name it by, unique for the product.
    pub name: String,
    /// Its media type, such as `image/webp`.
    pub content_type: String,
    /// How many bytes it has.
    pub bytes: i64,
    /// The SHA-256 of its bytes, in lower-case hexadecimal.
    pub sha256: String,
}

/// A change of one product's stock at one location, and the levels that resulted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StockLine {
    /// The product.
    pub product_id: ProductId,
    /// The location.
    #[serde(default = "default_name")]
    pub location: String,
    /// How many pieces changed hands: signed where it can go both ways.
    pub quantity: i64,
    /// Pieces on the shelf afterwards.
    pub on_hand: i64,
    /// Pieces of those that are promised afterwards.
    pub reserved: i64,
    /// Counts the changes of this product's stock; the highest is the truth.
    pub stock_version: i64,
}

/// A number of pieces of a product that a reservation holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HeldQuantity {
    /// The product.
    pub product_id: ProductId,
    /// The location.
    #[serde(default = "default_name")]
    pub location: String,
    /// How many pieces.
    pub quantity: i64,
}

/// A line that stock does not suffice for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Shortage {
    /// The product.
    pub product_id: ProductId,
    /// How many pieces were asked for.
    pub requested: i64,
    /// How many can be had.
    pub available: i64,
}

/// A product exists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProductCreated {
    /// Its id.
    pub product_id: ProductId,
    /// What it is.
    pub product: ProductDetails,
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// Its description changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProductUpdated {
    /// The product.
    pub product_id: ProductId,
    /// What it is from now on, as a whole.
    pub product: ProductDetails,
    /// Whether it can be bought from now on.
    pub status: ProductStatus,
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// It is sold no longer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProductArchived {
    /// The product.
    pub product_id: ProductId,
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// It has a price from some moment on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PriceSet {
    /// The product.
    pub product_id: ProductId,
    /// The price of one piece.
    pub price: Money,
    /// From when on it holds.
    pub valid_from: DateTime<Utc>,
    /// When it was set.
    pub occurred_at: DateTime<Utc>,
}

/// Goods came in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StockReceived {
    /// What changed.
    pub line: StockLine,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// Somebody counted: the shelf holds something else than was thought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StockAdjusted {
    /// What changed; the quantity is signed.
    pub line: StockLine,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The moment whose stock was counted; none where somebody said a difference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted_at: Option<DateTime<Utc>>,
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// Stock is held for an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StockReserved {
    /// The order, which may not exist yet.
    pub order_id: OrderId,
    /// Which of the order's demands this answers.
    pub revision: i32,
    /// What is held.
    pub lines: Vec<StockLine>,
    /// When it is given up unless the order was placed; none once it is attached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// The order exists; only its events release the stock now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReservationAttached {
    /// The order.
    pub order_id: OrderId,
    /// The reservation's revision.
    pub revision: i32,
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// The order holds other quantities now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReservationChanged {
    /// The order.
    pub order_id: OrderId,
    /// Which of the order's demands this answers.
    pub revision: i32,
    /// What changed; quantities are signed.
    pub lines: Vec<StockLine>,
    /// Everything that is held from now on.
    pub held: Vec<HeldQuantity>,
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// The order is covered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReservationConfirmed {
    /// The order.
    pub order_id: OrderId,
    /// The reservation's revision.
    pub revision: i32,
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// The stock is free again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReservationReleased {
    /// The order.
    pub order_id: OrderId,
    /// The reservation's revision.
    pub revision: i32,
    /// What is free again.
    pub lines: Vec<StockLine>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// Nobody placed the order in time; the stock is free again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReservationExpired {
    /// The order that never came.
    pub order_id: OrderId,
    /// The reservation's revision.
    pub revision: i32,
    /// What is free again.
    pub lines: Vec<StockLine>,
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// The order exists but its stock is gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReservationLapsed {
    /// The order.
    pub order_id: OrderId,
    /// The reservation's revision.
    pub revision: i32,
    /// What is missing.
    pub unavailable: Vec<Shortage>,
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// Goods left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StockShipped {
    /// The order.
    pub order_id: OrderId,
    /// The shipment.
    pub shipment_id: ShipmentId,
    /// What left: both levels fell.
    pub lines: Vec<StockLine>,
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// Goods came back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StockRestocked {
    /// The order.
    pub order_id: OrderId,
    /// The return that brought them; none for a shipment returned to sender.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub return_id: Option<ReturnId>,
    /// What came back.
    pub lines: Vec<StockLine>,
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// Less is available than the threshold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LowStockReached {
    /// The product.
    pub product_id: ProductId,
    /// The location.
    #[serde(default = "default_name")]
    pub location: String,
    /// How many pieces can be had.
    pub available: i64,
    /// Below how many that is low.
    pub threshold: i64,
    /// The stock version at which it was seen.
    pub stock_version: i64,
    /// When.
    pub occurred_at: DateTime<Utc>,
}
