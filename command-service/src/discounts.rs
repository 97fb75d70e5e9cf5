//! Discounts by code. How often one was used is counted by rows: a use is claimed under the discount's row lock before
//! its order is appended, so a limit holds however many ask at once, and no lock is held over anything but that.

mod store;
mod uses;

pub use uses::Use;

use chrono::{DateTime, Utc};
use order::pricing::{Discount, DiscountKind};
use rust_decimal::Decimal;
use serde_json::Value;
use sha2::{Digest, Sha256};
use shared_events::{Contact, Currency, UserId};

/// The discounts of this service. Cheap to clone.
#[derive(Clone)]
pub struct Discounts {
    /// Where the rows are.
    pub pool: pg::Pool,
}

/// A discount as the shop wrote it.
#[derive(Debug, Clone, PartialEq)]
pub struct Terms {
    /// What customers type, in any case.
    pub code: String,
    /// What kind.
    pub kind: DiscountKind,
    /// Percent or amount.
    pub value: Decimal,
    /// The currency of an amount.
    pub currency: Option<Currency>,
    /// The value in the shop's own words.
    pub written: Value,
    /// From when on it can be used.
    pub valid_from: Option<DateTime<Utc>>,
    /// From when on it cannot be used any more.
    pub valid_to: Option<DateTime<Utc>>,
    /// How many orders may use it.
    pub limit: Option<i64>,
    /// How many orders of one customer may use it.
    pub limit_per_customer: Option<i64>,
}

/// A discount as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredDiscount {
    /// What the shop wrote.
    pub terms: Terms,
    /// Orders that use it, those that are being placed included.
    pub uses: i64,
    /// Of these, the customer's own.
    pub uses_of_customer: i64,
    /// Counts its changes.
    pub version: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

impl StoredDiscount {
    /// Whether its uses have to be claimed.
    #[must_use]
    pub const fn is_limited(&self) -> bool {
        self.terms.limit.is_some() || self.terms.limit_per_customer.is_some()
    }

    /// What it grants an order in that currency at that moment.
    ///
    /// # Errors
    /// Why it grants nothing.
    pub fn granted(&self, currency: Currency, now: DateTime<Utc>) -> Result<Discount, String> {
        let Terms { code, kind, value, .. } = &self.terms;
        if self.terms.valid_from.is_some_and(|from| now < from) || self.terms.valid_to.is_some_and(|to| now >= to) {
            return Err(format!("the discount {code} is not valid now"));
        }
        if let Some(its) = self.terms.currency.filter(|its| *its != currency) {
            return Err(format!("the discount {code} is for orders in {its}"));
        }
        if self.terms.limit.is_some_and(|limit| self.uses >= limit) {
            return Err(format!("the discount {code} is used up"));
        }
        if self.terms.limit_per_customer.is_some_and(|limit| self.uses_of_customer >= limit) {
            return Err(format!("this customer has used up the discount {code}"));
        }
        Ok(Discount { code: code.clone(), kind: *kind, value: *value })
    }
}

/// Who uses a discount: the customer, or a guest by a digest of their e-mail address. Nobody reads the address off it, but
/// whoever has the digest can test addresses they guess: it stays personal data, and goes with its discount.
#[must_use]
pub fn user_of(customer_id: Option<UserId>, contact: Option<&Contact>) -> Option<String> {
    match (customer_id, contact) {
        (Some(customer), _) => Some(customer.to_string()),
        (None, Some(contact)) => {
            let digest = Sha256::digest(contact.email.trim().to_lowercase().as_bytes());
            Some(format!("guest/{}", digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect::<String>()))
        }
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests;
