//! Estimates with their 95 % confidence intervals.

use super::Z;

/// A value and the interval that holds the true one in 95 of 100 experiments.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::experiments) struct Estimate {
    pub(in crate::experiments) value: f64,
    pub(in crate::experiments) low: f64,
    pub(in crate::experiments) high: f64,
}

/// A share, with Wilson's score interval: Wilson, J. Am. Stat. Assoc. 22 (1927) 209; recommended
/// by Brown, Cai and `DasGupta`, Stat. Sci. 16 (2001) 101. `None` of nothing.
pub(in crate::experiments) fn rate(successes: u64, trials: u64) -> Option<Estimate> {
    if trials == 0 || successes > trials {
        return None;
    }
    let n = float(trials);
    let share = float(successes) / n;
    let shrink = 1.0 + Z * Z / n;
    let centre = (share + Z * Z / (2.0 * n)) / shrink;
    let half = Z / shrink * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
    Some(Estimate {
        value: share,
        low: (centre - half).max(0.0),
        high: (centre + half).min(1.0),
    })
}

/// A mean. Of positive samples with Cox's interval for log-normal ones, which latencies and costs
/// are like: Zhou and Gao, Stat. Med. 16 (1997) 783; of others with the normal interval. `None`
/// below two samples.
pub(in crate::experiments) fn mean(samples: &[f64]) -> Option<Estimate> {
    if samples.len() < 2 {
        return None;
    }
    let n = length(samples);
    let (value, variance) = moments(samples);
    if samples.iter().any(|sample| *sample <= 0.0) {
        let half = Z * (variance / n).sqrt();
        return Some(Estimate {
            value,
            low: value - half,
            high: value + half,
        });
    }
    let logarithms: Vec<f64> = samples.iter().map(|sample| sample.ln()).collect();
    let (centre, spread) = moments(&logarithms);
    let middle = centre + spread / 2.0;
    let half = Z * (spread / n + spread * spread / (2.0 * (n - 1.0))).sqrt();
    Some(Estimate {
        value,
        // The interval is of the log-normal mean, which need not be the samples' own.
        low: (middle - half).exp().min(value),
        high: (middle + half).exp().max(value),
    })
}

/// A percentile (`share` of 0 to 1) of sorted samples by nearest rank, with the interval of order
/// statistics that holds for any distribution: Conover, Practical Nonparametric Statistics,
/// 3rd ed. (1999), section 3.2. `None` of nothing.
pub(in crate::experiments) fn percentile(sorted: &[f64], share: f64) -> Option<Estimate> {
    let n = length(sorted);
    let half = Z * (n * share * (1.0 - share)).sqrt();
    let at = |rank: f64| {
        let rank = rank.ceil().clamp(1.0, n.max(1.0));
        sorted.get(index(rank)).copied()
    };
    Some(Estimate {
        value: at(n * share)?,
        low: at(n * share - half)?,
        high: at(n * share + half)?,
    })
}

/// Mean and unbiased variance, by Welford's method: Technometrics 4 (1962) 419.
pub(super) fn moments(samples: &[f64]) -> (f64, f64) {
    let (mut count, mut mean, mut squares) = (0.0, 0.0, 0.0);
    for sample in samples {
        count += 1.0;
        let off = sample - mean;
        mean += off / count;
        squares += off * (sample - mean);
    }
    let variance = if count > 1.0 {
        squares / (count - 1.0)
    } else {
        0.0
    };
    (mean, variance)
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
pub(super) const fn float(count: u64) -> f64 {
    count as f64
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
pub(super) const fn length(samples: &[f64]) -> f64 {
    samples.len() as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rank is between 1 and the number of samples"
)]
const fn index(rank: f64) -> usize {
    (rank as usize).saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(one: f64, other: f64) -> bool {
        (one - other).abs() < 5e-4
    }

    #[test]
    fn wilson_is_as_published() {
        // Newcombe, Stat. Med. 17 (1998) 857, table I, method 3.
        for (successes, trials, low, high) in [
            (81, 263, 0.2553, 0.3662),
            (15, 148, 0.0624, 0.1605),
            (0, 20, 0.0, 0.1611),
            (1, 29, 0.0061, 0.1718),
        ] {
            let estimate = rate(successes, trials).unwrap();
            assert!(
                close(estimate.low, low) && close(estimate.high, high),
                "{estimate:?}"
            );
        }
        assert_eq!(rate(0, 0), None);
        assert!(close(rate(20, 20).unwrap().high, 1.0));
    }

    #[test]
    fn percentiles_are_ranks() {
        let sorted: Vec<f64> = (1..=100).map(f64::from).collect();
        let median = percentile(&sorted, 0.5).unwrap();
        assert_eq!((median.value, median.low, median.high), (50.0, 41.0, 60.0));
        assert!(close(percentile(&sorted, 0.95).unwrap().value, 95.0));
        assert!(close(percentile(&[7.0], 0.95).unwrap().value, 7.0));
        assert_eq!(percentile(&[], 0.5), None);
    }

    #[test]
    fn the_interval_holds_the_mean_as_often_as_it_says() {
        let mut random = fastrand::Rng::with_seed(7);
        let mut normal = move || {
            let (radius, turn) = (1.0 - random.f64(), random.f64());
            (-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * turn).cos()
        };
        let (centre, spread) = (0.5_f64, 0.8_f64);
        let truth = (centre + spread * spread / 2.0).exp();
        let mut held = 0;
        for _ in 0..1_000 {
            let samples: Vec<f64> = (0..60)
                .map(|_| (centre + spread * normal()).exp())
                .collect();
            let estimate = mean(&samples).unwrap();
            held += i32::from(estimate.low <= truth && truth <= estimate.high);
        }
        // 95 % less three standard errors.
        assert!((930..=985).contains(&held), "{held}");
        assert_eq!(mean(&[1.0]), None);
        let with_zeros = mean(&[0.0, 2.0]).unwrap();
        assert!(close(with_zeros.value, 1.0) && with_zeros.low < 0.0);
    }
}
