//! Closing the books: every order, every reservation, every payment and every movement of the stock is read once more, and
//! has to agree with all others.

use std::collections::BTreeMap;

use futures_util::stream::{self, StreamExt, TryStreamExt};
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::Value;

use super::shop::{Movement, Shop, Stock, living_pieces};
use super::steps::Tried;
use super::{Attack, Laws};

const RESERVED: &str = "stock: reserved = sum of the pieces of living orders, onHand = pieces, nothing was shipped";
const HELD: &str = "stock: each living order holds its piece, and no other order holds any";
const ENDED: &str = "orders: each ended where its buyer took it";
const CAPTURED: &str = "money: captured on an order = what was reported as paid, once";
const SETTLED: &str = "money: an order that is over has a refund of all that was captured, a living one has none";
const CONTINUOUS: &str =
    "movements: versions without a gap, each follows from the one before, within 0 <= reserved <= onHand";
const LAST: &str = "movements: the last one is the stock as it is";
const PER_ORDER: &str =
    "movements: what an order reserved less what it gave back is what it holds; no other order moved any";

/// What there is at the end.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Books {
    /// Pieces in the house.
    pub on_hand: i64,
    /// Of those, promised.
    pub reserved: i64,
    /// Of those, not promised.
    pub available: i64,
    /// Orders that were placed.
    pub orders: usize,
    /// Orders that hold a piece.
    pub living: usize,
    /// What was captured.
    pub captured: Decimal,
    /// What is refunded, or going to be.
    pub going_back: Decimal,
    /// Refunds by how far they are.
    pub refunds: BTreeMap<String, usize>,
    /// Changes of the stock.
    pub movements: usize,
}

/// An order as it was read.
struct Closed<'a> {
    tried: &'a Tried,
    order: Value,
    pieces: i64,
    held: i64,
}

/// Reads it all and compares.
pub async fn close(shop: &Shop, attack: Attack, orders: &[Tried], laws: &mut Laws) -> anyhow::Result<Books> {
    let closed = stream::iter(orders)
        .map(async |tried| {
            let order = shop.order(&tried.sale).await?;
            let held = shop.held_for(&tried.sale.order_id).await?;
            anyhow::Ok(Closed { tried, pieces: living_pieces(&order), order, held })
        })
        .buffer_unordered(attack.concurrency)
        .try_collect::<Vec<_>>()
        .await?;
    let (stock, movements) = (shop.stock().await?, shop.movements().await?);
    let units = i64::try_from(attack.units)?;
    let mut books = Books {
        on_hand: stock.on_hand,
        reserved: stock.reserved,
        available: stock.available,
        orders: orders.len(),
        living: closed.iter().filter(|order| order.pieces > 0).count(),
        captured: Decimal::ZERO,
        going_back: Decimal::ZERO,
        refunds: BTreeMap::new(),
        movements: movements.len(),
    };
    let pieces: i64 = closed.iter().map(|order| order.pieces).sum();
    let balanced = stock.reserved == pieces && stock.on_hand == units && stock.available == units - pieces;
    laws.check(RESERVED, balanced, || format!("{pieces} pieces of living orders, {stock:?}"));
    for order in &closed {
        order.check(laws);
        order.add_up(&mut books, laws);
    }
    follow(&movements, stock, &closed, laws);
    Ok(books)
}

impl Closed<'_> {
    fn id(&self) -> &str {
        &self.tried.sale.order_id
    }

    fn check(&self, laws: &mut Laws) {
        let Self { tried, order, pieces, held } = self;
        laws.check(HELD, pieces == held, || format!("{} lacks {pieces} and holds {held}", self.id()));
        let status = order["status"].as_str().unwrap_or_default();
        let ended = tried.fate.ends().contains(&status);
        laws.check(ENDED, ended, || format!("{} of a buyer who {:?} is {status}", self.id(), tried.fate));
    }

    fn add_up(&self, books: &mut Books, laws: &mut Laws) {
        let order = &self.order;
        let (captured, total) = (amount(&order["paidTotal"]), amount(&order["totalAmount"]));
        let reported = if self.tried.captured { total } else { Decimal::ZERO };
        laws.check(CAPTURED, captured == reported, || format!("{}: {captured}, reported {reported}", self.id()));
        let mut going_back = Decimal::ZERO;
        for refund in order["refunds"].as_array().map(Vec::as_slice).unwrap_or_default() {
            let status = refund["status"].as_str().unwrap_or_default();
            *books.refunds.entry(status.to_owned()).or_default() += 1;
            // Requested or completed: who carries refunds out, and when, is not what is proven.
            if status != "FAILED" {
                going_back += amount(&refund["amount"]);
            }
        }
        let over = matches!(order["status"].as_str(), Some("CANCELLED" | "EXPIRED"));
        let due = if over { captured } else { Decimal::ZERO };
        laws.check(SETTLED, going_back == due, || {
            format!("{} is {}: captured {captured}, refunds of {going_back}", self.id(), order["status"])
        });
        books.captured += captured;
        books.going_back += going_back;
    }
}

/// The amount of a sum of money; zero where there is none.
fn amount(money: &Value) -> Decimal {
    money["amount"].as_str().and_then(|amount| amount.parse().ok()).unwrap_or_default()
}

fn follow(movements: &[Movement], stock: Stock, closed: &[Closed<'_>], laws: &mut Laws) {
    let mut per_order: BTreeMap<&str, i64> = closed.iter().map(|order| (order.id(), 0)).collect();
    let mut before: Option<&Movement> = None;
    for movement in movements {
        let (version, reserved, on_hand) =
            before.map_or((0, 0, movement.on_hand), |before| (before.version, before.reserved, before.on_hand));
        let more = movement.reserved - reserved;
        let counted = before.is_none() && matches!(movement.event_type.as_str(), "StockReceived" | "StockAdjusted");
        let moved = match movement.event_type.as_str() {
            "StockReserved" => more > 0,
            "ReservationReleased" | "ReservationExpired" => more < 0,
            "ReservationChanged" => true,
            _ => counted && more == 0,
        };
        let within = (0..=movement.on_hand).contains(&movement.reserved) && movement.on_hand == on_hand;
        let follows = movement.version == version + 1 || before.is_none();
        laws.check(CONTINUOUS, follows && within && moved, || format!("{movement:?} after {before:?}"));
        if let Some(order_id) = &movement.order_id {
            *per_order.entry(order_id).or_default() += more;
        }
        before = Some(movement);
    }
    let last = before.map(|last| (last.version, last.on_hand, last.reserved));
    let is_the_stock = last == Some((stock.version, stock.on_hand, stock.reserved));
    laws.check(LAST, is_the_stock, || format!("{last:?} and {stock:?}"));
    let holds: BTreeMap<&str, i64> = closed.iter().map(|order| (order.id(), order.held)).collect();
    for (order_id, net) in per_order {
        let held = holds.get(order_id).copied().unwrap_or_default();
        laws.check(PER_ORDER, net == held, || format!("{order_id} moved {net} in all and holds {held}"));
    }
}

#[cfg(test)]
mod tests {
    use super::super::law::Law;
    use super::super::rush::Sale;
    use super::super::steps::Fate;
    use super::*;
    use serde_json::json;

    fn tried(fate: Fate, captured: bool) -> Tried {
        let total = json!({ "amount": "19.90", "currency": "EUR" });
        let sale = Sale { order_id: "ord_1".to_owned(), key: "key".to_owned(), total, consistency: None };
        Tried { sale, fate, captured, absurd: Vec::new() }
    }

    fn closed<'a>(tried: &'a Tried, status: &str, paid: &str, refunded: &str, held: i64) -> Closed<'a> {
        let money = |amount: &str| json!({ "amount": amount, "currency": "EUR" });
        let order = json!({
            "status": status, "totalAmount": money("19.90"), "paidTotal": money(paid),
            "lines": [{ "quantity": 1, "cancelledQuantity": 0, "shippedQuantity": 0 }],
            "refunds": [{ "status": "REQUESTED", "amount": money(refunded) }],
        });
        Closed { tried, pieces: living_pieces(&order), order, held }
    }

    fn books() -> Books {
        Books {
            on_hand: 0,
            reserved: 0,
            available: 0,
            orders: 0,
            living: 0,
            captured: Decimal::ZERO,
            going_back: Decimal::ZERO,
            refunds: BTreeMap::new(),
            movements: 0,
        }
    }

    fn broken(check: impl FnOnce(&mut Laws)) -> Vec<&'static str> {
        let mut laws = Laws::default();
        check(&mut laws);
        laws.all().into_iter().filter(|law| !law.holds()).map(|law: Law| law.law).collect()
    }

    fn broken_by(closed: &Closed<'_>) -> Vec<&'static str> {
        broken(|laws| {
            closed.check(laws);
            closed.add_up(&mut books(), laws);
        })
    }

    #[test]
    fn each_thing_that_can_be_wrong_with_an_order_breaks_its_own_law() {
        let cancelled = tried(Fate::PaysThenCancels, true);
        assert!(broken_by(&closed(&cancelled, "CANCELLED", "19.90", "19.90", 0)).is_empty());
        assert_eq!(broken_by(&closed(&cancelled, "CANCELLED", "19.90", "9.90", 0)), [SETTLED]);
        assert_eq!(broken_by(&closed(&cancelled, "CANCELLED", "39.80", "39.80", 0)), [CAPTURED]);
        assert_eq!(broken_by(&closed(&cancelled, "CANCELLED", "19.90", "19.90", 1)), [HELD]);
        assert_eq!(broken_by(&closed(&cancelled, "CONFIRMED", "19.90", "0", 1)), [ENDED]);
        let paid = tried(Fate::Pays, true);
        assert!(broken_by(&closed(&paid, "CONFIRMED", "19.90", "0", 1)).is_empty());
        assert_eq!(broken_by(&closed(&paid, "CONFIRMED", "19.90", "0", 0)), [HELD]);
        assert_eq!(broken_by(&closed(&paid, "CONFIRMED", "19.90", "19.90", 1)), [SETTLED]);
    }

    fn movement(version: i64, event_type: &str, reserved: i64, order_id: Option<&str>) -> Movement {
        let order_id = order_id.map(str::to_owned);
        Movement { version, event_type: event_type.to_owned(), on_hand: 2, reserved, order_id }
    }

    #[test]
    fn movements_with_a_gap_a_jump_or_a_stranger_are_noticed() {
        let tried = tried(Fate::Waits, false);
        let order = [closed(&tried, "PENDING", "0", "0", 1)];
        let stock = Stock { on_hand: 2, reserved: 1, available: 1, version: 4 };
        let good = [
            movement(1, "StockReceived", 0, None),
            movement(2, "StockReserved", 1, Some("ord_1")),
            movement(3, "StockReserved", 2, Some("ord_2")),
            movement(4, "ReservationReleased", 1, Some("ord_2")),
        ];
        let broken_by = |movements: &[Movement]| broken(|laws| follow(movements, stock, &order, laws));
        assert!(broken_by(&good).is_empty());
        let mut gap = good.clone();
        gap[3].version = 5;
        assert_eq!(broken_by(&gap), [CONTINUOUS, LAST]);
        let mut oversold = good.clone();
        oversold[2].reserved = 3;
        assert_eq!(broken_by(&oversold), [CONTINUOUS]);
        let mut stranger = good.clone();
        stranger[3].order_id = Some("ord_3".to_owned());
        assert_eq!(broken_by(&stranger), [PER_ORDER]);
        assert_eq!(broken_by(&good[..3]), [LAST, PER_ORDER]);
    }
}
