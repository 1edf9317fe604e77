//! How many requests ended when and took how long: counts by time and by the magnitude of the
//! duration.

use std::ops::Range;

use load_analysis::distribution::Distribution;

use crate::timeline::{count, whole};

/// Columns of the map; more would be narrower than a finger or an eye.
const MAX_COLUMNS: u32 = 120;

/// Rows of a power of ten: each begins 26 % above the one below.
const ROWS_PER_DECADE: u32 = 10;

/// Where the lowest row begins, in milliseconds. What is quicker belongs to it as well.
const LOWEST: f64 = 0.01;

/// Where the highest row ends, in milliseconds: 17 minutes, longer than any deadline. What is slower
/// belongs to it as well.
pub(crate) const HIGHEST: f64 = 1e6;

/// Rows from the lowest to the highest: eight powers of ten.
const ROWS: usize = 80;

/// Requests of the load in a window.
#[derive(Debug, Clone)]
pub(crate) struct Heatmap {
    /// Seconds of a column.
    pub(crate) step: u32,
    /// Counts by column, then by row from the quickest.
    pub(crate) columns: Vec<[u64; ROWS]>,
    from: u32,
}

impl Heatmap {
    /// An empty map of these seconds of a run.
    pub(super) fn new(window: &Range<u32>) -> Self {
        let width = window.end - window.start;
        let step = width.div_ceil(MAX_COLUMNS).max(1);
        Self {
            step,
            columns: vec![[0; ROWS]; width.div_ceil(step) as usize],
            from: window.start,
        }
    }

    /// Adds durations in milliseconds of a second of the window.
    pub(super) fn add(&mut self, second: u32, durations: &Distribution) {
        let column = second.saturating_sub(self.from) / self.step;
        if let Some(column) = self.columns.get_mut(column as usize) {
            durations.each(|milliseconds, times| column[row(milliseconds)] += times);
        }
    }

    /// The second that it begins with.
    pub(crate) const fn from(&self) -> u32 {
        self.from
    }

    /// The rows that have requests, without those above and below them; `None` without any.
    pub(crate) fn rows(&self) -> Option<Range<usize>> {
        let is_used = |row: &usize| self.columns.iter().any(|column| column[*row] > 0);
        let first = (0..ROWS).find(is_used)?;
        let last = (0..ROWS).rev().find(is_used)?;
        Some(first..last + 1)
    }
}

/// Where a row begins, in milliseconds.
pub(crate) fn begin(row: usize) -> f64 {
    LOWEST * 10_f64.powf(count(row as u64) / f64::from(ROWS_PER_DECADE))
}

/// Rows above the begin of the lowest one, with their fractions.
pub(crate) fn height(milliseconds: f64) -> f64 {
    (milliseconds.max(LOWEST) / LOWEST).log10() * f64::from(ROWS_PER_DECADE)
}

fn row(milliseconds: f64) -> usize {
    let row = usize::try_from(whole(height(milliseconds).floor()));
    row.unwrap_or(ROWS).min(ROWS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_where_they_belong() {
        let mut map = Heatmap::new(&(10..260));
        assert_eq!((map.step, map.columns.len()), (3, 84));
        let mut durations = Distribution::default();
        for milliseconds in [0.001, 1.0, 1.2, 99.0, 1e9] {
            durations.record(milliseconds);
        }
        map.add(12, &durations);
        map.add(13, &durations);
        map.add(500, &durations);
        assert_eq!(map.rows(), Some(0..ROWS));
        assert_eq!(map.columns[0], map.columns[1]);
        assert_eq!(map.columns[0].iter().sum::<u64>(), 5);
        assert_eq!(map.columns[0][20], 2, "1 and 1.2 ms");
        assert_eq!(map.columns[0][39], 1, "99 ms, below 100");
        assert!((begin(20) - 1.0).abs() < 1e-9 && (height(100.0) - 40.0).abs() < 1e-9);
    }

    #[test]
    fn nothing_has_no_rows() {
        assert_eq!(Heatmap::new(&(0..0)).rows(), None);
        assert_eq!(Heatmap::new(&(0..9)).rows(), None);
    }
}
