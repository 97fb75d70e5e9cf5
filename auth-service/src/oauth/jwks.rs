//! GET /.well-known/jwks.json (RFC 7517): the keys that tokens may be signed with, the next one included.

use crate::SharedApp;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::CACHE_CONTROL;

/// Publishes the public keys.
pub(crate) async fn jwks(State(app): State<SharedApp>) -> Response {
    let keys = app.tokens.keys().current().await;
    // Shorter than the minute between a new key's publication and its first signature.
    ([(CACHE_CONTROL, "public, max-age=30")], Json(keys.jwks.clone())).into_response()
}
