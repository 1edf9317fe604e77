//! Credentials, as the vendors' clients show them.

mod listed;
pub(crate) mod signature;

pub use listed::{ListedKeys, ListedKeysError};

use http::{HeaderMap, header::AUTHORIZATION};
use sha2::{Digest, Sha256};
use signature::Signature;

use crate::dialect::Dialect;

/// Longest key; the vendors' own have less than 200 characters.
const MAX_KEY: usize = 1024;

/// Who calls: a hash of the key, which itself is kept nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Caller(u64);

/// Why a request shows no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// There is nothing that could hold one.
    Missing,
    /// What is there cannot be a key.
    Malformed,
    /// It is none of those that the vendor knows.
    Unknown,
}

impl Caller {
    /// Whoever calls a server that asks for no key.
    pub(crate) fn anonymous() -> Self {
        Self(0)
    }

    pub(crate) fn of(key: &str) -> Self {
        let digest: [u8; 32] = Sha256::digest(key).into();
        let [first, ..] = digest.as_chunks::<8>().0 else {
            return Self::anonymous();
        };
        Self(u64::from_be_bytes(*first))
    }

    /// Eight hexadecimal digits that tell callers apart and do not lead back to the key.
    pub(crate) fn fingerprint(self) -> String {
        format!("{:08x}", self.0 >> 32)
    }
}

/// Who shows a key to a vendor, whether it is right or not; else the anonymous caller.
pub(crate) fn shown(dialect: Dialect, headers: &HeaderMap) -> Caller {
    if dialect == Dialect::Ollama {
        return Caller::anonymous();
    }
    if let Some(Ok(key)) = in_header(headers, "x-api-key") {
        return Caller::of(key);
    }
    let authorization = headers
        .get(AUTHORIZATION)
        .and_then(|text| text.to_str().ok());
    let signature = authorization.and_then(|text| Signature::read(text, headers).ok());
    match (bearer(headers), signature) {
        (Ok(key), _) => Caller::of(key),
        (Err(_), Some(signature)) => Caller::of(signature.access_key),
        (Err(_), None) => Caller::anonymous(),
    }
}

/// The key after `Authorization: Bearer`.
pub(crate) fn bearer(headers: &HeaderMap) -> Result<&str, Flaw> {
    let header = headers.get(AUTHORIZATION).ok_or(Flaw::Missing)?;
    let (scheme, key) = header
        .to_str()
        .ok()
        .and_then(|text| text.split_once(' '))
        .ok_or(Flaw::Malformed)?;
    if scheme.eq_ignore_ascii_case("bearer") {
        well_formed(key.trim())
    } else {
        Err(Flaw::Malformed)
    }
}

/// The key in a header of its own; none if there is no such header.
pub(crate) fn in_header<'a>(headers: &'a HeaderMap, name: &str) -> Option<Result<&'a str, Flaw>> {
    let header = headers.get(name)?;
    let key = header.to_str().map(str::trim).map_err(|_| Flaw::Malformed);
    Some(key.and_then(well_formed))
}

fn well_formed(key: &str) -> Result<&str, Flaw> {
    let visible = key.bytes().all(|byte| byte.is_ascii_graphic());
    if visible && (1..=MAX_KEY).contains(&key.len()) {
        Ok(key)
    } else {
        Err(Flaw::Malformed)
    }
}
