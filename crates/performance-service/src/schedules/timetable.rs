//! When a schedule begins: a cron expression, the time zone that it is meant in, and the jitter.
//!
//! An expression whose hours are fixed names times of the clock: one that the clock skips in
//! spring comes as much later as the clock is put forward, and one that it shows twice in autumn
//! comes the first time only. Where every hour is meant (`*`, `*/2`), the expression names moments
//! while the clock shows them: none in the skipped hour, and both times in the repeated one.

#[cfg(test)]
mod tests;

use cronexpr::Crontab;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan, Zoned};
use performance_store::NextStart;
use service_defaults::problem::FieldError;
use sha2::{Digest, Sha256};

use crate::timeline::count;

/// Longest expression and name of a time zone, in bytes.
const MAX_TEXT: usize = 200;

/// Largest jitter, in seconds.
pub(crate) const MAX_JITTER: u32 = 3_600;

/// Starts between which there must be room for the jitter.
const LOOKED_AT: usize = 20;

/// Times that one look steps over; a service that was away longer counts no further.
const MAX_COUNTED: u64 = 1_000;

/// Twelfth part of a year of the Gregorian calendar, 365.2425 days.
const SECONDS_OF_MONTH: f64 = 365.2425 * 86_400.0 / 12.0;

/// Civil times that are looked at for one instant: the clock repeats or skips less than a day,
/// and an expression names a minute at most.
const MAX_STEPS: u32 = 2 * 24 * 60;

/// A schedule's times.
#[derive(Debug)]
pub(crate) struct Timetable {
    /// The expression in its zone where each hour counts, else on the clock itself.
    crontab: Crontab,
    hours_are_fixed: bool,
    zone: TimeZone,
    jitter: u32,
    /// Tells schedules apart, so that those of one time do not begin together.
    seed: String,
}

/// Starts that nobody took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Missed {
    /// How many, at most 1,000.
    pub(crate) starts: u64,
    /// The last of those counted.
    pub(crate) last: Timestamp,
}

impl Timetable {
    /// Reads expression and zone; `seed` makes the jitter.
    ///
    /// # Errors
    /// Every field that is refused.
    pub(crate) fn parse(
        (cron, zone, jitter): (&str, &str, u32),
        seed: &str,
    ) -> Result<Self, Vec<FieldError>> {
        let mut errors = Vec::new();
        let zone_found = find_zone(zone).map_err(|reason| errors.push(("timeZone", reason)));
        let hours_are_fixed = cron
            .split_whitespace()
            .nth(1)
            .is_some_and(|hours| !hours.starts_with('*'));
        let civil = if hours_are_fixed { "UTC" } else { zone };
        let crontab = read_expression(cron, civil, zone_found.is_ok())
            .map_err(|reason| errors.push(("cron", reason)));
        if jitter > MAX_JITTER {
            errors.push(("jitterSeconds", format!("must be 0 to {MAX_JITTER}")));
        }
        let (Ok(zone), Ok(Some(crontab)), true) = (zone_found, crontab, errors.is_empty()) else {
            let errors = errors.into_iter();
            return Err(errors
                .map(|(name, why)| FieldError::new(name, why))
                .collect());
        };
        let timetable = Self {
            crontab,
            hours_are_fixed,
            zone,
            jitter,
            seed: seed.to_owned(),
        };
        if timetable.jitter_reaches_the_next_start() {
            let reason = "must be shorter than the time between two starts";
            return Err(vec![FieldError::new("jitterSeconds", reason)]);
        }
        Ok(timetable)
    }

    /// Whether a start could come after the one that follows, as far as the next ones show.
    fn jitter_reaches_the_next_start(&self) -> bool {
        let times = self.upcoming(Timestamp::now(), LOOKED_AT);
        times.windows(2).any(|pair| match pair {
            [one, next] => next.duration_since(one).as_secs() <= i64::from(self.jitter),
            _ => false,
        })
    }

    /// The first time after `time`; `None` when there is none in four years.
    pub(crate) fn after(&self, time: Timestamp) -> Option<Timestamp> {
        if !self.hours_are_fixed {
            let next = self.crontab.find_next(time).ok()?;
            return Some(next.timestamp());
        }
        // The clock's time, as if it were UTC.
        let clock = time.to_zoned(self.zone.clone()).datetime();
        let mut clock = clock.to_zoned(TimeZone::UTC).ok()?.timestamp();
        for _ in 0..MAX_STEPS {
            let next = self.crontab.find_next(clock).ok()?;
            clock = next.timestamp();
            let named = next.datetime().to_zoned(self.zone.clone()).ok()?;
            // Else the clock shows it a second time.
            if named.timestamp() > time {
                return Some(named.timestamp());
            }
        }
        None
    }

    /// The first start after `time`, with its jitter.
    pub(crate) fn next_start(&self, time: Timestamp) -> Option<NextStart> {
        let due = self.after(time)?;
        let begins = due.checked_add(self.jitter_of(due)).ok()?;
        Some(NextStart { due, begins })
    }

    /// The next times by the schedule's clock.
    pub(crate) fn upcoming(&self, mut time: Timestamp, count: usize) -> Vec<Zoned> {
        let mut times = Vec::with_capacity(count);
        while times.len() < count
            && let Some(next) = self.after(time)
        {
            times.push(next.to_zoned(self.zone.clone()));
            time = next;
        }
        times
    }

    /// The starts from `due` to `now`, both included.
    pub(crate) fn missed(&self, due: Timestamp, now: Timestamp) -> Missed {
        let mut missed = Missed {
            starts: 1,
            last: due,
        };
        while missed.starts < MAX_COUNTED
            && let Some(next) = self.after(missed.last).filter(|next| *next <= now)
        {
            missed.starts += 1;
            missed.last = next;
        }
        missed
    }

    /// Starts in a month of average length, by those of the year to come; of a schedule with more
    /// than a thousand, by these. The year ends on the day of the calendar that it began on: with
    /// a quarter of a day more, the hour of the question would decide whether a daily start is
    /// counted once more.
    pub(crate) fn starts_in_a_month(&self, now: Timestamp) -> f64 {
        let begin = now.to_zoned(self.zone.clone());
        let year_later = begin.saturating_add(1.year()).timestamp();
        let Some(first) = self.after(now).filter(|first| *first <= year_later) else {
            return 0.0;
        };
        let coming = self.missed(first, year_later);
        let is_all = coming.starts < MAX_COUNTED;
        let end = if is_all { year_later } else { coming.last };
        let seconds = end.duration_since(now).as_secs_f64();
        count(coming.starts) * SECONDS_OF_MONTH / seconds
    }

    /// How much later a start begins: spread evenly over the jitter, and the same whenever it is
    /// asked for.
    fn jitter_of(&self, due: Timestamp) -> SignedDuration {
        let mut hash = Sha256::new();
        hash.update(&self.seed);
        hash.update(due.as_second().to_be_bytes());
        let [a, b, c, d, ..] = <[u8; 32]>::from(hash.finalize());
        let range = i64::from(self.jitter) + 1;
        SignedDuration::from_secs(i64::from(u32::from_be_bytes([a, b, c, d])) % range)
    }
}

fn find_zone(name: &str) -> Result<TimeZone, String> {
    let found = (name.len() <= MAX_TEXT).then(|| TimeZone::get(name).ok());
    found
        .flatten()
        .ok_or_else(|| "must be a time zone of the IANA database, such as Europe/Berlin".to_owned())
}

/// Reads an expression; `Ok(None)` when the zone is not known, which is an error of its own.
fn read_expression(text: &str, zone: &str, zone_is_known: bool) -> Result<Option<Crontab>, String> {
    const FIELDS: &str = "must have five fields: minute, hour, day of month, month, day of week";
    if text.len() > MAX_TEXT || text.split_whitespace().count() != 5 {
        return Err(FIELDS.to_owned());
    }
    let zone = if zone_is_known { zone } else { "UTC" };
    let crontab = cronexpr::parse_crontab(&format!("{text} {zone}"))
        .map_err(|error| in_a_line(&error.to_string()))?;
    if crontab.find_next(Timestamp::now()).is_err() {
        return Err("names no time within four years".to_owned());
    }
    Ok(zone_is_known.then_some(crontab))
}

/// What a parser says over several lines, without its picture of the place.
fn in_a_line(text: &str) -> String {
    let reason = text.lines().last().unwrap_or_default();
    let reason = reason.trim_start_matches(['^', ' ']);
    format!("cannot be read: {reason}")
}
