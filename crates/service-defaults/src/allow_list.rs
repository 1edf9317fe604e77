//! Addresses that may be called, by name: scheme, host and port must be equal to a listed one.

use std::{collections::BTreeMap, str::FromStr};

use url::Url;

use crate::environment::without_userinfo;

/// Addresses on a list: a bound, since each one may become a label.
const MAX_TARGETS: usize = 64;

/// A list of named base addresses, read from `name=http://host:port,…`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowList(BTreeMap<String, Url>);

/// An address that is not on the list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{address} is not an allowed target; allowed are {allowed}")]
pub struct Refused {
    address: String,
    allowed: String,
}

impl AllowList {
    /// The base address of this name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Url> {
        self.0.get(name)
    }

    /// The entries, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Url)> + Clone {
        self.0.iter().map(|(name, url)| (name.as_str(), url))
    }

    /// The name of the listed base address that `address` belongs to.
    ///
    /// # Errors
    /// An address that carries credentials or whose scheme, host or port are not listed together.
    pub fn check(&self, address: &Url) -> Result<&str, Refused> {
        let bare = address.username().is_empty() && address.password().is_none();
        let listed = self.iter().find(|(_, listed)| {
            listed.scheme() == address.scheme()
                && listed.host() == address.host()
                && listed.port_or_known_default() == address.port_or_known_default()
        });
        let name = listed.map(|(name, _)| name);
        name.filter(|_| bare).ok_or_else(|| Refused {
            address: without_userinfo(address.as_str()),
            allowed: self
                .iter()
                .map(|(name, url)| format!("{name} ({url})"))
                .collect::<Vec<_>>()
                .join(", "),
        })
    }
}

impl FromStr for AllowList {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut targets = BTreeMap::new();
        for entry in text
            .split(',')
            .map(str::trim)
            .filter(|entry| !entry.is_empty())
        {
            let (name, address) = entry
                .split_once('=')
                .ok_or("must be name=http://host:port,…")?;
            let url: Url = address
                .parse()
                .map_err(|error| format!("has {:?}: {error}", without_userinfo(address)))?;
            let plain = matches!(url.scheme(), "http" | "https")
                && url.has_host()
                && url.username().is_empty()
                && url.password().is_none();
            if !plain {
                return Err(format!(
                    "has {name:?}, which is no http address without credentials"
                ));
            }
            if targets.insert(name.to_owned(), url).is_some() {
                return Err(format!("names {name:?} twice"));
            }
        }
        if targets.len() > MAX_TARGETS {
            return Err(format!("has more than {MAX_TARGETS} targets"));
        }
        Ok(Self(targets))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_listed_addresses_pass() {
        let list: AllowList = "local=http://127.0.0.1:7002".parse().unwrap();
        let allowed = |address: &str| list.check(&address.parse().unwrap()).is_ok();
        assert!(allowed("http://127.0.0.1:7002/api"));
        // The parser reads decimal and octal hosts as the same address, which is the listed one.
        assert!(allowed("http://2130706433:7002"));
        for address in [
            "http://127.0.0.1:7003",
            "https://127.0.0.1:7002",
            "http://localhost:7002",
            "http://user@127.0.0.1:7002",
            "http://[::ffff:127.0.0.1]:7002",
            "http://169.254.169.254/latest",
        ] {
            assert!(!allowed(address), "{address}");
        }
    }

    #[test]
    fn lists_are_checked() {
        for text in [
            "local",
            "a=ftp://x",
            "a=http://u:p@x",
            "a=http://x,a=http://y",
            "a=::",
        ] {
            assert!(text.parse::<AllowList>().is_err(), "{text}");
        }
        // A refusal is shown, with what was refused.
        for text in ["a=http://u:canary@", "a=http://u:canary@x"] {
            let refusal = text.parse::<AllowList>().unwrap_err();
            assert!(!refusal.contains("canary"), "{refusal}");
        }
    }
}
