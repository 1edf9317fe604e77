//! The few conversions between integers and floats, each with its bound.

/// A count as a float. Exact up to 2^53, more than a run can hold.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts of a run stay far below 2^53, where a float is still exact"
)]
pub(crate) const fn from_count(count: u64) -> f64 {
    count as f64
}

/// A signed amount as a float. Exact up to 2^53 either way.
#[expect(
    clippy::cast_precision_loss,
    reason = "steps and microseconds stay within 2^53"
)]
pub(crate) const fn from_signed(amount: i64) -> f64 {
    amount as f64
}

/// The nearest integer of a finite float, held within `-bound..=bound`.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the value is clamped to the bound first"
)]
pub(crate) fn round_within(value: f64, bound: i64) -> i64 {
    value.round().clamp(from_signed(-bound), from_signed(bound)) as i64
}

/// The whole part of a float that is known to be zero or above.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rank lies between 0 and a count, both below 2^53"
)]
pub(crate) const fn whole(value: f64) -> u64 {
    value as u64
}

/// The length of a list as a float, exact like a count.
pub(crate) const fn from_size(size: usize) -> f64 {
    from_count(size as u64)
}
