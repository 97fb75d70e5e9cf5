//! One connection of the load: places orders, pays, cancels and amends its own, repeats what was not answered under
//! the same key, and keeps what it was told.

use crate::{
    http::{Access, Seen, expect, send},
    record::{Deed, Outcome, Placed, Placing, Record, What},
    waiting::pass,
};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use reqwest::{Method, blocking::RequestBuilder};
use serde_json::{Value, json};
use std::{
    collections::VecDeque,
    mem,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::{Duration, Instant},
};

/// Orders that a buyer still does something to.
const MOST_OPEN_ORDERS: usize = 12;
/// A killed request's key belongs to it until its lease ends, so a repeat that finds it taken waits this long.
const BETWEEN_REPEATS: Duration = Duration::from_secs(2);
/// How long a shop that closes waits for the last answer.
const LAST_PATIENCE: Duration = Duration::from_secs(90);
/// Of the unanswered commands, one in so many is never repeated.
const GIVEN_UP: u32 = 8;
const NO_ANSWER: &str = "no answer";

/// Where the buyers buy.
pub struct Shop {
    /// Several, if several processes serve it.
    pub urls: Vec<String>,
    pub access: Access,
    pub products: Vec<Product>,
    /// How long a client waits for an answer.
    pub patience: Duration,
    /// No more new commands; what is open is finished.
    pub closing: AtomicBool,
    pub acknowledged: AtomicUsize,
}

/// A product that is sold here.
pub struct Product {
    pub id: String,
    /// What came in before the first sale.
    pub delivered: i64,
}

impl Shop {
    /// Opens a shop with many products, some of which will be sold out.
    pub fn open(urls: Vec<String>, access: Access) -> Self {
        let products = (0..24).map(|n| product(&access, &urls[0], n)).collect();
        Self::of(urls, access, products)
    }

    /// A shop with products that are there already.
    pub fn of(urls: Vec<String>, access: Access, products: Vec<Product>) -> Self {
        let patience = Duration::from_secs(30);
        Self { urls, access, products, patience, closing: AtomicBool::new(false), acknowledged: AtomicUsize::new(0) }
    }

    /// The request that places an order.
    pub fn place(&self, url: &str, placing: &Placing) -> RequestBuilder {
        let item =
            |(product, pieces): &(usize, i64)| json!({"productId": self.products[*product].id, "quantity": pieces});
        let body = json!({
            "items": placing.lines.iter().map(item).collect::<Vec<Value>>(),
            "externalId": placing.key,
            "paymentMethod": "card",
            "contact": {"email": "ada@example.org", "name": "Ada Lovelace"},
            "shippingAddress": {
                "name": "Ada Lovelace", "line1": "12 St James's Square", "city": "London", "postalCode": "SW1Y 4JH",
                "country": "GB",
            },
        });
        self.access.request(Method::POST, url, "/api/orders").header("Idempotency-Key", &placing.key).json(&body)
    }

    pub fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Relaxed)
    }

    pub fn acknowledged(&self) -> usize {
        self.acknowledged.load(Ordering::Relaxed)
    }
}

fn product(access: &Access, url: &str, n: usize) -> Product {
    let (price, delivered) = (format!("{}.{:02}", n % 9, 11 + n), if n % 8 == 7 { 40 } else { 1_000_000 });
    let body = json!({
        "sku": format!("SKU-{n}"), "name": "White hanging heart T-light holder",
        "price": {"amount": price, "currency": "EUR"},
    });
    let created = expect(access.request(Method::POST, url, "/api/products").json(&body), 201);
    let id = created["productId"].as_str().unwrap().to_owned();
    let stock = json!({"onHand": delivered, "reason": "delivery"});
    expect(access.request(Method::PUT, url, &format!("/api/inventory/{id}")).json(&stock), 200);
    Product { id, delivered }
}

/// A command that is not answered yet.
struct Open {
    command: Command,
    not_before: Instant,
}

#[derive(Clone)]
enum Command {
    Place(Placing),
    Do { order: MyOrder, what: What, key: Option<String> },
}

/// An order of this buyer's. While a command on it is open no other is sent.
#[derive(Clone)]
struct MyOrder {
    placed: Placed,
    /// In cents.
    due: i64,
}

/// One connection.
pub struct Buyer<'a> {
    shop: &'a Shop,
    name: String,
    random: StdRng,
    commands: usize,
    orders: Vec<MyOrder>,
    open: VecDeque<Open>,
    record: Record,
}

impl<'a> Buyer<'a> {
    pub fn new(shop: &'a Shop, seed: u64, number: usize) -> Self {
        let random = StdRng::seed_from_u64(seed ^ (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let name = format!("buyer-{number}");
        Self { shop, name, random, commands: 0, orders: Vec::new(), open: VecDeque::new(), record: Record::default() }
    }

    /// Buys until the shop closes and everything open is answered.
    pub fn run(mut self) -> Record {
        while !self.shop.is_closing() {
            let command = self.next_open().unwrap_or_else(|| self.new_command());
            self.attempt(command);
        }
        let closed = Instant::now();
        while !self.open.is_empty() && closed.elapsed() < LAST_PATIENCE {
            match self.next_open() {
                Some(command) => self.attempt(command),
                None => pass(Duration::from_millis(100), || false),
            }
        }
        for open in mem::take(&mut self.open) {
            self.record.complaints.push(format!("{} has a command that is never answered", self.name));
            self.gave_up(open.command);
        }
        self.record
    }

    fn next_open(&mut self) -> Option<Command> {
        let due = self.open.pop_front_if(|open| open.not_before <= Instant::now())?;
        self.record.repeats += 1;
        Some(due.command)
    }

    fn new_command(&mut self) -> Command {
        self.commands += 1;
        let name = format!("{}-{}", self.name, self.commands);
        let places = self.orders.is_empty() || (self.orders.len() < MOST_OPEN_ORDERS && self.chance(1, 2));
        if places {
            return Command::Place(self.placing(name));
        }
        let index = self.random.random_range(0..self.orders.len());
        let order = self.orders.swap_remove(index);
        let key = self.chance(1, 2).then(|| format!("key-{name}"));
        let what = match self.random.random_range(0..10) {
            0..=5 if order.due > 0 => {
                let cents = if self.chance(1, 4) { (order.due / 2).max(1) } else { order.due };
                What::Paid { amount: amount(cents), payment_id: format!("pay-{name}") }
            }
            0..=7 => What::Cancelled { reason: format!("because {name}") },
            _ => What::Noted { note: format!("note {name}") },
        };
        Command::Do { order, what, key }
    }

    fn placing(&mut self, key: String) -> Placing {
        let mut lines: Vec<(usize, i64)> = Vec::new();
        for _ in 0..self.random.random_range(1..=3) {
            let product = self.random.random_range(0..self.shop.products.len());
            if lines.iter().all(|(other, _)| *other != product) {
                lines.push((product, self.random.random_range(1..=4)));
            }
        }
        Placing { key, lines, order: None, outcome: Outcome::Unknown }
    }

    fn chance(&mut self, of: u32, from: u32) -> bool {
        self.random.random_range(0..from) < of
    }

    fn attempt(&mut self, command: Command) {
        self.record.requests += 1;
        let url = &self.shop.urls[self.random.random_range(0..self.shop.urls.len())];
        let seen = send(self.request(url, &command).timeout(self.shop.patience));
        match Verdict::of(&seen) {
            Verdict::TokenExpired => {
                self.shop.access.renew(url);
                self.open.push_back(Open { command, not_before: Instant::now() });
            }
            Verdict::Done(body) => self.acknowledged(command, &body),
            Verdict::Refused(code) => self.refused(command, code),
            Verdict::Open { why, expected } => {
                if !expected {
                    self.record.complaints.push(why.clone());
                }
                // A PUT has no key: one that a frozen process still holds may come after whatever is said meanwhile.
                let may_come_late =
                    why == NO_ANSWER && matches!(&command, Command::Do { what: What::Noted { .. }, .. });
                let gives_up = || why != "IDEMPOTENCY_IN_PROGRESS" && !self.shop.is_closing();
                if may_come_late || gives_up() && self.chance(1, GIVEN_UP) {
                    self.gave_up(command);
                } else {
                    self.open.push_back(Open { command, not_before: Instant::now() + BETWEEN_REPEATS });
                }
                // Whatever is away needs a moment to come back.
                pass(Duration::from_millis(100), || self.shop.is_closing());
            }
        }
    }

    fn request(&self, url: &str, command: &Command) -> RequestBuilder {
        match command {
            Command::Place(placing) => self.shop.place(url, placing),
            Command::Do { order, what, key } => {
                let path = format!("/api/orders/{}", order.placed.order_id);
                let access = &self.shop.access;
                let sent = match what {
                    What::Paid { payment_id, amount } => {
                        let body = json!({"paymentId": payment_id, "amount": {"amount": amount, "currency": "EUR"}});
                        access.request(Method::POST, url, &format!("{path}/payment/completed")).json(&body)
                    }
                    What::Cancelled { reason } => {
                        access.request(Method::POST, url, &format!("{path}/cancel")).json(&json!({"reason": reason}))
                    }
                    What::Noted { note } => access.request(Method::PUT, url, &path).json(&json!({"note": note})),
                };
                match key {
                    Some(key) if !matches!(what, What::Noted { .. }) => sent.header("Idempotency-Key", key),
                    _ => sent,
                }
            }
        }
    }

    fn acknowledged(&mut self, command: Command, body: &Value) {
        self.shop.acknowledged.fetch_add(1, Ordering::Relaxed);
        match command {
            Command::Place(placing) => {
                let placed = Placed {
                    order_id: text(&body["orderId"]),
                    number: text(&body["orderNumber"]),
                    total: text(&body["totalAmount"]["amount"]),
                };
                self.orders.push(MyOrder { due: cents(&placed.total), placed: placed.clone() });
                self.record.placings.push(Placing { order: Some(placed), outcome: Outcome::Acknowledged, ..placing });
            }
            Command::Do { mut order, what, .. } => {
                self.deed(&order, what.clone(), Outcome::Acknowledged);
                if let What::Paid { amount, .. } = &what {
                    order.due -= cents(amount);
                }
                // Most orders that are cancelled or paid are left alone; money may still come for a cancelled one.
                let is_over = matches!(what, What::Cancelled { .. }) || order.due == 0;
                if !is_over || self.chance(1, 4) {
                    self.orders.push(order);
                }
            }
        }
    }

    fn refused(&mut self, command: Command, code: String) {
        match command {
            Command::Place(placing) => {
                if code != "INSUFFICIENT_STOCK" {
                    self.record.complaints.push(format!("an order was refused: {code}"));
                }
                self.record.placings.push(Placing { outcome: Outcome::Refused(code), ..placing });
            }
            Command::Do { order, what, .. } => {
                let may_be = match what {
                    What::Paid { .. } => false,
                    What::Cancelled { .. } => code == "NOT_CANCELLABLE",
                    What::Noted { .. } => code == "NOT_AMENDABLE",
                };
                if !may_be {
                    self.record.complaints.push(format!("{what:?} was refused: {code}"));
                }
                self.deed(&order, what, Outcome::Refused(code));
            }
        }
    }

    fn gave_up(&mut self, command: Command) {
        match command {
            Command::Place(placing) => self.record.placings.push(placing),
            Command::Do { order, what, .. } => self.deed(&order, what, Outcome::Unknown),
        }
    }

    fn deed(&mut self, order: &MyOrder, what: What, outcome: Outcome) {
        self.record.deeds.push(Deed { order_id: order.placed.order_id.clone(), what, outcome });
    }
}

/// What an answer means to a client.
enum Verdict {
    TokenExpired,
    Done(Value),
    Refused(String),
    /// Not answered; `expected` unless no fault excuses it.
    Open {
        why: String,
        expected: bool,
    },
}

impl Verdict {
    fn of(seen: &Seen) -> Self {
        let Seen::Answer { status, body } = seen else {
            return Self::Open { why: NO_ANSWER.to_owned(), expected: true };
        };
        let code = body["code"].as_str().unwrap_or("no code").to_owned();
        match status {
            200..300 => Self::Done(body.clone()),
            409 if code == "IDEMPOTENCY_IN_PROGRESS" => Self::Open { why: code, expected: true },
            401 => Self::TokenExpired,
            503 | 429 => Self::Open { why: code, expected: true },
            400..500 => Self::Refused(format!("{status} {code}").trim_start_matches("409 ").to_owned()),
            _ => Self::Open { why: format!("{status}: {body}"), expected: false },
        }
    }
}

fn cents(amount: &str) -> i64 {
    amount.replace('.', "").parse().unwrap()
}

fn amount(cents: i64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
