//! Reservations against a model: whatever happens in whatever order, each batch gives every job what it would have
//! got alone in the queue's order, rows follow from the log, and nothing is oversold.

use crate::shop::{Shop, metadata};
use chrono::TimeDelta;
use inventory_service::domain::reservation::ReservationState;
use inventory_service::domain::reservation::decide::{Command, Rejection};
use inventory_service::domain::stock::{Adjustment, Quantities};
use inventory_service::stock_writer::{Count, Hold, StockError, StockWriter};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use shared_events::{DEFAULT, EventId, OrderId, ProductId, ReturnId, ShipmentId};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use test_support::eventually;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

fn hold(order_id: OrderId, command: Command) -> Hold {
    Hold {
        order_id,
        steps: vec![command],
        order_version: None,
        command_id: EventId::generate().as_uuid(),
        metadata: metadata(),
    }
}

fn reserve(revision: i32, demand: impl Into<Quantities>) -> Command {
    Command::Reserve { revision, demand: demand.into(), time_to_live: chrono::TimeDelta::minutes(2) }
}

/// Queues jobs before the writer runs, so that they make one batch.
#[tokio::test]
async fn jobs_of_one_batch_see_each_other_in_queue_order_and_fail_alone() {
    let shop = Shop::open().await;
    let (mug, cup) = (shop.product("MUG", 5).await, shop.product("CUP", 1).await);
    let [first, second, third, fourth] = std::array::from_fn(|_| OrderId::generate());
    let (writer, mut writing) = StockWriter::new(shop.pool.clone(), shop.log.clone());
    let unknown = ProductId::generate();
    let jobs = [
        hold(first, reserve(1, [(mug, 4)])),
        hold(second, reserve(1, [(mug, 2), (cup, 1)])),
        hold(third, reserve(1, [(cup, 1)])),
        hold(first, Command::Release { revision: None, reason: None, keep_newer: None }),
        hold(second, reserve(1, [(mug, 2)])),
        hold(fourth, reserve(1, [(unknown, 1)])),
        hold(first, Command::Confirm { revision: None }),
    ];
    let asked = futures_util::future::join_all(jobs.into_iter().map(|job| writer.hold(job)));
    let count = Count {
        product_id: cup,
        location: DEFAULT.to_owned(),
        adjustment: Adjustment::Difference(-1),
        reason: None,
        expected: None,
        command_id: EventId::generate().as_uuid(),
        metadata: metadata(),
    };
    let stop = CancellationToken::new();
    let work = async {
        let answers = tokio::join!(asked, writer.count(count));
        stop.cancel();
        answers
    };
    let ((answers, counted), ()) = tokio::join!(work, writing.run(&stop));
    let states: Vec<Result<ReservationState, String>> = answers
        .into_iter()
        .map(|answer| answer.map(|held| held.reservation.state).map_err(|error| error.to_string()))
        .collect();
    let short = |lines| StockError::from(Rejection::InsufficientStock(lines)).to_string();
    assert_eq!(
        states,
        [
            Ok(ReservationState::Pending),
            Err(short(vec![shared_events::inventory::Shortage { product_id: mug, requested: 2, available: 1 }])),
            Ok(ReservationState::Pending),
            Ok(ReservationState::Released),
            Ok(ReservationState::Pending),
            Err(Rejection::UnknownProducts(vec![unknown]).to_string()),
            Err(Rejection::Gone(ReservationState::Released).to_string()),
        ]
    );
    assert!(counted.is_err(), "the cup is reserved");
    let mut types = BTreeMap::<i64, Vec<String>>::new();
    for (recorded, _) in shop.events().await {
        types.entry(recorded.recorded_at.timestamp_micros()).or_default().push(recorded.event_type);
    }
    let batch = types.values().find(|types| types.contains(&"ReservationReleased".to_owned())).unwrap();
    assert!(batch.len() >= 2, "one transaction wrote several jobs: {types:?}");
    shop.is_consistent().await;
}

/// Three writers, as of three processes, on few products and few orders: every collision there can be.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn any_mix_of_jobs_by_several_writers_keeps_the_books() {
    let shop = Shop::open().await;
    let mut products = Vec::new();
    for number in 0..4 {
        products.push(shop.product(&format!("SKU-{number}"), 30).await);
    }
    let orders: Vec<OrderId> = (0..12).map(|_| OrderId::generate()).collect();
    let stop = CancellationToken::new();
    let mut writers = Vec::new();
    let mut running = JoinSet::new();
    for _ in 0..3 {
        let (writer, mut writing) = StockWriter::new(shop.pool.clone(), shop.log.clone());
        writers.push(writer);
        let stop = stop.clone();
        running.spawn(async move { writing.run(&stop).await });
    }
    let mut tasks = JoinSet::new();
    for (seed, writer) in (0..12).zip(writers.iter().cycle()) {
        let (writer, products, orders) = (writer.clone(), products.clone(), orders.clone());
        tasks.spawn(async move {
            let mut dice = StdRng::seed_from_u64(seed);
            for _ in 0..40 {
                one_job(&writer, &products, &orders, &mut dice).await;
            }
        });
    }
    tasks.join_all().await;
    stop.cancel();
    running.join_all().await;
    shop.is_consistent().await;
    let events = shop.events().await;
    assert!(events.len() > 150, "the mix did something: {}", events.len());
}

async fn one_job(writer: &StockWriter, products: &[ProductId], orders: &[OrderId], dice: &mut StdRng) {
    let order = orders[dice.random_range(0..orders.len())];
    let mut some = |most: i64| -> Quantities {
        let lines = dice.random_range(1..=3_usize);
        (0..lines).map(|_| (products[dice.random_range(0..products.len())], dice.random_range(1..=most))).collect()
    };
    let (demand, pieces) = (some(6), some(3));
    let revision = dice.random_range(1..6);
    let location = ["default", "north", "south"][dice.random_range(0..3)].to_owned();
    let command = match dice.random_range(0..12) {
        0..=3 => reserve(revision, demand),
        4 => Command::Attach { revision: None },
        5 => Command::Place { revision, demand },
        6 => Command::Change { revision: Some(revision), demand },
        7 => Command::Confirm { revision: None },
        8 => {
            let keep_newer = dice.random_bool(0.5).then(|| TimeDelta::minutes(2));
            Command::Release { revision: Some(revision), reason: None, keep_newer }
        }
        9 => Command::Ship { shipment_id: ShipmentId::generate(), location, pieces },
        10 => Command::Restock { return_id: Some(ReturnId::generate()), location, pieces },
        _ => {
            let adjustment = match dice.random_range(0..2) {
                0 => Adjustment::Count(dice.random_range(0..40)),
                _ => Adjustment::Difference(dice.random_range(-10..10)),
            };
            let count = Count {
                product_id: products[dice.random_range(0..products.len())],
                location,
                adjustment,
                reason: None,
                expected: None,
                command_id: EventId::generate().as_uuid(),
                metadata: metadata(),
            };
            let counted = writer.count(count).await;
            assert!(matches!(counted, Ok(_) | Err(StockError::Adjustment(_))), "{counted:?}");
            return;
        }
    };
    let held = writer.hold(hold(order, command)).await;
    assert!(matches!(held, Ok(_) | Err(StockError::Reservation(_))), "{held:?}");
}

/// What the writer does when it does not know whether a commit went through: it looks the jobs up in the log.
#[tokio::test]
async fn a_job_that_is_in_the_log_is_not_done_again() {
    let shop = Shop::open().await;
    let product = shop.product("MUG", 10).await;
    let (writer, mut writing) = StockWriter::new(shop.pool.clone(), shop.log.clone());
    let stop = CancellationToken::new();
    let work = async {
        let order = OrderId::generate();
        let first = hold(order, reserve(1, [(product, 1)]));
        let repeat = Hold { steps: vec![reserve(2, [(product, 5)])], ..first.clone() };
        let (first, repeat) = (writer.hold(first).await.unwrap(), writer.hold(repeat).await.unwrap());
        assert_eq!(first.reservation, repeat.reservation);
        let count = Count {
            product_id: product,
            location: DEFAULT.to_owned(),
            adjustment: Adjustment::Difference(7),
            reason: None,
            expected: None,
            command_id: EventId::generate().as_uuid(),
            metadata: metadata(),
        };
        let (first, repeat) = (writer.count(count.clone()).await.unwrap(), writer.count(count).await.unwrap());
        assert_eq!(first.level.on_hand, 17);
        assert_eq!(first, repeat);
        stop.cancel();
    };
    tokio::join!(work, writing.run(&stop));
    shop.is_consistent().await;
}

/// A commit may be in although the connection broke before it was answered: nothing is done twice, and nothing that
/// was answered is lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn connections_that_break_lose_and_repeat_nothing() {
    let shop = Shop::open().await;
    let product = shop.product("MUG", 10_000).await;
    let (writer, mut writing) = StockWriter::new(shop.pool.clone(), shop.log.clone());
    let stop = CancellationToken::new();
    let mut running = JoinSet::new();
    let until = stop.clone();
    running.spawn(async move { writing.run(&until).await });
    let answered = Arc::new(AtomicUsize::new(0));
    let mut buyers = JoinSet::new();
    for _ in 0..8 {
        let (writer, answered) = (writer.clone(), Arc::clone(&answered));
        buyers.spawn(async move {
            let mut kept = Vec::new();
            for _ in 0..50 {
                let order = OrderId::generate();
                let held = writer.hold(hold(order, reserve(1, [(product, 1)]))).await;
                answered.fetch_add(1, Ordering::SeqCst);
                assert!(matches!(held, Ok(_) | Err(StockError::Unavailable)), "{held:?}");
                kept.extend(held.is_ok().then_some(order));
            }
            kept
        });
    }
    for round in 1..8 {
        eventually(|| std::future::ready(answered.load(Ordering::SeqCst) >= round * 45)).await;
        shop.break_connections().await;
    }
    let kept = buyers.join_all().await.concat();
    stop.cancel();
    running.join_all().await;
    eventually(|| async { shop.pool.get().await.is_ok() }).await;
    shop.is_consistent().await;
    let mut reserved = BTreeMap::<String, usize>::new();
    for (recorded, _) in shop.events().await {
        if recorded.event_type == "StockReserved" {
            *reserved.entry(recorded.stream_id).or_default() += 1;
        }
    }
    assert!(reserved.values().all(|times| *times == 1), "no order was reserved twice");
    assert!(kept.iter().all(|order| reserved.contains_key(&order.to_string())), "nothing that was answered is lost");
    assert!(kept.len() > 200, "most were served: {}", kept.len());
}
