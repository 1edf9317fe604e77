//! Tokens in, pico-dollars out.

use jiff::Timestamp;
use serde::Serialize;

use crate::{dialect::Dialect, service_tier::ServiceTier};

/// What was bought, and when.
#[derive(Debug)]
pub(crate) struct Purchase<'a> {
    pub(crate) dialect: Dialect,
    pub(crate) model: &'a str,
    pub(crate) service_tier: ServiceTier,
    pub(crate) at: Timestamp,
}

/// What a call consumed, by kind of token.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Consumption {
    /// The whole prompt, the three cached kinds included.
    pub(crate) input: u64,
    pub(crate) cache_read: u64,
    pub(crate) cache_write_5m: u64,
    pub(crate) cache_write_1h: u64,
    /// The whole answer, reasoning included.
    pub(crate) output: u64,
}

/// What a call costs, in pico-dollars (10⁻¹² USD), by kind of token.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Charge {
    /// Prompt tokens that no cache had to do with.
    pub input: u64,
    /// Prompt tokens read from a cache.
    pub cache_read: u64,
    /// Prompt tokens written into a cache for five minutes, or for as long as
    /// the vendor decides.
    pub cache_write_5m: u64,
    /// Prompt tokens written into a cache for an hour.
    pub cache_write_1h: u64,
    /// Tokens of the answer, reasoning included.
    pub output: u64,
}

impl Charge {
    /// The sum of all parts.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.input + self.cache_read + self.cache_write_5m + self.cache_write_1h + self.output
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.input += other.input;
        self.cache_read += other.cache_read;
        self.cache_write_5m += other.cache_write_5m;
        self.cache_write_1h += other.cache_write_1h;
        self.output += other.output;
    }
}
