//! Secrets do not get into logs, errors or `oms config`.

use std::fmt;

const MASK: &str = "********";

/// A text that is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Keeps a text from being printed.
    #[must_use]
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// The text itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

/// The value as it may be shown: a secret not at all, a URL without its password.
pub(super) fn mask(name: &str, value: &str) -> String {
    let secret = ["SECRET", "TOKEN", "PASSWORD", "_KEY"].iter().any(|word| name.contains(word));
    if secret && !value.is_empty() {
        return MASK.to_owned();
    }
    let Some((scheme, rest)) = value.split_once("://") else { return value.to_owned() };
    let authority = &rest[..rest.find(['/', '?']).unwrap_or(rest.len())];
    let Some((credentials, _)) = authority.rsplit_once('@') else { return value.to_owned() };
    let user = credentials.split(':').next().unwrap_or_default();
    format!("{scheme}://{user}:{MASK}{}", &rest[credentials.len()..])
}
