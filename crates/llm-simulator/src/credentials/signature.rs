//! AWS Signature Version 4, as a server reads it.

use http::HeaderMap;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// The service that requests must be signed for.
const SERVICE: &str = "bedrock";
/// The last part of every scope.
const TERMINATOR: &str = "aws4_request";
const DATE: &str = "x-amz-date";

/// The parts of an `Authorization` header.
#[derive(Debug)]
pub(crate) struct Signature<'a> {
    pub(crate) access_key: &'a str,
}

impl<'a> Signature<'a> {
    /// Whether a header claims to be a signature of this kind.
    pub(crate) fn is_meant(authorization: &str) -> bool {
        authorization.starts_with(ALGORITHM)
    }

    /// Reads and checks everything but the signature itself.
    ///
    /// # Errors
    /// Says which part is missing or wrong.
    pub(crate) fn read(authorization: &'a str, headers: &HeaderMap) -> Result<Self, &'static str> {
        let parts = authorization.strip_prefix(ALGORITHM).unwrap_or_default();
        let part = |name: &str| {
            parts.split(',').find_map(|part| {
                let (found, value) = part.trim().split_once('=')?;
                (found == name && !value.is_empty()).then_some(value)
            })
        };
        let credential =
            part("Credential").ok_or("Authorization header requires 'Credential' parameter.")?;
        let signed = part("SignedHeaders")
            .ok_or("Authorization header requires 'SignedHeaders' parameter.")?;
        let signature =
            part("Signature").ok_or("Authorization header requires 'Signature' parameter.")?;
        if !headers.contains_key(DATE) {
            return Err("Authorization header requires existence of a 'X-Amz-Date' header.");
        }
        if signature.len() != 64 || !signature.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err("The signature must be 64 hexadecimal digits.");
        }
        if !signed.split(';').any(|name| name == "host") {
            return Err("'Host' must be a 'SignedHeader' in the AWS Authorization.");
        }
        let scope: Vec<&str> = credential.split('/').collect();
        match scope[..] {
            [access_key, _, _, SERVICE, TERMINATOR] if !access_key.is_empty() => {
                Ok(Self { access_key })
            }
            [_, _, _, _, TERMINATOR] => {
                Err("Credential should be scoped to correct service: 'bedrock'.")
            }
            _ => Err("Credential must have exactly 5 slash-delimited elements: \
                      keyid/date/region/service/aws4_request."),
        }
    }
}
