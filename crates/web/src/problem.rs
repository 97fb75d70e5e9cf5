//! The one error body: RFC 9457 `application/problem+json` with a stable `code`. A problem carries no cause:
//! what goes wrong inside is logged where it happens, and the caller reads a sentence that helps.

use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::{Map, Value};
use std::fmt;
use utoipa::ToSchema;

/// The media type of every error body.
pub const PROBLEM_JSON: &str = "application/problem+json";

macro_rules! codes {
    ($( $variant:ident, $constructor:ident, $status:literal, $text:literal, $title:literal; )+) => {
        /// What went wrong, for programs: stable names, each with its status.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code { $( #[doc = $title] $variant, )+ }

        impl Code {
            /// Every code there is.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Its name in the body, SCREAMING_SNAKE_CASE.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $( Self::$variant => $text, )+ }
            }

            /// The status it always comes with.
            #[must_use]
            pub const fn status(self) -> u16 {
                match self { $( Self::$variant => $status, )+ }
            }

            /// The same for every occurrence of the code.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $( Self::$variant => $title, )+ }
            }
        }

        impl Problem {
            $(
                #[doc = concat!("`", $text, "`: ", $title, ". The argument is the detail for people.")]
                #[must_use]
                pub fn $constructor(detail: impl Into<String>) -> Self {
                    Self::new(Code::$variant, detail)
                }
            )+
        }
    };
}

codes! {
    MalformedJson, malformed_json, 400, "MALFORMED_JSON", "The body is not the JSON that was expected";
    UnknownField, unknown_field, 400, "UNKNOWN_FIELD", "The body has a field that is not known here";
    InvalidId, invalid_id, 400, "INVALID_ID", "An identifier has the wrong form";
    InvalidParameter, invalid_parameter, 400, "INVALID_PARAMETER", "A parameter or header is not valid";
    InvalidCursor, invalid_cursor, 400, "INVALID_CURSOR", "The cursor is not one of ours";
    Unauthenticated, unauthenticated, 401, "UNAUTHENTICATED", "A token is needed";
    InvalidToken, invalid_token, 401, "INVALID_TOKEN", "The token is not valid";
    InsufficientScope, insufficient_scope, 403, "INSUFFICIENT_SCOPE", "The token does not allow this";
    NotFound, not_found, 404, "NOT_FOUND", "There is no such thing, or it is not yours";
    MethodNotAllowed, method_not_allowed, 405, "METHOD_NOT_ALLOWED", "The path does not take this method";
    NotAcceptable, not_acceptable, 406, "NOT_ACCEPTABLE", "None of the accepted media types can be given";
    InsufficientStock, insufficient_stock, 409, "INSUFFICIENT_STOCK", "There is not enough stock";
    IllegalTransition, illegal_transition, 409, "ILLEGAL_TRANSITION", "The order's state does not allow this";
    NotCancellable, not_cancellable, 409, "NOT_CANCELLABLE", "The order can no longer be cancelled";
    NotAmendable, not_amendable, 409, "NOT_AMENDABLE", "The order can no longer be changed";
    NotCovered, not_covered, 409, "NOT_COVERED", "The order's payment does not cover its total";
    QuantityExceeded, quantity_exceeded, 409, "QUANTITY_EXCEEDED", "More than what is left of the line";
    AddressRequired, address_required, 409, "ADDRESS_REQUIRED", "The order has no shipping address yet";
    RefundExceedsCaptured, refund_exceeds_captured, 409, "REFUND_EXCEEDS_CAPTURED", "More than what was captured";
    CartCheckedOut, cart_checked_out, 409, "CART_CHECKED_OUT", "The cart has become an order already";
    QuoteExpired, quote_expired, 409, "QUOTE_EXPIRED", "The quote is no longer valid";
    NotInvoiceable, not_invoiceable, 409, "NOT_INVOICEABLE", "The order cannot be invoiced yet";
    SkuTaken, sku_taken, 409, "SKU_TAKEN", "Another product has this SKU";
    EmailTaken, email_taken, 409, "EMAIL_TAKEN", "Another account has this e-mail address";
    IdempotencyInProgress, idempotency_in_progress, 409, "IDEMPOTENCY_IN_PROGRESS",
        "The first request with this key is still running";
    VersionMismatch, version_mismatch, 412, "VERSION_MISMATCH", "The resource has changed since it was read";
    BodyTooLarge, body_too_large, 413, "BODY_TOO_LARGE", "The body is too large";
    UnsupportedMediaType, unsupported_media_type, 415, "UNSUPPORTED_MEDIA_TYPE", "The body's media type is not taken";
    ValidationFailed, validation_failed, 422, "VALIDATION_FAILED", "A value breaks a rule";
    IdempotencyKeyReused, idempotency_key_reused, 422, "IDEMPOTENCY_KEY_REUSED",
        "The key was used with another body";
    RateLimited, rate_limited, 429, "RATE_LIMITED", "Too many requests";
    InternalError, internal_error, 500, "INTERNAL_ERROR", "Something went wrong here";
    Unavailable, unavailable, 503, "UNAVAILABLE", "A part of the system is not available right now";
    Overloaded, overloaded, 503, "OVERLOADED", "Too much work at once";
    ReadTimeout, read_timeout, 503, "READ_TIMEOUT", "The read did not catch up with the write in time";
}

/// What is wrong with one field of the body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// A JSON pointer into the body, such as `/items/0/quantity`.
    pub pointer: String,
    /// What is wrong, for programs.
    pub code: String,
    /// What is wrong, for people.
    pub detail: String,
}

/// An error body per RFC 9457.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// Names the kind of problem; one per code.
    #[serde(rename = "type")]
    pub kind: String,
    /// A short sentence, the same for every occurrence.
    pub title: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// What happened this time.
    pub detail: String,
    /// The path of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// What went wrong, for programs: stable.
    pub code: &'static str,
    /// The same text as `detail`.
    pub error: String,
    /// What is wrong with which field.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// The trace the request belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
    /// Further members, such as `unavailable` or `allowed`.
    #[serde(flatten)]
    #[schema(ignore)]
    pub extensions: Map<String, Value>,
}

#[derive(Clone)]
struct Inner {
    code: Code,
    body: ProblemBody,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// An answer that is an error. Handlers return it; the request's context adds `instance` and `traceId`.
#[derive(Clone)]
pub struct Problem(Box<Inner>);

impl Problem {
    /// A problem with this code; the detail is a sentence for people.
    #[must_use]
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        let problem = Self(Box::new(Inner {
            code,
            body: ProblemBody {
                kind: format!("urn:oms:problem:{}", code.as_str().to_ascii_lowercase().replace('_', "-")),
                title: code.title(),
                status: code.status(),
                error: detail.clone(),
                detail,
                instance: None,
                code: code.as_str(),
                errors: Vec::new(),
                trace_id: None,
                extensions: Map::new(),
            },
            headers: Vec::new(),
        }));
        match code {
            Code::Unauthenticated => problem.with_header(header::WWW_AUTHENTICATE, "Bearer realm=\"oms\""),
            Code::InvalidToken => {
                problem.with_header(header::WWW_AUTHENTICATE, "Bearer realm=\"oms\", error=\"invalid_token\"")
            }
            Code::RateLimited
            | Code::Unavailable
            | Code::Overloaded
            | Code::ReadTimeout
            | Code::IdempotencyInProgress => problem.with_retry_after(1),
            _ => problem,
        }
    }

    /// A 403 that names the scope that is missing.
    #[must_use]
    pub fn missing_scope(scope: crate::Scope) -> Self {
        Self::insufficient_scope(format!("this needs the scope `{}`", scope.as_str())).with_header(
            header::WWW_AUTHENTICATE,
            &format!("Bearer realm=\"oms\", error=\"insufficient_scope\", scope=\"{}\"", scope.as_str()),
        )
    }

    /// A 422 about one field.
    #[must_use]
    pub fn invalid_field(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self::validation_failed(detail.clone()).with_error(pointer, Code::ValidationFailed.as_str(), detail)
    }

    /// Adds what is wrong with one field; the pointer is a JSON pointer.
    #[must_use]
    pub fn with_error(
        mut self,
        pointer: impl Into<String>,
        code: impl Into<String>,
        detail: impl Into<String>,
    ) -> Self {
        self.0.body.errors.push(FieldError { pointer: pointer.into(), code: code.into(), detail: detail.into() });
        self
    }

    /// Sets a header of the answer, replacing the one of the same name. A value that no header can hold is left out.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: &str) -> Self {
        self.0.headers.retain(|(present, _)| *present != name);
        if let Ok(value) = HeaderValue::from_str(value) {
            self.0.headers.push((name, value));
        }
        self
    }

    /// Says when to try again.
    #[must_use]
    pub fn with_retry_after(self, seconds: u64) -> Self {
        self.with_header(header::RETRY_AFTER, &seconds.to_string())
    }

    /// Adds a member to the body, such as `unavailable` or `allowed`.
    #[must_use]
    pub fn with_extension(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.body.extensions.insert(name.to_owned(), value.into());
        self
    }

    /// What went wrong, for programs.
    #[must_use]
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// The status of the answer.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.0.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// What happened this time.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.0.body.detail
    }

    /// What is wrong with which field.
    #[must_use]
    pub fn errors(&self) -> &[FieldError] {
        &self.0.body.errors
    }

    /// The headers of the answer, besides its media type.
    #[must_use]
    pub fn headers(&self) -> &[(HeaderName, HeaderValue)] {
        &self.0.headers
    }

    /// The body as it is written.
    #[must_use]
    pub fn body(&self) -> &ProblemBody {
        &self.0.body
    }

    /// The same problem with the path and the trace of the request it answers.
    #[must_use]
    pub fn at(mut self, instance: &str, trace_id: &str) -> Self {
        self.0.body.instance = Some(instance.to_owned());
        self.0.body.trace_id = Some(trace_id.to_owned());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.code.as_str(), self.0.body.detail)
    }
}

impl fmt::Debug for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Problem {}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self.0.body).unwrap_or_default();
        let mut response =
            (self.status(), [(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON))], body).into_response();
        for (name, value) in &self.0.headers {
            response.headers_mut().insert(name.clone(), value.clone());
        }
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        // The request's context takes it out again to fill in `instance` and `traceId`.
        response.extensions_mut().insert(self);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_its_own_name_and_an_error_status() {
        let names: std::collections::HashSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(names.len(), Code::ALL.len());
        for code in Code::ALL {
            assert!((400..600).contains(&code.status()), "{code:?}");
            assert!(code.as_str().bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_'));
        }
    }

    #[test]
    fn the_body_has_the_members_of_the_contract() {
        let problem = Problem::insufficient_stock("two are left")
            .with_error("/items/0", "INSUFFICIENT_STOCK", "two are left")
            .with_extension("unavailable", serde_json::json!([{"available": 2}]))
            .at("/api/orders", "4bf92f3577b34da6a3ce929d0e0e4736");
        let body = serde_json::to_value(problem.body()).unwrap();
        assert_eq!(
            body,
            serde_json::json!({
                "type": "urn:oms:problem:insufficient-stock",
                "title": "There is not enough stock",
                "status": 409,
                "detail": "two are left",
                "error": "two are left",
                "code": "INSUFFICIENT_STOCK",
                "instance": "/api/orders",
                "traceId": "4bf92f3577b34da6a3ce929d0e0e4736",
                "errors": [{"pointer": "/items/0", "code": "INSUFFICIENT_STOCK", "detail": "two are left"}],
                "unavailable": [{"available": 2}],
            })
        );
    }

    #[test]
    fn what_may_be_tried_again_says_when() {
        for problem in [Problem::unavailable("x"), Problem::overloaded("x"), Problem::rate_limited("x")] {
            assert_eq!(problem.into_response().headers()[header::RETRY_AFTER], "1");
        }
        let later = Problem::rate_limited("x").with_retry_after(30).into_response();
        assert_eq!(later.headers()[header::RETRY_AFTER], "30");
    }
}
