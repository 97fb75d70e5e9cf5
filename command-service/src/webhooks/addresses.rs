//! Which addresses a webhook may go to. Whoever may set a URL must not be able to reach what only this machine or its
//! network can: so the addresses that a name resolves to are checked when a connection is made, not the name.

use futures_util::FutureExt as _;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// How far webhooks may reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AllowedAddresses {
    /// Public addresses alone.
    Public,
    /// Those and this machine: for development.
    PublicAndLoopback,
    /// Any.
    All,
}

impl AllowedAddresses {
    /// Whether a webhook may go there.
    #[must_use]
    pub fn allows(self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        match self {
            Self::All => true,
            Self::PublicAndLoopback => address.is_loopback() || is_public(address),
            Self::Public => is_public(address),
        }
    }

    /// Whether a URL may be without TLS: only where it may stay on this machine or network.
    #[must_use]
    pub fn allows_plain_http(self) -> bool {
        self != Self::Public
    }

    /// Whether the host, where it is an address and no name, may be reached.
    #[must_use]
    pub fn allows_host(self, host: &str) -> bool {
        let literal = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        literal.parse().map_or(true, |address| self.allows(address))
    }
}

/// Resolves names and drops the addresses that are not allowed.
impl Resolve for AllowedAddresses {
    fn resolve(&self, name: Name) -> Resolving {
        let allowed = *self;
        async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let reachable: Vec<SocketAddr> = found.filter(|address| allowed.allows(address.ip())).collect();
            if reachable.is_empty() {
                return Err(io::Error::other("the name has no address that webhooks may go to").into());
            }
            Ok(Box::new(reachable.into_iter()) as Addrs)
        }
        .boxed()
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// The registry of special addresses (RFC 6890 and its followers).
fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_broadcast()
        || address.is_documentation()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (18..20).contains(&b));
    !special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    let octets = address.octets();
    let last = |start: usize| Ipv4Addr::new(octets[start], octets[start + 1], octets[start + 2], octets[start + 3]);
    match (a, b) {
        // An IPv4 address inside, for translation (NAT64) and 6to4: what counts is that one.
        (0x64, 0xff9b) if octets[4..12] == [0; 8] => is_public_v4(last(12)),
        (0x2002, _) => is_public_v4(last(2)),
        // Teredo, benchmarking and documentation.
        (0x2001, 0 | 2 | 0x0db8) | (0x3fff, 0..=0x0fff) => false,
        // Global unicast is this block; everything else is special or not given out.
        _ => a & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_addresses_are_reached_unless_others_are_allowed() {
        let public =
            ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "64:ff9b::1.1.1.1", "2002:101:101::", "::ffff:8.8.8.8"];
        let special = [
            "0.0.0.0",
            "10.0.0.1",
            "100.64.0.1",
            "127.0.0.1",
            "127.1.2.3",
            "169.254.169.254",
            "172.16.0.1",
            "192.0.0.1",
            "192.168.1.1",
            "198.18.0.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::10.0.0.1",
            "64:ff9b:1::1",
            "fe80::1",
            "fc00::1",
            "fd12::1",
            "ff02::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2001::1",
            "::7f00:1",
        ];
        for (text, expected) in public.map(|text| (text, true)).into_iter().chain(special.map(|text| (text, false))) {
            let address = text.parse().unwrap();
            assert_eq!(AllowedAddresses::Public.allows(address), expected, "{text}");
            assert!(AllowedAddresses::All.allows(address));
        }
        let near = AllowedAddresses::PublicAndLoopback;
        for (text, expected) in [
            ("127.0.0.1", true),
            ("::1", true),
            ("::ffff:127.0.0.1", true),
            ("169.254.169.254", false),
            ("10.0.0.1", false),
        ] {
            assert_eq!(near.allows(text.parse().unwrap()), expected, "{text}");
        }
    }

    #[test]
    fn a_host_that_is_an_address_is_checked_as_one() {
        let public = AllowedAddresses::Public;
        assert!(public.allows_host("shop.example.org") && public.allows_host("1.1.1.1"));
        for host in ["127.0.0.1", "[::1]", "[::ffff:10.0.0.1]", "169.254.169.254"] {
            assert!(!public.allows_host(host), "{host}");
        }
    }

    #[tokio::test]
    async fn a_name_of_this_machine_has_no_address_that_may_be_reached() {
        let name = || "localhost".parse::<Name>().unwrap();
        assert!(AllowedAddresses::Public.resolve(name()).await.is_err());
        assert!(AllowedAddresses::PublicAndLoopback.resolve(name()).await.is_ok());
    }
}
