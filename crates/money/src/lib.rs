//! Money without floating point.
//!
//! The smallest amount that a price list needs is a fraction of a nano-dollar per token, so every
//! amount of US dollars is an integer number of pico-dollars (10⁻¹² USD). Sums of many amounts are
//! `i128`. Decimal text is read and written exactly.

mod decimal;
mod pico_usd;

pub use decimal::{DecimalError, format_decimal, parse_decimal};
pub use pico_usd::{PICO_USD_PER_USD, PicoUsd, format_usd};
