//! Instants as clients write them, kept to the millisecond, which is what both stores keep.

use jiff::{
    Timestamp,
    civil::{Date, DateTime},
    tz::TimeZone,
};

/// Reads RFC 3339 text; without an offset it is UTC, a date alone is its midnight.
///
/// Up to nine fractional digits are read, three are kept.
#[must_use]
pub fn parse_instant(text: &str) -> Option<Timestamp> {
    let dated = text.as_bytes().get(..4)?.iter().all(u8::is_ascii_digit);
    if !dated || text.contains('[') {
        return None;
    }
    let instant = if let Ok(instant) = text.parse::<Timestamp>() {
        instant
    } else if let Ok(time) = text.parse::<DateTime>() {
        time.to_zoned(TimeZone::UTC).ok()?.timestamp()
    } else {
        let date: Date = text.parse().ok()?;
        date.to_zoned(TimeZone::UTC).ok()?.timestamp()
    };
    Some(to_milliseconds(instant))
}

/// The instant without what is finer than a millisecond.
#[must_use]
pub fn to_milliseconds(instant: Timestamp) -> Timestamp {
    let milliseconds = instant.as_nanosecond().div_euclid(1_000_000);
    i64::try_from(milliseconds)
        .ok()
        .and_then(|milliseconds| Timestamp::from_millisecond(milliseconds).ok())
        .unwrap_or(instant)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_the_contract_is_read() {
        for (text, expected) in [
            ("1925-04-10T00:00:00Z", "1925-04-10T00:00:00Z"),
            ("1925-04-10", "1925-04-10T00:00:00Z"),
            ("2024-01-02T03:04:05", "2024-01-02T03:04:05Z"),
            ("2024-01-02T03:04:05+02:00", "2024-01-02T01:04:05Z"),
            ("2024-01-02T03:04:05.123456789Z", "2024-01-02T03:04:05.123Z"),
            ("1925-04-10T00:00:00.9999Z", "1925-04-10T00:00:00.999Z"),
        ] {
            assert_eq!(parse_instant(text).unwrap().to_string(), expected, "{text}");
        }
    }

    #[test]
    fn other_texts_are_no_instants() {
        for text in [
            "",
            "yesterday",
            "2024-13-01",
            "10/04/1925",
            "2024",
            "-009999-01-01",
            "1e9",
        ] {
            assert_eq!(parse_instant(text), None, "{text}");
        }
    }
}
