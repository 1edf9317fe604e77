//! Where the load may go, and k6's guard that it goes nowhere else.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;
use std::time::Duration;

use reqwest::Url;

use crate::runner::StartError;
use crate::sandbox;

/// Looking up a name takes milliseconds, or the resolver is down.
const LOOK_UP_DEADLINE: Duration = Duration::from_secs(5);

/// Addresses of one name that are let through: each takes up to 128 ranges on k6's command
/// line.
const MAX_ADDRESSES: usize = 8;

/// The machine's own table of names.
const HOSTS: &str = "/etc/hosts";

/// What names are looked up with that the table does not have.
const RESOLVER: [&str; 2] = ["/etc/resolv.conf", "/etc/nsswitch.conf"];

/// The base address of the service under test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target(Url);

/// Why a text is no target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be http:// or https:// with a host, without user, query or fragment")]
pub struct InvalidTarget;

/// The addresses that share their first bits. IPv4 is held in the upper 32 bits.
#[derive(Debug, Clone, Copy)]
struct Range {
    bits: u128,
    length: u8,
}

impl Target {
    /// Reads a target like `http://127.0.0.1:7002`.
    ///
    /// # Errors
    /// [`InvalidTarget`] when it is no plain HTTP address. A user and password would end up on
    /// k6's command line, for everybody to see.
    pub fn parse(text: &str) -> Result<Self, InvalidTarget> {
        let url = Url::parse(text).map_err(|_| InvalidTarget)?;
        let plain = matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        if plain {
            Ok(Self(url))
        } else {
            Err(InvalidTarget)
        }
    }

    /// The address without a slash at its end: scripts append paths to it.
    #[must_use]
    pub fn base_url(&self) -> &str {
        self.0.as_str().trim_end_matches('/')
    }

    /// The port that the load goes to.
    pub(crate) fn port(&self) -> u16 {
        self.0.port_or_known_default().unwrap_or(80)
    }

    /// The files that k6 needs to find and to trust it. An address needs none.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        if let Some(name) = self.0.domain() {
            files.push(PathBuf::from(HOSTS));
            let hosts = std::fs::read_to_string(HOSTS).unwrap_or_default();
            if !lists(&hosts, name) {
                files.extend(RESOLVER.map(PathBuf::from));
            }
        }
        if self.0.scheme() == "https" {
            files.extend(sandbox::certificates());
        }
        files
    }

    /// All address ranges but the target's own, for k6's `--blacklist-ip`. k6 holds them
    /// against resolved addresses, those of redirects included.
    /// With `loopback` that is let through as well.
    pub(crate) async fn everything_else(&self, loopback: bool) -> Result<Vec<String>, StartError> {
        let mut addresses = self.addresses().await?;
        addresses.extend(loopback.then_some(IpAddr::V4(Ipv4Addr::LOCALHOST)));
        Ok(complement(&addresses))
    }

    async fn addresses(&self) -> Result<Vec<IpAddr>, StartError> {
        let host = self.0.host_str().unwrap_or_default();
        let unknown = |reason: String| StartError::Target {
            target: host.to_owned(),
            reason,
        };
        let name = host.trim_start_matches('[').trim_end_matches(']');
        let look_up = tokio::net::lookup_host((name, self.port()));
        let found = tokio::time::timeout(LOOK_UP_DEADLINE, look_up)
            .await
            .map_err(|_| unknown(format!("no answer within {LOOK_UP_DEADLINE:?}")))?
            .map_err(|error| unknown(error.to_string()))?;
        let addresses: Vec<_> = found
            .map(|socket| socket.ip())
            .take(MAX_ADDRESSES)
            .collect();
        if addresses.is_empty() {
            Err(unknown("none found".to_owned()))
        } else {
            Ok(addresses)
        }
    }
}

/// Whether a table of names has this one.
fn lists(hosts: &str, name: &str) -> bool {
    let entries = hosts
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default());
    entries
        .flat_map(|entry| entry.split_whitespace().skip(1))
        .any(|listed| listed.eq_ignore_ascii_case(name))
}

/// The fewest ranges that hold every address but these.
fn complement(addresses: &[IpAddr]) -> Vec<String> {
    let bits = |want_v4: bool| -> Vec<u128> {
        addresses
            .iter()
            .filter(|address| address.is_ipv4() == want_v4)
            .map(|address| match address {
                IpAddr::V4(v4) => u128::from(v4.to_bits()) << 96,
                IpAddr::V6(v6) => v6.to_bits(),
            })
            .collect()
    };
    let mut v4 = Vec::new();
    let mut v6 = Vec::new();
    let whole = Range { bits: 0, length: 0 };
    split(whole, 32, &bits(true), &mut v4);
    split(whole, 128, &bits(false), &mut v6);
    let v4 = v4.iter().map(|range| {
        // The upper 32 of 128 bits, in the notation of IPv4.
        let [a, b, c, d, ..] = range.bits.to_be_bytes();
        format!("{a}.{b}.{c}.{d}/{}", range.length)
    });
    let v6 = v6
        .iter()
        .map(|range| format!("{}/{}", Ipv6Addr::from_bits(range.bits), range.length));
    v4.chain(v6).collect()
}

/// Halves a range until its parts hold either none of the kept addresses, or one alone.
fn split(range: Range, width: u8, kept: &[u128], out: &mut Vec<Range>) {
    let inside: Vec<u128> = kept
        .iter()
        .copied()
        .filter(|bits| range.holds(*bits))
        .collect();
    if inside.is_empty() {
        out.push(range);
    } else if range.length < width {
        let length = range.length + 1;
        let upper = range.bits | (1 << (128 - u32::from(length)));
        split(Range { length, ..range }, width, &inside, out);
        split(
            Range {
                bits: upper,
                length,
            },
            width,
            &inside,
            out,
        );
    }
}

impl Range {
    const fn holds(self, bits: u128) -> bool {
        match 128 - self.length {
            128 => true,
            shift => bits >> shift == self.bits >> shift,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_plain_http_addresses() {
        assert_eq!(
            Target::parse("http://127.0.0.1:7002/").unwrap().base_url(),
            "http://127.0.0.1:7002"
        );
        assert_eq!(
            Target::parse("https://shop.test/base").unwrap().base_url(),
            "https://shop.test/base"
        );
        for text in [
            "",
            "7002",
            "ftp://x",
            "http://",
            "http://u:p@x",
            "http://u@x",
            "http://x?y",
            "http://x#y",
            "file:///etc/passwd",
        ] {
            assert!(Target::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn only_names_and_certificates_need_files() {
        let files = |text| Target::parse(text).unwrap().files();
        assert!(files("http://127.0.0.1:7002").is_empty());
        assert!(files("http://[::1]").is_empty());
        assert_eq!(files("http://localhost"), [PathBuf::from("/etc/hosts")]);
        let elsewhere = files("https://shop.test");
        assert!(elsewhere.contains(&"/etc/resolv.conf".into()));
        assert!(elsewhere.contains(&"/etc/ssl/certs".into()));
        assert!(lists("127.0.0.1 a b # c\n", "B") && !lists("127.0.0.1 a b # c\n", "c"));
    }

    #[test]
    fn the_complement_holds_all_but_the_kept() {
        let ranges = complement(&["127.0.0.1".parse().unwrap()]);
        assert_eq!(
            ranges.len(),
            33,
            "32 ranges around one address and all of IPv6"
        );
        assert!(ranges.contains(&"127.0.0.0/32".to_owned()));
        assert!(ranges.contains(&"128.0.0.0/1".to_owned()));
        assert!(ranges.contains(&"::/0".to_owned()));

        let both = complement(&["127.0.0.1".parse().unwrap(), "::1".parse().unwrap()]);
        assert_eq!(both.len(), 32 + 128);
        assert!(both.contains(&"::/128".to_owned()) && !both.contains(&"::/0".to_owned()));

        let neighbours = complement(&["10.0.0.2".parse().unwrap(), "10.0.0.3".parse().unwrap()]);
        assert_eq!(neighbours.len(), 31 + 1);

        // A target on loopback, and the loopback address once more.
        let twice = complement(&["127.0.0.1".parse().unwrap(), "127.0.0.1".parse().unwrap()]);
        assert_eq!(twice, ranges);
    }
}
