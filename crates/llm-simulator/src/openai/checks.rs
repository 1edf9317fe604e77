//! What a request's head must carry: a key, as a bearer token.

use http::HeaderMap;

use super::error::Error;
use crate::credentials::{self, Caller, Flaw};

/// Whether a caller must show a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    Required,
    Optional,
}

pub(super) fn key(headers: &HeaderMap, key: Key) -> Result<Caller, Error> {
    match credentials::bearer(headers) {
        Ok(key) => Ok(Caller::of(key)),
        Err(_) if key == Key::Optional => Ok(Caller::anonymous()),
        Err(Flaw::Missing) => Err(Error::missing_key()),
        Err(Flaw::Malformed) => Err(Error::wrong_key()),
    }
}
