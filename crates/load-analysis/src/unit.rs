//! Units in which people write limits and read differences. Values themselves stay in k6's:
//! milliseconds, bytes, shares of 1, and pico-dollars where a script counts money.

use serde::{Deserialize, Serialize};

use crate::notation::{number, share};
use crate::threshold::Statistic;

/// A unit by the name that it has in files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Unit {
    /// Milliseconds.
    #[serde(rename = "ms")]
    Milliseconds,
    /// Seconds.
    #[serde(rename = "s")]
    Seconds,
    /// A share of 100.
    #[serde(rename = "%")]
    Percent,
    /// A share of 1.
    #[serde(rename = "share")]
    Share,
    /// Per second.
    #[serde(rename = "/s")]
    PerSecond,
    /// Per minute.
    #[serde(rename = "/min")]
    PerMinute,
    /// Plain numbers.
    #[serde(rename = "count")]
    Count,
    /// Bytes.
    #[serde(rename = "bytes")]
    Bytes,
    /// 2^20 bytes.
    #[serde(rename = "MiB")]
    Mebibytes,
    /// 10^-6 US dollars.
    #[serde(rename = "micro-USD")]
    MicroDollars,
    /// US dollars.
    #[serde(rename = "USD")]
    Dollars,
}

/// Unit, name in files, how many of k6's units one is, and how it follows a number.
const UNITS: [(Unit, &str, f64, &str); 11] = [
    (Unit::Milliseconds, "ms", 1.0, " ms"),
    (Unit::Seconds, "s", 1_000.0, " s"),
    (Unit::Percent, "%", 0.01, " %"),
    (Unit::Share, "share", 1.0, ""),
    (Unit::PerSecond, "/s", 1.0, "/s"),
    (Unit::PerMinute, "/min", 1.0 / 60.0, "/min"),
    (Unit::Count, "count", 1.0, ""),
    (Unit::Bytes, "bytes", 1.0, " bytes"),
    (Unit::Mebibytes, "MiB", 1_048_576.0, " MiB"),
    (Unit::MicroDollars, "micro-USD", 1e6, " \u{b5}$"),
    (Unit::Dollars, "USD", 1e12, " $"),
];

impl Unit {
    /// The unit of a name as it stands in files.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let known = UNITS.iter().find(|(_, name, ..)| *name == text);
        known.map(|(unit, ..)| *unit)
    }

    /// All names, for a message to who wrote another one.
    #[must_use]
    pub fn names() -> String {
        UNITS.map(|(_, name, ..)| name).join(" ")
    }

    /// The name as it stands in files.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.row().1
    }

    /// An amount of this unit in k6's unit.
    #[must_use]
    pub fn to_k6(self, amount: f64) -> f64 {
        amount * self.row().2
    }

    /// Whether a statistic can be counted in this unit: shares and speeds are rates, everything
    /// else is none.
    #[must_use]
    pub const fn fits(self, statistic: Statistic) -> bool {
        let is_rate = matches!(
            self,
            Self::Percent | Self::Share | Self::PerSecond | Self::PerMinute
        );
        matches!(statistic, Statistic::Rate) == is_rate
    }

    /// A value in k6's unit as text in this one: `84.1 ms`, `0.31 %`, `412 µ$`.
    #[must_use]
    pub fn write(self, value: f64) -> String {
        let (_, _, scale, suffix) = self.row();
        match self {
            Self::Percent | Self::Share => share(value),
            _ => format!("{}{suffix}", number(value / scale)),
        }
    }

    /// A difference with its sign; shares differ in points of a hundred.
    pub(crate) fn write_difference(self, difference: f64) -> String {
        let (_, _, scale, suffix) = self.row();
        let sign = if difference < 0.0 { '\u{2212}' } else { '+' };
        let size = difference.abs();
        match self {
            Self::Percent | Self::Share => format!("{sign}{:.2} points", size * 100.0),
            _ => format!("{sign}{}{suffix}", number(size / scale)),
        }
    }

    /// Whether values are durations, so that more of them is slower.
    pub(crate) const fn is_time(self) -> bool {
        matches!(self, Self::Milliseconds | Self::Seconds)
    }

    fn row(self) -> (Self, &'static str, f64, &'static str) {
        let plain = (self, "count", 1.0, "");
        UNITS.into_iter().find(|row| row.0 == self).unwrap_or(plain)
    }
}
