//! Whether two variants differ, however often one looks.
//!
//! A common test that is looked at again and again finds a difference sooner or later where there
//! is none. The mixture sequential probability ratio test does not: its p-values are valid at every
//! look. Johari, Koomen, Pekelis and Walsh, "Always Valid Inference: Continuous Monitoring of A/B
//! Tests", Operations Research 70 (2022) 1806, equation 10, with the variance of the difference in
//! place of that of equally many pairs.

use super::interval::{float, length, moments};

/// Samples that each variant must have: below it, the normal approximation and the estimated
/// variances are not to be trusted.
const MIN_SAMPLES: f64 = 100.0;

/// The mixture's scale, where the test is most powerful: differences of five points of a share.
const RATE_SCALE: f64 = 0.05;

/// The same for ratios: of ten percent, in natural logarithms.
const LOG_SCALE: f64 = 0.1;

/// Least variance of logarithms: samples that are all the same, as a simulator's are, have been
/// measured no better than to one percent.
const LEAST_LOG_VARIANCE: f64 = 1e-4;

/// What a variant's samples say of one measure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::experiments) struct Sample {
    count: f64,
    mean: f64,
    variance: f64,
    scale: f64,
}

/// What two samples say together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::experiments) struct Evidence {
    /// The second mean less the first: of shares, or of natural logarithms.
    pub(in crate::experiments) difference: f64,
    /// Always valid; 1 until there is enough data.
    pub(in crate::experiments) p: f64,
}

impl Sample {
    /// Of successes among trials.
    pub(in crate::experiments) fn of_rate(successes: u64, trials: u64) -> Self {
        let n = float(trials);
        // One success and one failure more: samples without either are not without variance
        // (Agresti and Caffo, Am. Stat. 54 (2000) 280).
        let share = (float(successes) + 1.0) / (n + 2.0);
        Self {
            count: n,
            mean: if trials == 0 {
                0.0
            } else {
                float(successes) / n
            },
            variance: share * (1.0 - share),
            scale: RATE_SCALE,
        }
    }

    /// Of positive numbers that are compared by their ratio, as times and costs are; others are
    /// left out.
    pub(in crate::experiments) fn of_ratio(samples: &[f64]) -> Self {
        let positive = samples.iter().filter(|sample| **sample > 0.0);
        let logarithms: Vec<f64> = positive.map(|sample| sample.ln()).collect();
        let (mean, variance) = moments(&logarithms);
        Self {
            count: length(&logarithms),
            mean,
            variance: variance.max(LEAST_LOG_VARIANCE),
            scale: LOG_SCALE,
        }
    }
}

/// Compares two samples of the same measure.
pub(in crate::experiments) fn always_valid_p(first: &Sample, second: &Sample) -> Evidence {
    let difference = second.mean - first.mean;
    if first.count < MIN_SAMPLES || second.count < MIN_SAMPLES {
        return Evidence { difference, p: 1.0 };
    }
    let variance = first.variance / first.count + second.variance / second.count;
    let mixture = first.scale * first.scale;
    let total = variance + mixture;
    let logarithm = 0.5 * (variance / total).ln()
        + mixture * difference * difference / (2.0 * variance * total);
    Evidence {
        difference,
        p: (-logarithm).exp().min(1.0),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Z;
    use super::*;

    const RUNS: usize = 400;
    const LOOKS: u64 = 2_000;

    /// How many of many experiments ever look decided at the 5 % level, by this test and by the
    /// common one, when looked at after each pair.
    fn decided(first: f64, second: f64) -> (usize, usize) {
        let mut random = fastrand::Rng::with_seed(11);
        let (mut sequential, mut common) = (0, 0);
        for _ in 0..RUNS {
            let (mut one, mut other) = (0, 0);
            let (mut by_sequential, mut by_common) = (false, false);
            for n in 1..=LOOKS {
                one += u64::from(random.f64() < first);
                other += u64::from(random.f64() < second);
                let pair = (Sample::of_rate(one, n), Sample::of_rate(other, n));
                by_sequential |= always_valid_p(&pair.0, &pair.1).p < 0.05;
                let error = ((pair.0.variance + pair.1.variance) / pair.0.count).sqrt();
                by_common |= n >= 100 && (pair.1.mean - pair.0.mean).abs() > Z * error;
            }
            sequential += usize::from(by_sequential);
            common += usize::from(by_common);
        }
        (sequential, common)
    }

    #[test]
    fn looking_often_finds_nothing_where_there_is_nothing() {
        let (sequential, common) = decided(0.6, 0.6);
        assert!(
            sequential <= RUNS / 20,
            "{sequential} of {RUNS} equal pairs look different"
        );
        // Which is why this test is not the common one.
        assert!(common > RUNS / 5, "{common}");
    }

    #[test]
    fn a_difference_is_found() {
        let (found, _) = decided(0.5, 0.6);
        assert!(found > RUNS * 9 / 10, "{found} of {RUNS}");
    }

    #[test]
    fn few_samples_decide_nothing() {
        let evidence = always_valid_p(&Sample::of_rate(0, 99), &Sample::of_rate(99, 99));
        assert_eq!((evidence.difference, evidence.p), (1.0, 1.0));
        let (slow, fast) = (vec![200.0; 100], vec![100.0; 100]);
        let pair = (Sample::of_ratio(&slow), Sample::of_ratio(&fast));
        let evidence = always_valid_p(&pair.0, &pair.1);
        assert!(evidence.p < 0.001 && (evidence.difference + 2.0_f64.ln()).abs() < 1e-9);
        assert!(always_valid_p(&pair.0, &pair.0).p > 0.99);
    }
}
