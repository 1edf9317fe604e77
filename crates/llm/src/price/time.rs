//! Times as people write them to price lists and reports.

use jiff::{Timestamp, civil::Date, tz::TimeZone};

/// Reads a moment (RFC 3339), or a day for its beginning in UTC; `None` when the text is neither.
#[must_use]
pub fn day_or_moment(text: &str) -> Option<Timestamp> {
    let day = || {
        let day: Date = text.parse().ok()?;
        Some(day.to_zoned(TimeZone::UTC).ok()?.timestamp())
    };
    text.parse().ok().or_else(day)
}
