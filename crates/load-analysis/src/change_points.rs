//! Where the level of a series of runs changed for good.

use crate::statistics::{best_split, hodges_lehmann, median};

use crate::comparison::{Interval, MAX_RUNS};

/// The latest runs of a series that are looked at: half a year of nights. The cost grows with
/// their square.
pub const MAX_SERIES: usize = 200;

/// The fewest runs of a level: fewer are a spike, not a step.
pub const SMALLEST_LEVEL: usize = 4;

/// Shuffles of the permutation test.
const SHUFFLES: u32 = 499;

/// The chance of a false alarm of each test. Mozilla's study (arXiv 2606.18377) counts one false
/// group of alerts in eight at looser levels; Otava takes 0.001.
const SIGNIFICANCE: f64 = 0.01;

/// A level must change by this share: no step smaller than what counts in a comparison.
const SMALLEST_STEP: f64 = crate::comparison::Effects::OF_FIGURES.smallest;

/// A step in a series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChangePoint {
    /// The position in the series of the first run of the new level.
    pub index: usize,
    /// The median of the level before, since the change point before this one.
    pub before: f64,
    /// The median of the new level, up to the next change point.
    pub after: f64,
    /// `after` against `before` as a share of it, by Hodges' and Lehmann's shift.
    pub effect: f64,
    /// The interval of 95 % in which the effect lies, when nothing but the level changed.
    pub interval: Interval,
    /// The share of shuffled series that fall into two parts as different as these.
    pub p: f64,
}

/// Finds the change points of one figure over the runs of a test, oldest first, by E-divisive:
/// the series is cut where the energy distance of both parts is largest, if few shuffles of it
/// have one as large, and so are the parts in turn (Matteson & James, J. Amer. Statist. Assoc.
/// 109 (2014) 334; for tests of performance Daly et al., ICPE 2020). The same series and seed
/// always give the same answer.
///
/// Figures must be finite; logarithms are taken when all are above zero, so that a step is a
/// factor. Of a series beyond [`MAX_SERIES`] the latest runs are looked at.
#[must_use]
pub fn change_points(series: &[f64], seed: u64) -> Vec<ChangePoint> {
    if series.iter().any(|figure| !figure.is_finite()) {
        return Vec::new();
    }
    let skipped = series.len().saturating_sub(MAX_SERIES);
    let figures = &series[skipped..];
    let values = Values::of(figures);
    let mut random = fastrand::Rng::with_seed(seed);
    let mut found = Vec::new();
    cut(&values.scaled, 0, &mut random, &mut found);
    found.sort_unstable_by_key(|(at, _)| *at);
    let steps = found.iter().enumerate().filter_map(|(position, (at, p))| {
        let start = position.checked_sub(1).map_or(0, |before| found[before].0);
        let end = found.get(position + 1).map_or(figures.len(), |next| next.0);
        values.step(figures, (start, *at, end), *p)
    });
    steps
        .map(|step| ChangePoint {
            index: step.index + skipped,
            ..step
        })
        .collect()
}

/// Cuts a part of the series that begins at `start`, and its parts.
fn cut(part: &[f64], start: usize, random: &mut fastrand::Rng, found: &mut Vec<(usize, f64)>) {
    let Some(split) = best_split(part, SMALLEST_LEVEL) else {
        return;
    };
    let Some(p) = permutation_p(part, split.distance, random) else {
        return;
    };
    found.push((start + split.at, p));
    cut(&part[..split.at], start, random, found);
    cut(&part[split.at..], start + split.at, random, found);
}

/// The share of shuffles, this order among them, whose best cut is at least as good; `None` as
/// soon as it is certain to exceed the level.
fn permutation_p(part: &[f64], distance: f64, random: &mut fastrand::Rng) -> Option<f64> {
    let mut shuffled = part.to_vec();
    let mut as_good = 1_u32;
    let orders = f64::from(SHUFFLES + 1);
    for _ in 0..SHUFFLES {
        random.shuffle(&mut shuffled);
        let best = best_split(&shuffled, SMALLEST_LEVEL);
        as_good += u32::from(best.is_some_and(|best| best.distance >= distance));
        if f64::from(as_good) / orders > SIGNIFICANCE {
            return None;
        }
    }
    Some(f64::from(as_good) / orders)
}

/// A series on the scale on which steps are taken.
struct Values {
    scaled: Vec<f64>,
    logarithmic: bool,
}

impl Values {
    fn of(figures: &[f64]) -> Self {
        let logarithmic = figures.iter().all(|figure| *figure > 0.0);
        let scale = |figure: &f64| if logarithmic { figure.ln() } else { *figure };
        Self {
            scaled: figures.iter().map(scale).collect(),
            logarithmic,
        }
    }

    /// The step at the second of three positions; `None` when it is too small to count.
    fn step(
        &self,
        figures: &[f64],
        (start, at, end): (usize, usize, usize),
        p: f64,
    ) -> Option<ChangePoint> {
        // The runs next to the step say most about it, and exact intervals need a bound.
        let (start, end) = (
            start.max(at.saturating_sub(MAX_RUNS)),
            end.min(at + MAX_RUNS),
        );
        let (before, after) = (median(&figures[start..at])?, median(&figures[at..end])?);
        let shift = hodges_lehmann(&self.scaled[start..at], &self.scaled[at..end])?;
        let size = if before == 0.0 {
            after.abs()
        } else {
            before.abs()
        };
        let effect = |shift: f64| {
            if self.logarithmic {
                shift.exp_m1()
            } else {
                shift / size
            }
        };
        let step = ChangePoint {
            index: at,
            before,
            after,
            effect: effect(shift.estimate),
            interval: Interval {
                low: effect(shift.low),
                high: effect(shift.high),
            },
            p,
        };
        (step.effect.abs() >= SMALLEST_STEP).then_some(step)
    }
}
