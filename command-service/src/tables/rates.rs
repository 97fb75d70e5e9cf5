//! Tax rates by country, region and tax class. The most exact one holds: of the region, of the country, of anywhere.

use super::STANDARD_TAX_CLASS;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use shared_events::Address;
use std::collections::HashMap;
use utoipa::ToSchema;

/// Where goods are taxed and shipped to, as far as it is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Destination {
    country: Option<String>,
    region: Option<String>,
}

impl Destination {
    /// The destination of an order: its shipping address, else the billing address, else nowhere known.
    #[must_use]
    pub fn of(shipping: Option<&Address>, billing: Option<&Address>) -> Self {
        shipping.or(billing).map_or_else(Self::default, |address| Self {
            country: Some(address.country.clone()),
            region: address.region.as_deref().map(in_one_case),
        })
    }

    /// The country, if it is known.
    #[must_use]
    pub fn country(&self) -> Option<&str> {
        self.country.as_deref()
    }
}

fn in_one_case(region: &str) -> String {
    region.trim().to_uppercase()
}

/// A tax rate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TaxRate {
    /// ISO 3166-1 alpha-2; absent, it holds where no other does, and for orders without an address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// As addresses name it, in any case; absent, it holds in the whole country.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The tax class of the products it is for.
    #[serde(default = "standard")]
    pub tax_class: String,
    /// A fraction, such as 0.19.
    #[schema(value_type = String, example = "0.19")]
    pub rate: Decimal,
}

pub(super) fn standard() -> String {
    STANDARD_TAX_CLASS.to_owned()
}

type Place = (Option<String>, Option<String>, String);

impl TaxRate {
    /// What it holds for: there is one rate for each.
    #[must_use]
    pub fn place(&self) -> Place {
        (self.country.clone(), self.region.as_deref().map(in_one_case), self.tax_class.clone())
    }
}

/// The rates, to be found at once.
#[derive(Debug, Clone, Default)]
pub(super) struct TaxRates {
    list: Vec<TaxRate>,
    by_place: HashMap<Place, Decimal>,
}

impl TaxRates {
    pub(super) fn new(list: Vec<TaxRate>) -> Self {
        let by_place = list.iter().map(|rate| (rate.place(), rate.rate)).collect();
        Self { list, by_place }
    }

    pub(super) fn list(&self) -> &[TaxRate] {
        &self.list
    }

    pub(super) fn of(&self, destination: &Destination, tax_class: &str) -> Decimal {
        if self.by_place.is_empty() {
            return Decimal::ZERO;
        }
        let Destination { country, region } = destination;
        let places = [(country.clone(), region.clone()), (country.clone(), None), (None, None)];
        let found = places
            .into_iter()
            .find_map(|(country, region)| self.by_place.get(&(country, region, tax_class.to_owned())).copied());
        found.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(country: Option<&str>, region: Option<&str>, tax_class: &str, rate: &str) -> TaxRate {
        TaxRate {
            country: country.map(ToOwned::to_owned),
            region: region.map(ToOwned::to_owned),
            tax_class: tax_class.to_owned(),
            rate: rate.parse().unwrap(),
        }
    }

    fn to(country: &str, region: Option<&str>) -> Destination {
        Destination { country: Some(country.to_owned()), region: region.map(in_one_case) }
    }

    #[test]
    fn the_most_exact_rate_holds() {
        let rates = TaxRates::new(vec![
            rate(None, None, "standard", "0.01"),
            rate(Some("US"), None, "standard", "0.05"),
            rate(Some("US"), Some("Ny"), "standard", "0.08"),
            rate(Some("DE"), None, "reduced", "0.07"),
        ]);
        for (destination, tax_class, expected) in [
            (to("US", Some("NY")), "standard", "0.08"),
            (to("US", Some("CA")), "standard", "0.05"),
            (to("US", None), "standard", "0.05"),
            (to("FR", None), "standard", "0.01"),
            (Destination::default(), "standard", "0.01"),
            (to("DE", None), "reduced", "0.07"),
            (to("DE", None), "standard", "0.01"),
            (to("FR", None), "reduced", "0"),
        ] {
            let found = rates.of(&destination, tax_class);
            assert_eq!(found.to_string(), expected, "{destination:?} {tax_class}");
        }
        assert_eq!(TaxRates::default().of(&to("DE", None), "standard"), Decimal::ZERO);
    }
}
