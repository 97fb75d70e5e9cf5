//! The OAuth 2.0 endpoints, one per file: what they share is the form of requests and errors (RFC 6749) and the
//! authentication of clients. Their errors are RFC 6749 JSON, not problems: standard clients read them.

pub(crate) mod authorize;
pub(crate) mod client_assertion;
pub(crate) mod client_authentication;
pub(crate) mod consent;
pub(crate) mod end_session;
pub(crate) mod form;
pub(crate) mod introspect;
pub(crate) mod jwks;
pub(crate) mod login;
pub(crate) mod metadata;
pub(crate) mod revoke;
pub(crate) mod token;
pub(crate) mod userinfo;

use crate::keys::KeyError;
use crate::rate_limit::RateLimited;
use crate::store::StoreError;
use axum::Json;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, PRAGMA, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Serialize;
use utoipa::ToSchema;

/// The body of an error, RFC 6749 §5.2.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OAuthErrorBody {
    /// What went wrong, for programs.
    pub(crate) error: &'static str,
    /// What went wrong, for people.
    pub(crate) error_description: &'static str,
}

/// An error of an OAuth endpoint.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OAuthError {
    #[error("the request is malformed")]
    InvalidRequest(&'static str),
    #[error("the client is not who it says")]
    InvalidClient(&'static str),
    #[error("the grant is not valid")]
    InvalidGrant(&'static str),
    #[error("the client may not do that")]
    UnauthorizedClient(&'static str),
    #[error("the grant type is not served")]
    UnsupportedGrantType(&'static str),
    #[error("the scope is not granted")]
    InvalidScope(&'static str),
    #[error("too many failed attempts")]
    RateLimited(#[from] RateLimited),
    #[error("the tables did not answer")]
    Store(#[from] StoreError),
    #[error("the token could not be signed")]
    Key(#[from] KeyError),
}

impl From<pg::deadpool_postgres::PoolError> for OAuthError {
    fn from(error: pg::deadpool_postgres::PoolError) -> Self {
        Self::Store(error.into())
    }
}

impl From<tokio_postgres::Error> for OAuthError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Store(error.into())
    }
}

impl IntoResponse for OAuthError {
    fn into_response(self) -> Response {
        let (status, error, error_description) = match self {
            Self::InvalidRequest(detail) => (StatusCode::BAD_REQUEST, "invalid_request", detail),
            Self::InvalidClient(detail) => (StatusCode::UNAUTHORIZED, "invalid_client", detail),
            Self::InvalidGrant(detail) => (StatusCode::BAD_REQUEST, "invalid_grant", detail),
            Self::UnauthorizedClient(detail) => (StatusCode::BAD_REQUEST, "unauthorized_client", detail),
            Self::UnsupportedGrantType(detail) => (StatusCode::BAD_REQUEST, "unsupported_grant_type", detail),
            Self::InvalidScope(detail) => (StatusCode::BAD_REQUEST, "invalid_scope", detail),
            Self::RateLimited(_) => {
                (StatusCode::TOO_MANY_REQUESTS, "temporarily_unavailable", "too many failed attempts from this address")
            }
            Self::Store(_) | Self::Key(_) if self.is_unavailable() => {
                tracing::warn!(error = &self as &dyn std::error::Error, "an OAuth request met a database that is away");
                (StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable", "try again in a moment")
            }
            Self::Store(_) | Self::Key(_) => {
                tracing::error!(error = &self as &dyn std::error::Error, "an OAuth request failed");
                (StatusCode::INTERNAL_SERVER_ERROR, "server_error", "something went wrong here")
            }
        };
        let mut response = (status, no_store(), Json(OAuthErrorBody { error, error_description })).into_response();
        let headers = response.headers_mut();
        match self {
            Self::InvalidClient(_) => {
                headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"oms\""));
            }
            Self::RateLimited(limited) => {
                headers.insert(RETRY_AFTER, HeaderValue::from(limited.retry_after_seconds));
            }
            _ if status == StatusCode::SERVICE_UNAVAILABLE => {
                headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
            }
            _ => {}
        }
        response
    }
}

impl OAuthError {
    fn is_unavailable(&self) -> bool {
        match self {
            Self::Store(error) | Self::Key(KeyError::Store(error)) => error.is_unavailable(),
            _ => false,
        }
    }
}

/// What keeps answers with tokens out of every cache.
pub(crate) fn no_store() -> HeaderMap {
    [(CACHE_CONTROL, HeaderValue::from_static("no-store")), (PRAGMA, HeaderValue::from_static("no-cache"))]
        .into_iter()
        .collect()
}
