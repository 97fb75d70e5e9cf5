//! Whether a phone number or an e-mail address is the order's own: compared as people mean it, and in a time that says
//! nothing of where they differ.

use super::Proof;
use order::Order;
use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq as _};

/// A shorter number is no proof.
const FEWEST_DIGITS: usize = 6;
/// The longest country calling code.
const LONGEST_COUNTRY_CODE: usize = 3;

impl Proof {
    /// Whether it shows that the order is the caller's. An order whose personal data was erased has no proof.
    pub(super) fn is_of(&self, order: &Order) -> bool {
        let contact = order.contact.as_ref();
        let mut proven = Choice::from(0);
        if let (Some(given), Some(own)) = (self.email.as_deref(), contact.map(|contact| contact.email.as_str())) {
            proven |= same_email(given, own);
        }
        let phones = [contact.and_then(|contact| contact.phone.as_deref()), phone_of_address(order)];
        for own in phones.into_iter().flatten() {
            if let Some(given) = self.phone.as_deref() {
                proven |= same_phone(given, own);
            }
        }
        proven.into()
    }
}

fn phone_of_address(order: &Order) -> Option<&str> {
    order.shipping_address.as_ref()?.phone.as_deref()
}

fn same_email(given: &str, own: &str) -> Choice {
    let normal = |text: &str| text.trim().to_lowercase();
    let (given, own) = (normal(given), normal(own));
    same(&given, &own) & Choice::from(u8::from(given.contains('@')))
}

/// The same digits, with or without a country's code where one of the two was written without.
fn same_phone(given: &str, own: &str) -> Choice {
    let (given, own) = (Phone::of(given), Phone::of(own));
    let mut equal = same(&given.digits, &own.digits);
    for length in 1..=LONGEST_COUNTRY_CODE {
        equal |= given.is_abroad_of(&own, length) | own.is_abroad_of(&given, length);
    }
    let long_enough = given.digits.len() >= FEWEST_DIGITS && own.digits.len() >= FEWEST_DIGITS;
    equal & Choice::from(u8::from(long_enough))
}

/// A phone number without what people write between its digits.
struct Phone {
    digits: String,
    /// Written with a single zero in front, as within its country.
    national: bool,
    /// Written with `+` or `00` in front.
    international: bool,
}

impl Phone {
    fn of(text: &str) -> Self {
        let all: String = text.chars().filter(char::is_ascii_digit).collect();
        let international = text.trim_start().starts_with('+') || all.starts_with("00");
        let national = !international && all.starts_with('0');
        Self { digits: all.trim_start_matches('0').to_owned(), national, international }
    }

    /// Whether this is the other one with a country's code of that length in front.
    fn is_abroad_of(&self, other: &Self, length: usize) -> Choice {
        let possible = self.international && other.national;
        let rest = self.digits.get(length..).unwrap_or_default();
        same(rest, &other.digits) & Choice::from(u8::from(possible))
    }
}

fn same(one: &str, other: &str) -> Choice {
    Sha256::digest(one.as_bytes()).as_slice().ct_eq(Sha256::digest(other.as_bytes()).as_slice())
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared_events::Contact;

    fn proves(phone: Option<&str>, email: Option<&str>) -> bool {
        let contact =
            Contact { email: "Ann@Example.org".to_owned(), phone: Some("+49 170 123 45-67".to_owned()), name: None };
        let order = Order { contact: Some(contact), ..Order::default() };
        Proof { phone: phone.map(str::to_owned), email: email.map(str::to_owned) }.is_of(&order)
    }

    #[test]
    fn a_phone_is_its_digits_however_they_are_written() {
        for same in ["+491701234567", " 491701234567", "0049 170 1234567", "0170/1234567", "(0170) 123-4567"] {
            assert!(proves(Some(same), None), "{same}");
        }
        for other in ["+491701234568", "1234567", "170 1234567", "+501701234567", "", "0", "01234567"] {
            assert!(!proves(Some(other), None), "{other}");
        }
    }

    #[test]
    fn an_email_is_the_same_in_any_case() {
        assert!(proves(None, Some(" ann@example.ORG")));
        for other in ["ann@example.com", "", "@", "nn@example.org"] {
            assert!(!proves(None, Some(other)), "{other}");
        }
    }

    #[test]
    fn an_order_without_contact_has_no_proof_and_neither_has_nobody() {
        assert!(!proves(None, None));
        let proof = Proof { phone: Some(String::new()), email: Some(String::new()) };
        assert!(!proof.is_of(&Order::default()));
    }
}
