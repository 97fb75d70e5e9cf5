//! The aftermath: those who got a piece pay, fail, cancel and pay too late, while others want the pieces that come back.
//! When all is settled, what came back is sold once more, and exactly that.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::ready;
use std::time::Duration;

use futures_util::future::try_join3;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use serde::Serialize;
use tokio::time::{Instant, sleep};

use super::rush::{Sale, Told, look, told};
use super::shop::Shop;
use super::steps::{Buyer, FATES, Fate, Tried};
use super::{Attack, Laws};

/// How many of those who were refused try again and again.
const HOPEFUL: usize = 16;
/// More buyers than pieces in the last round.
const TOO_MANY: usize = 50;
/// How long consequences may take.
const SETTLED_WITHIN: Duration = Duration::from_secs(60);
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

const ANSWERED: &str = "payments, failures and cancellations are taken: 200";
const BOUND: &str = "at every moment: orders acknowledged - orders given up <= pieces";
const COMES_BACK: &str = "pieces of cancelled and unpaid orders come back: reserved = pieces of living orders";
const SOLD_AGAIN: &str = "what came back is sold again: exactly that";
const ANSWERS: &str = "who comes later gets an order or hears that the product is short: nothing else";

/// What came of it.
pub struct Aftermath {
    /// Every order there is of the product.
    pub orders: Vec<Tried>,
    /// The figures of it.
    pub figures: AftermathFigures,
}

/// The figures of the aftermath.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AftermathFigures {
    /// How many buyers did what.
    pub fates: BTreeMap<String, usize>,
    /// Tries of those who hoped for what came back.
    pub hopeful: usize,
    /// How many of them got a piece meanwhile.
    pub sold_meanwhile: usize,
    /// How many pieces lay there when all was settled.
    pub came_back: i64,
    /// How many of them were sold then.
    pub sold_again: usize,
    /// From the first step to the last consequence.
    pub seconds: f64,
}

struct Round<'a> {
    shop: &'a Shop,
    laws: RefCell<Laws>,
    acknowledged: Cell<i64>,
    given_up: Cell<i64>,
    units: i64,
    tries: Cell<usize>,
    sold: RefCell<Vec<Sale>>,
}

/// Lets them.
pub async fn run(shop: &Shop, attack: Attack, sales: Vec<Sale>, laws: &mut Laws) -> anyhow::Result<Aftermath> {
    let began = Instant::now();
    let round = Round {
        shop,
        laws: RefCell::new(std::mem::take(laws)),
        acknowledged: Cell::new(i64::try_from(sales.len())?),
        given_up: Cell::new(0),
        units: i64::try_from(attack.units)?,
        tries: Cell::new(0),
        sold: RefCell::new(Vec::new()),
    };
    let mut orders = round.lives(attack, sales).await?;
    let mut figures = AftermathFigures::default();
    for tried in &orders {
        *figures.fates.entry(format!("{:?}", tried.fate)).or_default() += 1;
    }
    let waits = |sale| Tried { sale, fate: Fate::Waits, captured: false, absurd: Vec::new() };
    orders.extend(round.sold.take().into_iter().map(waits));
    figures.hopeful = round.tries.get();
    figures.sold_meanwhile = orders.len() - figures.fates.values().sum::<usize>();
    figures.came_back = round.settles(attack, &orders).await?;
    let came_back = usize::try_from(figures.came_back).unwrap_or_default();
    let again = stream::iter(0..came_back + TOO_MANY)
        .map(|_| round.tries())
        .buffer_unordered(attack.concurrency)
        .try_fold(0, |sold, was_sold| async move { Ok(sold + usize::from(was_sold)) });
    figures.sold_again = again.await?;
    orders.extend(round.sold.take().into_iter().map(waits));
    *laws = round.laws.take();
    let exactly = figures.sold_again == came_back;
    laws.check(SOLD_AGAIN, exactly, || format!("{} of {came_back}", figures.sold_again));
    figures.seconds = began.elapsed().as_secs_f64();
    Ok(Aftermath { orders, figures })
}

impl Round<'_> {
    /// Everybody does what they would, while others hope and the stock is looked at.
    async fn lives(&self, attack: Attack, sales: Vec<Sale>) -> anyhow::Result<Vec<Tried>> {
        let buyer = Buyer { shop: self.shop, given_up: &self.given_up };
        let lives = stream::iter(sales.into_iter().zip(FATES.into_iter().cycle()))
            .map(|(sale, fate)| buyer.lives(sale, fate))
            .buffer_unordered(attack.concurrency)
            .try_collect::<Vec<Tried>>();
        let over = Cell::new(false);
        let lives = async {
            let tried = lives.await;
            over.set(true);
            tried
        };
        // Who is in the middle of a try when all others are done gets their answer: no order stays unknown.
        let hoping = stream::iter(0..)
            .take_while(|_: &u64| ready(!over.get()))
            .map(|_| self.tries())
            .buffer_unordered(HOPEFUL)
            .try_for_each(|_was_sold| ready(Ok(())));
        let looking = async {
            while !over.get() {
                let stock = self.shop.stock().await?;
                look(&mut self.laws.borrow_mut(), stock, self.units);
                sleep(BETWEEN_LOOKS).await;
            }
            Ok(())
        };
        let (tried, (), ()) = try_join3(lives, hoping, looking).await?;
        let mut laws = self.laws.borrow_mut();
        for one in &tried {
            laws.check(ANSWERED, one.absurd.is_empty(), || one.absurd.join("; "));
        }
        Ok(tried)
    }

    /// Somebody else tries to get a piece, under a key of their own.
    async fn tries(&self) -> anyhow::Result<bool> {
        let number = self.tries.get();
        self.tries.set(number + 1);
        let key = self.shop.key(&format!("later-{number}"));
        let answered = self.shop.place(&key).await?;
        let told = told(self.shop, key, &answered);
        let mut laws = self.laws.borrow_mut();
        let absurd = if let Told::Absurd(what) = &told { Some(what.clone()) } else { None };
        laws.check(ANSWERS, absurd.is_none(), || absurd.unwrap_or_default());
        let Told::Sold(sale) = told else { return Ok(false) };
        self.sold.borrow_mut().push(sale);
        self.acknowledged.set(self.acknowledged.get() + 1);
        let (acknowledged, given_up) = (self.acknowledged.get(), self.given_up.get());
        let bound = acknowledged - given_up <= self.units;
        laws.check(BOUND, bound, || format!("{acknowledged} - {given_up} > {}", self.units));
        Ok(true)
    }

    /// Waits until the stock is what the orders say, and gives what is available then.
    async fn settles(&self, attack: Attack, orders: &[Tried]) -> anyhow::Result<i64> {
        let deadline = Instant::now() + SETTLED_WITHIN;
        loop {
            let living = stream::iter(orders)
                .map(|tried| self.shop.living_pieces(&tried.sale))
                .buffer_unordered(attack.concurrency)
                .try_fold(0, |sum, pieces| async move { Ok(sum + pieces) })
                .await?;
            let stock = self.shop.stock().await?;
            let settled = stock.reserved == living;
            if settled || Instant::now() > deadline {
                let mut laws = self.laws.borrow_mut();
                laws.check(COMES_BACK, settled, || format!("{living} pieces of living orders, {stock:?}"));
                return Ok(stock.available);
            }
            sleep(BETWEEN_LOOKS).await;
        }
    }
}
