//! Orders in numbers: what POST /api/orders would have written, appended through the log itself, because a million
//! requests would take too long. They are marked as imported, so nothing is reserved and nobody is told.

use crate::error::BenchError;
use crate::ground::Ground;
use eventstore::{Append, EventLog, Expected, LogConfig, Spawner};
use pg::Pool;
use serde_json::json;
use shared_events::order::{OrderEvent, OrderPlaced, STREAM_TYPE};
use shared_events::sealed::{KeyRing, SealingKey, seal_event};
use shared_events::{LineId, OrderId, ProductId, ShipmentId, UserId};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

const CUSTOMERS: usize = 1_000;
const PRODUCTS: usize = 1_000;
/// Enough to fill the batches of both writers.
const CALLERS: usize = 256;
const KEEP_KEY: &str = "insert into keys.personal_key (key_id, owner, key) values ($1, $2, $3)";

/// Makes orders.
pub(crate) struct Seed {
    pub(crate) log: EventLog,
    spawner: Spawner,
    template: OrderPlaced,
    customers: Vec<(UserId, SealingKey)>,
    products: Vec<ProductId>,
    numbers: AtomicUsize,
}

impl Seed {
    /// Into the orders log of a system that has made its schemas already.
    pub(crate) async fn new(ground: &Ground) -> Result<Arc<Self>, BenchError> {
        let pool: Pool = ground.database.pool("orders", None).await?;
        let config =
            LogConfig { name: "orders", partitions: crate::ground::PARTITIONS, writers: crate::ground::WRITERS };
        let client = pool.get().await?;
        let keep = client.prepare(KEEP_KEY).await?;
        let mut customers = Vec::with_capacity(CUSTOMERS);
        for _ in 0..CUSTOMERS {
            let (customer, key) = (UserId::generate(), SealingKey::generate());
            client.execute(&keep, &[&key.id().as_uuid(), &customer.to_string(), &key.expose().as_slice()]).await?;
            customers.push((customer, key));
        }
        Ok(Arc::new(Self {
            log: EventLog::open(pool, config, &ground.spawner()).await?,
            spawner: ground.spawner(),
            template: template()?,
            customers,
            products: (0..PRODUCTS).map(|_| ProductId::generate()).collect(),
            numbers: AtomicUsize::new(1),
        }))
    }

    /// The keys of all customers.
    pub(crate) fn keys(&self) -> KeyRing {
        self.customers.iter().map(|(_, key)| key.clone()).collect()
    }

    /// One more order, about to be appended.
    pub(crate) fn order(&self) -> Result<(OrderId, Append), BenchError> {
        let n = self.numbers.fetch_add(1, Ordering::Relaxed);
        let (customer, key) = &self.customers[n % self.customers.len()];
        let mut placed = self.template.clone();
        placed.order_number = format!("B-{n:09}");
        placed.customer_id = Some(*customer);
        placed.shipment_id = ShipmentId::generate();
        placed.occurred_at = web::request_context::now();
        for (at, line) in placed.lines.iter_mut().enumerate() {
            line.line_id = LineId::generate();
            line.product_id = self.products[(n * 7 + at * 13) % self.products.len()];
        }
        let id = OrderId::generate();
        let stream_id = id.to_string();
        let event = seal_event(&OrderEvent::OrderPlaced(placed), &stream_id, Some(key))
            .map_err(|error| BenchError::Unexpected(error.to_string()))?;
        let mut metadata = crate::commands::metadata();
        metadata.import = true;
        let append = Append {
            stream_id,
            stream_type: STREAM_TYPE,
            expected: Expected::Version(0),
            command_id: None,
            events: vec![event],
            metadata,
            claim: None,
        };
        Ok((id, append))
    }

    /// Appends so many orders; answers their ids.
    pub(crate) async fn append(self: &Arc<Self>, orders: usize) -> Result<Vec<OrderId>, BenchError> {
        let left = Arc::new(AtomicUsize::new(orders));
        let go_on = move || left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok();
        self.append_while(CALLERS, go_on).await
    }

    /// Appends for a while by so many callers; answers orders per second.
    pub(crate) async fn append_for(self: &Arc<Self>, callers: usize, time: Duration) -> Result<f64, BenchError> {
        let began = Instant::now();
        let appended = self.append_while(callers, move || began.elapsed() < time).await?;
        Ok(crate::load::count(appended.len()) / began.elapsed().as_secs_f64())
    }

    async fn append_while(
        self: &Arc<Self>,
        callers: usize,
        go_on: impl Fn() -> bool + Clone + Send + 'static,
    ) -> Result<Vec<OrderId>, BenchError> {
        let (done, mut results) = mpsc::unbounded_channel();
        for _ in 0..callers {
            let (seed, done, go_on) = (Arc::clone(self), done.clone(), go_on.clone());
            self.spawner.spawn(async move {
                let mut ids = Vec::new();
                let mut result = Ok(());
                while result.is_ok() && go_on() {
                    result = match seed.order() {
                        Ok((id, append)) => {
                            ids.push(id);
                            seed.log.append(append).await.map(drop).map_err(BenchError::from)
                        }
                        Err(error) => Err(error),
                    };
                }
                let _ = done.send(result.map(|()| ids));
            });
        }
        drop(done);
        let mut ids = Vec::new();
        while let Some(result) = results.recv().await {
            ids.extend(result?);
        }
        Ok(ids)
    }
}

fn template() -> Result<OrderPlaced, BenchError> {
    let line = |sku: &str, name: &str, quantity: u32| {
        json!({
            "lineId": LineId::generate(), "productId": ProductId::generate(), "sku": sku, "name": name,
            "quantity": quantity, "unitPrice": "2.55", "channel": "default", "legalEntity": "default",
        })
    };
    let placed = json!({
        "orderNumber": "B-0", "currency": "EUR", "pricesIncludeTax": true,
        "lines": [line("85123A", "White hanging heart T-light holder", 6), line("71053", "White metal lantern", 2)],
        "shipping": { "method": "standard", "amount": "0.00" },
        "totals": { "subtotal": "20.40", "discountTotal": "0.00", "shippingTotal": "0.00", "taxTotal": "0.00",
                    "total": "20.40" },
        "paymentMethod": "card",
        "contact": { "email": "ada@example.org", "name": "Ada Lovelace" },
        "shippingAddress": { "name": "Ada Lovelace", "line1": "12 St James's Square", "city": "London",
                             "postalCode": "SW1Y 4JH", "country": "GB" },
        "shipmentId": ShipmentId::generate(), "occurredAt": web::request_context::now(),
    });
    serde_json::from_value(placed).map_err(|error| BenchError::Unexpected(format!("the model order: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_order_is_one_that_the_log_could_hold() {
        let placed = template().unwrap();
        assert_eq!(placed.lines.len(), 2);
        let sum: rust_decimal::Decimal =
            placed.lines.iter().map(|line| line.unit_price * rust_decimal::Decimal::from(line.quantity)).sum();
        assert_eq!(sum, placed.totals.total);
    }
}
