//! The two lists that prices depend on besides the catalogue: shipping methods and tax rates. Every process has them in
//! memory and looks for changes every two seconds, so that pricing asks nobody.

mod rates;
mod shipping;
mod store;

pub use rates::{Destination, TaxRate};
pub use shipping::{ShippingMethod, ShippingPrice};
pub use store::{PriceTables, TableName};

use rates::TaxRates;
use rust_decimal::Decimal;
use shared_events::Currency;

/// What a product is taxed as unless it says otherwise.
pub const STANDARD_TAX_CLASS: &str = "standard";

/// Both lists, as they are at one moment.
#[derive(Debug, Clone, Default)]
pub struct Tables {
    methods: Vec<ShippingMethod>,
    methods_version: i64,
    rates: TaxRates,
    rates_version: i64,
}

impl Tables {
    /// The shipping methods in the shop's order, and the version of the list.
    #[must_use]
    pub fn shipping_methods(&self) -> (&[ShippingMethod], i64) {
        (&self.methods, self.methods_version)
    }

    /// The tax rates in the shop's order, and the version of the list.
    #[must_use]
    pub fn tax_rates(&self) -> (&[TaxRate], i64) {
        (self.rates.list(), self.rates_version)
    }

    /// The tax rate of a class where the goods go, as a fraction; nothing where no rate holds there.
    #[must_use]
    pub fn tax_rate(&self, destination: &Destination, tax_class: &str) -> Decimal {
        self.rates.of(destination, tax_class)
    }

    /// What shipping by that method costs; without a method by the usual one.
    ///
    /// # Errors
    /// Why it cannot be shipped so.
    pub fn shipping(
        &self,
        method: Option<&str>,
        destination: &Destination,
        currency: Currency,
    ) -> Result<ShippingPrice, String> {
        shipping::price(&self.methods, method, destination, currency)
    }
}
