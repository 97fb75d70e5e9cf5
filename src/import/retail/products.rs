//! Products from stock codes: those of lines that become part of an order.

use std::collections::HashMap;

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::orders::{CURRENCY, money};
use super::plan::Plan;
use super::table::{Table, Text};

/// Codes of what is sold beside goods: postage, fees, discounts, corrections by hand.
const CHARGES: [&str; 11] = ["AMAZONFEE", "B", "BANK CHARGES", "C2", "CRUK", "D", "DOT", "M", "m", "POST", "S"];
const VOUCHERS: &str = "gift_";
const LONGEST_NAME: usize = 500;

/// A product that is to be.
#[derive(Debug)]
pub struct Product {
    /// Its stock code.
    pub sku: Text,
    /// The description that most of its lines have; the code where none has any.
    pub name: String,
    /// The first price above nothing that it was sold at.
    pub price: Decimal,
}

#[derive(Default)]
struct Seen {
    names: Vec<(Text, usize)>,
    price: Option<Decimal>,
}

/// The products of a plan, in the order in which they are first sold.
pub fn products(table: &Table, plan: &Plan) -> Vec<Product> {
    let mut order: Vec<Text> = Vec::new();
    let mut seen: HashMap<Text, Seen> = HashMap::new();
    for line in plan.orders.iter().flat_map(|order| &order.items).map(|place| &table.lines[*place]) {
        let seen = seen.entry(line.sku).or_insert_with(|| {
            order.push(line.sku);
            Seen::default()
        });
        if !table.text(line.description).is_empty() {
            match seen.names.iter_mut().find(|(name, _)| *name == line.description) {
                Some((_, times)) => *times += 1,
                None => seen.names.push((line.description, 1)),
            }
        }
        seen.price = seen.price.or(Some(line.price).filter(|price| *price > Decimal::ZERO));
    }
    let product = |sku: Text| {
        let seen = seen.get(&sku);
        // Of equally frequent ones the first.
        let name = seen.and_then(|seen| seen.names.iter().rev().max_by_key(|(_, times)| *times));
        let name = name.map_or(table.text(sku), |(name, _)| table.text(*name));
        let price = seen.and_then(|seen| seen.price).unwrap_or_default();
        Product { sku, name: name.chars().take(LONGEST_NAME).collect(), price }
    };
    order.into_iter().map(product).collect()
}

impl Product {
    /// The line of the bulk route that makes it.
    pub fn line(&self, table: &Table, source: &str) -> Value {
        let sku = table.text(self.sku);
        let kind = if CHARGES.contains(&sku) {
            "charge"
        } else if sku.starts_with(VOUCHERS) {
            "voucher"
        } else {
            "goods"
        };
        json!({
            "sku": sku,
            "name": self.name,
            "price": money(self.price, CURRENCY),
            "attributes": { "kind": kind, "source": source },
        })
    }
}
