//! `Retry-After` in all its forms.

use std::time::Duration;

use jiff::{Timestamp, fmt::rfc2822};
use reqwest::header::{HeaderMap, RETRY_AFTER};

/// What the two large vendors send beside, or instead of, `Retry-After`: milliseconds.
const RETRY_AFTER_MS: &str = "retry-after-ms";

/// Longest wait that is read; longer ones are garbage or mean "never".
const MAX_RETRY_AFTER_SECONDS: f64 = 7.0 * 24.0 * 3600.0;

/// How long a reply asks to wait: milliseconds, seconds or a date; `None` for garbage.
pub(crate) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    text(RETRY_AFTER_MS)
        .and_then(|value| seconds(value, 1000.0))
        .or_else(|| text(RETRY_AFTER.as_str()).and_then(|value| seconds_or_date(value, now)))
}

fn seconds_or_date(value: &str, now: Timestamp) -> Option<Duration> {
    seconds(value, 1.0).or_else(|| {
        let date = rfc2822::DateTimeParser::new()
            .parse_timestamp(value.trim())
            .ok()?;
        let wait = Duration::try_from(date.duration_since(now)).unwrap_or(Duration::ZERO);
        (wait.as_secs_f64() <= MAX_RETRY_AFTER_SECONDS).then_some(wait)
    })
}

fn seconds(value: &str, per_second: f64) -> Option<Duration> {
    let value: f64 = value.trim().parse().ok()?;
    let seconds = value / per_second;
    (0.0..=MAX_RETRY_AFTER_SECONDS)
        .contains(&seconds)
        .then(|| Duration::from_secs_f64(seconds))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use reqwest::header::{HeaderName, HeaderValue};

    use super::*;

    fn read(pairs: &[(&'static str, &'static str)]) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, HeaderValue::from_static(value));
        }
        let now: Timestamp = "2026-11-20T12:00:00Z".parse().expect("a timestamp");
        retry_after(&headers, now)
    }

    #[test]
    fn every_form_is_read_and_garbage_is_none() {
        for (value, expected) in [
            ("1", Some(Duration::from_secs(1))),
            (" 3600 ", Some(Duration::from_secs(3600))),
            ("0", Some(Duration::ZERO)),
            ("1.5", Some(Duration::from_millis(1500))),
            (
                "Fri, 20 Nov 2026 12:00:07 GMT",
                Some(Duration::from_secs(7)),
            ),
            ("Fri, 20 Nov 2026 11:59:00 GMT", Some(Duration::ZERO)),
            ("Fri, 20 Nov 2099 12:00:00 GMT", None),
            ("-1", None),
            ("NaN", None),
            ("inf", None),
            ("1e300", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(read(&[("retry-after", value)]), expected, "{value:?}");
        }
    }

    #[test]
    fn milliseconds_win_over_seconds() {
        let both = [("retry-after-ms", "250"), ("retry-after", "1")];
        assert_eq!(read(&both), Some(Duration::from_millis(250)));
        let garbage = [("retry-after-ms", "x"), ("retry-after", "1")];
        assert_eq!(read(&garbage), Some(Duration::from_secs(1)));
    }

    proptest! {
        #[test]
        fn nothing_that_a_header_can_carry_panics_or_waits_for_ever(
            value in prop::collection::vec(any::<u8>(), 0..60),
            number in any::<f64>(),
        ) {
            let number = number.to_string().into_bytes();
            for value in [value, number] {
                for name in ["retry-after", "retry-after-ms"] {
                    let Ok(value) = HeaderValue::from_bytes(&value) else { continue };
                    let headers = HeaderMap::from_iter([(HeaderName::from_static(name), value)]);
                    let wait = retry_after(&headers, Timestamp::UNIX_EPOCH);
                    let seconds = wait.map(|wait| wait.as_secs_f64()).unwrap_or_default();
                    prop_assert!(seconds <= MAX_RETRY_AFTER_SECONDS);
                }
            }
        }
    }
}
