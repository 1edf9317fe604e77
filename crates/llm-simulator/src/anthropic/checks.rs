//! What a request's head must carry: a credential and a version.

use http::HeaderMap;

use super::error::Error;
use crate::credentials::{self, Caller, Flaw};

const API_KEY: &str = "x-api-key";
pub(super) const VERSION: &str = "anthropic-version";

/// Checks credential and version. The key itself is not compared with anything
/// and never kept.
pub(super) fn head(headers: &HeaderMap) -> Result<Caller, Error> {
    let caller = credential(headers)?;
    let version = headers.get(VERSION).map(http::HeaderValue::as_bytes);
    match version {
        None => Err(Error::invalid("anthropic-version: header is required")),
        Some(version) if is_date(version) => Ok(caller),
        Some(_) => Err(Error::invalid("anthropic-version: not a valid version")),
    }
}

/// The key comes in a header of its own or, from the official clients, as a
/// bearer token.
fn credential(headers: &HeaderMap) -> Result<Caller, Error> {
    match credentials::in_header(headers, API_KEY) {
        Some(Ok(key)) => Ok(Caller::of(key)),
        Some(Err(_)) => Err(Error::unauthenticated("invalid x-api-key")),
        None => match credentials::bearer(headers) {
            Ok(key) => Ok(Caller::of(key)),
            Err(Flaw::Missing) => Err(Error::unauthenticated("x-api-key header is required")),
            Err(Flaw::Malformed) => Err(Error::unauthenticated("invalid bearer token")),
        },
    }
}

/// `2023-06-01` and later ones.
fn is_date(version: &[u8]) -> bool {
    version.len() == 10
        && version.iter().enumerate().all(|(place, byte)| match place {
            4 | 7 => *byte == b'-',
            _ => byte.is_ascii_digit(),
        })
}
