//! Log-normal durations, described by the two percentiles that people measure.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Standard normal value below which 95 % of the draws lie.
const Z95: f64 = 1.644_853_626_951_472_7;
/// Draws are cut at four standard deviations (one in 31,000), so that the
/// longest possible wait is known.
const Z_LIMIT: f64 = 4.0;
/// No percentile above ten minutes: longer than any client waits.
const LONGEST_MS: f64 = 600_000.0;

/// Median and 95th percentile, in milliseconds. Both 0: no delay at all.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Percentiles {
    /// Median, milliseconds.
    pub p50: f64,
    /// 95th percentile, milliseconds; not below the median.
    pub p95: f64,
}

/// A log-normal distribution of durations, or no delay.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Delay {
    /// Natural logarithm of the median in seconds; `None` when there is no delay.
    location: Option<f64>,
    scale: f64,
}

impl Delay {
    /// Takes the distribution with these percentiles.
    ///
    /// # Errors
    /// Says what is wrong when the percentiles are negative, not finite, out of
    /// order or above ten minutes.
    pub(crate) fn from_percentiles(percentiles: Percentiles) -> Result<Self, String> {
        let Percentiles { p50, p95 } = percentiles;
        if !(0.0..=LONGEST_MS).contains(&p50) || !(0.0..=LONGEST_MS).contains(&p95) {
            return Err(format!("p50 and p95 must be between 0 and {LONGEST_MS} ms"));
        }
        if p95 < p50 {
            return Err(format!("p95 ({p95} ms) must not be below p50 ({p50} ms)"));
        }
        if p50 <= 0.0 {
            if p95 > 0.0 {
                return Err("a p50 of 0 needs a p95 of 0".to_owned());
            }
            return Ok(Self {
                location: None,
                scale: 0.0,
            });
        }
        Ok(Self {
            location: Some((p50 / 1000.0).ln()),
            scale: (p95 / p50).ln() / Z95,
        })
    }

    /// Whether every draw is zero: no timer is needed then.
    pub(crate) fn is_none(self) -> bool {
        self.location.is_none()
    }

    /// Draws one duration.
    pub(crate) fn draw(self, generator: &mut fastrand::Rng) -> Duration {
        let Some(location) = self.location else {
            return Duration::ZERO;
        };
        let z = standard_normal(generator).clamp(-Z_LIMIT, Z_LIMIT);
        // The exponent is bounded by the limits above; a failed conversion
        // could only mean a delay too long to matter.
        Duration::try_from_secs_f64((location + self.scale * z).exp()).unwrap_or(Duration::MAX)
    }
}

/// Box and Muller's transform: two uniform draws give a normal one.
fn standard_normal(generator: &mut fastrand::Rng) -> f64 {
    // 1 - u lies in (0, 1], so the logarithm is finite.
    let radius = (-2.0 * (1.0 - generator.f64()).ln()).sqrt();
    radius * (std::f64::consts::TAU * generator.f64()).cos()
}

#[cfg(test)]
mod tests {
    use super::{Delay, Percentiles};
    use crate::seed::generator;

    const DRAWS: usize = 20_000;

    #[test]
    fn draws_have_the_percentiles_that_were_asked_for() {
        let delay = Delay::from_percentiles(Percentiles {
            p50: 40.0,
            p95: 120.0,
        })
        .unwrap();
        let mut generator = generator(1, 1);
        let mut drawn: Vec<f64> = (0..DRAWS)
            .map(|_| delay.draw(&mut generator).as_secs_f64() * 1000.0)
            .collect();
        drawn.sort_by(f64::total_cmp);
        let (p50, p95) = (drawn[DRAWS / 2], drawn[DRAWS * 95 / 100]);
        assert!((38.0..42.0).contains(&p50), "p50 {p50}");
        assert!((112.0..128.0).contains(&p95), "p95 {p95}");
    }

    #[test]
    fn equal_percentiles_are_a_constant_and_zero_is_no_delay() {
        let constant = Delay::from_percentiles(Percentiles {
            p50: 10.0,
            p95: 10.0,
        })
        .unwrap();
        let drawn = constant.draw(&mut generator(3, 9)).as_secs_f64();
        assert!((drawn - 0.010).abs() < 1e-9, "{drawn}");
        let none = Delay::from_percentiles(Percentiles { p50: 0.0, p95: 0.0 }).unwrap();
        assert!(none.is_none() && none.draw(&mut generator(3, 9)).is_zero());
    }

    #[test]
    fn impossible_percentiles_are_refused() {
        for (p50, p95) in [
            (-1.0, 1.0),
            (2.0, 1.0),
            (0.0, 1.0),
            (f64::NAN, 1.0),
            (1.0, 6e8),
        ] {
            let refused = Delay::from_percentiles(Percentiles { p50, p95 });
            assert!(refused.is_err(), "{p50} {p95}");
        }
    }
}
