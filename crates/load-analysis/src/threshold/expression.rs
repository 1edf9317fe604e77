//! `p(95)<500`: a statistic, a comparison, a bound.

use serde::{Deserialize, Serialize};

use super::{InvalidThreshold, MAX_TEXT_LENGTH, invalid};

/// A condition on one statistic of a metric.
#[derive(Debug, Clone, PartialEq)]
pub struct Expression {
    /// The text as it was written.
    pub source: String,
    /// The left side.
    pub statistic: Statistic,
    /// The operator.
    pub comparison: Comparison,
    /// The right side, in k6's unit of the metric.
    pub bound: f64,
}

/// What k6 can compute of a metric in a threshold.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Statistic {
    /// Sum of a counter.
    Count,
    /// Share of a rate, or a counter per second.
    Rate,
    /// Latest value of a gauge.
    Value,
    /// Mean of a trend.
    Average,
    /// Smallest value of a trend.
    Minimum,
    /// Median of a trend.
    Median,
    /// Largest value of a trend.
    Maximum,
    /// Percentile of a trend, 0 to 100.
    Percentile(f64),
}

/// The operators of k6's thresholds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `==` and `===`
    Equal,
    /// `!=`
    NotEqual,
}

/// Longer operators first, so that `<=` is not read as `<`.
const OPERATORS: [(&str, Comparison); 7] = [
    ("===", Comparison::Equal),
    ("==", Comparison::Equal),
    ("!=", Comparison::NotEqual),
    ("<=", Comparison::LessOrEqual),
    (">=", Comparison::GreaterOrEqual),
    ("<", Comparison::Less),
    (">", Comparison::Greater),
];

impl Expression {
    pub(super) fn parse(text: &str) -> Result<Self, InvalidThreshold> {
        if text.len() > MAX_TEXT_LENGTH {
            return Err(invalid(text, "longer than 500 bytes"));
        }
        let (left, comparison, right) = OPERATORS
            .iter()
            .find_map(|(operator, comparison)| {
                text.split_once(operator)
                    .map(|(left, right)| (left, *comparison, right))
            })
            .ok_or_else(|| invalid(text, "has none of the operators < <= > >= == === !="))?;
        let statistic = Statistic::parse(left.trim())
            .ok_or_else(|| invalid(text, "must start with count, rate, value, avg, min, med, max or p(N) with N from 0 to 100"))?;
        let bound =
            parse_number(right.trim()).ok_or_else(|| invalid(text, "must end with a number"))?;
        Ok(Self {
            source: text.to_owned(),
            statistic,
            comparison,
            bound,
        })
    }
}

impl Statistic {
    /// The name as k6 writes it: `avg`, `p(95)`.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::Count => "count".to_owned(),
            Self::Rate => "rate".to_owned(),
            Self::Value => "value".to_owned(),
            Self::Average => "avg".to_owned(),
            Self::Minimum => "min".to_owned(),
            Self::Median => "med".to_owned(),
            Self::Maximum => "max".to_owned(),
            Self::Percentile(percent) => format!("p({percent})"),
        }
    }

    /// The percentile that it is, 0 to 100; `None` for all but percentiles and the median.
    #[must_use]
    pub const fn percent(self) -> Option<f64> {
        match self {
            Self::Percentile(percent) => Some(percent),
            Self::Median => Some(50.0),
            Self::Count
            | Self::Rate
            | Self::Value
            | Self::Average
            | Self::Minimum
            | Self::Maximum => None,
        }
    }

    /// Reads a name as k6 writes it; `None` when it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "count" => Self::Count,
            "rate" => Self::Rate,
            "value" => Self::Value,
            "avg" => Self::Average,
            "min" => Self::Minimum,
            "med" => Self::Median,
            "max" => Self::Maximum,
            _ => {
                let inner = text.strip_prefix("p(")?.strip_suffix(')')?;
                let percent = parse_number(inner)?;
                // k6 v1 takes p(101) and computes nonsense; v2 refuses it. We follow v2.
                (0.0..=100.0)
                    .contains(&percent)
                    .then_some(Self::Percentile(percent))?
            }
        })
    }
}

impl From<Statistic> for String {
    fn from(statistic: Statistic) -> Self {
        statistic.name()
    }
}

impl TryFrom<String> for Statistic {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or_else(|| format!("`{text}` is no statistic"))
    }
}

impl Comparison {
    #[expect(clippy::float_cmp, reason = "k6's == and != compare floats exactly")]
    pub(super) fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Self::Less => left < right,
            Self::LessOrEqual => left <= right,
            Self::Greater => left > right,
            Self::GreaterOrEqual => left >= right,
            Self::Equal => left == right,
            Self::NotEqual => left != right,
        }
    }
}

/// Digits, a sign and a point only: Rust would also read `inf`, `NaN` and exponents.
fn parse_number(text: &str) -> Option<f64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let plain = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && digits.chars().all(|c| c.is_ascii_digit() || c == '.');
    plain
        .then(|| text.parse().ok())
        .flatten()
        .filter(|number: &f64| number.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_k6_reads() {
        let check = |text: &str, statistic, comparison, bound: f64| {
            let parsed = Expression::parse(text).unwrap();
            assert_eq!(
                (parsed.statistic, parsed.comparison),
                (statistic, comparison),
                "{text}"
            );
            assert!((parsed.bound - bound).abs() < 1e-12, "{text}");
        };
        check(
            "p(95)<500",
            Statistic::Percentile(95.0),
            Comparison::Less,
            500.0,
        );
        check(
            "p(99.9) <= 1.5",
            Statistic::Percentile(99.9),
            Comparison::LessOrEqual,
            1.5,
        );
        check(
            " rate>=0.95 ",
            Statistic::Rate,
            Comparison::GreaterOrEqual,
            0.95,
        );
        check("count === 0", Statistic::Count, Comparison::Equal, 0.0);
        check("count==10", Statistic::Count, Comparison::Equal, 10.0);
        check("value != -1", Statistic::Value, Comparison::NotEqual, -1.0);
        check("med>.5", Statistic::Median, Comparison::Greater, 0.5);
    }

    #[test]
    fn refuses_what_k6_refuses() {
        for text in [
            "", "p(95)", "<5", "p(101)<5", "p()<5", "p(95)<", "p95<5", "avg<1e9", "avg<NaN",
            "avg<5;x",
        ] {
            assert!(Expression::parse(text).is_err(), "{text}");
        }
    }
}
