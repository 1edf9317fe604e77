//! What samples say and how sure one may be of it. Pure: numbers in, numbers out.

mod interval;
mod sequential;

pub(super) use interval::{Estimate, mean, percentile, rate};
pub(super) use sequential::{Evidence, Sample, always_valid_p};

/// The two-sided 95 % quantile of the normal distribution.
const Z: f64 = 1.959_963_984_540_054;
