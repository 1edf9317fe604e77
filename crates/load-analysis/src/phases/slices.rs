//! The judged phase in equal slices of time, which tell how sure its percentiles are.

use std::ops::Range;

use super::Latency;
use crate::comparison::Interval;
use crate::distribution::Distribution;
use crate::percentile_interval::percentile_interval;

/// The shortest slice, in seconds: neighbouring requests share a pause or a full queue.
const SHORTEST: i64 = 10;

/// The most slices. More add nothing to an interval, and each is merged a thousand times.
const MOST: i64 = 120;

/// Any seed does: the same run always gets the same interval.
const SEED: u64 = 1;

/// Durations by slice. What is left at the end of the phase belongs to the last whole slice.
#[derive(Debug, Default)]
pub(super) struct Slices {
    begin: i64,
    length: i64,
    durations: Vec<Distribution>,
}

impl Slices {
    pub(super) fn of(seconds: &Range<i64>) -> Self {
        let all = (seconds.end - seconds.start).max(0);
        let length = SHORTEST.max(all / MOST + i64::from(all % MOST > 0));
        let count = usize::try_from(all / length).unwrap_or(0);
        Self {
            begin: seconds.start,
            length,
            durations: vec![Distribution::default(); count],
        }
    }

    pub(super) fn add(&mut self, second: i64, durations: &Distribution) {
        let Some(last) = self.durations.len().checked_sub(1) else {
            return;
        };
        let slice = usize::try_from((second - self.begin) / self.length);
        if let Ok(slice) = slice {
            self.durations[slice.min(last)].merge(durations);
        }
    }

    /// The latency of the phase, with the intervals of what it tells.
    pub(super) fn with_intervals(&self, mut latency: Latency) -> Latency {
        latency.p95_interval = self.interval(95.0).filter(|_| latency.p95.is_some());
        latency.p99_interval = self.interval(99.0).filter(|_| latency.p99.is_some());
        latency
    }

    fn interval(&self, percent: f64) -> Option<Interval> {
        let found = percentile_interval(&self.durations, percent, SEED)?;
        Some(found.interval)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(slices: &Slices) -> Vec<u64> {
        slices.durations.iter().map(Distribution::count).collect()
    }

    #[test]
    fn each_second_is_in_one_slice_and_slices_are_bounded() {
        let mut one = Distribution::default();
        one.record(1.0);
        for (seconds, slices, longest) in [(25, 2, 15), (1_200, 120, 10), (86_400, 120, 720)] {
            let mut all = Slices::of(&(100..100 + seconds));
            (100..100 + seconds).for_each(|second| all.add(second, &one));
            let counts = counts(&all);
            assert_eq!(counts.len(), slices, "{seconds} s");
            assert_eq!(counts.iter().sum::<u64>(), seconds.unsigned_abs());
            assert_eq!(counts.iter().max(), Some(&longest), "{counts:?}");
        }
        let mut short = Slices::of(&(0..9));
        short.add(3, &one);
        assert!(counts(&short).is_empty());
    }
}
