//! An answer before it is sent, in the form in which it can also be kept and given again.

use bytes::Bytes;
use eventstore::StoredAnswer;
use http::header;
use serde::Serialize;
use std::fmt::Display;
use web::problem::PROBLEM_JSON;
use web::{Consistency, Problem};

/// An answer: status, headers, body, and whose personal data may be in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer(StoredAnswer);

impl Answer {
    /// A JSON answer.
    #[must_use]
    pub fn json(status: u16, body: &impl Serialize) -> Self {
        // Answers are plain structs with text keys, which serde_json cannot fail on.
        let body = serde_json::to_vec(body).unwrap_or_default();
        Self::of(status, "application/json", body.into())
    }

    /// An answer without a body.
    #[must_use]
    pub fn empty(status: u16) -> Self {
        Self(StoredAnswer { status, headers: Vec::new(), body: Bytes::new(), concerns: Vec::new() })
    }

    /// The answer that a problem is. It has to be complete ([`Problem::at`]).
    #[must_use]
    pub fn of_problem(problem: &Problem) -> Self {
        let body = serde_json::to_vec(problem.body()).unwrap_or_default();
        let mut answer = Self::of(problem.status().as_u16(), PROBLEM_JSON, body.into());
        for (name, value) in problem.headers() {
            if let Ok(value) = value.to_str() {
                answer = answer.header(name.as_str(), value);
            }
        }
        answer
    }

    fn of(status: u16, content_type: &str, body: Bytes) -> Self {
        Self(StoredAnswer { status, headers: Vec::new(), body, concerns: Vec::new() })
            .header(header::CONTENT_TYPE.as_str(), content_type)
    }

    /// With `ETag: "<version>"`.
    #[must_use]
    pub fn etag(self, version: i64) -> Self {
        self.header(header::ETAG.as_str(), format!("\"{version}\""))
    }

    /// With `Location`.
    #[must_use]
    pub fn location(self, path: impl Display) -> Self {
        self.header(header::LOCATION.as_str(), path)
    }

    /// With `OMS-Consistency`.
    #[must_use]
    pub fn consistency(self, streams: &Consistency) -> Self {
        if streams.is_empty() { self } else { self.header("oms-consistency", streams) }
    }

    /// With a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Display) -> Self {
        self.0.headers.push((name.to_owned(), value.to_string()));
        self
    }

    /// Names a customer or order whose personal data may be in the body: an erasure deletes the kept answer.
    #[must_use]
    pub fn concerning(mut self, id: impl Display) -> Self {
        self.0.concerns.push(id.to_string());
        self
    }

    /// The form in which it is kept.
    #[must_use]
    pub fn stored(&self) -> StoredAnswer {
        self.0.clone()
    }
}
