//! E-mail addresses as accounts are known by: parsed once at the edge, kept in one spelling. Quoted local parts and
//! addresses without a dot in the domain are refused; whether mail arrives is not decided here.

use std::fmt;

const MAX_BYTES: usize = 254;
const MAX_LOCAL_BYTES: usize = 64;
const MAX_LABEL_BYTES: usize = 63;

/// A plausible address, trimmed and in lower case.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Email(String);

/// The text is no e-mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an e-mail address")]
pub struct EmailError;

impl Email {
    /// Parses and normalises an address.
    ///
    /// # Errors
    /// [`EmailError`] unless it is `local@domain` within the limits of RFC 5321.
    pub fn parse(text: &str) -> Result<Self, EmailError> {
        let normalised = text.trim().to_lowercase();
        if normalised.len() > MAX_BYTES {
            return Err(EmailError);
        }
        let (local, domain) = normalised.rsplit_once('@').ok_or(EmailError)?;
        if local.len() > MAX_LOCAL_BYTES || !is_local_part(local) || !is_domain(domain) {
            return Err(EmailError);
        }
        Ok(Self(normalised))
    }

    /// The normalised text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands before the `@`.
    #[must_use]
    pub fn local_part(&self) -> &str {
        self.0.rsplit_once('@').map_or(self.0.as_str(), |(local, _)| local)
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_local_part(local: &str) -> bool {
    local.split('.').all(|atom| !atom.is_empty() && atom.chars().all(is_atom_character))
}

fn is_atom_character(character: char) -> bool {
    character.is_alphanumeric() || "!#$%&'*+/=?^_`{|}~-".contains(character)
}

fn is_domain(domain: &str) -> bool {
    domain.contains('.')
        && domain.split('.').all(|label| {
            !label.is_empty()
                && label.len() <= MAX_LABEL_BYTES
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.chars().all(|character| character.is_alphanumeric() || character == '-')
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_kept_in_one_spelling() {
        assert_eq!(Email::parse("  Ada.Lovelace+Shop@Example.COM ").unwrap().as_str(), "ada.lovelace+shop@example.com");
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let too_long = format!("{}@example.com", "a".repeat(65));
        for text in [
            "",
            "@",
            "ada",
            "ada@",
            "@example.com",
            "ada@example",
            "ada@.com",
            "ada@example..com",
            "a b@example.com",
            "ada@exam ple.com",
            ".ada@example.com",
            "ada.@example.com",
            "ada@-example.com",
            "ada@@example.com",
            "ada@example.com\r\nBcc: x@example.com",
            "\"ada\"@example.com",
            &too_long,
        ] {
            assert_eq!(Email::parse(text), Err(EmailError), "{text}");
        }
    }
}
