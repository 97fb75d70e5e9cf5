//! Lists: `?limit=` from 1 to 100, `?cursor=` that is opaque to callers, and answers with `items`, `nextCursor` and
//! `Link: …; rel="next"`.

use crate::Problem;
use axum::Json;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderValue, Uri, header};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use std::borrow::Cow;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{IntoParams, PartialSchema, ToSchema};

/// How many items a page has: 1 to 100, 20 unless asked otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Limit(u16);

impl Limit {
    /// The most that a page holds.
    pub const MOST: u16 = 100;

    /// The number of items.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }

    /// One more than the page holds: what to ask the database for, to know whether there is a next page.
    #[must_use]
    pub const fn plus_one(self) -> i64 {
        self.0 as i64 + 1
    }
}

impl Default for Limit {
    fn default() -> Self {
        Self(20)
    }
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // As text: a flattened query string has no numbers.
        let text = <Cow<'de, str>>::deserialize(deserializer)?;
        match text.parse::<u16>() {
            Ok(limit @ 1..=Self::MOST) => Ok(Self(limit)),
            _ => Err(serde::de::Error::custom(format!("a whole number from 1 to {}", Self::MOST))),
        }
    }
}

impl PartialSchema for Limit {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::Integer)
            .minimum(Some(1))
            .maximum(Some(Self::MOST))
            .default(Some(20.into()))
            .into()
    }
}

impl ToSchema for Limit {}

/// The two parameters that every list takes. Flatten it, or use it alone.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageParams {
    /// How many items: 1 to 100, 20 unless asked otherwise.
    #[serde(default)]
    #[param(inline, required = false)]
    pub limit: Limit,
    /// Where the page before ended: its `nextCursor`.
    pub cursor: Option<String>,
}

impl PageParams {
    /// Reads the cursor, if there is one.
    ///
    /// # Errors
    /// 400 `INVALID_CURSOR`.
    pub fn after<T: DeserializeOwned>(&self, version: u8) -> Result<Option<T>, Problem> {
        self.cursor.as_deref().map(|text| Cursor::decode(version, text)).transpose()
    }
}

/// An opaque place in a list. It carries a version, so that its shape may change without being misread.
#[derive(Debug, Clone, Copy)]
pub struct Cursor;

impl Cursor {
    /// Writes a place as a cursor of that version.
    #[must_use]
    pub fn encode<T: Serialize>(version: u8, place: &T) -> String {
        let mut bytes = vec![version];
        // A place is a tuple or struct of plain values, which serde_json cannot fail on.
        bytes.extend(serde_json::to_vec(place).unwrap_or_default());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a cursor of that version.
    ///
    /// # Errors
    /// 400 `INVALID_CURSOR` when it is not one that [`Cursor::encode`] wrote.
    pub fn decode<T: DeserializeOwned>(version: u8, text: &str) -> Result<T, Problem> {
        let malformed = || Problem::invalid_cursor("the cursor is not one that this list has given");
        if text.len() > 4096 {
            return Err(malformed());
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| malformed())?;
        match bytes.split_first() {
            Some((found, place)) if *found == version && !has_nul(place) => {
                serde_json::from_slice(place).map_err(|_| malformed())
            }
            _ => Err(malformed()),
        }
    }
}

/// A forged cursor must not smuggle in the one character that Postgres has no place for.
fn has_nul(place: &[u8]) -> bool {
    place.contains(&0) || crate::json_body::has_escaped_nul(place)
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct List<T> {
    /// The items of this page.
    pub items: Vec<T>,
    /// What to send as `cursor` for the next page; null on the last one.
    #[schema(required = true)]
    pub next_cursor: Option<String>,
}

impl<T: Serialize> List<T> {
    /// Cuts what the database gave (up to one item more than the limit) into a page; `place` makes the cursor of an
    /// item.
    #[must_use]
    pub fn cut(mut items: Vec<T>, limit: Limit, place: impl FnOnce(&T) -> String) -> Self {
        let more = items.len() > usize::from(limit.get());
        items.truncate(usize::from(limit.get()));
        let next_cursor = if more { items.last().map(place) } else { None };
        Self { items, next_cursor }
    }

    /// The answer: the page with `Link: <…>; rel="next"` where there is a next page.
    #[must_use]
    pub fn respond(self, uri: &Uri) -> Response {
        let link = self.next_cursor.as_deref().and_then(|cursor| next_link(uri, cursor));
        let mut response = Json(self).into_response();
        if let Some(link) = link {
            response.headers_mut().insert(header::LINK, link);
        }
        response
    }
}

/// The `Link` header that names the next page: the same path and parameters with another cursor.
#[must_use]
pub fn next_link(uri: &Uri, cursor: &str) -> Option<HeaderValue> {
    let others = uri.query().unwrap_or_default().split('&').filter(|part| {
        let name = part.split('=').next().unwrap_or_default();
        !part.is_empty() && name != "cursor"
    });
    let query = others.chain([format!("cursor={cursor}").as_str()]).collect::<Vec<_>>().join("&");
    HeaderValue::from_str(&format!("<{}?{query}>; rel=\"next\"", uri.path())).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_what_it_writes() {
        let place = ("2026-11-21T10:00:00Z".to_owned(), 17_i64);
        assert_eq!(Cursor::decode::<(String, i64)>(1, &Cursor::encode(1, &place)).unwrap(), place);
    }

    #[test]
    fn a_cursor_of_another_version_or_none_at_all_is_refused() {
        let other = Cursor::encode(2, &17_i64);
        let nul = Cursor::encode(1, &"\0");
        for text in ["", "x", "%%%", "AAAA", &other, &nul, &"A".repeat(5000)] {
            assert_eq!(Cursor::decode::<String>(1, text).unwrap_err().code(), crate::Code::InvalidCursor, "{text}");
        }
    }

    #[test]
    fn a_page_is_cut_at_its_limit_and_names_the_next_one() {
        let limit: Limit = serde_json::from_str("\"2\"").unwrap();
        let page = List::cut(vec![1, 2, 3], limit, |item| format!("c{item}"));
        assert_eq!(page, List { items: vec![1, 2], next_cursor: Some("c2".to_owned()) });
        assert_eq!(List::cut(vec![1, 2], limit, |item| format!("c{item}")).next_cursor, None);
    }

    #[test]
    fn the_link_keeps_the_other_parameters() {
        let uri: Uri = "/api/orders?status=PENDING&cursor=old&limit=2".parse().unwrap();
        let link = next_link(&uri, "new").unwrap();
        assert_eq!(link, "</api/orders?status=PENDING&limit=2&cursor=new>; rel=\"next\"");
    }
}
