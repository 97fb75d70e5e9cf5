//! Price histories. A price holds from its moment until the next one of the same currency begins, so nothing has to
//! happen when the moment of a future price comes.

use chrono::{DateTime, Utc};
use shared_events::{Currency, Money};
use std::collections::BTreeMap;

/// A price and the time it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Price {
    /// The price of one piece.
    pub price: Money,
    /// From when on.
    pub valid_from: DateTime<Utc>,
    /// Until when; none where no other follows.
    pub valid_to: Option<DateTime<Utc>>,
}

impl Price {
    /// Whether it holds at a moment.
    #[must_use]
    pub fn holds_at(&self, moment: DateTime<Utc>) -> bool {
        self.valid_from <= moment && self.valid_to.is_none_or(|valid_to| moment < valid_to)
    }
}

/// The history of a product's prices, oldest first, from what was set.
#[must_use]
pub fn history(set: impl IntoIterator<Item = (Money, DateTime<Utc>)>) -> Vec<Price> {
    let mut set: Vec<_> = set.into_iter().collect();
    set.sort_by_key(|(price, valid_from)| (*valid_from, price.currency()));
    let mut follows: BTreeMap<Currency, DateTime<Utc>> = BTreeMap::new();
    let mut history: Vec<Price> = set
        .into_iter()
        .rev()
        .map(|(price, valid_from)| Price { price, valid_from, valid_to: follows.insert(price.currency(), valid_from) })
        .collect();
    history.reverse();
    history
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).unwrap()
    }

    #[test]
    fn a_price_holds_until_the_next_of_its_currency_begins() {
        let euro = |amount| Money::parse(amount, "EUR").unwrap();
        let yen = Money::parse("100", "JPY").unwrap();
        let history = history([(euro("2.00"), at(30)), (euro("1.00"), at(10)), (yen, at(20))]);
        let times: Vec<_> = history.iter().map(|price| (price.valid_from, price.valid_to)).collect();
        assert_eq!(times, [(at(10), Some(at(30))), (at(20), None), (at(30), None)]);
        let amounts = |moment| -> Vec<String> {
            history.iter().filter(|price| price.holds_at(moment)).map(|price| price.price.to_string()).collect()
        };
        assert!(amounts(at(9)).is_empty());
        assert_eq!(amounts(at(29)), ["1.00 EUR", "100 JPY"]);
        assert_eq!(amounts(at(30)), ["100 JPY", "2.00 EUR"]);
    }
}
