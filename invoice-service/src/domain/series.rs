//! Series of numbers: one stream per kind, legal entity and year, so that each is gapless by itself.

use chrono::{DateTime, Datelike, Utc};
use shared_events::DEFAULT;

/// `INV-2026`, or `INV-UK-2026` for a legal entity of its own.
#[must_use]
pub fn of_invoices(legal_entity: &str, issued_at: DateTime<Utc>) -> String {
    named("INV", legal_entity, issued_at)
}

/// `CN-2026`, or `CN-UK-2026` for a legal entity of its own.
#[must_use]
pub fn of_credit_notes(legal_entity: &str, issued_at: DateTime<Utc>) -> String {
    named("CN", legal_entity, issued_at)
}

fn named(kind: &str, legal_entity: &str, issued_at: DateTime<Utc>) -> String {
    let year = issued_at.year();
    if legal_entity == DEFAULT {
        format!("{kind}-{year}")
    } else {
        format!("{kind}-{}-{year}", legal_entity.to_uppercase())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_legal_entity_and_year_has_a_series_of_its_own() {
        let at = "2026-12-31T23:59:59Z".parse().unwrap();
        assert_eq!(of_invoices("default", at), "INV-2026");
        assert_eq!(of_invoices("uk", at), "INV-UK-2026");
        assert_eq!(of_invoices("default", "2027-01-01T00:00:00Z".parse().unwrap()), "INV-2027");
        assert_eq!(of_credit_notes("default", at), "CN-2026");
    }
}
