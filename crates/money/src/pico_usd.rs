//! Amounts of US dollars in units of 10⁻¹² USD.

use std::fmt;

use crate::format_decimal;

/// Pico-dollars in one dollar.
pub const PICO_USD_PER_USD: i64 = 1_000_000_000_000;

/// Decimals of a dollar amount written in full.
const USD_SCALE: u32 = 12;

/// An amount of pico-dollars (10⁻¹² USD); at most about 9.2 million dollars.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PicoUsd(i64);

impl PicoUsd {
    /// No money.
    pub const ZERO: Self = Self(0);

    /// An amount of `pico_usd` × 10⁻¹² USD.
    #[must_use]
    pub const fn new(pico_usd: i64) -> Self {
        Self(pico_usd)
    }

    /// The amount in units of 10⁻¹² USD.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    /// The sum, or `None` when it does not fit.
    #[must_use]
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(sum) => Some(Self(sum)),
            None => None,
        }
    }

    /// This price per token times a number of tokens, or `None` when it does not fit.
    #[must_use]
    pub fn times(self, tokens: u64) -> Option<Self> {
        i64::try_from(tokens)
            .ok()
            .and_then(|tokens| self.0.checked_mul(tokens))
            .map(Self)
    }

    /// The amount in dollars, for histograms and pages only; never to be added up.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "a display value; sums stay integers"
    )]
    pub fn approximate_usd(self) -> f64 {
        self.0 as f64 / PICO_USD_PER_USD as f64
    }
}

impl fmt::Display for PicoUsd {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&format_usd(i128::from(self.0)))
    }
}

/// A sum of pico-dollars as exact decimal dollars, without trailing zeros.
#[must_use]
pub fn format_usd(pico_usd: i128) -> String {
    format_decimal(pico_usd, USD_SCALE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_exactly() {
        assert_eq!(PicoUsd::new(412_000_000).to_string(), "0.000412");
        assert_eq!(PicoUsd::new(8_750).to_string(), "0.00000000875");
        assert_eq!(PicoUsd::ZERO.to_string(), "0");
    }

    #[test]
    fn overflow_is_seen() {
        assert_eq!(PicoUsd::new(i64::MAX).checked_add(PicoUsd::new(1)), None);
        assert_eq!(PicoUsd::new(10).times(u64::MAX), None);
        assert_eq!(
            PicoUsd::new(2_000_000).times(3),
            Some(PicoUsd::new(6_000_000))
        );
    }
}
