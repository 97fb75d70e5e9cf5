//! Versions as entity tags: `ETag: "3"` on what is read and written, `If-Match: "3"` on what may only change if it
//! still is what the caller saw.

use crate::Problem;
use axum::extract::FromRequestParts;
use axum::response::{IntoResponseParts, ResponseParts};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, header};
use std::convert::Infallible;

/// The version of a resource as its entity tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ETag(pub i64);

impl IntoResponseParts for ETag {
    type Error = Infallible;

    fn into_response_parts(self, mut parts: ResponseParts) -> Result<ResponseParts, Infallible> {
        parts.headers_mut().insert(header::ETAG, self.header_value());
        Ok(parts)
    }
}

impl ETag {
    /// The value of the header.
    #[must_use]
    pub fn header_value(self) -> HeaderValue {
        HeaderValue::from_str(&format!("\"{}\"", self.0)).unwrap_or(HeaderValue::from_static("\"0\""))
    }
}

/// What `If-Match` asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IfMatch {
    /// No such header: any version will do.
    Absent,
    /// `*`: whatever exists.
    Any,
    /// One of these versions. Tags that are none of ours are not in the list: they match nothing.
    Versions(Vec<i64>),
}

impl IfMatch {
    /// Reads the header.
    ///
    /// # Errors
    /// 400 `INVALID_PARAMETER` when it is no list of entity tags.
    pub fn from_headers(headers: &HeaderMap) -> Result<Self, Problem> {
        let mut versions = Vec::new();
        let mut present = false;
        for value in headers.get_all(header::IF_MATCH) {
            present = true;
            let text = value.to_str().map_err(|_| malformed())?.trim();
            if text == "*" {
                return Ok(Self::Any);
            }
            for tag in text.split(',') {
                let tag = tag.trim();
                let strong = tag.strip_prefix("W/").unwrap_or(tag);
                let opaque = strong
                    .strip_prefix('"')
                    .and_then(|rest| rest.strip_suffix('"'))
                    .filter(|opaque| !opaque.contains('"'))
                    .ok_or_else(malformed)?;
                // If-Match compares strongly: a weak tag matches nothing (RFC 9110, 13.1.1).
                if strong.len() == tag.len()
                    && let Ok(version) = opaque.parse()
                {
                    versions.push(version);
                }
            }
        }
        Ok(if present { Self::Versions(versions) } else { Self::Absent })
    }

    /// The version that a command must find, if any: the newest of those that were named, and one that exists
    /// nowhere where none of the tags is ours.
    #[must_use]
    pub fn version(&self) -> Option<i64> {
        match self {
            Self::Absent | Self::Any => None,
            Self::Versions(versions) => Some(versions.iter().copied().max().unwrap_or(-1)),
        }
    }

    /// Compares with the version that is there.
    ///
    /// # Errors
    /// 412 `VERSION_MISMATCH`.
    pub fn check(&self, current: i64) -> Result<(), Problem> {
        match self {
            Self::Versions(versions) if !versions.contains(&current) => Err(mismatch(current)),
            _ => Ok(()),
        }
    }
}

/// The 412 that names the version that is there.
#[must_use]
pub fn mismatch(current: i64) -> Problem {
    Problem::version_mismatch(format!("the resource is at version {current}, which is not what If-Match names"))
        .with_header(header::ETAG, &format!("\"{current}\""))
        .with_extension("currentVersion", current)
}

fn malformed() -> Problem {
    Problem::invalid_parameter("If-Match takes entity tags in quotes, such as `\"3\"`, or `*`")
}

impl<S: Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Self::from_headers(&parts.headers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<IfMatch, Problem> {
        let mut headers = HeaderMap::new();
        headers.insert(header::IF_MATCH, text.parse().unwrap());
        IfMatch::from_headers(&headers)
    }

    #[test]
    fn a_tag_matches_its_version_and_no_other() {
        assert_eq!(parse("\"3\"").unwrap().version(), Some(3));
        assert!(parse("\"3\"").unwrap().check(3).is_ok());
        assert_eq!(parse("\"3\"").unwrap().check(4).unwrap_err().status(), 412);
        assert!(parse("\"3\", \"4\"").unwrap().check(4).is_ok());
    }

    #[test]
    fn a_star_and_no_header_match_everything() {
        assert!(parse("*").unwrap().check(9).is_ok());
        assert_eq!(parse("*").unwrap().version(), None);
        assert!(IfMatch::from_headers(&HeaderMap::new()).unwrap().check(9).is_ok());
    }

    #[test]
    fn weak_and_foreign_tags_match_nothing() {
        for text in ["W/\"3\"", "\"abc\"", "\"99999999999999999999\""] {
            assert_eq!(parse(text).unwrap().check(3).unwrap_err().status(), 412, "{text}");
            assert_eq!(parse(text).unwrap().version(), Some(-1));
        }
    }

    #[test]
    fn what_is_no_tag_is_refused() {
        for text in ["3", "\"3", "\"3\" \"4\"", ""] {
            assert_eq!(parse(text).unwrap_err().status(), 400, "{text}");
        }
    }
}
