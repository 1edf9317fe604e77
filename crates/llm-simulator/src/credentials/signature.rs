//! AWS Signature Version 4, as a server reads and verifies it.

#[cfg(test)]
mod tests;

use std::fmt::Write;

use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, Method, Uri, header::HOST};
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// The service that requests must be signed for.
const SERVICE: &str = "bedrock";
/// The last part of every scope.
const TERMINATOR: &str = "aws4_request";
const DATE: &str = "x-amz-date";
/// Says the payload's hash, or that it was not signed.
const CONTENT_HASH: &str = "x-amz-content-sha256";
const UNSIGNED: &str = "UNSIGNED-PAYLOAD";
/// How far a caller's clock may be off, as the vendor has it.
const SKEW: SignedDuration = SignedDuration::from_mins(5);

/// The parts of an `Authorization` header.
#[derive(Debug)]
pub(crate) struct Signature<'a> {
    pub(crate) access_key: &'a str,
    /// When it was signed, as it is written.
    at: &'a str,
    date: &'a str,
    region: &'a str,
    signed_headers: &'a str,
    signature: &'a str,
}

/// What was signed.
pub(crate) struct Signed<'a> {
    pub(crate) method: &'a Method,
    pub(crate) uri: &'a Uri,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a [u8],
}

/// Why a signature does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Invalid {
    /// It is not of this request or by this secret.
    Mismatch,
    /// Its date is none, or too far from now.
    Expired,
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
    pub(crate) fn read(
        authorization: &'a str,
        headers: &'a HeaderMap,
    ) -> Result<Self, &'static str> {
        let parts = authorization.strip_prefix(ALGORITHM).unwrap_or_default();
        let part = |name: &str| {
            parts.split(',').find_map(|part| {
                let (found, value) = part.trim().split_once('=')?;
                (found == name && !value.is_empty()).then_some(value)
            })
        };
        let credential =
            part("Credential").ok_or("Authorization header requires 'Credential' parameter.")?;
        let signed_headers = part("SignedHeaders")
            .ok_or("Authorization header requires 'SignedHeaders' parameter.")?;
        let signature =
            part("Signature").ok_or("Authorization header requires 'Signature' parameter.")?;
        let at = headers
            .get(DATE)
            .and_then(|date| date.to_str().ok())
            .ok_or("Authorization header requires existence of a 'X-Amz-Date' header.")?;
        if signature.len() != 64 || !signature.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err("The signature must be 64 hexadecimal digits.");
        }
        if !signed_headers.split(';').any(is_host) {
            return Err("'Host' must be a 'SignedHeader' in the AWS Authorization.");
        }
        let scope: Vec<&str> = credential.split('/').collect();
        match scope[..] {
            [access_key, date, region, SERVICE, TERMINATOR] if !access_key.is_empty() => Ok(Self {
                access_key,
                at,
                date,
                region,
                signed_headers,
                signature,
            }),
            [_, _, _, _, TERMINATOR] => {
                Err("Credential should be scoped to correct service: 'bedrock'.")
            }
            _ => Err("Credential must have exactly 5 slash-delimited elements: \
                      keyid/date/region/service/aws4_request."),
        }
    }

    /// Compares the signature with the one that the secret gives.
    ///
    /// # Errors
    /// It is another one, or of another time.
    pub(crate) fn verify(
        &self,
        secret: &SecretString,
        request: &Signed<'_>,
        now: Timestamp,
    ) -> Result<(), Invalid> {
        let at = Timestamp::strptime("%Y%m%dT%H%M%SZ%z", format!("{}+0000", self.at))
            .map_err(|_| Invalid::Expired)?;
        if now.duration_since(at).abs() > SKEW || !self.at.starts_with(self.date) {
            return Err(Invalid::Expired);
        }
        let text = format!(
            "{ALGORITHM}\n{}\n{}/{}/{SERVICE}/{TERMINATOR}\n{}",
            self.at,
            self.date,
            self.region,
            hexadecimal(&Sha256::digest(self.canonical(request))),
        );
        let first = format!("AWS4{}", secret.expose_secret());
        let mut key = first.into_bytes();
        for part in [self.date, self.region, SERVICE, TERMINATOR] {
            key = keyed_hash(&key, part);
        }
        let expected = hexadecimal(&keyed_hash(&key, &text));
        // Both are of 64 digits. How long comparing takes tells nothing here:
        // whoever can measure it holds a test key of a simulator.
        if expected.eq_ignore_ascii_case(self.signature) {
            Ok(())
        } else {
            Err(Invalid::Mismatch)
        }
    }

    /// The request as both sides write it down before hashing it.
    fn canonical(&self, request: &Signed<'_>) -> String {
        let mut parts: Vec<&str> = request.uri.query().unwrap_or_default().split('&').collect();
        parts.sort_unstable();
        let mut canonical = format!(
            "{}\n{}\n{}\n",
            request.method,
            encoded(request.uri.path()),
            parts.join("&")
        );
        for name in self.signed_headers.split(';') {
            canonical.push_str(name);
            canonical.push(':');
            canonical.push_str(&values(request, name));
            canonical.push('\n');
        }
        canonical.push('\n');
        canonical.push_str(self.signed_headers);
        canonical.push('\n');
        let unsigned = request
            .headers
            .get(CONTENT_HASH)
            .is_some_and(|hash| hash == UNSIGNED);
        if unsigned {
            canonical.push_str(UNSIGNED);
        } else {
            canonical.push_str(&hexadecimal(&Sha256::digest(request.body)));
        }
        canonical
    }
}

/// HTTP/2 has an authority instead, and the official JavaScript client signs it.
fn is_host(name: &str) -> bool {
    name == HOST || name == ":authority"
}

/// All values of a header, each with single spaces.
fn values(request: &Signed<'_>, name: &str) -> String {
    let values: Vec<String> = request
        .headers
        .get_all(name)
        .iter()
        .map(|value| {
            let text = String::from_utf8_lossy(value.as_bytes());
            let words: Vec<&str> = text.split_ascii_whitespace().collect();
            words.join(" ")
        })
        .collect();
    if values.is_empty() && is_host(name) {
        let authority = request.uri.authority();
        return authority.map_or_else(String::new, ToString::to_string);
    }
    values.join(",")
}

/// The path once more percent-encoded, as every service but one wants it signed.
fn encoded(path: &str) -> String {
    let mut encoded = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~/".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string never fails.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

fn keyed_hash(key: &[u8], text: &str) -> Vec<u8> {
    // This hash takes keys of every length.
    let Ok(mut hash) = Hmac::<Sha256>::new_from_slice(key) else {
        return Vec::new();
    };
    hash.update(text.as_bytes());
    hash.finalize().into_bytes().to_vec()
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
