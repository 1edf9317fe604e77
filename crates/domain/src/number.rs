//! Prices, stock and versions: integers with their range.

use money::{DecimalError, format_decimal, parse_decimal};

use crate::InvalidField;

/// Decimals that a price keeps.
pub const PRICE_SCALE: u32 = 4;

/// Highest price in units of 1/10,000: a hundred million.
const MAX_PRICE: i64 = 1_000_000_000_000;

/// A price of at least 0, in units of 1/10,000.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Price(i64);

/// How many copies are in stock: 0 to 2,147,483,647.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StockQuantity(u32);

/// Counts the changes of an entity; the first one is 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(u64);

impl Price {
    /// Reads a decimal number with at most four decimals.
    ///
    /// # Errors
    /// Text that is no number, is negative, too precise or above 100,000,000.
    pub fn parse(text: &str) -> Result<Self, InvalidField> {
        let value =
            parse_decimal(text, PRICE_SCALE).map_err(|error| number_error("price", error))?;
        let value = i64::try_from(value).unwrap_or(i64::MAX);
        Self::from_ten_thousandths(value)
    }

    /// The price of `value` / 10,000.
    ///
    /// # Errors
    /// A value below 0 or above the highest price.
    pub fn from_ten_thousandths(value: i64) -> Result<Self, InvalidField> {
        if value < 0 {
            return Err(InvalidField::new("price", "must not be negative"));
        }
        if value > MAX_PRICE {
            return Err(InvalidField::new("price", "must be at most 100000000"));
        }
        Ok(Self(value))
    }

    /// The price in units of 1/10,000.
    #[must_use]
    pub const fn ten_thousandths(self) -> i64 {
        self.0
    }

    /// The price as decimal text without trailing zeros.
    #[must_use]
    pub fn to_decimal(self) -> String {
        format_decimal(i128::from(self.0), PRICE_SCALE)
    }
}

impl StockQuantity {
    /// Reads a whole number; `12.0` is whole.
    ///
    /// # Errors
    /// Text that is no whole number, is negative or out of range.
    pub fn parse(text: &str) -> Result<Self, InvalidField> {
        let value = parse_decimal(text, 0).map_err(|error| match error {
            DecimalError::TooPrecise(_) => {
                InvalidField::new("stockQuantity", "must be a whole number")
            }
            other => number_error("stockQuantity", other),
        })?;
        Self::from_i64(i64::try_from(value).unwrap_or(i64::MAX))
    }

    /// The stock of `value` copies.
    ///
    /// # Errors
    /// A value below 0 or above 2,147,483,647.
    pub fn from_i64(value: i64) -> Result<Self, InvalidField> {
        match u32::try_from(value) {
            Ok(count) if i32::try_from(count).is_ok() => Ok(Self(count)),
            _ if value < 0 => Err(InvalidField::new("stockQuantity", "must not be negative")),
            _ => Err(InvalidField::new(
                "stockQuantity",
                "must be at most 2147483647",
            )),
        }
    }

    /// The number of copies.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl Version {
    /// The version of a new entity.
    pub const FIRST: Self = Self(1);

    /// The version with this number.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The version after the next change.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

fn number_error(field: &'static str, error: DecimalError) -> InvalidField {
    InvalidField::new(field, error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_exact() {
        assert_eq!(Price::parse("23.45").unwrap().ten_thousandths(), 234_500);
        assert_eq!(Price::parse("0").unwrap().to_decimal(), "0");
        assert_eq!(Price::parse("12.9900").unwrap().to_decimal(), "12.99");
        for text in ["-1", "invalid", "1.23456", "1e300", "100000000.0001", ""] {
            assert!(Price::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn stock_is_whole() {
        assert_eq!(StockQuantity::parse("12.0").unwrap().get(), 12);
        for text in ["-1", "1.5", "2147483648", "99999999999999999999", "x"] {
            assert!(StockQuantity::parse(text).is_err(), "{text}");
        }
    }
}
