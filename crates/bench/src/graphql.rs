//! Reading an order by its id over GraphQL: from the table, each order asked for the first time, beside a route that
//! answers a stored document by one prepared query; and from memory, beside a route whose answer is always the same.
//! The routes are served by a process of their own, as the system is.

use crate::client::{Answer, request};
use crate::error::BenchError;
use crate::ground::Ground;
use crate::load::{self, Pace, Traffic};
use crate::measure::{Latencies, Pairs};
use crate::reference::Reference;
use crate::seed::Seed;
use crate::system::{Storage, System};
use crate::{Figure, Limit, Options, Row};
use shared_events::OrderId;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const CONNECTIONS: usize = 16;
const AT_LEAST: f64 = 0.4;
/// So few that they all stay in memory.
const HOT: usize = 500;
const WARM_UP: Duration = Duration::from_millis(500);
const FIELDS: &str = "number status paymentStatus placedAt total { amount currency } \
                      lines { id name sku quantity unitPrice { amount currency } }";

/// Asks for orders, one after the other by all connections.
struct Reads {
    authorization: String,
    orders: Arc<Vec<OrderId>>,
    next: AtomicUsize,
    from: Where,
}

#[derive(Clone, Copy)]
enum Where {
    GraphQl,
    Document,
    Static,
}

impl Traffic for Reads {
    fn request(&self, _connection: usize, _n: usize) -> Vec<u8> {
        let order = self.orders[self.next.fetch_add(1, Ordering::Relaxed) % self.orders.len()];
        let headers = [("authorization", self.authorization.as_str())];
        match self.from {
            Where::GraphQl => {
                let query = format!("query($id: ID!) {{ order(id: $id) {{ {FIELDS} }} }}");
                let body = serde_json::json!({ "query": query, "variables": { "id": order } });
                request("POST", "/graphql", &headers, &body.to_string())
            }
            Where::Document => request("GET", &format!("/document/{}", order.as_uuid()), &headers, ""),
            Where::Static => request("GET", "/static", &headers, ""),
        }
    }

    fn accept(&self, answer: &Answer<'_>) -> Result<(), BenchError> {
        // An answer with an order has its number; parsing it would cost more than the answer.
        let has_order = answer.body.windows(4).any(|window| window == b"\"B-0");
        if answer.status == 200 && has_order { Ok(()) } else { Err(answer.unexpected("no order")) }
    }
}

pub(crate) async fn measure(options: &Options, ground: &Ground) -> Result<Vec<Row>, BenchError> {
    let system = System::start(ground, Storage::OfTheRun).await?;
    let measured = Box::pin(beside_documents(options, ground, &system)).await;
    system.stop().await?;
    measured
}

async fn beside_documents(options: &Options, ground: &Ground, system: &System) -> Result<Vec<Row>, BenchError> {
    let seed = Seed::new(ground).await?;
    let orders = Arc::new(seed.append(options.read_orders).await?);
    ground.until_caught_up().await?;
    ground.store_documents().await?;
    let reference = Reference::start(ground).await?;
    let authorization = system.authorization().await?;
    let reads = |orders: &Arc<Vec<OrderId>>, from| {
        let next = AtomicUsize::new(0);
        Arc::new(Reads { authorization: authorization.clone(), orders: Arc::clone(orders), next, from })
    };
    let hot = Arc::new(orders[..HOT.min(orders.len())].to_vec());

    let cold = [(system.address, reads(&orders, Where::GraphQl)), (reference.address, reads(&orders, Where::Document))];
    let (uncached, latencies) = pairs(options, ground, &cold).await?;
    let warm = [(system.address, reads(&hot, Where::GraphQl)), (reference.address, reads(&hot, Where::Static))];
    let (cached, _) = pairs(options, ground, &warm).await?;
    reference.stop().await?;

    let row = |what: &str, pairs: &Pairs, limit| {
        Row::told(Figure::GraphQl.name(), what, format!("{:.0} reads/s", pairs.ours().median))
            .beside(format!("{:.0} reads/s", pairs.beside().median))
            .ratio(pairs.ratio(), limit)
    };
    let what = format!("order by id, not in memory, {CONNECTIONS} connections; beside: a stored document by one query");
    Ok(vec![
        row(&what, &uncached, Limit::AtLeast(AT_LEAST)),
        row("order by id, in memory; beside: static JSON", &cached, Limit::None),
        Row::told(
            Figure::GraphQl.name(),
            "order by id, not in memory: how long it takes",
            format!("p50 {:.2} ms, p99 {:.2} ms", latencies.percentile_ms(0.5), latencies.percentile_ms(0.99)),
        ),
    ])
}

async fn pairs(
    options: &Options,
    ground: &Ground,
    sides: &[(std::net::SocketAddr, Arc<Reads>); 2],
) -> Result<(Pairs, Latencies), BenchError> {
    let spawner = ground.spawner();
    let (mut pairs, mut latencies) = (Pairs::default(), Latencies::default());
    let closed = |time| (Pace::AsFastAsAnswered, time);
    for (address, reads) in sides {
        load::run(&spawner, *address, CONNECTIONS, closed(WARM_UP), reads).await?;
    }
    for _ in 0..options.pairs {
        let [(ours_at, ours), (beside_at, beside)] = sides;
        let beside = load::run(&spawner, *beside_at, CONNECTIONS, closed(options.half), beside).await?;
        let ours = load::run(&spawner, *ours_at, CONNECTIONS, closed(options.half), ours).await?;
        pairs.push(ours.per_second, beside.per_second);
        latencies.take_in(ours.latencies);
    }
    Ok((pairs, latencies))
}

/// How long reads of orders take that are sent one at a time.
pub(crate) async fn read_latency(
    time: Duration,
    ground: &Ground,
    system: &System,
    orders: &[OrderId],
) -> Result<Latencies, BenchError> {
    let reads = Arc::new(Reads {
        authorization: system.authorization().await?,
        orders: Arc::new(orders.to_vec()),
        next: AtomicUsize::new(rand::random_range(0..orders.len().max(1))),
        from: Where::GraphQl,
    });
    let done = load::run(&ground.spawner(), system.address, 1, (Pace::AsFastAsAnswered, time), &reads).await?;
    Ok(done.latencies)
}
