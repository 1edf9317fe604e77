//! Robust centre and spread.

use crate::number::from_size;

/// Makes the median absolute deviation estimate the standard deviation of normal values:
/// 1 / Φ⁻¹(3/4). Hampel, J. Amer. Statist. Assoc. 69 (1974) 383.
const MAD_TO_SIGMA: f64 = 1.482_602_218_505_602;

/// The values in ascending order.
pub(crate) fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

/// The middle value, or the mean of the two in the middle; `None` without values.
pub(crate) fn median(values: &[f64]) -> Option<f64> {
    let sorted = sorted(values);
    let upper = *sorted.get(sorted.len() / 2)?;
    if sorted.len() % 2 == 1 {
        return Some(upper);
    }
    let lower = sorted[sorted.len() / 2 - 1];
    Some(lower.midpoint(upper))
}

/// A robust standard deviation: the scaled median absolute deviation from the median. When more
/// than half of the values are the same it is 0 although others differ; then the mean absolute
/// deviation, scaled for normal values by √(π/2), takes its place (Iglewicz & Hoaglin, How to
/// Detect and Handle Outliers, 1993, §4). 0 below two values.
pub(crate) fn robust_spread(values: &[f64]) -> f64 {
    let Some(centre) = median(values) else {
        return 0.0;
    };
    let deviations: Vec<f64> = values.iter().map(|value| (value - centre).abs()).collect();
    let mad = median(&deviations).unwrap_or(0.0);
    if mad > 0.0 {
        return mad * MAD_TO_SIGMA;
    }
    let mean = deviations.iter().sum::<f64>() / from_size(deviations.len());
    mean * std::f64::consts::FRAC_PI_2.sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `scipy.stats.median_abs_deviation(x, scale="normal")` gives 0.01482602218505603.
    #[test]
    fn the_spread_is_the_scaled_deviation() {
        let values = [1.0, 1.01, 0.98, 1.02, 1.5];
        assert!((robust_spread(&values) - 0.014_826_022_185_056_03).abs() < 1e-12);
        assert_eq!(median(&values), Some(1.01));
        assert_eq!(median(&[4.0, 1.0]), Some(2.5));
        assert_eq!(median(&[]), None);
    }

    #[test]
    fn equal_values_have_no_spread_and_one_other_has_some() {
        assert!(robust_spread(&[2.0, 2.0, 2.0]).abs() < 1e-15);
        let mean_deviation: f64 = 1.0 / 5.0;
        let expected = mean_deviation * 1.253_314_137_315_500_3;
        assert!((robust_spread(&[2.0, 2.0, 2.0, 2.0, 3.0]) - expected).abs() < 1e-12);
    }
}
