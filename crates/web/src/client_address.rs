//! Where a request comes from, for limits and the audit. Anybody can send `X-Forwarded-For`, so it is believed only from
//! this machine, where the gateway or a reverse proxy is; and of it only the last entry, which is the one that proxy has
//! added.

use axum::extract::{ConnectInfo, FromRequestParts};
use http::HeaderMap;
use http::request::Parts;
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};

/// The address of the client; none where a test or a service in this process calls the router itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddress(pub Option<IpAddr>);

impl ClientAddress {
    /// The address, as it is counted for a limit; empty where there is none.
    #[must_use]
    pub fn key(self) -> String {
        self.0.map(|address| address.to_string()).unwrap_or_default()
    }
}

impl<S: Sync> FromRequestParts<S> for ClientAddress {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
        let forwarded = peer.filter(IpAddr::is_loopback).and_then(|_| forwarded_for(&parts.headers));
        Ok(Self(forwarded.or(peer).map(|address| address.to_canonical())))
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

    async fn address(peer: [u8; 4], forwarded: &[&str]) -> String {
        let mut request = Request::builder().extension(ConnectInfo(SocketAddr::from((peer, 4711))));
        for value in forwarded {
            request = request.header("x-forwarded-for", *value);
        }
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        let Ok(address) = ClientAddress::from_request_parts(&mut parts, &()).await;
        address.key()
    }

    #[tokio::test]
    async fn a_forwarded_address_is_believed_from_this_machine_alone() {
        let (local, remote) = ([127, 0, 0, 1], [192, 0, 2, 1]);
        assert_eq!(address(remote, &["198.51.100.7"]).await, "192.0.2.1");
        assert_eq!(address(local, &["198.51.100.7"]).await, "198.51.100.7");
        assert_eq!(address(local, &["6.6.6.6, 198.51.100.7"]).await, "198.51.100.7");
        assert_eq!(address(local, &["6.6.6.6", "2001:db8::7"]).await, "2001:db8::7");
        assert_eq!(address(local, &["nonsense"]).await, "127.0.0.1");
        assert_eq!(address(local, &[]).await, "127.0.0.1");
    }
}
