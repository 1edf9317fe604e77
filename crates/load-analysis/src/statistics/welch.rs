//! Two means with unequal variances.

use super::INTERVAL_LEVEL;
use super::special::{student_quantile, student_two_sided};
use crate::number::from_size;

/// The outcome of a test of two means.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Welch {
    /// The difference of the means in standard errors; positive when the second is larger.
    pub(crate) t: f64,
    /// Two-sided.
    pub(crate) p: f64,
}

/// Welch's t-test, two-sided. Welch, Biometrika 34 (1947) 28; degrees of freedom by
/// Satterthwaite, Biometrics Bulletin 2 (1946) 110. `None` with fewer than two values on a side.
///
/// Two groups without any spread are either the same (p = 1) or certainly not (p = 0).
pub(crate) fn welch(first: &[f64], second: &[f64]) -> Option<Welch> {
    let (mean_first, error_first) = mean_and_error(first)?;
    let (mean_second, error_second) = mean_and_error(second)?;
    let difference = mean_second - mean_first;
    let variance = error_first + error_second;
    if variance <= 0.0 {
        let same = difference == 0.0;
        let t = if same {
            0.0
        } else {
            difference.signum() * f64::INFINITY
        };
        return Some(Welch {
            t,
            p: if same { 1.0 } else { 0.0 },
        });
    }
    let share = |error: f64, size: usize| error * error / (from_size(size) - 1.0);
    let degrees =
        variance * variance / (share(error_first, first.len()) + share(error_second, second.len()));
    let t = difference / variance.sqrt();
    let p = student_two_sided(t, degrees);
    Some(Welch { t, p })
}

/// How far from the centre of `reference` values the mean of some more of the same kind lies at
/// most, with a probability of 95 %: t·σ·√(1/m + 1/n) with n − 1 degrees of freedom. Hahn &
/// Meeker, Statistical Intervals, 1991, §4.7. Infinite with fewer than two reference values.
pub(crate) fn prediction_margin(sigma: f64, reference: usize, more: usize) -> f64 {
    if reference < 2 || more == 0 {
        return f64::INFINITY;
    }
    let quantile = student_quantile(1.0 - INTERVAL_LEVEL, from_size(reference) - 1.0);
    quantile * sigma * (from_size(reference).recip() + from_size(more).recip()).sqrt()
}

/// The mean and the square of its standard error.
fn mean_and_error(values: &[f64]) -> Option<(f64, f64)> {
    if values.len() < 2 {
        return None;
    }
    let size = from_size(values.len());
    let mean = values.iter().sum::<f64>() / size;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    Some((mean, squares / (size - 1.0) / size))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::fixtures::{EXTRA, GROUP_1, GROUP_2, SLEEP_P, SLEEP_T};

    /// R's own example: `t.test(extra ~ group, data = sleep)`, printed in its manual page as
    /// t = -1.8608, df = 17.776, p-value = 0.07939. More digits by
    /// `scipy.stats.ttest_ind(group2, group1, equal_var=False)`.
    #[test]
    fn the_sleep_data_of_student() {
        let (first, second) = (&EXTRA[GROUP_1], &EXTRA[GROUP_2]);
        let test = welch(first, second).unwrap();
        assert!((test.t - SLEEP_T).abs() < 1e-10, "{test:?}");
        assert!((test.p - SLEEP_P).abs() < 1e-10, "{test:?}");
    }

    #[test]
    fn groups_without_spread_are_the_same_or_not() {
        assert!((welch(&[2.0; 4], &[2.0; 4]).unwrap().p - 1.0).abs() < 1e-15);
        assert!(welch(&[2.0; 4], &[3.0; 4]).unwrap().p.abs() < 1e-15);
        assert_eq!(welch(&[1.0], &[1.0, 2.0]), None);
    }

    /// t(0.975, 9) = 2.262157 in every table.
    #[test]
    fn the_margin_of_one_more_value() {
        let expected = 2.262_157_162_740_992 * 0.04 * 1.1_f64.sqrt();
        assert!((prediction_margin(0.04, 10, 1) - expected).abs() < 1e-9);
        assert!(prediction_margin(0.04, 1, 1).is_infinite());
    }
}
