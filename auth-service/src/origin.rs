//! Where a request comes from, for limits, sessions and the audit: the peer's address and what it calls itself. Anybody
//! can send `X-Forwarded-For`, so it is believed only from this machine, where the gateway or a reverse proxy is; and of
//! it only the last entry, which is the one that proxy has added.

use crate::sessions::Origin;
use axum::extract::{ConnectInfo, FromRequestParts};
use http::HeaderMap;
use http::header::USER_AGENT;
use http::request::Parts;
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};

const MAX_USER_AGENT_CHARACTERS: usize = 200;

impl<S: Sync> FromRequestParts<S> for Origin {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
        let forwarded = peer.filter(IpAddr::is_loopback).and_then(|_| forwarded_for(&parts.headers));
        let address = forwarded.or(peer).map(|address| address.to_canonical().to_string());
        let user_agent = parts
            .headers
            .get(USER_AGENT)
            .and_then(|value| value.to_str().ok())
            .map(|text| text.chars().take(MAX_USER_AGENT_CHARACTERS).collect());
        Ok(Self { address, user_agent })
    }
}

fn forwarded_for(headers: &HeaderMap) -> Option<IpAddr> {
    let last = headers.get_all("x-forwarded-for").iter().next_back()?;
    last.to_str().ok()?.rsplit(',').next()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    async fn address(peer: [u8; 4], forwarded: &[&str]) -> Option<String> {
        let mut request = Request::builder().extension(ConnectInfo(SocketAddr::from((peer, 4711))));
        for value in forwarded {
            request = request.header("x-forwarded-for", *value);
        }
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        let Ok(origin) = Origin::from_request_parts(&mut parts, &()).await;
        origin.address
    }

    #[tokio::test]
    async fn a_forwarded_address_is_believed_from_this_machine_alone() {
        let (local, remote) = ([127, 0, 0, 1], [192, 0, 2, 1]);
        assert_eq!(address(remote, &["198.51.100.7"]).await.as_deref(), Some("192.0.2.1"));
        assert_eq!(address(local, &["198.51.100.7"]).await.as_deref(), Some("198.51.100.7"));
        assert_eq!(address(local, &["6.6.6.6, 198.51.100.7"]).await.as_deref(), Some("198.51.100.7"));
        assert_eq!(address(local, &["6.6.6.6", "2001:db8::7"]).await.as_deref(), Some("2001:db8::7"));
        assert_eq!(address(local, &["nonsense"]).await.as_deref(), Some("127.0.0.1"));
        assert_eq!(address(local, &[]).await.as_deref(), Some("127.0.0.1"));
    }
}
