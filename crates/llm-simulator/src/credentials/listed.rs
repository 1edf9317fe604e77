//! Keys that the simulator is told of: with them it tells a right key from a wrong one.

use std::{collections::BTreeMap, str::FromStr};

use secrecy::SecretString;
use sha2::{Digest, Sha256};

use super::{Caller, Flaw, well_formed};
use crate::dialect::Dialect;

/// More keys than any test needs.
const MAX_KEYS: usize = 1000;

/// The keys of `SIMULATOR_KEYS`: entries separated by commas, each
/// `anthropic=KEY`, `openai=KEY`, `bedrock=KEY` or `bedrock=ACCESS_KEY_ID:SECRET`.
///
/// A vendor with listed API keys takes only these; one without takes every key
/// that is well formed. Signatures are verified for the listed access keys, and
/// pass for others.
#[derive(Debug, Clone, Default)]
pub struct ListedKeys {
    /// Hashes, as nothing else is needed to compare.
    api_keys: BTreeMap<Dialect, Vec<[u8; 32]>>,
    access_keys: BTreeMap<String, SecretString>,
}

/// Why a list of keys was refused; it repeats no key.
#[derive(Debug, thiserror::Error)]
#[error("entry {place}: {reason}")]
pub struct ListedKeysError {
    /// The entry, counted from 1.
    pub place: usize,
    /// What would be accepted.
    pub reason: &'static str,
}

impl ListedKeys {
    /// Who shows this API key to a vendor.
    ///
    /// # Errors
    /// The vendor has listed keys, and this is none of them.
    pub(crate) fn caller(&self, dialect: Dialect, key: &str) -> Result<Caller, Flaw> {
        let known = self.api_keys.get(&dialect);
        if known.is_none_or(|known| known.contains(&Sha256::digest(key).into())) {
            Ok(Caller::of(key))
        } else {
            Err(Flaw::Unknown)
        }
    }

    /// The secret that belongs to a listed access key.
    pub(crate) fn secret(&self, access_key: &str) -> Option<&SecretString> {
        self.access_keys.get(access_key)
    }

    fn add(&mut self, entry: &str) -> Result<(), &'static str> {
        let (vendor, key) = entry.split_once('=').ok_or("must be VENDOR=KEY")?;
        let dialect = match vendor.trim() {
            "anthropic" => Dialect::Anthropic,
            "openai" => Dialect::OpenAi,
            "bedrock" => Dialect::Bedrock,
            _ => return Err("the vendor must be anthropic, openai or bedrock"),
        };
        let key = well_formed(key.trim()).map_err(|_| "the key must be visible ASCII")?;
        match key.split_once(':') {
            Some((id, secret)) if dialect == Dialect::Bedrock => {
                if id.is_empty() || secret.is_empty() {
                    return Err("must be bedrock=ACCESS_KEY_ID:SECRET");
                }
                self.access_keys.insert(id.to_owned(), secret.into());
            }
            _ => {
                let digest = Sha256::digest(key).into();
                self.api_keys.entry(dialect).or_default().push(digest);
            }
        }
        Ok(())
    }
}

impl FromStr for ListedKeys {
    type Err = ListedKeysError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut keys = Self::default();
        for (place, entry) in (1..).zip(text.split(',')) {
            let added = if place > MAX_KEYS {
                Err("at most 1000 keys")
            } else {
                keys.add(entry)
            };
            added.map_err(|reason| ListedKeysError { place, reason })?;
        }
        Ok(keys)
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::ListedKeys;
    use crate::dialect::Dialect;

    #[test]
    fn a_vendor_with_listed_keys_takes_only_these() {
        let keys: ListedKeys = "openai=sk-1, openai=sk-2,bedrock=AKID:se/cr+et="
            .parse()
            .unwrap();
        let known = |dialect, key| keys.caller(dialect, key).is_ok();
        assert!(known(Dialect::OpenAi, "sk-1") && known(Dialect::OpenAi, "sk-2"));
        assert!(!known(Dialect::OpenAi, "sk-3"));
        assert!(known(Dialect::Anthropic, "anything") && known(Dialect::Bedrock, "x"));
        assert_eq!(keys.secret("AKID").unwrap().expose_secret(), "se/cr+et=");
        assert!(keys.secret("other").is_none());
        assert!(!format!("{keys:?}").contains("se/cr"), "{keys:?}");
    }

    #[test]
    fn wrong_entries_are_counted_and_not_repeated() {
        for (text, place) in [
            ("sk-canary", 1),
            ("openai=sk-1,", 2),
            ("openai=sk-1,ollama=canary", 2),
            ("anthropic=", 1),
            ("openai=canary with space", 1),
            ("bedrock=canary:", 1),
        ] {
            let error = text.parse::<ListedKeys>().unwrap_err();
            assert_eq!(error.place, place, "{text}");
            assert!(!error.to_string().contains("canary"), "{error}");
        }
    }
}
