//! Collects what is wrong with a body, so that one answer names every field and its mend.

use order::{FieldError, Rejection};
use shared_events::Attributes;

const MOST_ATTRIBUTES: usize = 50;
const LONGEST_KEY: usize = 64;
const LONGEST_VALUE: usize = 500;

/// Everything that is wrong with a body so far.
#[derive(Debug, Default)]
pub struct Checks {
    broken: Vec<FieldError>,
}

impl Checks {
    /// Notes a broken rule.
    pub fn broken(&mut self, pointer: impl Into<String>, detail: impl Into<String>) {
        self.broken.push(FieldError::new(pointer, detail));
    }

    /// Keeps the value, or notes why it is none.
    pub fn value<T, E: std::fmt::Display>(&mut self, pointer: &str, value: Result<T, E>) -> Option<T> {
        value.map_err(|error| self.broken(pointer, error.to_string())).ok()
    }

    /// A text that has to be there, is not blank and not too long; without its outer blanks.
    pub fn required(&mut self, pointer: &str, text: Option<&str>, longest: usize) -> Option<String> {
        let kept = self.optional(pointer, text, longest);
        if kept.is_none() && !self.names(pointer) {
            self.broken(pointer, "this field is required");
        }
        kept
    }

    /// A text that may be missing; a blank one counts as missing.
    pub fn optional(&mut self, pointer: &str, text: Option<&str>, longest: usize) -> Option<String> {
        let text = text.map(str::trim).filter(|text| !text.is_empty())?;
        if text.chars().count() > longest {
            self.broken(pointer, format!("at most {longest} characters"));
            return None;
        }
        Some(text.to_owned())
    }

    /// A short name of the shop's own: letters, digits, `_`, `-` and `.`.
    pub fn name(&mut self, pointer: &str, text: Option<&str>) -> Option<String> {
        let name = self.optional(pointer, text, LONGEST_KEY)?;
        let plain = name.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-' | '.'));
        if !plain {
            self.broken(pointer, "only letters, digits, `_`, `-` and `.`");
            return None;
        }
        Some(name)
    }

    /// The code of a stock location, by the rule of inventory-service: lower-case letters, digits, `-` and `_`.
    pub fn location(&mut self, pointer: &str, text: Option<&str>) -> Option<String> {
        let code = self.optional(pointer, text, LONGEST_KEY)?;
        let is_code = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || "-_".contains(letter);
        if !code.chars().all(is_code) {
            self.broken(pointer, "the code of a stock location: lower-case letters, digits, `-` and `_`");
            return None;
        }
        Some(code)
    }

    /// A flat map of strings, within bounds.
    pub fn attributes(&mut self, pointer: &str, attributes: Option<Attributes>) -> Attributes {
        let attributes = attributes.unwrap_or_default();
        if attributes.len() > MOST_ATTRIBUTES {
            self.broken(pointer, format!("at most {MOST_ATTRIBUTES} attributes"));
        }
        for (key, value) in &attributes {
            if key.is_empty() || key.chars().count() > LONGEST_KEY {
                self.broken(pointer, format!("the name of an attribute has 1 to {LONGEST_KEY} characters"));
            }
            if value.chars().count() > LONGEST_VALUE {
                let escaped = key.replace('~', "~0").replace('/', "~1");
                self.broken(format!("{pointer}/{escaped}"), format!("at most {LONGEST_VALUE} characters"));
            }
        }
        attributes
    }

    /// Whether nothing is wrong so far.
    pub fn hold(&self) -> bool {
        self.broken.is_empty()
    }

    /// Whether every rule holds.
    ///
    /// # Errors
    /// All that are broken.
    pub fn finish(self) -> Result<(), Rejection> {
        if self.broken.is_empty() { Ok(()) } else { Err(Rejection::Invalid(self.broken)) }
    }

    fn names(&self, pointer: &str) -> bool {
        self.broken.iter().any(|error| error.pointer == pointer)
    }
}
