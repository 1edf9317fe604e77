//! Too few runs for a test: how far the candidate lies from the history, in its own noise.

use super::groups::Scale;
use super::{Basis, Effects, Finding, Interval, LEAST_NOISE, Method, Side};
use crate::statistics::{median, prediction_margin};

/// Below this many runs of the reference its noise is unknown.
pub(super) const SMALLEST_HISTORY: usize = 5;

/// Iglewicz & Hoaglin, How to Detect and Handle Outliers (1993), §3: a modified z-score beyond
/// 3.5 is an outlier.
const OUTLIER: f64 = 3.5;

/// How far a candidate lies from the history.
#[derive(Debug, Clone, Copy)]
pub(super) struct Distance {
    /// Beyond the noise, beyond what counts, and beyond every run of the history.
    pub(super) is_outlier: bool,
    /// What unchanged code does by itself: twice its noise, at least the smallest effect.
    pub(super) usual: f64,
}

pub(super) fn find(reference: &[f64], candidate: &[f64], effects: Effects) -> Finding {
    let scale = Scale::of(reference, candidate);
    let centre = |values: &[f64]| median(values).unwrap_or(f64::NAN);
    let (before, after) = (scale.apply(reference), scale.apply(candidate));
    let shift = centre(&after) - centre(&before);
    let mut finding = Finding {
        method: Method::DifferenceOnly,
        reference: Side::of_figures(reference),
        candidate: Side::of_figures(candidate),
        difference: centre(candidate) - centre(reference),
        effect: scale.effect(shift),
        interval: None,
        noise: scale.noise(reference),
        basis: Basis::Nothing,
    };
    if reference.len() < SMALLEST_HISTORY || candidate.is_empty() {
        return finding;
    }
    let noise = finding.noise.unwrap_or(0.0).max(LEAST_NOISE);
    let sigma = scale.shift(noise);
    let margin = prediction_margin(sigma, reference.len(), candidate.len());
    let usual = effects.smallest.max(2.0 * noise);
    finding.method = Method::RobustZ;
    finding.interval = Some(Interval {
        low: scale.effect(shift - margin),
        high: scale.effect(shift + margin),
    });
    finding.basis = Basis::Distance(Distance {
        is_outlier: shift.abs() / sigma > OUTLIER
            && finding.effect.abs() >= usual
            && beyond_all(&before, centre(&after)) >= scale.shift(effects.smallest),
        usual,
    });
    finding
}

/// How far a value lies beyond the whole history; negative within it. What the history has shown
/// by itself is no change, however rarely: figures of runs have longer tails than the normal
/// ones that a z-score is made for.
fn beyond_all(history: &[f64], value: f64) -> f64 {
    let above = history.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let below = history.iter().copied().fold(f64::INFINITY, f64::min);
    (value - above).max(below - value)
}
