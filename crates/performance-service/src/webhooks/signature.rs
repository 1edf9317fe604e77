//! What a receiver checks: HMAC-SHA256 over the time of sending, a dot and the body.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::Sha256;

/// What the secrets of webhooks begin with, so that people and scanners know them.
const PREFIX: &str = "whsec_";

/// What else the service's secret may be used for makes other values.
const PURPOSE: &[u8] = b"bookstore webhook signing secret";

/// The secret of a webhook, made from the service's own and the webhook's salt.
pub(super) fn derive(secret: &str, salt: &[u8]) -> String {
    let derived = code(secret.as_bytes(), &[PURPOSE, salt]);
    format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(derived))
}

/// The value of the signature's header: the scheme's version and the code in hexadecimal.
pub(super) fn sign(secret: &str, at: Timestamp, body: &str) -> String {
    let time = at.as_second().to_string();
    let code = code(secret.as_bytes(), &[time.as_bytes(), b".", body.as_bytes()]);
    code.iter().fold("v1=".to_owned(), |mut text, byte| {
        // A text takes everything.
        let _infallible = write!(text, "{byte:02x}");
        text
    })
}

fn code(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    // HMAC takes keys of every length (RFC 2104).
    let Ok(mut code) = Hmac::<Sha256>::new_from_slice(key) else {
        return [0; 32];
    };
    for part in parts {
        code.update(part);
    }
    code.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The expected value is OpenSSL's:
    /// `printf %s '1700000000.{"a":1}' | openssl dgst -sha256 -hmac whsec_test`.
    #[test]
    fn signatures_are_those_of_other_tools() {
        let at = Timestamp::from_second(1_700_000_000).unwrap();
        assert_eq!(
            sign("whsec_test", at, "{\"a\":1}"),
            "v1=38877139021993b830af32feea6e18a8da83eb2f6e49ee50bd9e4cf4ca4d3789"
        );
    }

    #[test]
    fn each_webhook_has_a_secret_of_its_own() {
        let secret = "s".repeat(32);
        let (one, other) = (derive(&secret, b"1"), derive(&secret, b"2"));
        assert_ne!(one, other);
        assert_eq!(one, derive(&secret, b"1"));
        assert_eq!(one.len(), PREFIX.len() + 43);
    }
}
