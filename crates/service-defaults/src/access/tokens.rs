//! Tokens that stand in a file, by their hashes.

use std::{fs, io, path::Path};

use serde::Deserialize;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use tenancy::{Principal, Role, TenantId};

/// Longest token that is looked at: two of 32 random bytes in any spelling are shorter.
const MAX_TOKEN_BYTES: usize = 512;

/// Most tokens of a file: each request is compared with all of them.
const MAX_TOKENS: usize = 1_000;

/// Largest file: the most tokens with the longest names.
const MAX_FILE_BYTES: u64 = 1_024 * 1_024;

/// Longest name of a user.
pub(super) const MAX_USER: usize = 128;

/// Whom each token stands for.
#[derive(Debug, Clone)]
pub struct Tokens(Vec<(Hash, Principal)>);

/// SHA-256 of a token.
type Hash = [u8; 32];

/// A file that holds no usable tokens.
#[derive(Debug, thiserror::Error)]
pub enum TokensError {
    /// It cannot be read.
    #[error("{0}")]
    Unreadable(#[from] io::Error),
    /// It is no TOML of this shape. What it holds is not repeated: it could be a token.
    #[error("line {line}: is not [[token]] with sha256, tenant, user and role")]
    Shape {
        /// Counts from 1.
        line: usize,
    },
    /// A token is described wrongly.
    #[error("token {number}: {reason}")]
    Token {
        /// Counts from 1.
        number: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// There is none, or there are too many.
    #[error("must hold 1 to {MAX_TOKENS} tokens")]
    Count,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    token: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    sha256: String,
    tenant: String,
    user: String,
    role: String,
}

impl Tokens {
    /// Reads the file at `path`.
    ///
    /// # Errors
    /// See [`TokensError`].
    pub fn load(path: &Path) -> Result<Self, TokensError> {
        if fs::metadata(path)?.len() > MAX_FILE_BYTES {
            return Err(io::Error::other("is too large for a list of tokens").into());
        }
        Self::parse(&fs::read_to_string(path)?)
    }

    /// Reads a list of tokens.
    ///
    /// # Errors
    /// See [`TokensError`].
    pub fn parse(text: &str) -> Result<Self, TokensError> {
        let file: File = toml::from_str(text).map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start));
            let line = before.unwrap_or_default().matches('\n').count() + 1;
            TokensError::Shape { line }
        })?;
        if !(1..=MAX_TOKENS).contains(&file.token.len()) {
            return Err(TokensError::Count);
        }
        let mut tokens: Vec<(Hash, Principal)> = Vec::with_capacity(file.token.len());
        for (index, entry) in file.token.into_iter().enumerate() {
            let number = index + 1;
            let wrong = |reason: String| TokensError::Token { number, reason };
            let (hash, principal) = entry.read().map_err(wrong)?;
            if tokens.iter().any(|(other, _)| *other == hash) {
                return Err(wrong("stands there twice".to_owned()));
            }
            tokens.push((hash, principal));
        }
        Ok(Self(tokens))
    }

    /// Whom a token stands for. It takes the same time whichever it is, and if it is none.
    #[must_use]
    pub fn principal(&self, token: &str) -> Option<&Principal> {
        if token.is_empty() || token.len() > MAX_TOKEN_BYTES {
            return None;
        }
        let hash: Hash = Sha256::digest(token).into();
        let (mut found, mut place) = (Choice::from(0), 0_u32);
        for (index, (listed, _)) in (0_u32..).zip(&self.0) {
            let same = listed.ct_eq(&hash);
            place.conditional_assign(&index, same);
            found |= same;
        }
        let place = usize::try_from(place).ok().filter(|_| bool::from(found))?;
        self.0.get(place).map(|(_, principal)| principal)
    }
}

impl Entry {
    fn read(self) -> Result<(Hash, Principal), String> {
        let hash = hash(&self.sha256).ok_or("sha256 must be 64 hexadecimal digits")?;
        let tenant = TenantId::parse(&self.tenant).map_err(|error| format!("tenant {error}"))?;
        let reason = || format!("user must be 1 to {MAX_USER} visible ASCII characters");
        let user = is_user(&self.user)
            .then_some(self.user)
            .ok_or_else(reason)?;
        let names = || {
            format!(
                "role must be one of {}",
                Role::ALL.map(Role::as_str).join(", ")
            )
        };
        let role = Role::parse(&self.role).ok_or_else(names)?;
        let user = user.into();
        Ok((hash, Principal { tenant, user, role }))
    }
}

/// Whether a text may be a user's name.
pub(super) fn is_user(name: &str) -> bool {
    (1..=MAX_USER).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic())
}

fn hash(text: &str) -> Option<Hash> {
    let mut hash = Hash::default();
    let digits = text.as_bytes().chunks_exact(2);
    if text.len() != 2 * hash.len() {
        return None;
    }
    for (byte, pair) in hash.iter_mut().zip(digits) {
        let pair = std::str::from_utf8(pair).ok()?;
        if pair.starts_with('+') {
            return None;
        }
        *byte = u8::from_str_radix(pair, 16).ok()?;
    }
    Some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(token: &str, role: &str) -> String {
        let hash: Hash = Sha256::digest(token).into();
        let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("[[token]]\nsha256 = '{hash}'\ntenant = 'a'\nuser = 'ana'\nrole = '{role}'\n")
    }

    #[test]
    fn a_token_stands_for_whom_its_entry_names() {
        let text = entry("first", "viewer") + &entry("second", "admin");
        let tokens = Tokens::parse(&text).unwrap();
        let role = |token: &str| tokens.principal(token).map(|principal| principal.role);
        assert_eq!(role("first"), Some(Role::Viewer));
        assert_eq!(role("second"), Some(Role::Admin));
        for other in ["", "First", "first ", "third", &"x".repeat(100_000)] {
            assert_eq!(role(other), None);
        }
    }

    #[test]
    fn wrong_files_are_refused_without_repeating_them() {
        let good = entry("first", "viewer");
        for (text, says) in [
            (String::new(), "1 to 1000"),
            (good.replace("'viewer'", "'root'"), "role must be one of"),
            (good.replace("'a'", "'a:b'"), "tenant must be"),
            (good.replace("'ana'", "'a na'"), "user must be"),
            (good.repeat(2), "token 2: stands there twice"),
            (
                good.replace("sha256 = '", "sha256 = 'canary"),
                "64 hexadecimal",
            ),
            (good.replace("sha256", "token"), "line 2"),
            (format!("{good}canary = 1\n"), "is not [[token]]"),
            ("canary".to_owned(), "line 1"),
        ] {
            let error = Tokens::parse(&text).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
            assert!(!error.contains("canary"), "{error}");
        }
    }
}
