//! Bodies of many lines, each a JSON text of its own: for what is brought in by the thousand. Lines stand alone: what
//! is wrong with one is said of that one, and the others go on.

use crate::json_body::{LARGEST_BODY, read_limited};
use crate::problem::FieldError;
use crate::{Problem, json_body};
use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use http::header;
use serde::Serialize;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;

/// The media type of such a body; `application/jsonl` and `application/ndjson` are taken too.
pub const NDJSON: &str = "application/x-ndjson";
const TAKEN: [&str; 3] = [NDJSON, "application/ndjson", "application/jsonl"];

/// A body of lines, of 1 MiB at most as every body.
#[derive(Debug, Clone)]
pub struct NdjsonBody(Bytes);

/// One line of it.
#[derive(Debug, Clone, Copy)]
pub struct NdjsonLine<'a> {
    /// Which, from 1, blank ones counted.
    pub number: usize,
    /// Its text, without blanks around it.
    pub text: &'a [u8],
}

/// What was wrong with a line: the parts of a problem that say so.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Refused {
    /// What is wrong, for programs.
    pub code: &'static str,
    /// What is wrong, for people.
    pub detail: String,
    /// What is wrong with which field; pointers are into the line.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
}

impl NdjsonBody {
    /// Its lines but the blank ones.
    pub fn lines(&self) -> impl Iterator<Item = NdjsonLine<'_>> {
        let lines = self.0.split(|byte| *byte == b'\n').enumerate();
        let lines = lines.map(|(index, text)| NdjsonLine { number: index + 1, text: text.trim_ascii() });
        lines.filter(|line| !line.text.is_empty())
    }
}

impl NdjsonLine<'_> {
    /// Reads the line as a body of its own.
    ///
    /// # Errors
    /// As for a JSON body.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        json_body::parse(self.text)
    }
}

impl<S: Sync> FromRequest<S> for NdjsonBody {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let bytes = read_limited(body, LARGEST_BODY).await?;
        let media_type = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let essence = media_type.and_then(|text| text.split(';').next()).unwrap_or_default().trim();
        if !TAKEN.iter().any(|taken| essence.eq_ignore_ascii_case(taken)) {
            let detail = format!("the body must be sent as `Content-Type: {NDJSON}`, one JSON text a line");
            return Err(Problem::unsupported_media_type(detail));
        }
        Ok(Self(bytes))
    }
}

impl From<&Problem> for Refused {
    fn from(problem: &Problem) -> Self {
        Self { code: problem.code().as_str(), detail: problem.detail().to_owned(), errors: problem.errors().to_vec() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(media_type: &str, text: &'static str) -> Result<NdjsonBody, Problem> {
        let request = Request::builder().header(header::CONTENT_TYPE, media_type).body(text.into()).unwrap();
        NdjsonBody::from_request(request, &()).await
    }

    #[tokio::test]
    async fn lines_keep_their_numbers_and_stand_alone() {
        let body = read("application/x-ndjson; charset=utf-8", "[1]\r\n\n {\n[2]").await.unwrap();
        let lines: Vec<_> = body.lines().map(|line| (line.number, line.parse::<Vec<u8>>().ok())).collect();
        assert_eq!(lines, [(1, Some(vec![1])), (3, None), (4, Some(vec![2]))]);
        assert_eq!(read("application/jsonl", "").await.unwrap().lines().count(), 0);
    }

    #[tokio::test]
    async fn another_media_type_is_refused() {
        for media_type in ["application/json", "text/plain", ""] {
            assert_eq!(read(media_type, "{}").await.unwrap_err().status().as_u16(), 415, "{media_type}");
        }
    }
}
