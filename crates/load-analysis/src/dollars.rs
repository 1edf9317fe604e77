//! Sums of money: exact, and written as people read them.

use std::fmt;
use std::ops::{Add, Sub};
use std::str::FromStr;

use money::{DecimalError, format_usd, parse_decimal};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::notation::number;

/// Decimals of a dollar that are kept.
const SCALE: u32 = 12;

/// Pico-dollars of a dollar.
const PICO_PER_DOLLAR: f64 = 1e12;

/// The largest sum that is read or estimated: nine million dollars, as many as 64 bits hold.
const LARGEST: i128 = 9_000_000 * 1_000_000_000_000;

/// A sum of US dollars in units of 10⁻¹² USD. As JSON it is `{"picoUsd": 412000000, "usd":
/// "0.000412"}`; as text it is read from decimal dollars and written as `$0.0004`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Dollars(i128);

/// Why a text is no sum of dollars.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDollars {
    /// It is no decimal number, or too precise.
    #[error("{0}")]
    Decimal(#[from] DecimalError),
    /// Below nothing, or beyond any money.
    #[error("must be from 0 to 9,000,000 dollars")]
    OutOfRange,
}

impl Dollars {
    /// No money.
    pub const ZERO: Self = Self(0);

    /// A sum of 10⁻¹² USD.
    #[must_use]
    pub const fn of_pico(pico_usd: i128) -> Self {
        Self(pico_usd)
    }

    /// The sum in 10⁻¹² USD.
    #[must_use]
    pub const fn pico(self) -> i128 {
        self.0
    }

    /// Whether it is no money at all.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The difference, or nothing where the other sum is larger.
    #[must_use]
    pub fn saturating_sub(self, other: Self) -> Self {
        Self((self.0 - other.0).max(0))
    }

    /// A computed amount of pico-dollars, rounded up: an estimate is never below itself.
    #[must_use]
    pub fn estimated(pico_usd: f64) -> Self {
        Self(rounded_up(pico_usd))
    }

    /// So many times the sum, as an estimate.
    #[must_use]
    pub fn times(self, times: f64) -> Self {
        Self::estimated(self.approximate_pico() * times)
    }

    /// The sum for arithmetic that estimates; sums of money stay integers.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "for estimates only")]
    pub const fn approximate_pico(self) -> f64 {
        self.0 as f64
    }

    /// Exact decimal dollars without a sign of the currency.
    #[must_use]
    pub fn decimal(self) -> String {
        format_usd(self.0)
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "clamped to a bound that a float and an i128 both hold"
)]
fn rounded_up(pico_usd: f64) -> i128 {
    pico_usd.ceil().clamp(0.0, LARGEST as f64) as i128
}

impl Add for Dollars {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Dollars {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

/// Four decimals below $10, else two; below a hundredth of a cent the unit is µ$, so that what is
/// not nothing never reads as nothing.
impl fmt::Display for Dollars {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dollars = self.approximate_pico() / PICO_PER_DOLLAR;
        let text = match dollars.abs() {
            0.0 => "$0.00".to_owned(),
            small if small < 0.000_1 => format!("{} \u{b5}$", micro(dollars * 1e6)),
            medium if medium < 9.999_95 => format!("${dollars:.4}"),
            _ => format!("${}", grouped(dollars)),
        };
        formatter.pad(&text)
    }
}

/// Below a hundredth two decimals would read as nothing.
fn micro(micro_dollars: f64) -> String {
    if micro_dollars.abs() < 0.01 {
        let text = format!("{micro_dollars:.6}");
        text.trim_end_matches('0').to_owned()
    } else {
        number(micro_dollars)
    }
}

/// Two decimals, thousands apart.
fn grouped(dollars: f64) -> String {
    let text = format!("{dollars:.2}");
    let (whole, cents) = text.split_at(text.len() - 3);
    match whole.parse() {
        Ok(whole) => crate::notation::whole(whole) + cents,
        Err(_) => text,
    }
}

impl FromStr for Dollars {
    type Err = InvalidDollars;

    fn from_str(text: &str) -> Result<Self, InvalidDollars> {
        let pico_usd = parse_decimal(text.trim(), SCALE)?;
        if (0..=LARGEST).contains(&pico_usd) {
            Ok(Self(pico_usd))
        } else {
            Err(InvalidDollars::OutOfRange)
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    pico_usd: i128,
    usd: String,
}

/// The text alone: not every reader of JSON knows integers of 128 bits.
#[derive(Deserialize)]
struct Read {
    usd: String,
}

impl Serialize for Dollars {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Written {
            pico_usd: self.0,
            usd: self.decimal(),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Dollars {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = Read::deserialize(deserializer)?;
        let pico_usd = parse_decimal(&read.usd, SCALE).map_err(D::Error::custom)?;
        Ok(Self(pico_usd))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_written_as_people_read_them() {
        for (text, expected) in [
            ("0", "$0.00"),
            ("2.931", "$2.9310"),
            ("0.0001", "$0.0001"),
            ("0.000038", "38 \u{b5}$"),
            ("0.000000038", "0.04 \u{b5}$"),
            ("0.000000000001", "0.000001 \u{b5}$"),
            ("9.99999", "$10.00"),
            ("41.2", "$41.20"),
            ("1234567.891", "$1,234,567.89"),
        ] {
            let sum: Dollars = text.parse().unwrap();
            assert_eq!(sum.to_string(), expected, "{text}");
        }
    }

    #[test]
    fn text_that_is_no_sum_is_refused() {
        for text in ["", "-1", "1e999", "a", "0.0000000000001", "1e8", "NaN"] {
            assert!(text.parse::<Dollars>().is_err(), "{text}");
        }
        assert_eq!("1e3".parse(), Ok(Dollars::of_pico(10_i128.pow(15))));
    }

    #[test]
    fn json_is_exact_both_ways() {
        let sum = Dollars::of_pico(412_000_001);
        let json = serde_json::to_value(sum).unwrap();
        assert_eq!(
            json,
            serde_json::json!({"picoUsd": 412_000_001, "usd": "0.000412000001"})
        );
        assert_eq!(serde_json::from_value::<Dollars>(json).unwrap(), sum);
    }

    #[test]
    fn estimates_are_rounded_up_and_never_below_nothing() {
        assert_eq!(Dollars::estimated(0.2), Dollars::of_pico(1));
        assert_eq!(Dollars::estimated(-5.0), Dollars::ZERO);
        assert_eq!(Dollars::estimated(f64::INFINITY).pico(), LARGEST);
    }
}
