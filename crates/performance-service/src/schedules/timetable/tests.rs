//! Times of the clock, on days when it is changed and on others.

use super::*;

fn timetable(cron: &str, zone: &str) -> Timetable {
    Timetable::parse((cron, zone, 0), "nightly").unwrap()
}

fn after(cron: &str, zone: &str, time: &str, count: usize) -> Vec<String> {
    let times = timetable(cron, zone).upcoming(time.parse().unwrap(), count);
    let utc = times.iter().map(|time| time.timestamp().to_string());
    utc.collect()
}

/// On 29 March 2026 the clock of Berlin goes from 02:00 to 03:00, which is 01:00 UTC.
#[test]
fn a_time_that_the_clock_skips_comes_as_much_later() {
    assert_eq!(
        after("30 2 * * *", "Europe/Berlin", "2026-03-28T00:00:00Z", 3),
        [
            "2026-03-28T01:30:00Z",
            "2026-03-29T01:30:00Z",
            "2026-03-30T00:30:00Z"
        ]
    );
    // Two times of the clock that fall together are one start.
    assert_eq!(
        after("0 2,3 * * *", "Europe/Berlin", "2026-03-29T00:30:00Z", 2),
        ["2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z"]
    );
}

/// On 25 October 2026 it goes from 03:00 back to 02:00, which is 01:00 UTC.
#[test]
fn a_time_that_the_clock_shows_twice_comes_once() {
    assert_eq!(
        after("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", 2),
        ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]
    );
    // Asked in the repeated hour, it does not come again.
    assert_eq!(
        after("30 2 * * *", "Europe/Berlin", "2026-10-25T01:10:00Z", 1),
        ["2026-10-26T01:30:00Z"]
    );
}

#[test]
fn every_half_hour_is_one_also_when_the_clock_changes() {
    assert_eq!(
        after("*/30 * * * *", "Europe/Berlin", "2026-03-29T00:29:00Z", 4),
        [
            "2026-03-29T00:30:00Z",
            "2026-03-29T01:00:00Z",
            "2026-03-29T01:30:00Z",
            "2026-03-29T02:00:00Z"
        ]
    );
    assert_eq!(
        after("*/30 * * * *", "Europe/Berlin", "2026-10-24T23:59:00Z", 5),
        [
            "2026-10-25T00:00:00Z",
            "2026-10-25T00:30:00Z",
            "2026-10-25T01:00:00Z",
            "2026-10-25T01:30:00Z",
            "2026-10-25T02:00:00Z"
        ]
    );
    // Here the clock goes back by half an hour, from 02:00 to 01:30.
    assert_eq!(
        after(
            "0 * * * *",
            "Australia/Lord_Howe",
            "2026-04-04T13:30:00Z",
            3
        ),
        [
            "2026-04-04T14:00:00Z",
            "2026-04-04T15:30:00Z",
            "2026-04-04T16:30:00Z"
        ]
    );
}

#[test]
fn days_weeks_and_leap_years_are_those_of_the_calendar() {
    for (cron, from, expected) in [
        ("0 0 29 2 *", "2026-01-01T00:00:00Z", "2028-02-29T00:00:00Z"),
        (
            "0 9 * * MON-FRI",
            "2026-11-20T10:00:00Z",
            "2026-11-23T09:00:00Z",
        ),
        ("0 0 1 1 *", "2026-11-22T00:00:00Z", "2027-01-01T00:00:00Z"),
        (
            "59 23 31 * *",
            "2026-11-01T00:00:00Z",
            "2026-12-31T23:59:00Z",
        ),
    ] {
        assert_eq!(after(cron, "UTC", from, 1), [expected], "{cron}");
    }
}

#[test]
fn what_names_no_time_is_refused_by_its_field() {
    for (cron, zone, jitter, field) in [
        ("", "UTC", 0, "cron"),
        ("* * * *", "UTC", 0, "cron"),
        ("0 * * * * *", "UTC", 0, "cron"),
        ("60 * * * *", "UTC", 0, "cron"),
        ("0 24 * * *", "UTC", 0, "cron"),
        ("H * * * *", "UTC", 0, "cron"),
        ("@daily", "UTC", 0, "cron"),
        ("0 0 30 2 *", "UTC", 0, "cron"),
        ("0 2 * * *", "Europe/Nowhere", 0, "timeZone"),
        ("0 2 * * *", "", 0, "timeZone"),
        ("0 2 * * *", "../../etc/passwd", 0, "timeZone"),
        ("0 2 * * *", "UTC", MAX_JITTER + 1, "jitterSeconds"),
        ("*/2 * * * *", "UTC", 120, "jitterSeconds"),
    ] {
        let errors = Timetable::parse((cron, zone, jitter), "").unwrap_err();
        let fields: Vec<&str> = errors.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(fields, [field], "{cron} {zone}: {errors:?}");
        assert!(!errors[0].reason.contains('\n'), "{errors:?}");
    }
    let both = Timetable::parse(("x", "y", 0), "").unwrap_err();
    assert_eq!(both.len(), 2, "{both:?}");
}

#[test]
fn jitter_spreads_starts_and_is_the_same_each_time() {
    let begins = |seed: &str, jitter| {
        let timetable = Timetable::parse(("0 * * * *", "UTC", jitter), seed).unwrap();
        let next = timetable.next_start("2026-01-01T00:00:00Z".parse().unwrap());
        let next = next.unwrap();
        next.begins.duration_since(next.due).as_secs()
    };
    assert_eq!(begins("a", 0), 0);
    let late: Vec<i64> = (0..50).map(|seed| begins(&seed.to_string(), 60)).collect();
    assert!(late.iter().all(|late| (0..=60).contains(late)), "{late:?}");
    let different: std::collections::BTreeSet<_> = late.iter().collect();
    assert!(different.len() > 10, "{late:?}");
    assert_eq!(begins("a", 60), begins("a", 60));
}

#[test]
fn missed_starts_are_counted_up_to_a_bound() {
    let due = "2026-01-01T00:00:00Z".parse().unwrap();
    let missed = |cron, now: &str| timetable(cron, "UTC").missed(due, now.parse().unwrap());
    let one = missed("0 0 * * *", "2026-01-01T00:05:00Z");
    assert_eq!((one.starts, one.last), (1, due));
    let four = missed("0 0 * * *", "2026-01-04T00:00:00Z");
    assert_eq!(four.starts, 4);
    assert_eq!(four.last.to_string(), "2026-01-04T00:00:00Z");
    assert_eq!(
        missed("* * * * *", "2027-01-01T00:00:00Z").starts,
        MAX_COUNTED
    );
}

#[test]
fn a_month_has_so_many_starts_whatever_the_hour() {
    for hour in 0..24 {
        let now = format!("2026-11-22T{hour:02}:30:00Z").parse().unwrap();
        for (cron, expected, within) in [
            ("0 2 * * *", 365.2425 / 12.0, 0.001),
            // A year has 52 or 53 Mondays.
            ("0 2 * * 1", 365.2425 / 7.0 / 12.0, 0.1),
            ("0 2 1 * *", 1.0, 0.001),
            ("0 2 29 2 *", 0.0, 0.0),
            // A thousand hours are less than a year.
            ("0 * * * *", 365.2425 * 24.0 / 12.0, 0.5),
        ] {
            let starts = timetable(cron, "Europe/Berlin").starts_in_a_month(now);
            let off = (starts - expected).abs();
            assert!(off <= within, "{cron} at {hour}: {starts}");
        }
    }
}
