//! Where a request comes from, for limits, sessions and the audit: the client's address and what it calls itself.

use crate::sessions::Origin;
use axum::extract::FromRequestParts;
use http::header::USER_AGENT;
use http::request::Parts;
use std::convert::Infallible;
use web::ClientAddress;

const MAX_USER_AGENT_CHARACTERS: usize = 200;

impl<S: Sync> FromRequestParts<S> for Origin {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let ClientAddress(address) = ClientAddress::from_request_parts(parts, state).await?;
        let user_agent = parts
            .headers
            .get(USER_AGENT)
            .and_then(|value| value.to_str().ok())
            .map(|text| text.chars().take(MAX_USER_AGENT_CHARACTERS).collect());
        Ok(Self { address: address.map(|address| address.to_string()), user_agent })
    }
}
