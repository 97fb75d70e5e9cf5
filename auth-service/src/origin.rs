//! Where a request comes from, for limits, sessions and the audit: the peer's address and what it calls itself.
//! Forwarding headers are not believed, as anybody can send them.

use crate::sessions::Origin;
use axum::extract::{ConnectInfo, FromRequestParts};
use http::header::USER_AGENT;
use http::request::Parts;
use std::convert::Infallible;
use std::net::SocketAddr;

const MAX_USER_AGENT_CHARACTERS: usize = 200;

impl<S: Sync> FromRequestParts<S> for Origin {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let address = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip().to_string());
        let user_agent = parts
            .headers
            .get(USER_AGENT)
            .and_then(|value| value.to_str().ok())
            .map(|text| text.chars().take(MAX_USER_AGENT_CHARACTERS).collect());
        Ok(Self { address, user_agent })
    }
}
