//! Two groups of runs, each large enough for a test.

use super::{Basis, Finding, Interval, Method, Side, Test};
use crate::number::from_size;
use crate::statistics::{
    hodges_lehmann, mann_whitney, median, robust_spread, smallest_mann_whitney, welch,
};

/// Runs that each side needs for a test: 3 v 3 cannot reach a two-sided p below 0.1, 4 v 4
/// reaches 0.029.
pub(super) const SMALLEST: usize = 4;

/// The scale on which differences are taken. Latencies and costs differ by factors, so that
/// logarithms are right for them; values that are not above zero have none.
#[derive(Debug, Clone, Copy)]
pub(super) enum Scale {
    Logarithmic,
    /// Differences as shares of this.
    Linear(f64),
}

impl Scale {
    pub(super) fn of(reference: &[f64], candidate: &[f64]) -> Self {
        if reference.iter().chain(candidate).all(|value| *value > 0.0) {
            return Self::Logarithmic;
        }
        // Of a reference at zero everything would be infinitely more.
        let size = |values: &[f64]| median(values).map(f64::abs).filter(|size| *size > 0.0);
        Self::Linear(size(reference).or_else(|| size(candidate)).unwrap_or(1.0))
    }

    pub(super) fn apply(self, values: &[f64]) -> Vec<f64> {
        match self {
            Self::Logarithmic => values.iter().map(|value| value.ln()).collect(),
            Self::Linear(_) => values.to_vec(),
        }
    }

    /// A shift on this scale as a share of the reference.
    pub(super) fn effect(self, shift: f64) -> f64 {
        match self {
            Self::Logarithmic => shift.exp_m1(),
            Self::Linear(size) => shift / size,
        }
    }

    /// A share of the reference as a shift on this scale.
    pub(super) fn shift(self, effect: f64) -> f64 {
        match self {
            Self::Logarithmic => effect.ln_1p(),
            Self::Linear(size) => effect * size,
        }
    }

    /// A variance on this scale as that of shares of the reference. Logarithms are such shares as
    /// long as they are small.
    fn relative(self, variance: f64) -> f64 {
        match self {
            Self::Logarithmic => variance,
            Self::Linear(size) => variance / (size * size),
        }
    }

    /// How much values differ among themselves, as a share of their centre.
    pub(super) fn noise(self, values: &[f64]) -> Option<f64> {
        (values.len() > 1).then(|| self.effect(robust_spread(&self.apply(values))))
    }
}

impl Side {
    pub(super) fn of_figures(figures: &[f64]) -> Self {
        Self {
            runs: figures.len(),
            centre: median(figures).unwrap_or(f64::NAN),
            interval: None,
        }
    }
}

pub(super) fn find(reference: &[f64], candidate: &[f64]) -> Finding {
    let scale = Scale::of(reference, candidate);
    let (before, after) = (scale.apply(reference), scale.apply(candidate));
    let shift = hodges_lehmann(&before, &after);
    let estimate = shift.map_or(0.0, |shift| shift.estimate);
    let (from, to) = (Side::of_figures(reference), Side::of_figures(candidate));
    Finding {
        method: match scale {
            Scale::Logarithmic => Method::WelchAndMannWhitney,
            Scale::Linear(_) => Method::WelchAndMannWhitneyUnscaled,
        },
        reference: from,
        candidate: to,
        difference: to.centre - from.centre,
        effect: scale.effect(estimate),
        interval: shift.map(|shift| Interval {
            low: scale.effect(shift.low),
            high: scale.effect(shift.high),
        }),
        noise: scale.noise(reference),
        basis: Basis::Test(Test {
            p: agreed(&before, &after, estimate),
            smallest_p: smallest_mann_whitney(before.len(), after.len()) / 2.0,
            variance: scale.relative(variance(&before, &after)),
            per_run: 1.0,
        }),
    }
}

/// p of both tests together. Welch's is two-sided; Mann and Whitney's then confirms its
/// direction, so that its one side counts: with both two-sided, 6 v 6 runs of 4 % noise would
/// show +10 % in 93 of 100 cases instead of 95. Tests that see different directions agree on
/// nothing.
fn agreed(before: &[f64], after: &[f64], estimate: f64) -> f64 {
    let Some(means) = welch(before, after) else {
        return 1.0;
    };
    if means.t * estimate < 0.0 {
        return 1.0;
    }
    means.p.max(mann_whitney(before, after) / 2.0)
}

/// The mean of both variances.
fn variance(before: &[f64], after: &[f64]) -> f64 {
    let of = |values: &[f64]| {
        let size = from_size(values.len());
        let mean = values.iter().sum::<f64>() / size;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        squares / (size - 1.0)
    };
    of(before).midpoint(of(after))
}
