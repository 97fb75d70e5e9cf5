//! A shop whose logs are written by hand, with the read side on them, on a database of its own.

use axum::{Json, Router, body::Body, extract::State};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{DateTime, TimeDelta, Utc};
use eventstore::{Append, EventLog, Expected, LogConfig};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use pg::Pool;
use query_service::Config;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use service::{Lifecycle, Process, ServerConfig, Settings, assemble};
use shared_events::{
    Actor, Address, Attributes, Contact, Currency, EventBody, EventId, KeyId, LineId, Metadata, Money, OrderId,
    ProductId, ShipmentId, UserId,
    inventory::{
        InventoryEvent, PRODUCT_STREAM, PriceSet, ProductCreated, ProductDetails, STOCK_STREAM, StockLine,
        StockReceived,
    },
    order::{
        self, OrderEvent, OrderLine, OrderPlaced, PaymentCompleted, PaymentMethod, ShippingCharge, TagsChanged, Totals,
    },
    sealed::{SealingKey, seal_event},
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};
use test_support::{TestDatabase, database};
use tower::ServiceExt as _;
use web::{Access, Caller, CallerKind, Consistency, Doc, PathParams, Problem, Profile, Routes, Scope, Scopes};

pub(crate) struct Shop {
    pub(crate) pool: Pool,
    pub(crate) orders: EventLog,
    pub(crate) inventory: EventLog,
    pub(crate) invoices: EventLog,
    pub(crate) keys: Keys,
    pub(crate) deps: service::Deps,
    pub(crate) first: Instance,
    pub(crate) database: TestDatabase,
}

/// One process with the read side.
pub(crate) struct Instance {
    router: Router,
    pub(crate) lifecycle: Lifecycle,
}

/// The keys that command-service would keep.
#[derive(Clone, Default)]
pub(crate) struct Keys(Arc<Mutex<HashMap<KeyId, SealingKey>>>);

impl Keys {
    pub(crate) fn make(&self) -> SealingKey {
        let key = SealingKey::generate();
        self.0.lock().unwrap().insert(key.id(), key.clone());
        key
    }
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn text(&self, pointer: &str) -> &str {
        self.body.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("no text at {pointer}: {self:?}"))
    }
}

impl Shop {
    pub(crate) async fn open() -> Self {
        Self::open_on(database().await).await
    }

    pub(crate) async fn open_on(database: TestDatabase) -> Self {
        let keys = Keys::default();
        let (first, deps, [orders, inventory, invoices]) = Instance::start(&database, &keys).await;
        let pool = deps.database.pool("query", Some("oms_query")).await.unwrap();
        Self { pool, orders, inventory, invoices, keys, deps, first, database }
    }

    /// Another process on the same database.
    pub(crate) async fn another_instance(&self) -> Instance {
        Instance::start(&self.database, &self.keys).await.0
    }

    pub(crate) async fn send(
        &self,
        caller: Option<Caller>,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Answer {
        self.first.send(caller, method, path, headers, body).await
    }

    pub(crate) async fn get_as(&self, caller: Caller, path: &str, seen: &Consistency) -> Answer {
        let token = seen.to_string();
        let headers: &[(&str, &str)] = if token.is_empty() { &[] } else { &[("oms-consistency", token.as_str())] };
        self.send(Some(caller), Method::GET, path, headers, Body::empty()).await
    }

    /// As a service that may do everything.
    pub(crate) async fn get(&self, path: &str, seen: &Consistency) -> Answer {
        self.get_as(client(), path, seen).await
    }

    pub(crate) async fn query_as(&self, caller: Caller, query: &str, variables: Value, seen: &Consistency) -> Answer {
        let token = seen.to_string();
        let mut headers = vec![("content-type", "application/json"), ("accept", "application/graphql-response+json")];
        if !token.is_empty() {
            headers.push(("oms-consistency", token.as_str()));
        }
        let body = json!({"query": query, "variables": variables}).to_string();
        self.send(Some(caller), Method::POST, "/graphql", &headers, body).await
    }

    /// The data of a query that succeeds.
    pub(crate) async fn data(&self, query: &str, variables: Value, seen: &Consistency) -> Value {
        let answer = self.query_as(client(), query, variables, seen).await;
        assert!(answer.status == 200 && answer.body.get("errors").is_none(), "{answer:?}");
        answer.body["data"].clone()
    }

    /// Appends events to an order; answers what a read has to send to see them.
    pub(crate) async fn happens(
        &self,
        order: OrderId,
        key: &SealingKey,
        events: impl IntoIterator<Item = OrderEvent>,
    ) -> Consistency {
        let stream_id = order.to_string();
        let version = append(&self.orders, &stream_id, order::STREAM_TYPE, Some(key), events).await;
        Consistency::of(order, version)
    }

    pub(crate) async fn place(&self, customer: Option<UserId>, number: &str) -> (OrderId, SealingKey, Consistency) {
        self.place_at(customer, number, moment(0)).await
    }

    pub(crate) async fn place_at(
        &self,
        customer: Option<UserId>,
        number: &str,
        at: DateTime<Utc>,
    ) -> (OrderId, SealingKey, Consistency) {
        let (id, key) = (OrderId::generate(), self.keys.make());
        let seen = self.happens(id, &key, [placed(customer, number, at).into()]).await;
        (id, key, seen)
    }

    pub(crate) async fn product(&self, sku: &str, on_hand: i64) -> (ProductId, Consistency) {
        let id = ProductId::generate();
        let at = moment(0);
        let product: ProductDetails =
            serde_json::from_value(json!({"sku": sku, "name": format!("Name of {sku}"), "taxClass": "standard"}))
                .unwrap();
        let price = Money::parse("9.99", "EUR").unwrap();
        let events: [InventoryEvent; 2] = [
            ProductCreated { product_id: id, product, occurred_at: at }.into(),
            PriceSet { product_id: id, price, valid_from: at, occurred_at: at }.into(),
        ];
        let version = append(&self.inventory, &id.to_string(), PRODUCT_STREAM, None, events).await;
        let line = StockLine {
            product_id: id,
            location: "default".to_owned(),
            quantity: on_hand,
            on_hand,
            reserved: 0,
            stock_version: 1,
        };
        let received: InventoryEvent = StockReceived { line, reason: None, occurred_at: at }.into();
        append(&self.inventory, &id.stock().to_string(), STOCK_STREAM, None, [received]).await;
        (id, Consistency::of(id, version).and(id.stock(), 1))
    }
}

impl Instance {
    pub(crate) async fn start(database: &pg::Database, keys: &Keys) -> (Self, service::Deps, [EventLog; 3]) {
        let settings = Settings::of([("OMS_RATE_LIMIT", "off"), ("OMS_MAX_CONCURRENT_REQUESTS", "10000")]);
        let process = Process::new(settings.clone(), database.clone(), &["query", "command", "auth"]).unwrap();
        let deps = process.deps().clone();
        let lifecycle = deps.lifecycle.clone();
        let orders = open_log(&deps, "orders", "oms_command", "orders").await;
        let inventory = open_log(&deps, "inventory", "oms_inventory", "inventory").await;
        let invoices = open_log(&deps, "invoices", "oms_invoice", "invoices").await;

        let service = query_service::build(Config::from_settings(&settings).unwrap(), deps.clone()).await.unwrap();
        let server = ServerConfig::from_settings(&settings, process.listen(), "http://127.0.0.1:8080").unwrap();
        let tables = vec![service.routes, neighbours(keys.clone())];
        let router = assemble(tables, service.checks, deps.verifier.clone(), &lifecycle, &server);
        deps.peers.connect(router.clone());
        for worker in service.workers {
            lifecycle.start(worker);
        }
        (Self { router, lifecycle }, deps, [orders, inventory, invoices])
    }

    pub(crate) async fn send(
        &self,
        caller: Option<Caller>,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(body.into()).unwrap();
        if let Some(caller) = caller {
            request.extensions_mut().insert(caller);
        }
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let body =
            serde_json::from_slice(&bytes).unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into()));
        Answer { status: parts.status, headers: parts.headers, body }
    }

    /// As a service that may do everything.
    pub(crate) async fn get(&self, path: &str, seen: &Consistency) -> Answer {
        let token = seen.to_string();
        let headers: &[(&str, &str)] = if token.is_empty() { &[] } else { &[("oms-consistency", token.as_str())] };
        self.send(Some(client()), Method::GET, path, headers, Body::empty()).await
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        self.lifecycle.begin_drain();
    }
}

pub(crate) async fn append<E: EventBody>(
    log: &EventLog,
    stream_id: &str,
    stream_type: &'static str,
    key: Option<&SealingKey>,
    events: impl IntoIterator<Item = E>,
) -> i64 {
    let events = events.into_iter().map(|event| seal_event(&event, stream_id, key).unwrap()).collect();
    let append = Append {
        stream_id: stream_id.to_owned(),
        stream_type,
        expected: Expected::Any,
        command_id: None,
        events,
        metadata: metadata(),
        claim: None,
    };
    log.append(append).await.unwrap().version
}

async fn open_log(deps: &service::Deps, schema: &str, role: &str, name: &'static str) -> EventLog {
    deps.database.ensure_owner(role, &[schema]).await.unwrap();
    let pool = deps.database.pool(schema, Some(role)).await.unwrap();
    pg::migrate(&pool, eventstore::HISTORY_TABLE, eventstore::migrations().unwrap()).await.unwrap();
    let log = EventLog::open(pool, LogConfig { name, partitions: 8, writers: 2 }, &deps.lifecycle.spawner()).await;
    let log = log.unwrap();
    deps.feeds.publish(log.clone());
    log
}

/// The routes of other services that the read side calls.
fn neighbours(keys: Keys) -> Routes<()> {
    let access = Access::Internal(Scope::EventsRead);
    Routes::new("neighbours")
        .post(
            "/internal/keys",
            access,
            Doc::new("Keys"),
            |State(keys): State<Keys>, Json(body): Json<Value>| async move {
                let kept = keys.0.lock().unwrap();
                let wanted: Vec<KeyId> = serde_json::from_value(body["keyIds"].clone()).unwrap();
                let found = wanted.iter().filter_map(|id| kept.get(id));
                let keys: Vec<_> =
                    found.map(|key| json!({"keyId": key.id(), "key": STANDARD.encode(key.expose())})).collect();
                Json(json!({"keys": keys}))
            },
        )
        .get("/internal/users/{id}", access, Doc::new("A user"), |path: PathParams| async move {
            let id: UserId = path.id("id")?;
            if id.as_uuid().is_nil() {
                return Err(Problem::not_found("there is no such user"));
            }
            Ok(Json(json!({"email": format!("{id}@example.org"), "name": "Known"})))
        })
        .with_state(keys)
}

pub(crate) fn placed(customer: Option<UserId>, number: &str, at: DateTime<Utc>) -> OrderPlaced {
    let amount = |text: &str| text.parse::<Decimal>().unwrap();
    let line = |sku: &str, quantity: u32, price: &str| OrderLine {
        line_id: LineId::generate(),
        product_id: ProductId::generate(),
        sku: sku.to_owned(),
        name: format!("Name of {sku}"),
        quantity,
        unit_price: amount(price),
        discount: Decimal::ZERO,
        tax_rate: amount("0.19"),
        tax_amount: amount("1.00"),
        channel: "default".to_owned(),
        legal_entity: "default".to_owned(),
        external_id: None,
        attributes: Attributes::new(),
    };
    OrderPlaced {
        order_number: number.to_owned(),
        customer_id: customer,
        channel: "default".to_owned(),
        legal_entity: "default".to_owned(),
        external_id: None,
        attributes: Attributes::new(),
        cart_id: None,
        quote_id: None,
        currency: Currency::EUR,
        prices_include_tax: true,
        lines: vec![line("MUG", 2, "9.99"), line("CUP", 1, "5.00")],
        shipping: ShippingCharge::default(),
        discounts: Vec::new(),
        totals: Totals {
            subtotal: amount("24.98"),
            discount_total: Decimal::ZERO,
            shipping_total: Decimal::ZERO,
            tax_total: amount("2.00"),
            total: amount("24.98"),
        },
        payment_method: PaymentMethod::Card,
        contact: Some(Contact { email: "ann@example.org".to_owned(), phone: None, name: Some("Ann".to_owned()) }),
        shipping_address: Some(Address {
            name: Some("Ann".to_owned()),
            company: None,
            line1: "Way 1".to_owned(),
            line2: None,
            city: "Bonn".to_owned(),
            region: None,
            postal_code: "53111".to_owned(),
            country: "DE".to_owned(),
            phone: None,
        }),
        billing_address: None,
        note: Some("ring twice".to_owned()),
        shipment_id: ShipmentId::generate(),
        reservation_revision: Some(1),
        expires_at: Some(at + TimeDelta::minutes(30)),
        foreign_invoice_number: None,
        occurred_at: at,
    }
}

pub(crate) fn paid() -> OrderEvent {
    PaymentCompleted {
        payment_id: "pi_1".to_owned(),
        provider: None,
        method: PaymentMethod::Card,
        amount: "24.98".parse().unwrap(),
        currency: Currency::EUR,
        components: Vec::new(),
        reservation_revision: None,
        occurred_at: moment(60),
    }
    .into()
}

pub(crate) fn tagged(tags: &[&str]) -> OrderEvent {
    TagsChanged { tags: tags.iter().map(ToString::to_string).collect(), occurred_at: moment(120) }.into()
}

/// So many seconds after a fixed beginning.
pub(crate) fn moment(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_780_000_000 + seconds, 0).unwrap()
}

pub(crate) fn nothing() -> Consistency {
    Consistency::default()
}

pub(crate) fn client() -> Caller {
    caller("cli_1", CallerKind::Client, Scopes::all())
}

pub(crate) fn customer(id: UserId) -> Caller {
    caller(&id.to_string(), CallerKind::Customer, Scopes::parse("orders:read inventory:read invoices:read events:read"))
}

pub(crate) fn caller(subject: &str, kind: CallerKind, scopes: Scopes) -> Caller {
    Caller {
        subject: subject.to_owned(),
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
