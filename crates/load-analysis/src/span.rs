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
            load_seconds: from_signed(last - first) / from_signed(MICROSECONDS),
        }
    }

    /// The same with so many seconds of warm-up and ramp at its begin and its end. A load that
    /// is not longer than them has no other part to judge, so that all of it stays steady.
    #[must_use]
    pub fn with_ramps(self, up: i64, down: i64) -> Self {
        let steady = self.load.start + up.max(0)..self.load.end - down.max(0);
        Self {
            steady: if steady.is_empty() {
                self.load.clone()
            } else {
                steady
            },
            ..self
        }
    }
}
