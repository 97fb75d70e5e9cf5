//! `GET /graphiql`: a page of our own to try queries with. It loads nothing from elsewhere and runs under a strict
//! content security policy; the token that is typed into it stays in the page.

use axum::response::{IntoResponse, Response};
use http::{HeaderName, header};

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The page.
pub async fn page() -> Response {
    asset("text/html; charset=utf-8", include_str!("../graphiql/index.html"))
}

/// What the page does.
pub async fn script() -> Response {
    asset("text/javascript; charset=utf-8", include_str!("../graphiql/explorer.js"))
}

/// How the page looks.
pub async fn style() -> Response {
    asset("text/css; charset=utf-8", include_str!("../graphiql/explorer.css"))
}

fn asset(content_type: &'static str, body: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, content_type),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-cache"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ];
    (headers, body).into_response()
}
