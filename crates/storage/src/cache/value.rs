//! What lies in Redis: a fixed header and the finished body, which is never decoded.
//!
//! `1` (form), `V` for a value or `T` for a tombstone, the version in 20 digits, the fingerprint in
//! 16 hexadecimal ones, the tenant, a line feed, the body. The digits are of fixed length so that
//! the script in [`super::scripts`] can compare versions as text: Lua's numbers are too coarse.

use bytes::Bytes;
use domain::Version;
use tenancy::TenantId;

use super::body::{CachedBody, Level};

const FORM: u8 = b'1';
const VALUE: u8 = b'V';
const TOMBSTONE: u8 = b'T';
const VERSION_DIGITS: usize = 20;
const FINGERPRINT_DIGITS: usize = 16;
const FIXED: usize = 2 + VERSION_DIGITS + FINGERPRINT_DIGITS;

/// What was read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Stored {
    /// A reply.
    Value(CachedBody),
    /// A write is or was under way: nothing older than its version may be stored.
    Tombstone,
}

/// A version as the script compares it.
pub(super) fn comparable(version: Version) -> String {
    format!("{:020}", version.get())
}

/// The value of a reply.
pub(super) fn value(tenant: &TenantId, body: &CachedBody) -> Vec<u8> {
    let mut value = header(VALUE, tenant, body.version, body.fingerprint);
    value.extend_from_slice(&body.body);
    value
}

/// The mark that refuses everything older than `minimum`.
pub(super) fn tombstone(tenant: &TenantId, minimum: Version) -> Vec<u8> {
    header(TOMBSTONE, tenant, minimum, 0)
}

/// Reads what lies under a key of this tenant; `None` for what this crate did not write so.
pub(super) fn parse(tenant: &TenantId, value: Vec<u8>) -> Option<Stored> {
    let (fixed, rest) = value.split_at_checked(FIXED)?;
    let after_tenant = rest.strip_prefix(tenant.as_str().as_bytes())?;
    let body = after_tenant.strip_prefix(b"\n")?;
    match fixed {
        [FORM, TOMBSTONE, ..] => Some(Stored::Tombstone),
        [FORM, VALUE, digits @ ..] => {
            let (version, fingerprint) = digits.split_at_checked(VERSION_DIGITS)?;
            let version = std::str::from_utf8(version).ok()?.parse().ok()?;
            let fingerprint =
                u64::from_str_radix(std::str::from_utf8(fingerprint).ok()?, 16).ok()?;
            let start = value.len() - body.len();
            let body = Bytes::from(value).slice(start..);
            Some(Stored::Value(CachedBody::new(
                Version::new(version),
                fingerprint,
                body,
                Level::L2,
            )))
        }
        _ => None,
    }
}

fn header(kind: u8, tenant: &TenantId, version: Version, fingerprint: u64) -> Vec<u8> {
    let mut header = vec![FORM, kind];
    let numbers = format!(
        "{:020}{fingerprint:016x}{}\n",
        version.get(),
        tenant.as_str()
    );
    header.extend_from_slice(numbers.as_bytes());
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant() -> TenantId {
        TenantId::parse("acme").unwrap()
    }

    #[test]
    fn a_reply_survives_the_round_trip() {
        let body = CachedBody::new(
            Version::new(u64::MAX),
            u64::MAX - 1,
            Bytes::from_static(b"{\"title\":\"line\\n\"}\n"),
            Level::L2,
        );
        assert_eq!(
            parse(&tenant(), value(&tenant(), &body)),
            Some(Stored::Value(body))
        );
        let mark = tombstone(&tenant(), Version::FIRST);
        assert_eq!(parse(&tenant(), mark), Some(Stored::Tombstone));
    }

    #[test]
    fn what_others_wrote_is_no_reply() {
        let body = CachedBody::new(Version::FIRST, 0, Bytes::new(), Level::L2);
        let other = TenantId::parse("acme2").unwrap();
        assert_eq!(parse(&tenant(), value(&other, &body)), None);
        assert_eq!(parse(&other, value(&tenant(), &body)), None);
        for foreign in [&b""[..], b"{}", b"1V", &[b'1'; 200], &[0xff; 200]] {
            assert_eq!(parse(&tenant(), foreign.to_vec()), None);
        }
    }
}
