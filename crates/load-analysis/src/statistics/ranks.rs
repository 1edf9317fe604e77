//! Two groups by the ranks of their values alone.

use crate::number::from_size;

/// Mann & Whitney's U test (Ann. Math. Statist. 18 (1947) 50), exact and two-sided: twice the
/// smaller tail, at most 1.
///
/// Ties get the mean of their ranks, and the distribution is the one of these very ranks over
/// all ways to choose the second group (Lehmann, Nonparametrics, 1975, §1.4), so that p is exact
/// with ties as well. Sums of doubled ranks are integers; how many choices make each sum is
/// counted as in Streitberg & Röhmel, Statist. Software Newsletter 12 (1986) 10. 1 when a side
/// has no value.
pub(crate) fn mann_whitney(first: &[f64], second: &[f64]) -> f64 {
    if first.is_empty() || second.is_empty() {
        return 1.0;
    }
    let ranks = doubled_ranks(first, second);
    let observed: usize = ranks[first.len()..].iter().sum();
    let ways = ways_to_sum(&ranks, second.len());
    let all: f64 = ways.iter().sum();
    let below: f64 = ways[..=observed].iter().sum();
    let above: f64 = ways[observed..].iter().sum();
    (2.0 * below.min(above) / all).min(1.0)
}

/// The smallest p that two groups of these sizes can reach: 2 / C(m + n, n), when every value of
/// one lies below every value of the other.
pub(crate) fn smallest_mann_whitney(first: usize, second: usize) -> f64 {
    let choices = (1..=second).fold(1.0, |product, step| {
        product * from_size(first + step) / from_size(step)
    });
    (2.0 / choices).min(1.0)
}

/// For groups without ties: the number of choices for each value of U from 0 on. It is the
/// distribution that the interval of a shift is read from.
pub(super) fn ways_of_u(first: usize, second: usize) -> Vec<f64> {
    let ranks: Vec<usize> = (1..=first + second).collect();
    let smallest = second * (second + 1) / 2;
    let mut ways = ways_to_sum(&ranks, second).split_off(smallest);
    ways.truncate(first * second + 1);
    ways
}

/// Twice the mean rank of each value, the first group before the second.
fn doubled_ranks(first: &[f64], second: &[f64]) -> Vec<usize> {
    let all: Vec<f64> = first.iter().chain(second).copied().collect();
    let rank = |value: &f64| {
        let below = all.iter().filter(|other| *other < value).count();
        let not_above = all.iter().filter(|other| *other <= value).count();
        below + 1 + not_above
    };
    all.iter().map(rank).collect()
}

/// By sum: in how many ways `chosen` of the ranks make it. Floats, since the numbers outgrow
/// integers; they stay far below a float's range at the sizes that are compared.
fn ways_to_sum(ranks: &[usize], chosen: usize) -> Vec<f64> {
    let largest: usize = ranks.iter().sum();
    let mut ways = vec![vec![0.0; largest + 1]; chosen + 1];
    ways[0][0] = 1.0;
    for (seen, rank) in ranks.iter().enumerate() {
        // Downwards, so that a rank is chosen once.
        for count in (1..=chosen.min(seen + 1)).rev() {
            let (fewer, these) = ways.split_at_mut(count);
            let (fewer, these) = (&fewer[count - 1], &mut these[0]);
            for (sum, way) in these.iter_mut().enumerate().skip(*rank) {
                *way += fewer[sum - rank];
            }
        }
    }
    ways.swap_remove(chosen)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::fixtures::{AT_TERM, EARLY, EXTRA, GROUP_1, GROUP_2};

    fn check(first: &[f64], second: &[f64], expected: f64) {
        let p = mann_whitney(first, second);
        assert!((p - expected).abs() < 1e-12, "{p}");
        let swapped = mann_whitney(second, first);
        assert!((swapped - expected).abs() < 1e-12, "{swapped}");
    }

    /// `scipy.stats.mannwhitneyu(x, y, method="exact")`; R's manual page prints the one-sided
    /// half of it, 0.1272.
    #[test]
    fn without_ties() {
        check(&EARLY, &AT_TERM, 0.254_412_254_412_254_4);
    }

    /// `scipy.stats.mannwhitneyu(x, y, method=PermutationMethod(n_resamples=inf))`, which goes
    /// through all choices; the second pair of groups by itertools.combinations.
    #[test]
    fn with_ties() {
        check(&EXTRA[GROUP_1], &EXTRA[GROUP_2], 0.065_816_536_404_771_7);
        check(
            &[1.0, 2.0, 2.0, 3.0],
            &[2.0, 3.0, 3.0, 4.0],
            0.285_714_285_714_285_7,
        );
    }

    #[test]
    fn the_smallest_p_is_reached_by_groups_apart() {
        for (size, expected) in [(3_u32, 0.1), (4, 2.0 / 70.0), (5, 2.0 / 252.0)] {
            let low: Vec<f64> = (0..size).map(f64::from).collect();
            let high: Vec<f64> = (size..2 * size).map(f64::from).collect();
            check(&low, &high, expected);
            let smallest = smallest_mann_whitney(low.len(), high.len());
            assert!((smallest - expected).abs() < 1e-12);
        }
        assert!((mann_whitney(&[], &[1.0]) - 1.0).abs() < 1e-15);
        assert!((mann_whitney(&[1.0; 5], &[1.0; 5]) - 1.0).abs() < 1e-15);
    }
}
