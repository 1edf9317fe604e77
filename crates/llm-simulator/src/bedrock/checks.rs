//! What a request must prove: a signature, or a key as a bearer token.

use http::{HeaderMap, header::AUTHORIZATION, request::Parts};
use jiff::Timestamp;
use secrecy::SecretString;

use super::error::Error;
use crate::{
    credentials::{
        self, Caller, Flaw, ListedKeys,
        signature::{Signature, Signed},
    },
    dialect::Dialect,
};

/// A credential that is well formed.
pub(super) struct Credential<'a> {
    pub(super) caller: Caller,
    /// To be verified once the body is there.
    signed: Option<(Signature<'a>, &'a SecretString)>,
}

impl<'a> Credential<'a> {
    /// Reads the head's credential.
    pub(super) fn read(headers: &'a HeaderMap, keys: &'a ListedKeys) -> Result<Self, Error> {
        match credentials::bearer(headers) {
            Ok(key) => {
                let caller = keys.caller(Dialect::Bedrock, key);
                Ok(Self {
                    caller: caller.map_err(|_| Error::wrong_key())?,
                    signed: None,
                })
            }
            Err(Flaw::Missing) => Err(Error::missing_credential()),
            Err(Flaw::Malformed | Flaw::Unknown) => Self::read_signature(headers, keys),
        }
    }

    /// Verifies the signature of a listed access key.
    pub(super) fn verify(&self, head: &Parts, body: &[u8]) -> Result<(), Error> {
        let Some((signature, secret)) = &self.signed else {
            return Ok(());
        };
        let signed = Signed {
            method: &head.method,
            uri: &head.uri,
            headers: &head.headers,
            body,
        };
        let verified = signature.verify(secret, &signed, Timestamp::now());
        verified.map_err(Error::invalid_signature)
    }

    fn read_signature(headers: &'a HeaderMap, keys: &'a ListedKeys) -> Result<Self, Error> {
        let text = headers
            .get(AUTHORIZATION)
            .and_then(|header| header.to_str().ok());
        let text = text
            .filter(|text| Signature::is_meant(text))
            .ok_or_else(Error::wrong_key)?;
        let signature = Signature::read(text, headers).map_err(Error::incomplete_signature)?;
        Ok(Self {
            caller: Caller::of(signature.access_key),
            signed: keys
                .secret(signature.access_key)
                .map(|secret| (signature, secret)),
        })
    }
}
