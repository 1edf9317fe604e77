//! The formulae behind comparisons, each with its source. They take plain numbers and know
//! nothing of runs.

mod energy;
#[cfg(test)]
mod fixtures;
mod order;
mod proportions;
mod ranks;
mod shift;
mod special;
mod step_down;
mod welch;

pub(crate) use self::energy::best_split;
pub(crate) use self::order::{median, robust_spread, sorted};
pub(crate) use self::proportions::{fisher_exact, newcombe_difference, wilson};
pub(crate) use self::ranks::{mann_whitney, smallest_mann_whitney};
pub(crate) use self::shift::hodges_lehmann;
pub(crate) use self::special::student_quantile;
pub(crate) use self::step_down::{Step, holm};
pub(crate) use self::welch::{prediction_margin, welch};

/// The level of the intervals of this crate.
pub(crate) const INTERVAL_LEVEL: f64 = 0.95;

/// The two-sided 95 % point of the standard normal distribution.
const NORMAL_95: f64 = 1.959_963_984_540_054;
