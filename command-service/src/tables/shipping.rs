//! Shipping methods: where they go, what they cost in which currency, and from which amount of goods they are free.

use super::{Destination, rates::standard};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use shared_events::{Currency, Money};
use utoipa::ToSchema;

/// The method that is taken where none is named, if it goes there.
const USUAL: &str = "standard";

/// A way to ship.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ShippingMethod {
    /// What orders call it.
    pub code: String,
    /// What people call it.
    pub name: String,
    /// What it costs, once per currency. None at all: it is free in every currency; else it is not had in others.
    #[serde(default)]
    pub prices: Vec<Money>,
    /// From which amount of goods, after discounts, it is free, once per currency.
    #[serde(default)]
    pub free_from: Vec<Money>,
    /// The countries it goes to; none: all of them.
    #[serde(default)]
    pub countries: Vec<String>,
    /// What it is taxed as.
    #[serde(default = "standard")]
    pub tax_class: String,
}

/// What shipping an order costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShippingPrice {
    /// The method.
    pub code: String,
    /// Its price.
    pub amount: Decimal,
    /// The amount of goods from which it is free.
    pub free_from: Option<Decimal>,
    /// What it is taxed as.
    pub tax_class: String,
}

impl ShippingMethod {
    /// What it costs there; none where it cannot be had.
    fn price(&self, destination: &Destination, currency: Currency) -> Option<ShippingPrice> {
        let in_currency =
            |amounts: &[Money]| amounts.iter().find(|money| money.currency() == currency).map(Money::amount);
        let goes_there = self.countries.is_empty()
            || destination.country().is_none_or(|country| self.countries.iter().any(|known| known == country));
        let amount = if self.prices.is_empty() { Some(Decimal::ZERO) } else { in_currency(&self.prices) };
        Some(ShippingPrice {
            code: self.code.clone(),
            amount: amount.filter(|_| goes_there)?,
            free_from: in_currency(&self.free_from),
            tax_class: self.tax_class.clone(),
        })
    }
}

pub(super) fn price(
    methods: &[ShippingMethod],
    method: Option<&str>,
    destination: &Destination,
    currency: Currency,
) -> Result<ShippingPrice, String> {
    if let Some(code) = method {
        let method = methods.iter().find(|method| method.code == code).ok_or("there is no such shipping method")?;
        let price = method.price(destination, currency);
        return price.ok_or_else(|| format!("`{code}` does not ship there, or has no price in {currency}"));
    }
    let usual = methods.iter().filter(|method| method.code == USUAL).chain(methods);
    let mut prices = usual.filter_map(|method| method.price(destination, currency));
    prices.next().ok_or_else(|| format!("no shipping method goes there with a price in {currency}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared_events::Address;

    fn method(code: &str, price: &str, countries: &[&str]) -> ShippingMethod {
        ShippingMethod {
            code: code.to_owned(),
            name: code.to_owned(),
            prices: vec![Money::parse(price, "EUR").unwrap()],
            free_from: vec![Money::parse("100.00", "EUR").unwrap()],
            countries: countries.iter().map(|&country| country.to_owned()).collect(),
            tax_class: standard(),
        }
    }

    fn to(country: &str) -> Destination {
        let address = Address {
            name: None,
            company: None,
            line1: String::new(),
            line2: None,
            city: String::new(),
            region: None,
            postal_code: String::new(),
            country: country.to_owned(),
            phone: None,
        };
        Destination::of(Some(&address), None)
    }

    #[test]
    fn without_a_method_the_usual_one_is_taken_and_the_first_that_goes_there_else() {
        let methods = [method("express", "9.90", &[]), method("standard", "4.90", &["DE"])];
        let taken = |country| price(&methods, None, &to(country), Currency::EUR).unwrap().code;
        assert_eq!((taken("DE"), taken("FR")), ("standard".to_owned(), "express".to_owned()));
        let anywhere = price(&methods, None, &Destination::default(), Currency::EUR).unwrap();
        assert_eq!((anywhere.code.as_str(), anywhere.amount.to_string()), ("standard", "4.90".to_owned()));
        assert_eq!(anywhere.free_from.unwrap().to_string(), "100.00");
    }

    #[test]
    fn a_method_that_does_not_go_there_or_has_no_price_is_refused() {
        let methods = [method("standard", "4.90", &["DE"])];
        let yen = Currency::parse("JPY").unwrap();
        assert!(price(&methods, Some("standard"), &to("DE"), Currency::EUR).is_ok());
        assert!(price(&methods, Some("standard"), &to("FR"), Currency::EUR).is_err());
        assert!(price(&methods, Some("standard"), &to("DE"), yen).is_err());
        assert!(price(&methods, Some("drone"), &to("DE"), Currency::EUR).is_err());
        assert!(price(&methods, None, &to("FR"), Currency::EUR).is_err());
    }

    #[test]
    fn a_method_without_prices_is_free_in_every_currency() {
        let methods = [ShippingMethod { prices: Vec::new(), ..method("standard", "1.00", &[]) }];
        let yen = price(&methods, None, &to("JP"), Currency::parse("JPY").unwrap()).unwrap();
        assert_eq!(yen.amount, Decimal::ZERO);
    }
}
