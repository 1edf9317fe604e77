//! What identifies the person who was recorded, and may be used by whoever reads the script.

use std::collections::BTreeSet;

use serde_json::Value;

/// Parts of names that tell a secret, in lower case and without `-` and `_`.
const TELLING: [&str; 17] = [
    "accesskey",
    "apikey",
    "auth",
    "bearer",
    "cookie",
    "credential",
    "csrf",
    "jwt",
    "nonce",
    "passphrase",
    "passwd",
    "password",
    "secret",
    "session",
    "signature",
    "token",
    "xsrf",
];

/// Names of books' fields and the like that only contain such a part.
const HARMLESS: [&str; 5] = [
    "author",
    "authors",
    "authorid",
    "authorname",
    "authenticity",
];

/// A longer word without a space, of letters and digits mixed, is nothing that a person wrote.
const LONGEST_WORD: usize = 40;

/// Names that are told when more were removed.
const MAX_NAMES: usize = 50;

/// What was removed, by name: never by value.
#[derive(Default)]
pub(super) struct Removed(BTreeSet<String>);

impl Removed {
    pub(super) fn add(&mut self, name: impl Into<String>) {
        if self.0.len() < MAX_NAMES {
            self.0.insert(name.into().chars().take(100).collect());
        }
    }

    pub(super) fn names(self) -> Vec<String> {
        self.0.into_iter().collect()
    }

    /// Whether a named value is a secret, which is then remembered as removed.
    pub(super) fn is_secret(&mut self, name: &str, value: &str, place: &str) -> bool {
        let secret = tells_one(name) || looks_like_one(value);
        if secret {
            self.add(format!("{name} {place}"));
        }
        secret
    }

    /// Takes secrets out of a body; whether there were any.
    pub(super) fn clean(&mut self, body: &mut Value) -> bool {
        match body {
            Value::Object(members) => {
                let mut found = false;
                for (name, member) in members.iter_mut() {
                    let single = !member.is_object() && !member.is_array() && !member.is_null();
                    if tells_one(name) && single {
                        *member = "removed".into();
                        self.add(format!("{name} of a body"));
                        found = true;
                    } else {
                        found |= self.clean(member);
                    }
                }
                found
            }
            // Every entry is looked at, also behind the first find.
            Value::Array(entries) => {
                let finds = entries.iter_mut().map(|entry| self.clean(entry));
                finds.fold(false, |found, find| found | find)
            }
            Value::String(text) if looks_like_one(text) => {
                *text = "removed".to_owned();
                self.add("a text of a body");
                true
            }
            _ => false,
        }
    }
}

/// Whether a name tells that its value is a secret.
fn tells_one(name: &str) -> bool {
    let lower: String = name
        .to_lowercase()
        .chars()
        .filter(|sign| !matches!(sign, '-' | '_'))
        .collect();
    !HARMLESS.contains(&lower.as_str()) && TELLING.iter().any(|part| lower.contains(part))
}

/// Whether a value is a secret whatever its name is: credentials, a signed token, or a long
/// random word.
pub(super) fn looks_like_one(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    let scheme = ["bearer ", "basic ", "digest "]
        .iter()
        .any(|begin| lower.starts_with(begin));
    let signed = value.starts_with("eyJ") && value.matches('.').count() >= 2;
    let is_random = |sign: char| sign.is_ascii_alphanumeric() || "+/=_-".contains(sign);
    let random = value.len() >= LONGEST_WORD
        && value.chars().all(is_random)
        && value.chars().any(|sign| sign.is_ascii_digit())
        && value.chars().any(|sign| sign.is_ascii_alphabetic())
        && value.matches(['/', '-', '_']).count() * 8 < value.len();
    scheme || signed || random
}

/// Whether a text of any form speaks of a secret.
pub(super) fn mentions_one(text: &str) -> bool {
    let words = text.split(|sign: char| !(sign.is_alphanumeric() || "+/=_-.".contains(sign)));
    words
        .into_iter()
        .any(|word| tells_one(word) || looks_like_one(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_tell_secrets() {
        for name in [
            "Authorization",
            "X-Api-Key",
            "access_token",
            "sessionId",
            "newPassword",
        ] {
            assert!(tells_one(name), "{name}");
        }
        for name in ["author", "page", "Accept", "title", "X-Tenant-Name"] {
            assert!(!tells_one(name), "{name}");
        }
        for value in [
            "Bearer x",
            "eyJhbGciOi.eyJzdWIi.c2lnbmF0dXJl",
            "0123456789abcdef0123456789abcdef01234567",
        ] {
            assert!(looks_like_one(value), "{value}");
        }
        for value in [
            "5eed98d48645e9aec0b30001",
            "A self-made millionaire and the parties of a Long Island summer",
            "application/json, text/plain, */*",
            "0190a0b0-c0d0-e0f0-0011-2233445566ff",
        ] {
            assert!(!looks_like_one(value), "{value}");
        }
    }
}
