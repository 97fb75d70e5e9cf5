//! The rush: all buyers want one piece at the same time. Nobody pays and nobody cancels, so the law is exact: as many are
//! sold as there are, everybody else is told that there are none.

use std::cell::{Cell, RefCell};
use std::time::Instant;

use futures_util::future::try_join;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use serde::Serialize;
use serde_json::Value;

use super::shop::{Shop, Stock};
use super::{Attack, Laws};
use crate::latencies::{Latencies, Percentiles};
use crate::system::Answered;

/// Of those who were refused, so many ask again under the same key.
const ASK_AGAIN: usize = 100;

const ANSWERS: &str = "a buyer gets an order or hears that the product is short: nothing else";
const EXACTLY: &str = "exactly as many orders as there are pieces, or as there are buyers if those are fewer";
const DIFFERENT: &str = "no two buyers have the same order";
const BOUND: &str = "at every moment: 0 <= reserved <= onHand = pieces, available = onHand - reserved";
const NOT_BEHIND: &str = "at every moment: whatever order was acknowledged before is reserved";
const AFTERWARDS: &str = "after the rush: reserved = orders, available = pieces - orders";
const AGAIN: &str = "the same request under the same key gets the same answer and no second piece";

/// What came of it.
pub struct Rush {
    /// The orders, by the key they were placed under.
    pub sales: Vec<Sale>,
    /// The figures of it.
    pub figures: RushFigures,
}

/// A buyer who got a piece.
#[derive(Debug, Clone)]
pub struct Sale {
    /// The order.
    pub order_id: String,
    /// The key it was placed under.
    pub key: String,
    /// What it costs, with whatever tax and shipping the shop adds.
    pub total: Value,
    /// What a read has to have seen to know of it.
    pub consistency: Option<String>,
}

/// The figures of the rush.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RushFigures {
    /// Who got a piece.
    pub sold: usize,
    /// Who got none.
    pub refused: usize,
    /// From the first request to the last answer.
    pub seconds: f64,
    /// Answers a second.
    pub answers_per_second: f64,
    /// From sending a request to its answer, repeats included; of those who got a piece.
    pub sold_in: Percentiles,
    /// The same of all.
    pub answered_in: Percentiles,
    /// How often the stock was looked at meanwhile.
    pub looks: u64,
}

/// What a buyer is told.
pub enum Told {
    /// An order.
    Sold(Sale),
    /// That there are none left.
    Refused,
    /// Something that the state of the shop does not explain.
    Absurd(String),
}

/// Understands the answer to placing an order for one piece.
pub fn told(shop: &Shop, key: String, answered: &Answered) -> Told {
    let order_id = answered.text("orderId");
    if answered.status == 201 && !order_id.is_empty() {
        let (order_id, total) = (order_id.to_owned(), answered.body["totalAmount"].clone());
        return Told::Sold(Sale { order_id, key, total, consistency: answered.consistency.clone() });
    }
    let short = &answered.body["unavailable"];
    let names_it = short.as_array().is_some_and(|lines| lines.len() == 1)
        && short[0]["productId"] == shop.product()
        && short[0]["requested"] == 1
        && short[0]["available"] == 0;
    if answered.is_problem(409, "INSUFFICIENT_STOCK") && names_it {
        return Told::Refused;
    }
    Told::Absurd(format!("{key}: {} {}", answered.told(), short))
}

/// Lets them all in.
pub async fn rush(shop: &Shop, attack: Attack, laws: &mut Laws) -> anyhow::Result<Rush> {
    let shared = RefCell::new(std::mem::take(laws));
    let (acknowledged, looks) = (Cell::new(0_i64), Cell::new(0));
    let (sold_in, answered_in) = (RefCell::new(Latencies::default()), RefCell::new(Latencies::default()));
    let began = Instant::now();
    let buyers = stream::iter(0..attack.buyers)
        .map(async |buyer| {
            let key = shop.key(&format!("buyer-{buyer}"));
            let answered = shop.place(&key).await?;
            answered_in.borrow_mut().add(answered.took);
            let told = told(shop, key, &answered);
            if let Told::Sold(_) = &told {
                acknowledged.set(acknowledged.get() + 1);
                sold_in.borrow_mut().add(answered.took);
            }
            let absurd = if let Told::Absurd(what) = &told { Some(what.clone()) } else { None };
            shared.borrow_mut().check(ANSWERS, absurd.is_none(), || absurd.unwrap_or_default());
            anyhow::Ok(told)
        })
        .buffer_unordered(attack.concurrency)
        .try_collect::<Vec<Told>>();
    let units = i64::try_from(attack.units)?;
    let over = Cell::new(false);
    let buyers = async {
        let told = buyers.await;
        over.set(true);
        told
    };
    let looking = async {
        while !over.get() {
            let before = acknowledged.get();
            let stock = shop.stock().await?;
            looks.set(looks.get() + 1);
            let mut laws = shared.borrow_mut();
            look(&mut laws, stock, units);
            let seen = stock.reserved >= before;
            laws.check(NOT_BEHIND, seen, || format!("{before} acknowledged, {} reserved", stock.reserved));
        }
        Ok(())
    };
    let (told, ()) = try_join(buyers, looking).await?;
    let seconds = began.elapsed().as_secs_f64();
    *laws = shared.take();
    let sales = settle(shop, attack, &told, laws).await?;
    let refused = told.iter().filter(|told| matches!(told, Told::Refused)).count();
    let figures = RushFigures {
        sold: sales.len(),
        refused,
        seconds,
        answers_per_second: told.len() as f64 / seconds,
        sold_in: sold_in.borrow().percentiles(),
        answered_in: answered_in.borrow().percentiles(),
        looks: looks.get(),
    };
    Ok(Rush { sales, figures })
}

/// What holds of the stock at every moment.
pub fn look(laws: &mut Laws, stock: Stock, units: i64) {
    let Stock { on_hand, reserved, available, .. } = stock;
    let bound = on_hand == units && (0..=on_hand).contains(&reserved) && available == on_hand - reserved;
    laws.check(BOUND, bound, || format!("{stock:?} of {units} pieces"));
}

/// What holds when it is over.
async fn settle(shop: &Shop, attack: Attack, told: &[Told], laws: &mut Laws) -> anyhow::Result<Vec<Sale>> {
    let sales: Vec<Sale> =
        told.iter().filter_map(|told| if let Told::Sold(sale) = told { Some(sale.clone()) } else { None }).collect();
    let due = attack.units.min(attack.buyers);
    laws.check(EXACTLY, sales.len() == due, || format!("{} sold, {due} should be", sales.len()));
    let mut ids: Vec<&str> = sales.iter().map(|sale| sale.order_id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    laws.check(DIFFERENT, ids.len() == sales.len(), || format!("{} orders of {} buyers", ids.len(), sales.len()));
    let refused: Vec<String> = (0..attack.buyers)
        .map(|buyer| shop.key(&format!("buyer-{buyer}")))
        .filter(|key| sales.iter().all(|sale| &sale.key != key))
        .take(ASK_AGAIN)
        .collect();
    let again = sales.iter().map(|sale| (sale.key.as_str(), sale.order_id.as_str()));
    let again = again.chain(refused.iter().map(|key| (key.as_str(), "")));
    let answers = stream::iter(again)
        .map(async |(key, order_id)| anyhow::Ok((key, order_id, shop.place(key).await?)))
        .buffer_unordered(attack.concurrency)
        .try_collect::<Vec<_>>()
        .await?;
    for (key, order_id, answered) in answers {
        let same = answered.replayed && answered.text("orderId") == order_id;
        laws.check(AGAIN, same, || format!("{key} had {order_id:?}: {}", answered.told()));
    }
    let (stock, sold) = (shop.stock().await?, i64::try_from(sales.len())?);
    let (units, balanced) = (i64::try_from(attack.units)?, stock.reserved == sold);
    let balanced = balanced && stock.available == units - sold;
    laws.check(AFTERWARDS, balanced, || format!("{sold} orders, {stock:?}"));
    Ok(sales)
}
