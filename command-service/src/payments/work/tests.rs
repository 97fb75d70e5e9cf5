//! Money that a provider moves, with a provider that fails, is slow, and forgets the keys that make repeats harmless; and
//! with a process that dies between any two steps.

mod fake;

use super::*;
use crate::{
    inventory::Inventory,
    keys::KeyStore,
    payments::{client::Client, generic, generic::Generic},
};
use eventstore::{EventLog, LogConfig};
use fake::{Fake, Mood};
use feeds::{FeedRegistry, Reader, timer::TimerWorker};
use order::{
    CancelOrder, Command, CompletePayment, Party, PaymentState, PaymentWindows, PlaceOrder, RefundStatus, RefundWhat,
    RequestRefund,
    pricing::{LineToPrice, ToPrice, price},
};
use service::{Lifecycle, Peer};
use shared_events::{Actor, Attributes, LineId, ProductId, RefundId, ShipmentId, default_name};
use test_support::{TestDatabase, eventually, eventually_some};
use tokio::task::JoinHandle;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use web::standard_webhooks::WebhookSecret;

/// The service's own parts over a Postgres of its own, and a provider beside it.
struct World {
    _database: TestDatabase,
    pool: Pool,
    orders: crate::orders::Orders,
    lifecycle: Lifecycle,
    feeds: FeedRegistry,
    fake: Fake,
}

/// A process that follows the orders and moves money; dropping it is killing it.
struct Running(Vec<JoinHandle<()>>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.iter().for_each(JoinHandle::abort);
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.lifecycle.spawner().stop().cancel();
    }
}

impl World {
    async fn new() -> Self {
        let database = test_support::database().await;
        let pool = crate::open_schema(&database).await.unwrap();
        let lifecycle = Lifecycle::new();
        let config = LogConfig { name: "orders", partitions: 2, writers: 1 };
        let log = EventLog::open(pool.clone(), config, &lifecycle.spawner()).await.unwrap();
        let feeds = FeedRegistry::new(lifecycle.spawner());
        feeds.publish(log.clone());
        let orders = crate::orders::Orders::new(log, KeyStore::new(pool.clone()));
        Self { _database: database, pool, orders, lifecycle, feeds, fake: Fake::start().await }
    }

    fn work(&self, capture: CapturePolicy) -> PaymentWork {
        let secret = WebhookSecret::parse(fake::SECRET).unwrap();
        let http = service::peers::http_client().unwrap();
        let client = Client::new(http, generic::NAME, self.fake.url.clone(), None);
        let windows = PaymentWindows { usual: TimeDelta::minutes(30), bank_transfer: TimeDelta::days(5) };
        let inventory = Inventory::new(Peer::nowhere("inventory"));
        let facts = Facts { orders: self.orders.clone(), inventory, windows };
        PaymentWork {
            provider: PaymentProvider::Generic(Generic { client, secret }),
            capture,
            poll: TimeDelta::milliseconds(50),
            refunds: Refunds { pool: self.pool.clone(), facts: facts.clone() },
            facts,
            pool: self.pool.clone(),
        }
    }

    fn run(&self, capture: CapturePolicy) -> Running {
        let reader = Reader::projector(PaymentTimers, self.pool.clone(), vec![self.feeds.subscribe("orders")]);
        let timers = TimerWorker::new(self.work(capture), self.pool.clone());
        let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
        Running(vec![tracker.spawn(reader.run(stop.clone())), tracker.spawn(timers.run(stop))])
    }

    async fn tell(&self, order_id: OrderId, command: impl Into<Command>) {
        self.orders.react(order_id, command, None, Actor::internal(), None).await.unwrap();
    }

    /// An order of 39.00.
    async fn placed(&self) -> OrderId {
        let order_id = OrderId::generate();
        self.tell(order_id, placing()).await;
        order_id
    }

    /// One that is paid, by the provider or by nobody's.
    async fn paid(&self, provider: Option<&str>) -> OrderId {
        let order_id = self.placed().await;
        let paid = CompletePayment {
            payment_id: "pay-1".to_owned(),
            provider: provider.map(str::to_owned),
            method: None,
            amount: euros("39.00"),
            reservation_revision: None,
            refund_id: RefundId::generate(),
            exception_id: ExceptionId::generate(),
            now: now(),
        };
        self.tell(order_id, paid).await;
        order_id
    }

    /// One that is held.
    async fn held(&self) -> OrderId {
        let order_id = self.placed().await;
        let seen =
            SeenPayment { payment_id: "pay-1".to_owned(), stage: Stage::Authorized(euros("39.00")), method: None };
        let facts = self.work(CapturePolicy::Never).facts;
        facts.payment(order_id, generic::NAME, &seen, Uuid::new_v5(&order_id.as_uuid(), b"held")).await.unwrap();
        order_id
    }

    async fn refund(&self, order_id: OrderId, amount: &str) -> RefundId {
        let refund_id = RefundId::generate();
        let what = RefundWhat::Amount(euros(amount));
        self.tell(order_id, RequestRefund { refund_id, what, reason: None, return_id: None, now: now() }).await;
        refund_id
    }

    async fn order(&self, order_id: OrderId) -> Order {
        self.orders.load(order_id).await.unwrap().unwrap()
    }

    /// Waits until a refund has this status.
    async fn until(&self, order_id: OrderId, refund_id: RefundId, status: RefundStatus) -> Order {
        eventually_some(|| async {
            let order = self.order(order_id).await;
            (order.refund(refund_id)?.status == status).then_some(order)
        })
        .await
    }

    async fn until_payment(&self, order_id: OrderId, state: PaymentState) -> Order {
        eventually_some(|| async {
            let order = self.order(order_id).await;
            (order.payment("pay-1")?.status == state).then_some(order)
        })
        .await
    }

    async fn count(&self, of: &str) -> i64 {
        let client = self.pool.get().await.unwrap();
        client.query_one(&format!("SELECT count(*) FROM {of}"), &[]).await.unwrap().get(0)
    }

    /// As if the leases of the process that was killed had run out.
    async fn leases_end(&self) {
        let client = self.pool.get().await.unwrap();
        let ended = "UPDATE timer SET next_at = least(next_at, clock_timestamp());
                     UPDATE reader_checkpoint SET lease_until = '-infinity'";
        client.batch_execute(ended).await.unwrap();
    }
}

fn euros(amount: &str) -> Money {
    Money::parse(amount, "EUR").unwrap()
}

fn placing() -> PlaceOrder {
    let line = LineToPrice {
        line_id: LineId::generate(),
        product_id: ProductId::generate(),
        sku: "SKU-1".to_owned(),
        name: "Lamp".to_owned(),
        quantity: 3,
        unit_price: "13.00".parse().unwrap(),
        tax_rate: Decimal::ZERO,
        channel: default_name(),
        legal_entity: default_name(),
        external_id: None,
        attributes: Attributes::new(),
    };
    let priced = price(ToPrice {
        currency: Currency::EUR,
        prices_include_tax: true,
        lines: vec![line],
        shipping_method: None,
        shipping_amount: Decimal::ZERO,
        shipping_tax_rate: Decimal::ZERO,
        shipping_free_from: None,
        discounts: Vec::new(),
    });
    PlaceOrder {
        order_number: "R-000000001".to_owned(),
        customer_id: None,
        channel: default_name(),
        legal_entity: default_name(),
        external_id: None,
        attributes: Attributes::new(),
        cart_id: None,
        quote_id: None,
        priced: priced.unwrap(),
        payment_method: PaymentMethod::Card,
        contact: None,
        shipping_address: None,
        billing_address: None,
        note: None,
        shipment_id: ShipmentId::generate(),
        reservation_revision: 1,
        expires_at: now() + TimeDelta::minutes(30),
        now: now(),
    }
}

fn cancel() -> CancelOrder {
    CancelOrder { by: Party::Staff, reason: None, refund_id: RefundId::generate(), now: now() }
}

#[tokio::test]
async fn a_refund_is_carried_out_by_the_provider_and_reported_to_the_order() {
    let world = World::new().await;
    let order_id = world.paid(Some("generic")).await;
    let refund_id = world.refund(order_id, "10.00").await;
    let _running = world.run(CapturePolicy::Confirm);
    let order = world.until(order_id, refund_id, RefundStatus::Completed).await;
    assert_eq!(order.refund(refund_id).unwrap().provider_reference, Some(format!("fake-{refund_id}")));
    assert_eq!(world.fake.moved(), [(refund_id.to_string(), "10.00".to_owned())]);
    assert!(world.fake.requests_were_signed());
    eventually(|| async { world.count("timer").await == 0 }).await;
}

#[tokio::test]
async fn money_that_moved_before_the_process_died_moves_once_though_the_provider_forgets_keys() {
    let world = World::new().await;
    world.fake.is(Mood::MovesAndHangs);
    let order_id = world.paid(Some("generic")).await;
    let refund_id = world.refund(order_id, "10.00").await;
    let killed = world.run(CapturePolicy::Confirm);
    eventually(|| async { world.fake.moved().len() == 1 }).await;
    drop(killed);
    world.fake.is(Mood::Works);
    world.leases_end().await;
    let _fresh = world.run(CapturePolicy::Confirm);
    world.until(order_id, refund_id, RefundStatus::Completed).await;
    assert_eq!(world.fake.moved().len(), 1);
}

#[tokio::test]
async fn a_provider_that_is_away_is_asked_again_and_one_that_lost_its_answer_is_asked_what_became_of_it() {
    for mood in [Mood::FailsOnce, Mood::MovesAndFailsOnce] {
        let world = World::new().await;
        world.fake.is(mood);
        let order_id = world.paid(Some("generic")).await;
        let refund_id = world.refund(order_id, "10.00").await;
        let _running = world.run(CapturePolicy::Confirm);
        world.until(order_id, refund_id, RefundStatus::Completed).await;
        assert_eq!(world.fake.moved().len(), 1);
    }
}

#[tokio::test]
async fn a_refund_whose_webhook_is_lost_is_looked_at_until_it_ended() {
    let world = World::new().await;
    world.fake.is(Mood::Pends);
    let order_id = world.paid(Some("generic")).await;
    let refund_id = world.refund(order_id, "10.00").await;
    let _running = world.run(CapturePolicy::Confirm);
    eventually(|| async { world.fake.looks() >= 2 }).await;
    assert_eq!(world.order(order_id).await.refund(refund_id).unwrap().status, RefundStatus::Requested);
    world.fake.is(Mood::Works);
    world.until(order_id, refund_id, RefundStatus::Completed).await;
    assert_eq!(world.fake.moved().len(), 1);
}

#[tokio::test]
async fn a_refund_that_the_provider_refuses_fails_and_calls_a_person() {
    let world = World::new().await;
    world.fake.is(Mood::Refuses);
    let order_id = world.paid(Some("generic")).await;
    let refund_id = world.refund(order_id, "10.00").await;
    let _running = world.run(CapturePolicy::Confirm);
    let order = world.until(order_id, refund_id, RefundStatus::Failed).await;
    assert_eq!(order.exceptions[0].kind, "REFUND_FAILED");
    assert!(world.fake.moved().is_empty());
}

#[tokio::test]
async fn what_another_service_reported_is_never_moved_by_ours() {
    let world = World::new().await;
    let reported = world.paid(None).await;
    let refund_id = world.refund(reported, "10.00").await;
    let ours = world.paid(Some("generic")).await;
    let other = world.refund(ours, "10.00").await;
    let _running = world.run(CapturePolicy::Confirm);
    world.until(ours, other, RefundStatus::Completed).await;
    eventually(|| async { world.count("timer").await == 0 }).await;
    assert_eq!(world.order(reported).await.refund(refund_id).unwrap().status, RefundStatus::Requested);
    assert_eq!((world.fake.moved().len(), world.count("provider_order").await), (1, 1));
}

#[tokio::test]
async fn a_cancelled_order_gives_back_what_is_held_and_a_confirmed_one_is_captured() {
    let world = World::new().await;
    let cancelled = world.held().await;
    world.tell(cancelled, cancel()).await;
    let running = world.run(CapturePolicy::Confirm);
    world.until_payment(cancelled, PaymentState::Voided).await;
    let confirmed = world.held().await;
    let order = world.until_payment(confirmed, PaymentState::Completed).await;
    assert_eq!(order.paid_total().to_string(), "39.00");
    drop(running);
    assert_eq!(world.fake.asked("void"), 1);
    assert_eq!(world.fake.asked("capture"), 1);
}

#[tokio::test]
async fn with_capture_at_dispatch_held_money_waits_for_the_goods() {
    let world = World::new().await;
    let order_id = world.held().await;
    let _running = world.run(CapturePolicy::Dispatch);
    eventually(|| async { world.count("provider_order").await == 1 && world.count("timer").await == 0 }).await;
    assert_eq!(world.order(order_id).await.payment("pay-1").unwrap().status, PaymentState::Authorized);
    assert_eq!(world.fake.asked("capture"), 0);
}

#[tokio::test]
async fn a_payment_whose_webhook_is_lost_is_found_and_one_nobody_paid_is_taken_back_when_the_order_is_over() {
    let world = World::new().await;
    world.fake.is(Mood::Pends);
    let work = world.work(CapturePolicy::Confirm);
    let _running = world.run(CapturePolicy::Confirm);
    let order_id = world.placed().await;
    let wanted = payment(order_id);
    work.watch(&wanted).await.unwrap();
    let started = work.provider.authorise(&wanted).await.unwrap();
    assert_eq!(started.seen.stage, Stage::Open);
    work.started(&wanted, &started.seen).await.unwrap();
    eventually(|| async { world.fake.looks() >= 1 }).await;
    world.fake.is(Mood::Works);
    world.until_payment(order_id, PaymentState::Completed).await;

    world.fake.is(Mood::Pends);
    let left = world.placed().await;
    work.started(&payment(left), &started.seen).await.unwrap();
    world.tell(left, cancel()).await;
    eventually(|| async { world.fake.asked("void") == 1 && world.count("timer").await == 0 }).await;
    assert!(world.order(left).await.payments.is_empty(), "nothing was held");
}

#[tokio::test]
async fn a_payment_whose_start_was_killed_is_asked_for_again_under_the_same_attempt() {
    let world = World::new().await;
    let work = world.work(CapturePolicy::Confirm);
    let order_id = world.placed().await;
    work.watch(&payment(order_id)).await.unwrap();
    world.leases_end().await;
    let _running = world.run(CapturePolicy::Confirm);
    world.until_payment(order_id, PaymentState::Completed).await;
    assert_eq!(world.fake.asked("start"), 1);
}

#[tokio::test]
async fn a_payment_whose_start_was_killed_is_asked_for_again_though_the_order_is_over_and_its_money_goes_back() {
    let world = World::new().await;
    let work = world.work(CapturePolicy::Confirm);
    let order_id = world.placed().await;
    work.watch(&payment(order_id)).await.unwrap();
    world.tell(order_id, cancel()).await;
    world.leases_end().await;
    let _running = world.run(CapturePolicy::Confirm);
    eventually(|| async { world.fake.moved().len() == 1 }).await;
    assert_eq!(world.fake.asked("start"), 1);
    assert_eq!(world.fake.moved()[0].1, "39.00");
}

#[tokio::test]
async fn a_capture_that_the_provider_does_later_is_looked_at_until_it_is_done() {
    let world = World::new().await;
    world.fake.is(Mood::Pends);
    let order_id = world.held().await;
    let _running = world.run(CapturePolicy::Confirm);
    eventually(|| async { world.fake.looks() >= 2 }).await;
    assert_eq!(world.order(order_id).await.payment("pay-1").unwrap().status, PaymentState::Authorized);
    world.fake.is(Mood::Works);
    world.until_payment(order_id, PaymentState::Completed).await;
    assert_eq!(world.fake.asked("capture"), 1, "it is not asked for again while it is on its way");
}

#[tokio::test]
async fn of_a_held_payment_that_is_said_to_have_failed_the_provider_tells_what_it_is_now() {
    let world = World::new().await;
    let work = world.work(CapturePolicy::Never);
    let order_id = world.held().await;
    let failed = Stage::Failed { amount: euros("39.00"), reason: None };
    let told = SeenPayment { payment_id: "pay-1".to_owned(), stage: failed, method: None };
    let seen = work.hear(order_id, told.clone()).await.unwrap();
    assert_eq!(seen.stage, Stage::Completed(euros("39.00")));
    world.fake.is(Mood::Pends);
    assert!(matches!(work.hear(order_id, told.clone()).await, Err(NotRecorded::Refused(_))));
    world.fake.is(Mood::Down);
    assert!(matches!(work.hear(order_id, told).await, Err(NotRecorded::Later(_))));
}

fn payment(order_id: OrderId) -> NewPayment {
    NewPayment {
        attempt: order_id.as_uuid(),
        order_id,
        order_number: "R-000000001".to_owned(),
        amount: euros("39.00"),
        method: PaymentMethod::Card,
        capture: true,
        return_url: None,
        simulate: None,
    }
}

#[tokio::test]
async fn imported_orders_set_no_timers() {
    let world = World::new().await;
    let payload = br#"{"provider": "generic", "occurredAt": "2026-01-01T00:00:00Z"}"#;
    let event = |import| shared_events::RecordedEvent {
        partition: 0,
        position: 1,
        stream_id: OrderId::generate().to_string(),
        stream_type: "Order".to_owned(),
        version: 1,
        event_id: shared_events::EventId::generate(),
        command_id: None,
        event_type: "PaymentCompleted".to_owned(),
        schema_version: 1,
        payload: bytes::Bytes::from_static(payload),
        metadata: shared_events::Metadata {
            correlation_id: Uuid::nil(),
            causation_id: None,
            actor: Actor::internal(),
            traceparent: None,
            import,
        },
        recorded_at: chrono::DateTime::UNIX_EPOCH,
    };
    let page = Page { log: "orders".into(), partition: 0, events: vec![event(true), event(false)] };
    // Delivered twice, it is the same.
    for _ in 0..2 {
        let mut client = world.pool.get().await.unwrap();
        let transaction = client.transaction().await.unwrap();
        PaymentTimers.handle(&transaction, std::slice::from_ref(&page)).await.unwrap();
        transaction.commit().await.unwrap();
    }
    assert_eq!((world.count("timer").await, world.count("provider_order").await), (1, 1));
}
