//! What callers read: products, prices, stock and reservations as JSON.

use crate::catalogue::Product;
use crate::domain::price::Price;
use crate::domain::reservation::ReservationState;
use crate::domain::stock::{Elsewhere, Level};
use crate::stock_writer::Held;
use chrono::{DateTime, Utc};
use serde::Serialize;
use shared_events::inventory::{ProductImage, ProductStatus};
use shared_events::{Attributes, Currency, Money, OrderId, ProductId, default_name};
use utoipa::ToSchema;
use web::Consistency;

/// More streams than this are not named in one answer.
const NAMED_STREAMS: usize = 20;

/// A product.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Product)]
pub struct ProductAnswer {
    /// Its id.
    pub product_id: ProductId,
    /// The shop's own code for it.
    pub sku: String,
    /// What people call it.
    pub name: String,
    /// More words.
    pub description: Option<String>,
    /// Which tax rate applies.
    pub tax_class: String,
    /// Whether it can be bought.
    pub status: ProductStatus,
    /// What it costs now, in the shop's currency where it has such a price, else in the first it has.
    pub price: Option<Money>,
    /// What it costs now, in every currency it has a price in.
    pub prices: Vec<Money>,
    /// What the shop wants to remember about it.
    pub attributes: Attributes,
    /// Where it is sold.
    pub channel: String,
    /// Who sells it.
    pub legal_entity: String,
    /// Its id in another system.
    pub external_id: Option<String>,
    /// Whether more may be sold than there is.
    pub backorder: bool,
    /// Below this, stock is low.
    pub low_stock_threshold: Option<i64>,
    /// Its pictures, in their order.
    pub images: Vec<ImageAnswer>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// Counts its changes.
    pub version: i64,
}

impl ProductAnswer {
    /// A product as a shop with that currency shows it.
    #[must_use]
    pub fn of(product: Product, currency: Currency) -> Self {
        let price = product.price_in(currency).or_else(|| product.prices.first().copied());
        let Product { product_id, details, status, version, created_at, updated_at, prices } = product;
        Self {
            product_id,
            sku: details.sku,
            name: details.name,
            description: details.description,
            tax_class: details.tax_class,
            status,
            price,
            prices,
            attributes: details.attributes,
            channel: details.channel,
            legal_entity: details.legal_entity,
            external_id: details.external_id,
            backorder: details.backorder,
            low_stock_threshold: details.low_stock_threshold,
            images: details.images.into_iter().map(|image| ImageAnswer::of(product_id, image)).collect(),
            created_at,
            updated_at,
            version,
        }
    }

    /// The streams it stands for.
    #[must_use]
    pub fn consistency(&self) -> Consistency {
        Consistency::of(self.product_id, self.version)
    }
}

/// A picture of a product.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ProductImage)]
pub struct ImageAnswer {
    /// What it is named by.
    pub name: String,
    /// Where it is: a path of this server.
    pub url: String,
    /// Its media type.
    pub content_type: String,
    /// How many bytes it has.
    pub bytes: i64,
    /// The SHA-256 of its bytes, which is also its ETag.
    pub sha256: String,
}

impl ImageAnswer {
    /// A picture of that product.
    #[must_use]
    pub fn of(product_id: ProductId, image: ProductImage) -> Self {
        let ProductImage { name, content_type, bytes, sha256 } = image;
        Self { url: format!("/api/products/{product_id}/images/{name}"), name, content_type, bytes, sha256 }
    }
}

/// A price and the time it holds.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Price)]
pub struct PriceAnswer {
    /// The price of one piece.
    pub price: Money,
    /// From when on.
    pub valid_from: DateTime<Utc>,
    /// Until when, where another follows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<DateTime<Utc>>,
}

impl From<Price> for PriceAnswer {
    fn from(Price { price, valid_from, valid_to }: Price) -> Self {
        Self { price, valid_from, valid_to }
    }
}

/// A price that was just set.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SetPrice)]
pub struct SetPriceAnswer {
    /// The product.
    pub product_id: ProductId,
    /// The price and its time.
    #[serde(flatten)]
    pub price: PriceAnswer,
    /// The product's version.
    pub version: i64,
}

/// The stock of a product.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Stock)]
pub struct StockAnswer {
    /// The product.
    pub product_id: ProductId,
    /// Pieces on the shelf.
    pub on_hand: i64,
    /// Pieces of those that are promised to orders: pending, attached and confirmed.
    pub reserved: i64,
    /// Pieces that can still be promised.
    pub available: i64,
    /// Where those on the shelf lie; absent where all lie at the default location.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub locations: Vec<StockAtLocation>,
    /// Counts the changes of this stock.
    pub version: i64,
}

/// What of a product lies at a location.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StockAtLocation {
    /// The location's code.
    pub location: String,
    /// Pieces on its shelf.
    pub on_hand: i64,
}

impl StockAnswer {
    /// The level of a product, and where it lies.
    #[must_use]
    pub fn of(product_id: ProductId, level: &Level, elsewhere: &Elsewhere) -> Self {
        let mut locations = Vec::new();
        if !elsewhere.is_empty() {
            let on_hand = level.on_hand - elsewhere.values().sum::<i64>();
            locations.push(StockAtLocation { location: default_name(), on_hand });
            locations.extend(
                elsewhere.iter().map(|(code, on_hand)| StockAtLocation { location: code.clone(), on_hand: *on_hand }),
            );
        }
        Self {
            locations,
            product_id,
            on_hand: level.on_hand,
            reserved: level.reserved,
            available: level.available(),
            version: level.version,
        }
    }

    /// The streams it stands for.
    #[must_use]
    pub fn consistency(&self) -> Consistency {
        Consistency::of(self.product_id.stock(), self.version)
    }
}

/// What is held for an order.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Reservation)]
pub struct ReservationAnswer {
    /// The order, which may not exist yet.
    pub order_id: OrderId,
    /// Which of the order's demands this answers.
    pub revision: i32,
    /// Where it stands. Only PENDING, ATTACHED and CONFIRMED hold stock.
    pub state: ReservationState,
    /// What is held; of a reservation that holds nothing any more, what was.
    pub lines: Vec<ReservedLine>,
    /// When it is given up unless the order is placed.
    pub expires_at: Option<DateTime<Utc>>,
    /// Counts its changes.
    pub version: i64,
}

/// A product in a reservation.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReservedLine {
    /// The product.
    pub product_id: ProductId,
    /// Pieces.
    pub quantity: i64,
    /// The version of the product's stock, for reads that have to see this.
    pub stock_version: i64,
}

impl From<Held> for ReservationAnswer {
    fn from(Held { reservation, stock_versions, .. }: Held) -> Self {
        let line = |(product_id, quantity)| ReservedLine {
            product_id,
            quantity,
            stock_version: stock_versions.get(&product_id).copied().unwrap_or(0),
        };
        Self {
            order_id: reservation.order_id,
            revision: reservation.revision,
            state: reservation.state,
            lines: reservation.lines.into_iter().map(line).collect(),
            expires_at: reservation.expires_at,
            version: reservation.version,
        }
    }
}

impl ReservationAnswer {
    /// The streams it stands for: the stock of its products. The order's own stream is another service's.
    #[must_use]
    pub fn consistency(&self) -> Consistency {
        let streams = self.lines.iter().map(|line| (line.product_id.stock().to_string(), line.stock_version));
        Consistency(streams.take(NAMED_STREAMS).collect())
    }
}
