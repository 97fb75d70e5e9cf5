//! Addresses and contacts as clients write them.

use super::{Checks, country};
use serde::{Deserialize, Serialize};
use shared_events::{Address, Contact};

const LONGEST_LINE: usize = 200;
const LONGEST_CODE: usize = 32;
const LONGEST_EMAIL: usize = 254;

/// A postal address as a client writes it.
#[derive(Debug, Clone, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AddressInput {
    /// The person.
    pub name: Option<String>,
    /// The company.
    pub company: Option<String>,
    /// Street and number; required.
    pub line1: Option<String>,
    /// Anything more of the street.
    pub line2: Option<String>,
    /// Town or city; required.
    pub city: Option<String>,
    /// State, province or region.
    pub region: Option<String>,
    /// Postal code; required.
    pub postal_code: Option<String>,
    /// ISO 3166-1 alpha-2; required.
    pub country: Option<String>,
    /// A telephone number for the carrier.
    pub phone: Option<String>,
}

impl AddressInput {
    /// The address, or none with the reasons noted.
    pub fn check(&self, pointer: &str, checks: &mut Checks) -> Option<Address> {
        let at = |field: &str| format!("{pointer}/{field}");
        let name = checks.optional(&at("name"), self.name.as_deref(), LONGEST_LINE);
        let company = checks.optional(&at("company"), self.company.as_deref(), LONGEST_LINE);
        let line1 = checks.required(&at("line1"), self.line1.as_deref(), LONGEST_LINE);
        let line2 = checks.optional(&at("line2"), self.line2.as_deref(), LONGEST_LINE);
        let city = checks.required(&at("city"), self.city.as_deref(), LONGEST_LINE);
        let region = checks.optional(&at("region"), self.region.as_deref(), LONGEST_LINE);
        let postal_code = checks.required(&at("postalCode"), self.postal_code.as_deref(), LONGEST_CODE);
        let country = checks.required(&at("country"), self.country.as_deref(), LONGEST_CODE).and_then(|code| {
            let known = country::is_country(&code);
            if !known {
                checks.broken(at("country"), "an ISO 3166-1 alpha-2 code in capitals, such as DE");
            }
            known.then_some(code)
        });
        let phone = checks.optional(&at("phone"), self.phone.as_deref(), LONGEST_CODE);
        Some(Address {
            name,
            company,
            line1: line1?,
            line2,
            city: city?,
            region,
            postal_code: postal_code?,
            country: country?,
            phone,
        })
    }
}

/// How the customer is reached, as a client writes it.
#[derive(Debug, Clone, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ContactInput {
    /// An e-mail address; required.
    pub email: Option<String>,
    /// A telephone number.
    pub phone: Option<String>,
    /// The customer's name.
    pub name: Option<String>,
}

impl ContactInput {
    /// The contact, or none with the reasons noted.
    pub fn check(&self, pointer: &str, checks: &mut Checks) -> Option<Contact> {
        let at = |field: &str| format!("{pointer}/{field}");
        let email = checks.required(&at("email"), self.email.as_deref(), LONGEST_EMAIL).and_then(|email| {
            let valid = is_email(&email);
            if !valid {
                checks.broken(at("email"), "an e-mail address, such as ada@example.org");
            }
            valid.then_some(email)
        });
        let phone = checks.optional(&at("phone"), self.phone.as_deref(), LONGEST_CODE);
        let name = checks.optional(&at("name"), self.name.as_deref(), LONGEST_LINE);
        Some(Contact { email: email?, phone, name })
    }
}

/// Whether mail could be sent there at all: `local@domain`, nothing blank in it.
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let plain = |part: &str| !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || c.is_control());
    plain(local)
        && local.len() <= 64
        && !local.contains('@')
        && plain(domain)
        && !domain.starts_with(['.', '-'])
        && !domain.ends_with(['.', '-'])
        && !domain.contains("..")
        && domain.contains('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_without_its_required_parts_names_each_of_them() {
        let mut checks = Checks::default();
        let input = AddressInput {
            line1: Some("  ".to_owned()),
            country: Some("Germany".to_owned()),
            ..AddressInput::default()
        };
        assert_eq!(input.check("/shippingAddress", &mut checks), None);
        let Err(order::Rejection::Invalid(errors)) = checks.finish() else { panic!("nothing was refused") };
        let pointers: Vec<&str> = errors.iter().map(|error| error.pointer.as_str()).collect();
        assert_eq!(
            pointers,
            [
                "/shippingAddress/line1",
                "/shippingAddress/city",
                "/shippingAddress/postalCode",
                "/shippingAddress/country"
            ]
        );
    }

    #[test]
    fn what_no_mail_can_be_sent_to_is_no_email_address() {
        for valid in ["ada@example.org", "ada+shop@mail.example.org", "ä@bücher.example"] {
            assert!(is_email(valid), "{valid}");
        }
        for wrong in
            ["", "ada", "@example.org", "ada@", "ada@example", "a da@example.org", "a@b@c.org", "a@.org", "a@b..org"]
        {
            assert!(!is_email(wrong), "{wrong}");
        }
    }
}
