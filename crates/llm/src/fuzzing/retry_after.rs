//! What holds of `Retry-After`, whatever it says.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};

use crate::retry_after::retry_after;

/// Longer waits are read as none.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 3600);

/// How much later the same header is read again.
const LATER: Duration = Duration::from_secs(10);

/// 2026-11-20T12:00:00Z.
const NOW: i64 = 1_795_176_000;

/// No wait is longer than a week; whole seconds are read exactly; milliseconds win if they can be
/// read; a date comes nearer as time passes, and a number of seconds does not.
///
/// # Panics
/// When one of it does not hold.
pub(super) fn check(bytes: &[u8]) {
    let mut lines = bytes.splitn(2, |byte| *byte == b'\n');
    let plain = lines.next().and_then(header);
    let precise = lines.next().and_then(header);
    let now = Timestamp::from_second(NOW).unwrap_or_default();
    let wait = read(plain.as_ref(), precise.as_ref(), now);
    assert!(wait.is_none_or(|wait| wait <= LONGEST), "{wait:?}");

    let seconds = read(plain.as_ref(), None, now);
    let milliseconds = read(None, precise.as_ref(), now);
    assert_eq!(wait, milliseconds.or(seconds));
    if let Some(whole) = plain.as_ref().and_then(whole_seconds) {
        let wait = Duration::from_secs(whole);
        assert_eq!(seconds, (wait <= LONGEST).then_some(wait), "{whole}");
    }
    if let Some(wait) = seconds {
        let later = now.saturating_add(SignedDuration::from_secs(10));
        let later = read(plain.as_ref(), None, later.unwrap_or(now));
        let nearer = wait.saturating_sub(LATER);
        assert!(
            later == Some(wait) || later == Some(nearer),
            "{wait:?}, then {later:?}"
        );
    }
}

fn header(bytes: &[u8]) -> Option<HeaderValue> {
    HeaderValue::from_bytes(bytes).ok()
}

fn read(
    plain: Option<&HeaderValue>,
    precise: Option<&HeaderValue>,
    now: Timestamp,
) -> Option<Duration> {
    let mut headers = HeaderMap::new();
    if let Some(value) = plain {
        headers.insert(RETRY_AFTER, value.clone());
    }
    if let Some(value) = precise {
        headers.insert(HeaderName::from_static("retry-after-ms"), value.clone());
    }
    retry_after(&headers, now)
}

/// Seconds as the standard writes them: digits.
fn whole_seconds(value: &HeaderValue) -> Option<u64> {
    let text = value.to_str().ok()?;
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}
