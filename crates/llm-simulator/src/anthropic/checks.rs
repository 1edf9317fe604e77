//! What a request's head must carry: a credential and a version.

use http::HeaderMap;

use super::error::Error;
use crate::{
    credentials::{self, Caller, Flaw, ListedKeys},
    dialect::Dialect,
};

const API_KEY: &str = "x-api-key";
pub(super) const VERSION: &str = "anthropic-version";

/// Checks credential and version. The key itself is never kept.
pub(super) fn head(headers: &HeaderMap, keys: &ListedKeys) -> Result<Caller, Error> {
    let caller = credential(headers, keys)?;
    let version = headers.get(VERSION).map(http::HeaderValue::as_bytes);
    match version {
        None => Err(Error::invalid("anthropic-version: header is required")),
        Some(version) if is_date(version) => Ok(caller),
        Some(_) => Err(Error::invalid("anthropic-version: not a valid version")),
    }
}

/// The key comes in a header of its own or, from the official clients, as a
/// bearer token.
fn credential(headers: &HeaderMap, keys: &ListedKeys) -> Result<Caller, Error> {
    let known = |key| keys.caller(Dialect::Anthropic, key);
    if let Some(key) = credentials::in_header(headers, API_KEY) {
        let caller = key.and_then(known);
        return caller.map_err(|_| Error::unauthenticated("invalid x-api-key"));
    }
    let caller = credentials::bearer(headers).and_then(known);
    caller.map_err(|flaw| match flaw {
        Flaw::Missing => Error::unauthenticated("x-api-key header is required"),
        Flaw::Malformed | Flaw::Unknown => Error::unauthenticated("invalid bearer token"),
    })
}

/// `2023-06-01` and later ones.
fn is_date(version: &[u8]) -> bool {
    version.len() == 10
        && version.iter().enumerate().all(|(place, byte)| match place {
            4 | 7 => *byte == b'-',
            _ => byte.is_ascii_digit(),
        })
}
