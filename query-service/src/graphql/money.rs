//! Money and other small values of the schema.

use async_graphql::SimpleObject;
use shared_events::{Address, Contact};

/// An exact amount with its currency.
#[derive(Debug, Clone, SimpleObject)]
pub struct Money {
    /// A decimal number with all decimals of the currency: `12.34`.
    pub amount: String,
    /// An ISO 4217 code.
    pub currency: &'static str,
}

impl From<shared_events::Money> for Money {
    fn from(money: shared_events::Money) -> Self {
        Self { amount: money.amount().to_string(), currency: money.currency().code() }
    }
}

/// A postal address.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(name = "Address")]
pub struct PostalAddress {
    /// The person.
    name: Option<String>,
    /// The company.
    company: Option<String>,
    /// Street and number.
    line1: String,
    /// Anything more of the street.
    line2: Option<String>,
    /// Town or city.
    city: String,
    /// State, province or region.
    region: Option<String>,
    /// Postal code.
    postal_code: String,
    /// ISO 3166-1 alpha-2.
    country: String,
    /// A telephone number for the carrier.
    phone: Option<String>,
}

impl From<Address> for PostalAddress {
    fn from(address: Address) -> Self {
        let Address { name, company, line1, line2, city, region, postal_code, country, phone } = address;
        Self { name, company, line1, line2, city, region, postal_code, country, phone }
    }
}

/// How the customer of an order is reached.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(name = "Contact")]
pub struct OrderContact {
    /// An e-mail address.
    email: String,
    /// The customer's name.
    name: Option<String>,
    /// A telephone number.
    phone: Option<String>,
}

impl From<Contact> for OrderContact {
    fn from(contact: Contact) -> Self {
        Self { email: contact.email, name: contact.name, phone: contact.phone }
    }
}

/// A name with a value.
#[derive(Debug, Clone, SimpleObject)]
pub struct Attribute {
    /// The name.
    pub name: String,
    /// The value.
    pub value: String,
}

impl Attribute {
    /// All attributes of a thing, sorted by name.
    #[must_use]
    pub fn list(attributes: &shared_events::Attributes) -> Vec<Self> {
        attributes.iter().map(|(name, value)| Self { name: name.clone(), value: value.clone() }).collect()
    }
}
