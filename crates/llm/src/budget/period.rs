//! The day and the month that money is counted in, UTC.

use std::time::Duration;

use jiff::{Timestamp, civil::Date, tz::TimeZone};

/// The periods of a moment. Every call asks for them several times, so texts are made on demand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Periods {
    pub(super) today: Date,
    /// The first day of the month.
    pub(super) first: Date,
    at: Timestamp,
}

impl Periods {
    pub(super) fn at(at: Timestamp) -> Self {
        let today = TimeZone::UTC.to_datetime(at).date();
        Self {
            today,
            first: today.first_of_month(),
            at,
        }
    }

    /// Such as `2026-11-20`, as the ledger groups by.
    pub(super) fn day(&self) -> String {
        self.today.strftime("%Y-%m-%d").to_string()
    }

    /// Such as `2026-11`.
    pub(super) fn month(&self) -> String {
        self.today.strftime("%Y-%m").to_string()
    }

    pub(super) fn month_begins(&self) -> Timestamp {
        midnight(self.first).unwrap_or(Timestamp::MIN)
    }

    /// From the moment to the end of its day.
    pub(super) fn rest_of_day(&self) -> Duration {
        self.rest_until(self.today)
    }

    /// From the moment to the end of its month.
    pub(super) fn rest_of_month(&self) -> Duration {
        self.rest_until(self.first.last_of_month())
    }

    fn rest_until(&self, last: Date) -> Duration {
        let end = last.tomorrow().ok().and_then(midnight).unwrap_or(self.at);
        Duration::try_from(end.duration_since(self.at)).unwrap_or_default()
    }
}

fn midnight(date: Date) -> Option<Timestamp> {
    Some(date.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_end_at_midnight_and_on_the_first() {
        let at = "2026-12-31T23:59:58Z".parse().unwrap();
        let periods = Periods::at(at);
        assert_eq!(
            (periods.day(), periods.month()),
            ("2026-12-31".to_owned(), "2026-12".to_owned())
        );
        assert_eq!(
            periods.month_begins(),
            "2026-12-01T00:00:00Z".parse().unwrap()
        );
        assert_eq!(periods.rest_of_day(), Duration::from_secs(2));
        assert_eq!(periods.rest_of_month(), Duration::from_secs(2));
        let first = Periods::at("2026-02-01T00:00:00Z".parse().unwrap());
        assert_eq!(first.rest_of_month(), Duration::from_secs(28 * 86_400));
    }
}
