//! The day and the month that money is counted in, UTC.

use std::time::Duration;

use jiff::{Timestamp, civil::Date, tz::TimeZone};

/// The periods of a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Periods {
    /// Such as `2026-11-20`, as the ledger groups by.
    pub(super) day: String,
    /// Such as `2026-11`.
    pub(super) month: String,
    pub(super) month_begins: Timestamp,
    day_ends: Timestamp,
    month_ends: Timestamp,
    at: Timestamp,
}

impl Periods {
    pub(super) fn at(at: Timestamp) -> Self {
        let today = at.to_zoned(TimeZone::UTC).date();
        let first = today.first_of_month();
        Self {
            day: today.strftime("%Y-%m-%d").to_string(),
            month: today.strftime("%Y-%m").to_string(),
            month_begins: midnight(first).unwrap_or(Timestamp::MIN),
            day_ends: today.tomorrow().ok().and_then(midnight).unwrap_or(at),
            month_ends: first
                .last_of_month()
                .tomorrow()
                .ok()
                .and_then(midnight)
                .unwrap_or(at),
            at,
        }
    }

    /// From the moment to the end of its day.
    pub(super) fn rest_of_day(&self) -> Duration {
        rest(self.at, self.day_ends)
    }

    /// From the moment to the end of its month.
    pub(super) fn rest_of_month(&self) -> Duration {
        rest(self.at, self.month_ends)
    }
}

fn midnight(date: Date) -> Option<Timestamp> {
    Some(date.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

fn rest(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_end_at_midnight_and_on_the_first() {
        let at = "2026-12-31T23:59:58Z".parse().unwrap();
        let periods = Periods::at(at);
        assert_eq!(
            (periods.day.as_str(), periods.month.as_str()),
            ("2026-12-31", "2026-12")
        );
        assert_eq!(
            periods.month_begins,
            "2026-12-01T00:00:00Z".parse().unwrap()
        );
        assert_eq!(periods.rest_of_day(), Duration::from_secs(2));
        assert_eq!(periods.rest_of_month(), Duration::from_secs(2));
        let first = Periods::at("2026-02-01T00:00:00Z".parse().unwrap());
        assert_eq!(first.rest_of_month(), Duration::from_secs(28 * 86_400));
    }
}
