//! The shop that is bought empty: one product of its own in a running system, and what can be asked of it.

use std::cell::RefCell;
use std::collections::BTreeMap;

use anyhow::{Context, bail};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::rush::Sale;
use crate::random;
use crate::system::{Answered, Api, Attempt, Call};

const PRICE: &str = "19.90";
const CURRENCY: &str = "EUR";
const PAGE: usize = 100;

/// The product and the way to its system.
pub struct Shop {
    api: Api,
    /// Different in every run, so that no key was used before.
    run: String,
    product: String,
    /// Attempts that were not answered for good, by what came instead.
    repeated: RefCell<BTreeMap<String, u64>>,
}

/// The product's stock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Stock {
    /// Pieces in the house.
    pub on_hand: i64,
    /// Of those, promised.
    pub reserved: i64,
    /// Of those, not promised.
    pub available: i64,
    /// Counts its changes.
    pub version: i64,
}

/// One change of the stock.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Movement {
    /// The version of the stock that it made.
    pub version: i64,
    /// The event's type.
    #[serde(rename = "type")]
    pub event_type: String,
    /// Pieces in the house after it.
    pub on_hand: i64,
    /// Promised after it.
    pub reserved: i64,
    /// The order that it was for.
    pub order_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    items: Vec<Movement>,
    next_cursor: Option<String>,
}

impl Shop {
    /// Makes a product with so many pieces.
    pub async fn open(api: Api, units: usize) -> anyhow::Result<Self> {
        let run = random::text(12);
        let mut shop = Self { api, run, product: String::new(), repeated: RefCell::default() };
        let sku = format!("PROVE-{}", shop.run);
        let product = json!({
            "sku": sku, "name": "Proof that nothing is oversold",
            "price": { "amount": PRICE, "currency": CURRENCY },
        });
        let made = shop.call(&Call::post("/api/products", shop.key("product"), product)).await?;
        shop.product = expect(&made, 201)?.text("productId").to_owned();
        let stock = json!({ "onHand": units, "reason": "a proof" });
        expect(&shop.call(&Call::put(shop.stock_path(), stock)).await?, 200)?;
        Ok(shop)
    }

    /// The product's id.
    pub fn product(&self) -> &str {
        &self.product
    }

    /// How many attempts had to be repeated, by what came instead of an answer.
    pub fn repeated(&self) -> BTreeMap<String, u64> {
        self.repeated.borrow().clone()
    }

    /// A key that no other run has.
    pub fn key(&self, what: &str) -> String {
        format!("prove-{}-{what}", self.run)
    }

    /// Tries to order one piece.
    pub async fn place(&self, key: &str) -> anyhow::Result<Answered> {
        let body = json!({
            "items": [{ "productId": self.product, "quantity": 1 }],
            "currency": CURRENCY,
            "contact": { "email": "buyer@example.org", "name": "A buyer" },
            "shippingAddress": {
                "name": "A buyer", "line1": "1 High Street", "city": "London", "postalCode": "N1 1AA", "country": "GB",
            },
            "paymentMethod": "card",
            "channel": "proof",
            "externalId": key,
        });
        self.call(&Call::post("/api/orders", key, body)).await
    }

    /// The stock, from the tables that orders reserve in.
    pub async fn stock(&self) -> anyhow::Result<Stock> {
        read(expect(&self.call(&Call::get(self.stock_path())).await?, 200)?.body.clone())
    }

    /// Every change of the stock, oldest first.
    pub async fn movements(&self) -> anyhow::Result<Vec<Movement>> {
        let (mut movements, mut cursor) = (Vec::new(), None);
        loop {
            let mut path = format!("{}/movements?limit={PAGE}", self.stock_path());
            if let Some(cursor) = cursor {
                path.push_str(&format!("&cursor={cursor}"));
            }
            let page: Page = read(expect(&self.call(&Call::get(path)).await?, 200)?.body.clone())?;
            movements.extend(page.items);
            cursor = page.next_cursor;
            if cursor.is_none() {
                movements.reverse();
                return Ok(movements);
            }
        }
    }

    /// An order, not older than what its buyer last did.
    pub async fn order(&self, sale: &Sale) -> anyhow::Result<Value> {
        let call = Call::get(format!("/api/orders/{}", sale.order_id)).after(sale.consistency.as_deref());
        Ok(expect(&self.call(&call).await?, 200)?.body.clone())
    }

    /// How many pieces of an order are still to leave the house: none if it is over, or its stock was given up.
    pub async fn living_pieces(&self, sale: &Sale) -> anyhow::Result<i64> {
        Ok(living_pieces(&self.order(sale).await?))
    }

    /// How many pieces are held for an order.
    pub async fn held_for(&self, order_id: &str) -> anyhow::Result<i64> {
        let answered = self.call(&Call::get(format!("/api/inventory/reservations/{order_id}"))).await?;
        let reservation = &expect(&answered, 200)?.body;
        if !matches!(reservation["state"].as_str(), Some("PENDING" | "ATTACHED" | "CONFIRMED")) {
            return Ok(0);
        }
        let lines = reservation["lines"].as_array().map(Vec::as_slice).unwrap_or_default();
        let ours = lines.iter().filter(|line| line["productId"] == self.product);
        Ok(ours.filter_map(|line| line["quantity"].as_i64()).sum())
    }

    /// Takes the product out of the catalogue.
    pub async fn archive(&self) -> anyhow::Result<()> {
        expect(&self.call(&Call::delete(format!("/api/products/{}", self.product))).await?, 200)?;
        Ok(())
    }

    /// Calls until there is an answer for good.
    pub async fn call(&self, call: &Call) -> anyhow::Result<Answered> {
        let seen = |attempt: Attempt<'_>| {
            let why = match attempt {
                Attempt::Answered { last: true, .. } => return,
                Attempt::Answered { status, .. } => status.to_string(),
                Attempt::Lost(why) => why.to_owned(),
            };
            *self.repeated.borrow_mut().entry(why).or_default() += 1;
        };
        self.api.call(call, seen).await
    }

    fn stock_path(&self) -> String {
        format!("/api/inventory/{}", self.product)
    }
}

/// How many pieces of an order are still to leave the house.
pub fn living_pieces(order: &Value) -> i64 {
    let over = matches!(order["status"].as_str(), Some("CANCELLED" | "EXPIRED"));
    if over || order["waitingFor"] == "STOCK" {
        return 0;
    }
    let open = |line: &Value| {
        let pieces = |name: &str| line[name].as_i64().unwrap_or_default();
        pieces("quantity") - pieces("cancelledQuantity") - pieces("shippedQuantity")
    };
    order["lines"].as_array().map(Vec::as_slice).unwrap_or_default().iter().map(open).sum()
}

/// The answer, if it has this status.
fn expect(answered: &Answered, status: u16) -> anyhow::Result<&Answered> {
    if answered.status != status {
        bail!("the system refuses what has nothing to do with selling: {}", answered.told());
    }
    Ok(answered)
}

fn read<T: DeserializeOwned>(body: Value) -> anyhow::Result<T> {
    serde_json::from_value(body).context("the answer is not what it should be")
}
