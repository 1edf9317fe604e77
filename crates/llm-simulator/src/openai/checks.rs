//! What a request's head must carry: a key, as a bearer token.

use http::HeaderMap;

use super::error::Error;
use crate::{
    credentials::{self, Caller, Flaw, ListedKeys},
    dialect::Dialect,
};

/// LM Studio asks for none.
pub(super) fn key(
    headers: &HeaderMap,
    dialect: Dialect,
    keys: &ListedKeys,
) -> Result<Caller, Error> {
    let shown = credentials::bearer(headers);
    if dialect == Dialect::LmStudio {
        return Ok(shown.map_or_else(|_| Caller::anonymous(), Caller::of));
    }
    match shown.and_then(|shown| keys.caller(dialect, shown)) {
        Ok(caller) => Ok(caller),
        Err(Flaw::Missing) => Err(Error::missing_key()),
        Err(Flaw::Malformed | Flaw::Unknown) => Err(Error::wrong_key()),
    }
}
