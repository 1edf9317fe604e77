//! By how much one group lies beyond another.

use super::ranks::ways_of_u;
use super::{INTERVAL_LEVEL, median, sorted};

/// A shift and the interval in which it lies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Shift {
    pub(crate) estimate: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

/// Hodges & Lehmann's estimate (Ann. Math. Statist. 34 (1963) 598): the median of all differences
/// between a value of the second group and one of the first. Its interval is the set of shifts
/// that the exact Mann–Whitney test would not reject at 5 % (Moses 1965; Hollander & Wolfe,
/// Nonparametric Statistical Methods, 1999, §4.3), which is R's `wilcox.test(conf.int = TRUE)`.
///
/// Below 4 v 4 the level of 95 % may be out of reach; the interval is then that of the extreme
/// differences. `None` when a side has no value.
pub(crate) fn hodges_lehmann(first: &[f64], second: &[f64]) -> Option<Shift> {
    let differences: Vec<f64> = second
        .iter()
        .flat_map(|late| first.iter().map(move |early| late - early))
        .collect();
    let differences = sorted(&differences);
    let estimate = median(&differences)?;
    let skipped = skipped_at_each_end(first.len(), second.len());
    Some(Shift {
        estimate,
        low: differences[skipped],
        high: differences[differences.len() - 1 - skipped],
    })
}

/// How many of the sorted differences lie outside of the interval at each end.
fn skipped_at_each_end(first: usize, second: usize) -> usize {
    let ways = ways_of_u(first, second);
    let tail = ways.iter().sum::<f64>() * (1.0 - INTERVAL_LEVEL) / 2.0;
    let mut sum = 0.0;
    let within = ways.iter().take_while(|way| {
        sum += **way;
        sum < tail
    });
    within.count().saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::fixtures::{AT_TERM, EARLY};

    /// R: `wilcox.test(x, y, conf.int = TRUE)` prints 0.305 and [-0.15, 0.76].
    #[test]
    fn the_example_of_hollander_and_wolfe() {
        let shift = hodges_lehmann(&EARLY, &AT_TERM).unwrap();
        for (ours, theirs) in [
            (shift.estimate, 0.305),
            (shift.low, -0.15),
            (shift.high, 0.76),
        ] {
            assert!((ours - theirs).abs() < 1e-12, "{shift:?}");
        }
    }

    /// R: `qwilcox(0.025, 4, 4)` is 1 and `qwilcox(0.025, 6, 6)` is 6.
    #[test]
    fn the_ends_are_critical_values() {
        assert_eq!(skipped_at_each_end(4, 4), 0);
        assert_eq!(skipped_at_each_end(6, 6), 5);
        assert_eq!(skipped_at_each_end(10, 5), 8);
        assert_eq!(skipped_at_each_end(1, 1), 0);
        assert_eq!(hodges_lehmann(&[], &[1.0]), None);
    }
}
