//! Published data that several tests look at.

use std::ops::Range;

/// R's data set `sleep` (Student 1908): hours of extra sleep, ten patients under each of two
/// drugs. It has ties.
pub(super) const EXTRA: [f64; 20] = [
    0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0, //
    1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4,
];
pub(super) const GROUP_1: Range<usize> = 0..10;
pub(super) const GROUP_2: Range<usize> = 10..20;

/// `scipy.stats.ttest_ind(group2, group1, equal_var=False)`.
pub(super) const SLEEP_T: f64 = 1.860_813_467_486_852_6;
pub(super) const SLEEP_P: f64 = 0.079_394_140_187_358_3;

/// Permeability of the placenta at term and at 12 to 26 weeks: Hollander & Wolfe 1973, p. 69,
/// the example of R's manual page of `wilcox.test`. No ties.
pub(super) const AT_TERM: [f64; 10] = [0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46];
pub(super) const EARLY: [f64; 5] = [1.15, 0.88, 0.90, 0.74, 1.21];
