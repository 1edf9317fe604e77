//! Durations as k6 writes them: `90s`, `1m30s`, `1d2h`, `500ms`, or a number of milliseconds.

use std::time::Duration;

/// Why a text is no duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a duration like 90s, 1m30s, 2h or 500ms")]
pub struct InvalidDuration;

/// The longest text that is read: `1d2h3m4s5ms` and then some.
const MAX_LENGTH: usize = 40;

/// Longer units first, so that `ms` is not read as `m`.
const UNITS: [(&str, f64); 8] = [
    ("ms", 1e-3),
    ("us", 1e-6),
    ("µs", 1e-6),
    ("ns", 1e-9),
    ("s", 1.0),
    ("m", 60.0),
    ("h", 3_600.0),
    ("d", 86_400.0),
];

/// Reads a duration of zero or more.
///
/// # Errors
/// [`InvalidDuration`] when k6 would not read it either, or it is negative.
pub fn parse(text: &str) -> Result<Duration, InvalidDuration> {
    if text.is_empty() || text.len() > MAX_LENGTH {
        return Err(InvalidDuration);
    }
    if let Some(milliseconds) = decimal(text) {
        return seconds(milliseconds / 1_000.0);
    }
    let mut rest = text;
    let mut total = 0.0;
    while !rest.is_empty() {
        let end = rest
            .find(|c: char| !(c.is_ascii_digit() || c == '.'))
            .ok_or(InvalidDuration)?;
        let (number, after) = rest.split_at(end);
        let number = decimal(number).ok_or(InvalidDuration)?;
        let (unit, after) = UNITS
            .iter()
            .find_map(|(name, unit)| Some((unit, after.strip_prefix(name)?)))
            .ok_or(InvalidDuration)?;
        total += number * unit;
        rest = after;
    }
    seconds(total)
}

/// Writes a duration so that k6 reads the same one.
#[must_use]
pub fn format(duration: Duration) -> String {
    format!("{}ms", duration.as_millis())
}

fn decimal(text: &str) -> Option<f64> {
    let plain = text.starts_with(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_digit() || c == '.');
    plain.then(|| text.parse().ok()).flatten()
}

fn seconds(seconds: f64) -> Result<Duration, InvalidDuration> {
    Duration::try_from_secs_f64(seconds).map_err(|_| InvalidDuration)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_k6_reads() {
        for (text, milliseconds) in [
            ("90s", 90_000),
            ("1m30s", 90_000),
            ("1.5m", 90_000),
            ("500ms", 500),
            ("500", 500),
            ("1d2h", 93_600_000),
            ("0s", 0),
            ("1h2m3s4ms", 3_723_004),
        ] {
            assert_eq!(
                parse(text),
                Ok(Duration::from_millis(milliseconds)),
                "{text}"
            );
        }
    }

    #[test]
    fn refuses_the_rest() {
        for text in [
            "",
            "5x",
            "-5s",
            "s",
            "5 s",
            "1e9h",
            "5m;x",
            "..5s",
            "1..5s",
            "99999999999999999999999999999h",
            "5µ",
        ] {
            assert_eq!(parse(text), Err(InvalidDuration), "{text}");
        }
    }

    #[test]
    fn writes_what_it_reads() {
        let duration = Duration::from_millis(90_500);
        assert_eq!(parse(&format(duration)), Ok(duration));
    }
}
