//! What this service asks of inventory-service: what products are, and holding their stock. The same routes
//! whether it runs in this process or elsewhere.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use service::{Peer, PeerError};
use shared_events::{Currency, Money, OrderId, ProductId, inventory::ProductStatus};
use std::collections::HashMap;
use utoipa::ToSchema;

/// A product, as orders need it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CatalogueProduct {
    /// Its id.
    pub product_id: ProductId,
    /// The shop's own code for it.
    pub sku: String,
    /// What people call it.
    pub name: String,
    /// Whether it can be bought.
    pub status: ProductStatus,
    /// Which tax rate applies.
    pub tax_class: String,
    /// Its price now; none in a currency that it is not sold in.
    pub unit_price: Option<Money>,
}

impl CatalogueProduct {
    /// Whether it is sold at all now.
    ///
    /// # Errors
    /// That it is not, for people.
    pub fn still_sold(&self) -> Result<(), String> {
        match self.status {
            ProductStatus::Active => Ok(()),
            ProductStatus::Archived => Err(format!("the product {} is not sold any more", self.sku)),
        }
    }

    /// What a piece costs, if it is sold in that currency now.
    ///
    /// # Errors
    /// Why it is not, for people.
    pub fn sold_for(&self, currency: Currency) -> Result<Money, String> {
        self.still_sold()?;
        self.unit_price.ok_or_else(|| format!("the product {} has no price in {currency}", self.sku))
    }
}

/// How much of a product is wanted.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Demand {
    /// The product.
    pub product_id: ProductId,
    /// Pieces.
    pub quantity: u64,
}

/// The stock that is held for an order, as inventory-service answers it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Reserved {
    /// The order.
    pub order_id: OrderId,
    /// The revision that is held; a higher one than was asked for where somebody else asked later.
    pub revision: i32,
    /// `PENDING`, `ATTACHED`, `CONFIRMED`, or over.
    pub state: String,
    /// What is held; of a reservation that is over, what was.
    pub lines: Vec<ReservedLine>,
    /// When it is given up unless the order asks for it.
    pub expires_at: Option<DateTime<Utc>>,
    /// Counts its changes.
    pub version: i64,
}

/// A product of a reservation.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReservedLine {
    /// The product.
    pub product_id: ProductId,
    /// Pieces.
    pub quantity: i64,
    /// The product's stock version that shows it.
    pub stock_version: i64,
}

impl Reserved {
    /// Whether it holds anything now.
    #[must_use]
    pub fn is_held(&self) -> bool {
        matches!(self.state.as_str(), "PENDING" | "ATTACHED" | "CONFIRMED")
    }

    /// Whether it holds at least this under that very revision. Somebody else may have asked for something else under
    /// it at the same moment.
    #[must_use]
    pub fn holds(&self, revision: i32, demand: &[Demand]) -> bool {
        let held: HashMap<_, _> = self.lines.iter().map(|line| (line.product_id, line.quantity)).collect();
        let enough = |wanted: &Demand| {
            let held = held.get(&wanted.product_id).copied().unwrap_or(0);
            u64::try_from(held).is_ok_and(|held| held >= wanted.quantity)
        };
        self.is_held() && self.revision == revision && demand.iter().all(enough)
    }

    /// Whether it holds this and nothing else under that very revision.
    #[must_use]
    pub fn holds_exactly(&self, revision: i32, demand: &[Demand]) -> bool {
        let pieces: i128 = self.lines.iter().map(|line| i128::from(line.quantity)).sum();
        let wanted: i128 = demand.iter().map(|wanted| i128::from(wanted.quantity)).sum();
        self.holds(revision, demand) && pieces == wanted
    }
}

/// Why stock is not held.
#[derive(Debug, thiserror::Error)]
pub enum ReserveError {
    /// There is not enough: every line that is short.
    #[error("there is not enough stock")]
    Short(Value),
    /// It was held for an earlier attempt at this very order and given up since: the order needs another id.
    #[error("the stock of this order was given up")]
    GivenUp,
    /// inventory-service refused for another reason, or is away: it is not known whether stock is held.
    #[error("the stock could not be reserved")]
    Peer(#[source] PeerError),
}

/// Calls inventory-service. Cheap to clone.
#[derive(Clone)]
pub struct Inventory {
    peer: Peer,
}

impl Inventory {
    /// Over that peer.
    #[must_use]
    pub const fn new(peer: Peer) -> Self {
        Self { peer }
    }

    /// The products with these ids; unknown ones are absent.
    ///
    /// # Errors
    /// [`PeerError`] when inventory-service is away.
    pub async fn products(&self, ids: &[ProductId], currency: Currency) -> Result<Vec<CatalogueProduct>, PeerError> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Ask<'a> {
            product_ids: &'a [ProductId],
            currency: Currency,
        }
        #[derive(Deserialize)]
        struct Found {
            products: Vec<CatalogueProduct>,
        }
        let found: Found = self.peer.post("/internal/products/lookup", &Ask { product_ids: ids, currency }).await?;
        Ok(found.products)
    }

    /// Holds stock for a revision of an order: all of it, or none.
    ///
    /// # Errors
    /// [`ReserveError`].
    pub async fn reserve(&self, order_id: OrderId, revision: i32, items: &[Demand]) -> Result<Reserved, ReserveError> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Ask<'a> {
            order_id: OrderId,
            revision: i32,
            items: &'a [Demand],
        }
        let ask = Ask { order_id, revision, items };
        self.peer.post("/api/inventory/reservations", &ask).await.map_err(|error| match error {
            PeerError::Problem { status: 409, body, .. } if body["code"] == "INSUFFICIENT_STOCK" => {
                ReserveError::Short(body["unavailable"].clone())
            }
            error => ReserveError::Peer(error),
        })
    }

    /// Tells that the order exists, so that its stock no longer runs out of time.
    ///
    /// # Errors
    /// [`PeerError`] when inventory-service is away.
    pub async fn attach(&self, order_id: OrderId) -> Result<(), PeerError> {
        self.step(order_id, "attach", &json!({})).await
    }

    /// Gives the stock of an order back.
    ///
    /// # Errors
    /// [`PeerError`] when inventory-service is away.
    pub async fn release(&self, order_id: OrderId) -> Result<(), PeerError> {
        self.step(order_id, "release", &json!({})).await
    }

    /// Gives back what this demand of an order holds, not what a newer one does.
    ///
    /// # Errors
    /// [`PeerError`] when inventory-service is away or holds nothing for it.
    pub async fn release_demand(
        &self,
        order_id: OrderId,
        revision: i32,
        reason: Option<String>,
    ) -> Result<(), PeerError> {
        self.step(order_id, "release", &json!({"revision": revision, "reason": reason})).await
    }

    /// Tells that the order is covered.
    ///
    /// # Errors
    /// [`PeerError`] when inventory-service is away or holds nothing for it.
    pub async fn confirm(&self, order_id: OrderId) -> Result<(), PeerError> {
        self.step(order_id, "confirm", &json!({})).await
    }

    /// What is held for an order, as inventory-service answers it.
    ///
    /// # Errors
    /// [`PeerError`]: 404 where nothing was ever reserved.
    pub async fn reservation(&self, order_id: OrderId) -> Result<Reserved, PeerError> {
        self.peer.get(&format!("/api/inventory/reservations/{order_id}")).await
    }

    /// The revision under which an order may ask for stock anew: newer than its own, and than what was asked for in
    /// its name without its knowing.
    ///
    /// # Errors
    /// [`PeerError`] when inventory-service is away.
    pub async fn next_revision(&self, order_id: OrderId, own: i32) -> Result<i32, PeerError> {
        match self.reservation(order_id).await {
            Ok(stored) => Ok(own.max(stored.revision).saturating_add(1)),
            Err(error) if error.status() == Some(404) => Ok(own.saturating_add(1)),
            Err(error) => Err(error),
        }
    }

    async fn step(&self, order_id: OrderId, step: &str, body: &Value) -> Result<(), PeerError> {
        let path = format!("/api/inventory/reservations/{order_id}/{step}");
        self.peer.post::<Value>(&path, body).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reserved(revision: i32, state: &str, lines: &[(ProductId, i64)]) -> Reserved {
        let line = |(product_id, quantity): &(ProductId, i64)| ReservedLine {
            product_id: *product_id,
            quantity: *quantity,
            stock_version: 1,
        };
        Reserved {
            order_id: OrderId::generate(),
            revision,
            state: state.to_owned(),
            lines: lines.iter().map(line).collect(),
            expires_at: None,
            version: 1,
        }
    }

    #[test]
    fn a_revision_that_somebody_else_used_for_other_pieces_does_not_count() {
        let (mug, cup) = (ProductId::generate(), ProductId::generate());
        let demand = [Demand { product_id: mug, quantity: 2 }, Demand { product_id: cup, quantity: 1 }];
        assert!(reserved(3, "ATTACHED", &[(mug, 2), (cup, 4)]).holds(3, &demand));
        assert!(!reserved(3, "ATTACHED", &[(mug, 1), (cup, 4)]).holds(3, &demand), "too few");
        assert!(!reserved(3, "ATTACHED", &[(mug, 2)]).holds(3, &demand), "a product is missing");
        assert!(!reserved(4, "ATTACHED", &[(mug, 2), (cup, 1)]).holds(3, &demand), "another revision");
        assert!(!reserved(3, "RELEASED", &[(mug, 2), (cup, 1)]).holds(3, &demand), "given up");
    }
}
