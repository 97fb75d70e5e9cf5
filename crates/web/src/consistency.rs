//! `OMS-Consistency: <id>@<version>[,…]`: a command answers with the streams it wrote, a read that sends them back
//! sees at least those versions.

use crate::Problem;
use axum::extract::FromRequestParts;
use axum::response::{IntoResponseParts, ResponseParts};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue};
use std::convert::Infallible;
use std::fmt::{self, Display};

/// The header.
pub const OMS_CONSISTENCY: HeaderName = HeaderName::from_static("oms-consistency");

/// More streams than this in one header are refused.
const MOST: usize = 100;

/// Streams with the version that a read must have seen.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Consistency(pub Vec<(String, i64)>);

impl Consistency {
    /// One stream at a version.
    #[must_use]
    pub fn of(id: impl Display, version: i64) -> Self {
        Self(vec![(id.to_string(), version)])
    }

    /// The same with one more stream.
    #[must_use]
    pub fn and(mut self, id: impl Display, version: i64) -> Self {
        self.0.push((id.to_string(), version));
        self
    }

    /// Whether it names no stream.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Reads the text of a header.
    ///
    /// # Errors
    /// 400 `INVALID_PARAMETER` when it has another form.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let mut streams = Vec::new();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (id, version) = part.rsplit_once('@').ok_or_else(malformed)?;
            let version = version.parse::<i64>().ok().filter(|version| *version >= 0).ok_or_else(malformed)?;
            if id.is_empty() || id.len() > 100 || streams.len() == MOST {
                return Err(malformed());
            }
            streams.push((id.to_owned(), version));
        }
        Ok(Self(streams))
    }

    /// Reads the header; without it the list is empty.
    ///
    /// # Errors
    /// 400 `INVALID_PARAMETER` when it has another form.
    pub fn from_headers(headers: &HeaderMap) -> Result<Self, Problem> {
        let mut all = Self::default();
        for value in headers.get_all(OMS_CONSISTENCY) {
            let part = Self::parse(value.to_str().map_err(|_| malformed())?)?;
            all.0.extend(part.0);
        }
        if all.0.len() > MOST { Err(malformed()) } else { Ok(all) }
    }
}

fn malformed() -> Problem {
    Problem::invalid_parameter(format!("OMS-Consistency takes `<id>@<version>[,<id>@<version>…]`, at most {MOST}"))
}

impl Display for Consistency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (id, version)) in self.0.iter().enumerate() {
            let comma = if index > 0 { "," } else { "" };
            write!(f, "{comma}{id}@{version}")?;
        }
        Ok(())
    }
}

impl IntoResponseParts for Consistency {
    type Error = Infallible;

    fn into_response_parts(self, mut parts: ResponseParts) -> Result<ResponseParts, Infallible> {
        if !self.is_empty()
            && let Ok(value) = HeaderValue::from_str(&self.to_string())
        {
            parts.headers_mut().insert(OMS_CONSISTENCY, value);
        }
        Ok(parts)
    }
}

impl<S: Sync> FromRequestParts<S> for Consistency {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Self::from_headers(&parts.headers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_reads_what_it_writes() {
        let token = Consistency::of("ord_1", 3).and("stk_2", 14);
        assert_eq!(token.to_string(), "ord_1@3,stk_2@14");
        assert_eq!(Consistency::parse("ord_1@3, stk_2@14").unwrap(), token);
        assert!(Consistency::parse("").unwrap().is_empty());
    }

    #[test]
    fn what_is_no_token_is_refused() {
        for text in ["ord_1", "ord_1@", "@3", "ord_1@-1", "ord_1@x"] {
            assert_eq!(Consistency::parse(text).unwrap_err().status(), 400, "{text}");
        }
        let many = (0..=MOST).map(|n| format!("ord_{n}@1")).collect::<Vec<_>>().join(",");
        assert!(Consistency::parse(&many).is_err());
    }
}
