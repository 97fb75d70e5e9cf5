//! The HTTP conventions of every service: problems, scopes, callers, the route table, bodies and parameters,
//! ETags, consistency tokens, idempotency keys, pages, the request's context and token verification. It knows
//! no domain and no database: it turns every wrong request into a problem, and never into a 5xx or a panic.

pub mod access;
pub mod auth;
pub mod caller;
pub mod client_address;
pub mod consistency;
pub mod etag;
pub mod idempotency_key;
pub mod json_body;
pub mod ndjson;
pub mod pagination;
pub mod path_params;
pub mod problem;
pub mod query_params;
pub mod request_context;
pub mod routes;
pub mod scopes;
pub mod standard_webhooks;

pub use access::Access;
pub use auth::{AccessTokenClaims, JwksSource, ServiceToken, TokenVerifier, VerifierConfig};
pub use caller::{Caller, CallerKind, Profile};
pub use client_address::ClientAddress;
pub use consistency::Consistency;
pub use etag::{ETag, IfMatch};
pub use idempotency_key::IdempotencyKey;
pub use json_body::{JsonBody, OptionalJsonBody, RawJsonBody};
pub use ndjson::NdjsonBody;
pub use pagination::{Cursor, Limit, List};
pub use path_params::PathParams;
pub use problem::{Code, Problem};
pub use query_params::QueryParams;
pub use request_context::RequestContext;
pub use routes::{Doc, RouteSpec, RouteTemplate, Routes, openapi};
pub use scopes::{Scope, Scopes};
