//! Which media type an answer has, and which a request's body must have, per GraphQL-over-HTTP.

use http::{HeaderMap, HeaderValue, header};
use web::Problem;

/// The two media types of an answer. They differ in the status of a request that cannot be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaType {
    /// `application/graphql-response+json`: the status tells whether there is data.
    GraphqlResponse,
    /// `application/json`: 200 for every well-formed request.
    Json,
}

impl MediaType {
    /// The value of `Content-Type`.
    #[must_use]
    pub const fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
        })
    }

    /// Chooses by `Accept`; without one, and for wildcards, `application/json` as clients of old expect.
    ///
    /// # Errors
    /// 406 `NOT_ACCEPTABLE` when neither is accepted.
    pub fn negotiate(headers: &HeaderMap) -> Result<Self, Problem> {
        let mut ranges = Vec::new();
        for value in headers.get_all(header::ACCEPT) {
            let text = value.to_str().map_err(|_| not_acceptable())?;
            ranges.extend(text.split(',').filter_map(|range| Range::parse(range.trim())));
        }
        if ranges.is_empty() {
            return if headers.contains_key(header::ACCEPT) { Err(not_acceptable()) } else { Ok(Self::Json) };
        }
        let weight = |media_type: &str| {
            ranges
                .iter()
                .filter_map(|range| Some((range.closeness(media_type)?, range.weight)))
                .max_by_key(|(closeness, _)| *closeness)
                .map_or((0, 0), |(closeness, weight)| (weight, closeness))
        };
        let graphql = weight("application/graphql-response+json");
        let json = weight("application/json");
        match (graphql.0, json.0) {
            (0, 0) => Err(not_acceptable()),
            // Of two that are equally welcome, the one that is named wins over the one that a wildcard covers.
            _ if graphql > json || (graphql == json && graphql.1 == NAMED) => Ok(Self::GraphqlResponse),
            _ => Ok(Self::Json),
        }
    }
}

fn not_acceptable() -> Problem {
    Problem::not_acceptable("answers are application/graphql-response+json or application/json, in UTF-8")
}

const NAMED: u8 = 3;

/// One media range of `Accept` with its weight in thousandths.
struct Range<'a> {
    media_type: &'a str,
    weight: u16,
}

impl<'a> Range<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let media_type = parts.next().filter(|name| name.contains('/'))?;
        let mut weight = 1_000;
        for parameter in parts {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            let value = value.trim().trim_matches('"');
            if name.trim().eq_ignore_ascii_case("q") {
                weight = thousandths(value)?;
            } else if name.trim().eq_ignore_ascii_case("charset") && !is_utf8(value) {
                return None;
            }
        }
        Some(Self { media_type, weight })
    }

    fn closeness(&self, media_type: &str) -> Option<u8> {
        if self.media_type.eq_ignore_ascii_case(media_type) {
            return Some(NAMED);
        }
        match self.media_type {
            "application/*" => Some(2),
            "*/*" => Some(1),
            _ => None,
        }
    }
}

/// `0`, `0.5`, `1.000`: what RFC 9110 calls a qvalue.
fn thousandths(text: &str) -> Option<u16> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let fraction: u16 = format!("{fraction:0<3}").parse().ok()?;
    match whole {
        "0" => Some(fraction),
        "1" if fraction == 0 => Some(1_000),
        _ => None,
    }
}

fn is_utf8(charset: &str) -> bool {
    charset.eq_ignore_ascii_case("utf-8") || charset.eq_ignore_ascii_case("utf8")
}

/// Lets a body of `application/json` in UTF-8 pass.
///
/// # Errors
/// 415 `UNSUPPORTED_MEDIA_TYPE` for everything else, a missing `Content-Type` too.
pub fn check_body_type(headers: &HeaderMap) -> Result<(), Problem> {
    let refused = || Problem::unsupported_media_type("the body has to be application/json in UTF-8");
    let text = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).ok_or_else(refused)?;
    let mut parts = text.split(';').map(str::trim);
    let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("application/json"));
    let utf8 = parts
        .filter_map(|part| part.split_once('='))
        .all(|(name, value)| !name.trim().eq_ignore_ascii_case("charset") || is_utf8(value.trim().trim_matches('"')));
    if named && utf8 { Ok(()) } else { Err(refused()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn negotiate(accept: &str) -> Option<MediaType> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, accept.parse().unwrap());
        MediaType::negotiate(&headers).ok()
    }

    #[test]
    fn the_named_type_wins_and_wildcards_mean_json() {
        let (json, graphql) = (Some(MediaType::Json), Some(MediaType::GraphqlResponse));
        assert_eq!(MediaType::negotiate(&HeaderMap::new()).ok(), json);
        for (accept, expected) in [
            ("application/json", json),
            ("application/graphql-response+json", graphql),
            ("application/graphql-response+json; charset=utf-8", graphql),
            ("application/graphql-response+json, application/json;q=0.9", graphql),
            ("application/graphql-response+json;q=0.5, application/json", json),
            ("application/json, application/graphql-response+json", graphql),
            ("APPLICATION/JSON", json),
            ("*/*", json),
            ("application/*", json),
            ("application/graphql-response+json, */*;q=0.1", graphql),
            ("application/json;q=0, */*", graphql),
            ("text/html", None),
            ("application/json;q=0", None),
            ("application/json;charset=latin1", None),
            ("nonsense", None),
        ] {
            assert_eq!(negotiate(accept), expected, "{accept}");
        }
    }

    #[test]
    fn a_body_is_json_in_utf_8() {
        let check = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, text.parse().unwrap());
            check_body_type(&headers).is_ok()
        };
        assert!(check("application/json") && check("Application/JSON; charset=UTF-8"));
        for text in [
            "text/plain",
            "application/graphql",
            "application/json; charset=latin1",
            "application/x-www-form-urlencoded",
        ] {
            assert!(!check(text), "{text}");
        }
        assert!(check_body_type(&HeaderMap::new()).is_err());
    }
}
