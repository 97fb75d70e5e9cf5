//! A shop with an inventory service and an orders log, on a database of its own.

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use eventstore::{Append, EventLog, Expected, LogConfig};
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use inventory_service::domain::reservation::Reservation;
use inventory_service::domain::stock::{Elsewhere, Level, Shelf, lines_of};
use inventory_service::{Config, rows};
use pg::Pool;
use serde_json::{Value, json};
use service::{Lifecycle, Process, ServerConfig, Settings, assemble};
use shared_events::inventory::{InventoryEvent, RESERVATION_STREAM, StockAdjusted, StockLine};
use shared_events::order::{self, OrderEvent};
use shared_events::sealed::{KeyRing, SealingKey, open_event, seal_event};
use shared_events::{Actor, DEFAULT, EventId, Metadata, OrderId, ProductId, RecordedEvent};
use std::collections::BTreeMap;
use std::path::PathBuf;
use test_support::{TestDatabase, database, eventually_some};
use tower::ServiceExt as _;
use web::{Caller, CallerKind, Profile, Scopes};

pub(crate) struct Shop {
    pub(crate) pool: Pool,
    pub(crate) log: EventLog,
    pub(crate) orders: EventLog,
    router: Router,
    lifecycle: Lifecycle,
    database: TestDatabase,
    _folder: Folder,
}

/// A folder of its own, which goes with the shop.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Shop {
    pub(crate) async fn open() -> Self {
        let database = database().await;
        let folder = Folder(std::env::temp_dir().join(format!("oms-images-{}", EventId::generate())));
        let images = format!("file://{}", folder.0.display());
        let settings = Settings::of([
            ("OMS_RATE_LIMIT", "off"),
            ("OMS_MAX_CONCURRENT_REQUESTS", "10000"),
            ("OMS_IMAGES", &images),
        ]);
        let process = Process::new(settings.clone(), (*database).clone(), &["inventory", "command", "auth"]).unwrap();
        let deps = process.deps().clone();
        let lifecycle = deps.lifecycle.clone();

        deps.database.ensure_owner("oms_command", &["orders"]).await.unwrap();
        let orders = deps.database.pool("orders", Some("oms_command")).await.unwrap();
        pg::migrate(&orders, eventstore::HISTORY_TABLE, eventstore::migrations().unwrap()).await.unwrap();
        let config = LogConfig { name: "orders", partitions: 8, writers: 2 };
        let orders = EventLog::open(orders, config, &lifecycle.spawner()).await.unwrap();
        deps.feeds.publish(orders.clone());

        let pool_of_tests = deps.database.clone();
        let log = deps.feeds.subscribe("inventory");
        let config = Config::from_settings(&settings).unwrap();
        let service = inventory_service::build(config, deps.clone()).await.unwrap();
        let feeds::Feed::Log(log) = log.feed().await else { panic!("the log is in this process") };
        let server = ServerConfig::from_settings(&settings, process.listen(), "http://127.0.0.1:8080").unwrap();
        let router = assemble(vec![service.routes], service.checks, deps.verifier, &lifecycle, &server);
        for worker in service.workers {
            lifecycle.start(worker);
        }
        let pool = pool_of_tests.pool("inventory", Some("oms_inventory")).await.unwrap();
        Self { pool, log, orders, router, lifecycle, database, _folder: folder }
    }

    /// Sends a request as a service that may do everything.
    pub(crate) async fn send(&self, method: Method, path: &str, body: Value) -> Answer {
        self.send_as(Some(client()), method, path, body, &[]).await
    }

    pub(crate) async fn send_as(
        &self,
        caller: Option<Caller>,
        method: Method,
        path: &str,
        body: Value,
        headers: &[(&str, &str)],
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = if body.is_null() {
            request.body(Body::empty()).unwrap()
        } else {
            request.header(header::CONTENT_TYPE, "application/json").body(Body::from(body.to_string())).unwrap()
        };
        self.answer(caller, request).await
    }

    async fn answer(&self, caller: Option<Caller>, request: Request<Body>) -> Answer {
        let (answer, bytes) = self.raw(caller, request).await;
        let body = if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap() };
        Answer { body, ..answer }
    }

    async fn raw(&self, caller: Option<Caller>, mut request: Request<Body>) -> (Answer, Bytes) {
        if let Some(caller) = caller {
            request.extensions_mut().insert(caller);
        }
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let answer = Answer { status: parts.status, headers: parts.headers, body: Value::Null };
        (answer, body.collect().await.unwrap().to_bytes())
    }

    /// Puts bytes of a media type.
    pub(crate) async fn put_bytes(
        &self,
        path: &str,
        media_type: &str,
        bytes: &[u8],
        headers: &[(&str, &str)],
    ) -> Answer {
        let request = Request::put(path).header(header::CONTENT_TYPE, media_type);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        self.answer(Some(client()), request.body(Body::from(bytes.to_vec())).unwrap()).await
    }

    /// Reads bytes, as anyone.
    pub(crate) async fn bytes(&self, path: &str, headers: &[(&str, &str)]) -> (Answer, Bytes) {
        let request = headers.iter().fold(Request::get(path), |request, (name, value)| request.header(*name, *value));
        self.raw(None, request.body(Body::empty()).unwrap()).await
    }

    /// Posts lines of JSON.
    pub(crate) async fn bulk(&self, path: &str, lines: &str) -> Answer {
        let request = Request::post(path).header(header::CONTENT_TYPE, "application/x-ndjson");
        self.answer(Some(client()), request.body(Body::from(lines.to_owned())).unwrap()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, Value::Null).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, body).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PUT, path, body).await
    }

    /// A product with so many pieces on the shelf.
    pub(crate) async fn product(&self, sku: &str, on_hand: i64) -> ProductId {
        let price = json!({"amount": "9.99", "currency": "EUR"});
        let made = self.post("/api/products", json!({"sku": sku, "name": sku, "price": price})).await;
        assert_eq!(made.status, 201, "{made:?}");
        let product = ProductId::parse(made.text("/productId")).unwrap();
        if on_hand > 0 {
            let counted = self.put(&format!("/api/inventory/{product}"), json!({"onHand": on_hand})).await;
            assert_eq!(counted.status, 200, "{counted:?}");
        }
        product
    }

    pub(crate) async fn reserve(&self, order: OrderId, revision: i32, items: &[(ProductId, i64)]) -> Answer {
        let items: Vec<Value> =
            items.iter().map(|(product, quantity)| json!({"productId": product, "quantity": quantity})).collect();
        let body = json!({"orderId": order, "revision": revision, "items": items});
        self.post("/api/inventory/reservations", body).await
    }

    pub(crate) async fn step(&self, order: OrderId, step: &str) -> Answer {
        self.post(&format!("/api/inventory/reservations/{order}/{step}"), Value::Null).await
    }

    pub(crate) async fn reservation(&self, order: OrderId) -> Value {
        self.get(&format!("/api/inventory/reservations/{order}")).await.body
    }

    /// `(onHand, reserved, available)` of a product.
    pub(crate) async fn levels(&self, product: ProductId) -> (i64, i64, i64) {
        let stock = self.get(&format!("/api/inventory/{product}")).await.body;
        let number = |name: &str| stock[name].as_i64().unwrap();
        (number("onHand"), number("reserved"), number("available"))
    }

    /// Waits until the reservation of an order is in a state, and gives it.
    pub(crate) async fn until(&self, order: OrderId, state: &str) -> Value {
        eventually_some(|| async {
            let reservation = self.reservation(order).await;
            (reservation["state"] == state).then_some(reservation)
        })
        .await
    }

    /// Appends events to an order and gives them as they stand in the log.
    pub(crate) async fn happens(&self, order: OrderId, events: impl IntoIterator<Item = OrderEvent>) -> i64 {
        let key = SealingKey::generate();
        let stream_id = order.to_string();
        let events = events.into_iter().map(|event| seal_event(&event, &stream_id, Some(&key)).unwrap()).collect();
        let append = Append {
            stream_id,
            stream_type: order::STREAM_TYPE,
            expected: Expected::Any,
            command_id: None,
            events,
            metadata: metadata(),
            claim: None,
        };
        self.orders.append(append).await.unwrap().version
    }

    /// Every event of the inventory log.
    pub(crate) async fn events(&self) -> Vec<(RecordedEvent, InventoryEvent)> {
        let mut events = Vec::new();
        for partition in 0..self.log.partitions() {
            let mut after = 0;
            loop {
                let page = self.log.read_partition(partition, after, 1_000).await.unwrap();
                let Some(last) = page.events.last() else { break };
                after = last.position;
                for recorded in page.events {
                    let event = open_event::<InventoryEvent>(&recorded, &KeyRing::default()).unwrap();
                    events.push((recorded, event));
                }
            }
        }
        events
    }

    /// Breaks every connection to the service's schema.
    pub(crate) async fn break_connections(&self) {
        let client = self.database.connect().await.unwrap();
        let kill = "select pg_terminate_backend(pid) from pg_stat_activity
            where datname = current_database() and pid <> pg_backend_pid() and application_name = 'oms inventory'";
        client.query(kill, &[]).await.unwrap();
    }

    /// The types of the events of a stream of the inventory log.
    pub(crate) async fn types(&self, stream_id: &str) -> Vec<String> {
        let events = self.log.read_stream(stream_id, 0, 1_000).await.unwrap();
        events.into_iter().map(|event| event.event_type).collect()
    }

    /// Asserts what always holds: the rows are what folding the log gives, what is reserved is what reservations
    /// hold, and nothing is negative or oversold.
    pub(crate) async fn is_consistent(&self) {
        let client = self.pool.get().await.unwrap();
        let stock = client.query("select * from stock order by product_id", &[]).await.unwrap();
        let orders: Vec<OrderId> = client
            .query("select order_id from reservation order by order_id", &[])
            .await
            .unwrap()
            .iter()
            .map(|row| OrderId::from_uuid(row.get(0)))
            .collect();
        let products: Vec<ProductId> = stock.iter().map(|row| ProductId::from_uuid(row.get("product_id"))).collect();
        let found = rows::stock(&**client, &products).await.unwrap();
        let elsewhere: BTreeMap<ProductId, Elsewhere> =
            found.iter().map(|row| (row.product_id, row.elsewhere.clone())).collect();
        let levels: BTreeMap<ProductId, Level> = found.into_iter().map(|row| (row.product_id, row.level)).collect();
        let mut reservations = BTreeMap::new();
        for order in orders {
            let (reservation, _) = rows::reservation(&**client, order).await.unwrap().unwrap();
            reservations.insert(order, reservation);
        }

        let mut shelf = Shelf::default();
        let mut folded: BTreeMap<OrderId, Reservation> = BTreeMap::new();
        let events = self.events().await;
        // Events of a product come from many streams; its stock versions are their order.
        let mut of_product: BTreeMap<(ProductId, i64), InventoryEvent> = BTreeMap::new();
        for (recorded, event) in &events {
            for line in lines_of(event) {
                of_product.insert((line.product_id, line.stock_version), alone(line));
            }
            if recorded.stream_type == RESERVATION_STREAM {
                let order = OrderId::parse(&recorded.stream_id).unwrap();
                let before = folded.remove(&order).unwrap_or_else(|| Reservation::none(order));
                folded.insert(order, before.evolve(event));
            }
        }
        of_product.values().for_each(|event| shelf.apply(event));
        assert_eq!(folded, reservations, "reservations are what their events say");
        for (product, level) in &levels {
            let of_log = shelf.level(*product).copied().unwrap_or_default();
            assert_eq!(
                (of_log.on_hand, of_log.reserved, of_log.version),
                (level.on_hand, level.reserved, level.version),
                "the stock of {product} is what its events say"
            );
            assert_eq!(shelf.elsewhere(*product), elsewhere[product], "and lies where they say");
            assert!(elsewhere[product].values().all(|pieces| *pieces > 0) && shelf.on_hand_at(*product, DEFAULT) >= 0);
            let held: i64 =
                reservations.values().filter_map(|reservation| reservation.held().get(product).copied()).sum();
            assert_eq!(held, level.reserved, "what is reserved of {product} is what reservations hold");
            assert!(level.reserved >= 0 && (level.backorder || level.reserved <= level.on_hand), "{level:?}");
        }
    }
}

/// A line as an event of its own.
fn alone(line: &StockLine) -> InventoryEvent {
    StockAdjusted { line: line.clone(), reason: None, counted_at: None, occurred_at: chrono::DateTime::UNIX_EPOCH }
        .into()
}

impl Drop for Shop {
    fn drop(&mut self) {
        self.lifecycle.begin_drain();
    }
}

impl Answer {
    pub(crate) fn text(&self, pointer: &str) -> &str {
        self.body.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("no text at {pointer}: {self:?}"))
    }

    pub(crate) fn code(&self) -> &str {
        self.text("/code")
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no header {name}: {self:?}")).to_str().unwrap()
    }
}

/// A service with every scope.
pub(crate) fn client() -> Caller {
    caller(CallerKind::Client, Scopes::all())
}

pub(crate) fn caller(kind: CallerKind, scopes: Scopes) -> Caller {
    Caller {
        subject: "cli_1".to_owned(),
        client_id: "cli_1".to_owned(),
        kind,
        scopes,
        session: None,
        token_id: None,
        profile: Profile::default(),
    }
}

pub(crate) fn metadata() -> Metadata {
    Metadata {
        correlation_id: EventId::generate().as_uuid(),
        causation_id: None,
        actor: Actor::internal(),
        traceparent: None,
        import: false,
    }
}
