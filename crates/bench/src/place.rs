//! Placing orders over HTTP: two lines, an idempotency key, 32 connections that stay open. Beside it what the raw
//! inserts would allow: their events per second, divided by the events that an order causes in all logs.

use crate::append::{raw_connections, through_raw};
use crate::client::{Answer, request};
use crate::error::BenchError;
use crate::ground::Ground;
use crate::load::{self, Pace, Traffic};
use crate::measure::{Latencies, Pairs};
use crate::system::{Storage, System};
use crate::{Figure, Limit, Options, Row};
use serde_json::{Value, json};
use shared_events::EventId;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::mpsc::UnboundedSender;

pub(crate) const CONNECTIONS: usize = 32;
const PRODUCTS: usize = 200;
const LIMIT: f64 = 0.3;
const WARM_UP: Duration = Duration::from_secs(2);
const LOGS: [&str; 3] = ["orders", "inventory", "invoices"];

/// An order that was accepted.
pub(crate) struct Accepted {
    pub(crate) at: Instant,
    pub(crate) id: String,
}

/// Orders of two lines by guests.
pub(crate) struct Orders {
    authorization: String,
    products: Vec<String>,
    /// Every so many orders are told of here.
    told: Mutex<Option<(usize, UnboundedSender<Accepted>)>>,
}

impl Orders {
    /// With products of their own.
    pub(crate) async fn prepare(system: &System) -> Result<Self, BenchError> {
        let authorization = system.authorization().await?;
        let products = system.products(&authorization, PRODUCTS).await?;
        Ok(Self { authorization, products, told: Mutex::new(None) })
    }

    pub(crate) fn authorization(&self) -> &str {
        &self.authorization
    }

    /// From now on every so many accepted orders are told of.
    pub(crate) fn tell(&self, to: Option<(usize, UnboundedSender<Accepted>)>) {
        *self.told.lock().unwrap_or_else(PoisonError::into_inner) = to;
    }

    fn product(&self, connection: usize, n: usize) -> &str {
        &self.products[(connection * 31 + n * 7) % self.products.len()]
    }
}

impl Traffic for Orders {
    fn request(&self, connection: usize, n: usize) -> Vec<u8> {
        let line = |product, quantity| json!({ "productId": product, "quantity": quantity });
        let body = json!({
            "items": [line(self.product(connection, 2 * n), 2), line(self.product(connection, 2 * n + 1), 1)],
            "contact": { "email": "ada@example.org", "name": "Ada Lovelace" },
            "shippingAddress": { "name": "Ada Lovelace", "line1": "12 St James's Square", "city": "London",
                                 "postalCode": "SW1Y 4JH", "country": "GB" },
            "paymentMethod": "card",
        });
        let key = EventId::generate().to_string();
        let headers = [("authorization", self.authorization.as_str()), ("idempotency-key", key.as_str())];
        request("POST", "/api/orders", &headers, &body.to_string())
    }

    fn accept(&self, answer: &Answer<'_>) -> Result<(), BenchError> {
        if answer.status != 201 {
            return Err(answer.unexpected("no order"));
        }
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((every, to)) = &mut *told
            && rand::random_range(0..*every) == 0
        {
            let at = Instant::now();
            let order: Value = answer.json()?;
            if let Some(id) = order["orderId"].as_str() {
                let _ = to.send(Accepted { at, id: id.to_owned() });
            }
        }
        Ok(())
    }
}

pub(crate) async fn measure(options: &Options, ground: &Ground) -> Result<Vec<Row>, BenchError> {
    let system = System::start(ground, Storage::OfTheRun).await?;
    let measured = Box::pin(beside_raw(options, ground, &system)).await;
    system.stop().await?;
    measured
}

async fn beside_raw(options: &Options, ground: &Ground, system: &System) -> Result<Vec<Row>, BenchError> {
    let orders = Arc::new(Orders::prepare(system).await?);
    let mut raw = raw_connections(ground, "bench_place_raw").await?;
    let mut pairs = Pairs::default();
    let (mut latencies, mut per_order) = (Latencies::default(), Vec::new());
    let spawner = ground.spawner();
    let closed = |time| (Pace::AsFastAsAnswered, time);
    load::run(&spawner, system.address, CONNECTIONS, closed(WARM_UP), &orders).await?;
    for _ in 0..options.pairs {
        ground.until_caught_up().await?;
        ground.checkpoint().await?;
        let raw_per_second;
        (raw, raw_per_second) = through_raw(&spawner, raw, options.half).await?;
        ground.checkpoint().await?;
        let before = events(ground).await?;
        let done = load::run(&spawner, system.address, CONNECTIONS, closed(options.half), &orders).await?;
        ground.until_caught_up().await?;
        let caused = (events(ground).await? - before) / load::count(done.latencies.len());
        per_order.push(caused);
        pairs.push(done.per_second, raw_per_second / caused);
        latencies.take_in(done.latencies);
    }
    let name = Figure::Place.name();
    let caused = per_order.iter().sum::<f64>() / load::count(per_order.len().max(1));
    Ok(vec![
        Row::told(
            name,
            format!(
                "POST /api/orders, 2 lines, {CONNECTIONS} connections; beside: raw events/s ÷ {caused:.2} events an \
                     order causes"
            ),
            format!("{:.0} orders/s", pairs.ours().median),
        )
        .beside(format!("{:.0} orders/s", pairs.beside().median))
        .ratio(pairs.ratio(), Limit::AtLeast(LIMIT)),
        Row::told(
            name,
            "the same: how long an order takes",
            format!("p50 {:.2} ms, p99 {:.2} ms", latencies.percentile_ms(0.5), latencies.percentile_ms(0.99)),
        ),
    ])
}

/// In all logs of the system.
#[expect(clippy::cast_precision_loss, reason = "there are far fewer events than 2^52")]
async fn events(ground: &Ground) -> Result<f64, BenchError> {
    let mut events = 0;
    for log in LOGS {
        events += ground.events_in(log).await?;
    }
    Ok(events as f64)
}
