//! k6's threshold language: what it says, and whether values keep to it.

mod expression;
mod selector;

pub use self::expression::{Comparison, Expression, Statistic};
pub use self::selector::Selector;
use crate::distribution::{ABSOLUTE_ERROR, RELATIVE_ERROR};

/// The longest metric or expression text that is read. k6's own are far shorter.
pub const MAX_TEXT_LENGTH: usize = 500;

/// One threshold: an expression over one metric, or over the part of it that carries some tags.
#[derive(Debug, Clone, PartialEq)]
pub struct Threshold {
    /// Which samples count.
    pub selector: Selector,
    /// What must hold for them.
    pub expression: Expression,
}

/// A text that is no threshold of k6, with the reason in words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}`: {reason}")]
pub struct InvalidThreshold {
    /// The text as it came, cut at [`MAX_TEXT_LENGTH`].
    pub text: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl Threshold {
    /// Reads a threshold as k6 has it in `options.thresholds`: the key
    /// (`http_req_duration{scenario:browse}`) and one expression (`p(95)<500`).
    ///
    /// # Errors
    /// [`InvalidThreshold`] names the text that k6 would refuse.
    pub fn parse(metric: &str, expression: &str) -> Result<Self, InvalidThreshold> {
        Ok(Self {
            selector: Selector::parse(metric)?,
            expression: Expression::parse(expression)?,
        })
    }

    /// The name in results: `http_req_duration{scenario:browse}: p(95)<500`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}: {}", self.selector.source, self.expression.source)
    }
}

impl Expression {
    /// Whether a value of the statistic keeps to the bound.
    #[must_use]
    pub fn holds(&self, observed: f64) -> bool {
        self.comparison.holds(observed, self.bound)
    }

    /// Whether the histogram's error may hide on which side of the bound the value lies. Counts,
    /// sums, rates and extremes are exact.
    #[must_use]
    pub fn is_within_error(&self, observed: f64) -> bool {
        match self.statistic {
            Statistic::Median | Statistic::Percentile(_) => {
                let error = self.bound.abs().mul_add(RELATIVE_ERROR, ABSOLUTE_ERROR);
                (observed - self.bound).abs() <= error
            }
            Statistic::Count
            | Statistic::Rate
            | Statistic::Value
            | Statistic::Average
            | Statistic::Minimum
            | Statistic::Maximum => false,
        }
    }
}

pub(crate) fn invalid(text: &str, reason: &'static str) -> InvalidThreshold {
    InvalidThreshold {
        text: text.chars().take(MAX_TEXT_LENGTH).collect(),
        reason,
    }
}
