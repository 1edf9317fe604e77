//! Which seconds of a run are load, and which of them are steady.

use std::ops::Range;

use crate::number::from_signed;

const MICROSECONDS: i64 = 1_000_000;

/// The time of a run, in seconds since the Unix epoch; ends do not belong to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// The seconds of the load.
    pub load: Range<i64>,
    /// The seconds without warm-up and ramps; as long as the load where nobody knows them.
    pub steady: Range<i64>,
    /// When the load began, to the microsecond.
    pub begin: f64,
    /// How long the load lasted, to the microsecond: rates of the whole run are computed over it.
    pub load_seconds: f64,
}

impl Span {
    /// The time of a load of which the first and the last microsecond since the Unix epoch are
    /// known, all of it steady.
    #[must_use]
    pub fn of_load(first: i64, last: i64) -> Self {
        let load = first.div_euclid(MICROSECONDS)..last.div_euclid(MICROSECONDS) + 1;
        Self {
            steady: load.clone(),
            load,
            begin: from_signed(first) / from_signed(MICROSECONDS),
            load_seconds: from_signed(last - first) / from_signed(MICROSECONDS),
        }
    }

    /// The same with another steady part. Seconds beyond the load are none of it; where nothing is
    /// left all of the load stays steady.
    #[must_use]
    pub fn with_steady(self, seconds: Range<i64>) -> Self {
        let steady = seconds.start.max(self.load.start)..seconds.end.min(self.load.end);
        Self {
            steady: if steady.is_empty() {
                self.load.clone()
            } else {
                steady
            },
            ..self
        }
    }

    /// How long the load was on within these seconds: it begins within its first one, and ends
    /// within its last.
    #[must_use]
    pub fn seconds_within(&self, seconds: &Range<i64>) -> f64 {
        let (begin, end) = (self.begin, self.begin + self.load_seconds);
        let from = from_signed(seconds.start).max(begin);
        let to = from_signed(seconds.end).min(end);
        (to - from).max(0.0)
    }
}
