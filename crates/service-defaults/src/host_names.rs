//! The names that a service answers to.
//!
//! A page of another site can make its own name lead to this machine (DNS rebinding); to the
//! browser the service then belongs to that page. Its `Host` still has the page's name. An
//! address cannot be rebound.

use std::{
    collections::BTreeSet,
    net::{IpAddr, SocketAddr},
    str::FromStr,
};

use http::{HeaderMap, Uri, header};

/// Names on a list: services have one or two.
const MAX_NAMES: usize = 16;

/// Names from a setting: `name,…`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostNames(BTreeSet<String>);

impl HostNames {
    /// Whether a request names this service, which listens on `address`, as its host. Loopback
    /// always is; where the service listens beyond it, so is any address and each listed name.
    #[must_use]
    pub fn accept(&self, address: SocketAddr, uri: &Uri, headers: &HeaderMap) -> bool {
        let header = || headers.get(header::HOST)?.to_str().ok().map(without_port);
        let Some(host) = uri.host().or_else(header) else {
            return false;
        };
        let beyond = !address.ip().is_loopback();
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        match bare.parse::<IpAddr>() {
            Ok(ip) => beyond || ip.is_loopback(),
            Err(_) => host.eq_ignore_ascii_case("localhost") || (beyond && self.contains(host)),
        }
    }
}

impl HostNames {
    /// Whether the name is on the list, in any case of its letters.
    #[must_use]
    pub fn contains(&self, host: &str) -> bool {
        self.0.contains(&host.to_ascii_lowercase())
    }
}

/// The host of `host:port` or `[address]:port`.
fn without_port(text: &str) -> &str {
    let (text, end) = match text.strip_prefix('[') {
        Some(address) => (address, ']'),
        None => (text, ':'),
    };
    text.split(end).next().unwrap_or(text)
}

impl FromStr for HostNames {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let names = text
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty());
        let names: BTreeSet<String> = names.map(str::to_ascii_lowercase).collect();
        let is_name = |name: &String| {
            let letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
            name.chars().all(letter)
        };
        if let Some(other) = names.iter().find(|name| !is_name(name)) {
            return Err(format!("has {other:?}, which is no name of a host"));
        }
        if names.len() > MAX_NAMES {
            return Err(format!("has more than {MAX_NAMES} names"));
        }
        Ok(Self(names))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accept(names: &str, address: &str, host: &str) -> bool {
        let names: HostNames = names.parse().unwrap();
        let headers = [(header::HOST, host.parse().unwrap())]
            .into_iter()
            .collect();
        names.accept(address.parse().unwrap(), &Uri::from_static("/"), &headers)
    }

    #[test]
    fn on_loopback_only_loopback_is_meant() {
        for host in [
            "127.0.0.1:7004",
            "127.0.0.1",
            "LocalHost:7004",
            "[::1]:9",
            "[::1]",
        ] {
            assert!(accept("", "127.0.0.1:7004", host), "{host}");
        }
        for host in [
            "evil.example:7004",
            "localhost.evil.example",
            "127.0.0.1.nip.example:7004",
            "0.0.0.0:7004",
            "192.0.2.1:7004",
            "listed",
            "user@evil.example",
            "",
        ] {
            assert!(!accept("listed", "127.0.0.1:7004", host), "{host}");
        }
    }

    #[test]
    fn beyond_it_names_must_be_listed() {
        let address = "0.0.0.0:7004";
        for host in [
            "listed:7004",
            "Listed",
            "192.0.2.1:7004",
            "[2001:db8::1]",
            "localhost",
        ] {
            assert!(accept("other, listed", address, host), "{host}");
        }
        for host in ["evil.example", "listed.evil.example", ""] {
            assert!(!accept("other,listed", address, host), "{host}");
        }
    }

    #[test]
    fn without_a_host_header_the_address_of_the_request_counts() {
        let names = HostNames::default();
        let address = "127.0.0.1:7004".parse().unwrap();
        let accept =
            |uri: &'static str| names.accept(address, &Uri::from_static(uri), &HeaderMap::new());
        assert!(accept("http://localhost:7004/"));
        assert!(!accept("http://evil.example/") && !accept("/"));
    }

    #[test]
    fn lists_are_checked() {
        assert!("a b".parse::<HostNames>().is_err());
        assert!("http://a".parse::<HostNames>().is_err());
        assert_eq!(" ,".parse(), Ok(HostNames::default()));
    }
}
