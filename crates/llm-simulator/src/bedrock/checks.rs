//! What a request's head must carry: a signature, or a key as a bearer token.

use http::{HeaderMap, header::AUTHORIZATION};

use super::error::Error;
use crate::credentials::{self, Caller, Flaw, signature::Signature};

pub(super) fn credential(headers: &HeaderMap) -> Result<Caller, Error> {
    match credentials::bearer(headers) {
        Ok(key) => return Ok(Caller::of(key)),
        Err(Flaw::Missing) => return Err(Error::missing_credential()),
        Err(Flaw::Malformed) => {}
    }
    let authorization = headers
        .get(AUTHORIZATION)
        .and_then(|header| header.to_str().ok());
    let Some(authorization) = authorization.filter(|text| Signature::is_meant(text)) else {
        return Err(Error::wrong_key());
    };
    let signature = Signature::read(authorization, headers).map_err(Error::incomplete_signature)?;
    Ok(Caller::of(signature.access_key))
}
