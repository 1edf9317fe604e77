//! The values of a trend: a histogram with three significant digits, exact sum and extremes.

mod encoding;
mod values;

pub use self::encoding::DecodeError;
pub(crate) use self::encoding::{Reader, write_float, write_unsigned};
use self::values::Values;
use crate::number;

/// Steps per unit of a trend: values are kept as integers of 1/1,000. k6's times are
/// milliseconds, so their step is a microsecond; other trends keep three decimals.
pub const STEPS_PER_UNIT: f64 = 1_000.0;

/// Significant digits of the histogram. A bucket is at most 1/1,024 of its value wide and a
/// quantile is read at its middle.
pub const SIGNIFICANT_DIGITS: u8 = 3;

/// The largest relative error of a quantile: half a bucket, 1/2,048.
pub const RELATIVE_ERROR: f64 = 1.0 / 2_048.0;

/// The largest error that rounding to a step adds, in units of the trend.
pub const ABSOLUTE_ERROR: f64 = 1.0 / STEPS_PER_UNIT;

/// Values beyond this are kept at the bound: 2^53 steps, up to where a float tells an integer
/// from its neighbour (285 years in milliseconds).
const LARGEST_STEP: i64 = 1 << 53;

/// Values of any sign. Merging is exact: merged parts answer like one whole, except that the
/// sum adds floats in another order.
#[derive(Debug, Clone, Default)]
pub struct Distribution {
    sum: f64,
    min: f64,
    max: f64,
    values: Values,
}

impl Distribution {
    /// Adds one value, in the unit of the trend. A value that is not finite is left out; the
    /// decoder refuses such values before they come here.
    pub fn record(&mut self, value: f64) {
        if !value.is_finite() {
            return;
        }
        self.extend_range(value, value);
        self.sum += value;
        self.values
            .record(number::round_within(value * STEPS_PER_UNIT, LARGEST_STEP));
    }

    /// Adds all values of another distribution.
    pub fn merge(&mut self, other: &Self) {
        if other.count() == 0 {
            return;
        }
        self.extend_range(other.min, other.max);
        self.sum += other.sum;
        self.values.merge(&other.values);
    }

    /// How many values there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.values.count()
    }

    /// The sum of the values, exact.
    #[must_use]
    pub const fn sum(&self) -> f64 {
        self.sum
    }

    /// How many values are at most each of these bounds, which ascend and are in the unit of the
    /// trend. A value in a bucket of the histogram counts with the bucket's middle.
    #[must_use]
    pub fn counts_up_to(&self, bounds: &[f64]) -> Vec<u64> {
        let values = self.ascending();
        let (mut values, mut count) = (values.into_iter().peekable(), 0);
        let up_to = |bound: &f64| {
            while let Some((_, times)) = values.next_if(|(value, _)| value <= bound) {
                count += times;
            }
            count
        };
        bounds.iter().map(up_to).collect()
    }

    /// The mean, from the exact sum. `None` without values, like all statistics here.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        (self.count() > 0).then(|| self.sum / number::from_count(self.count()))
    }

    /// The smallest value, exact.
    #[must_use]
    pub fn min(&self) -> Option<f64> {
        (self.count() > 0).then_some(self.min)
    }

    /// The largest value, exact.
    #[must_use]
    pub fn max(&self) -> Option<f64> {
        (self.count() > 0).then_some(self.max)
    }

    /// The value below which a share of the values lies; `share` is 0 to 1 and is held within.
    ///
    /// Uses k6's rule, so that both can be compared: the position is `share × (count − 1)` in
    /// the sorted values, and between two of them the value is interpolated. The result is off
    /// by at most [`RELATIVE_ERROR`] of the value plus [`ABSOLUTE_ERROR`].
    #[must_use]
    pub fn quantile(&self, share: f64) -> Option<f64> {
        let last = self.count().checked_sub(1)?;
        let position = share.clamp(0.0, 1.0) * number::from_count(last);
        let lower = number::whole(position);
        let (low, high) = self.values.at_ranks(lower, (lower + 1).min(last));
        let between = position - number::from_count(lower);
        let steps = (high - low).mul_add(between, low);
        Some((steps / STEPS_PER_UNIT).clamp(self.min, self.max))
    }

    /// Hands out all values with how often they are there, in no order; those of a bucket at its
    /// middle.
    pub fn each(&self, mut take: impl FnMut(f64, u64)) {
        self.values
            .each(|step, times| take(number::from_signed(step) / STEPS_PER_UNIT, times));
    }

    /// Values with how often they are there, ascending; those of a bucket at its middle.
    pub(crate) fn ascending(&self) -> Vec<(f64, u64)> {
        let in_units = |(step, times)| (step / STEPS_PER_UNIT, times);
        self.values.ascending().into_iter().map(in_units).collect()
    }

    fn extend_range(&mut self, min: f64, max: f64) {
        let empty = self.count() == 0;
        self.min = if empty { min } else { self.min.min(min) };
        self.max = if empty { max } else { self.max.max(max) };
    }
}
