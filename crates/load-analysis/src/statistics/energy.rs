//! Where a series falls into two parts that differ most.

use crate::number::from_size;

/// A place where a series may be cut, and how different the two sides are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Split {
    /// The first position of the second part.
    pub(crate) at: usize,
    /// The scaled energy distance of both parts.
    pub(crate) distance: f64,
}

/// The cut with the largest divergence Q̂ of Matteson & James, J. Amer. Statist. Assoc. 109
/// (2014) 334, equations 5 to 7, with α = 1: for parts of m and n values
/// Q̂ = mn/(m+n) · (2/mn · Σ|x−y| − 2/(m(m−1)) · Σ|x−x'| − 2/(n(n−1)) · Σ|y−y'|), the last two
/// sums over pairs. Each side has at least `smallest` values, which must be 2 or more; `None`
/// when the series is too short for that. Of equal cuts the first.
pub(crate) fn best_split(values: &[f64], smallest: usize) -> Option<Split> {
    let size = values.len();
    if smallest < 2 || size < 2 * smallest {
        return None;
    }
    // One value after the other goes from the right part to the left one.
    let mut left = 0.0;
    let mut right = pairs(values);
    let mut between = 0.0;
    let mut best: Option<Split> = None;
    for at in 1..=size - smallest {
        let moved = values[at - 1];
        let to = |others: &[f64]| {
            others
                .iter()
                .map(|other| (moved - other).abs())
                .sum::<f64>()
        };
        let (to_left, to_right) = (to(&values[..at - 1]), to(&values[at..]));
        left += to_left;
        right -= to_right;
        between += to_right - to_left;
        if at < smallest {
            continue;
        }
        let (m, n) = (from_size(at), from_size(size - at));
        let energy =
            2.0 / (m * n) * between - 2.0 / (m * (m - 1.0)) * left - 2.0 / (n * (n - 1.0)) * right;
        let distance = m * n / (m + n) * energy;
        if best.is_none_or(|best| distance > best.distance) {
            best = Some(Split { at, distance });
        }
    }
    best
}

/// The sum of the distances of all pairs.
fn pairs(values: &[f64]) -> f64 {
    let of = |(position, value): (usize, &f64)| {
        let later = values[position + 1..].iter();
        later.map(|other| (value - other).abs()).sum::<f64>()
    };
    values.iter().enumerate().map(of).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP: [f64; 11] = [
        10.0, 11.0, 9.5, 10.5, 10.2, 15.0, 14.2, 15.5, 14.8, 15.1, 9.9,
    ];

    /// The same for the series without its first value, cut in the middle.
    const LATE: f64 = 4.590000000000001;

    /// The formula written out over all pairs (itertools.combinations in Python) gives 14.2 at
    /// the cut 5, and less at every other one.
    #[test]
    fn the_running_sums_give_the_formula() {
        for smallest in [2, 4, 5] {
            let best = best_split(&STEP, smallest).unwrap();
            assert_eq!(best.at, 5);
            assert!((best.distance - 14.2).abs() < 1e-9, "{best:?}");
        }
        let late = best_split(&STEP[1..], 5).unwrap();
        assert_eq!(late.at, 5);
        assert!((late.distance - LATE).abs() < 1e-9, "{late:?}");
    }

    #[test]
    fn a_short_series_has_no_cut() {
        assert_eq!(best_split(&STEP[..7], 4), None);
        assert_eq!(best_split(&[], 2), None);
        assert_eq!(best_split(&STEP, 1), None);
    }
}
