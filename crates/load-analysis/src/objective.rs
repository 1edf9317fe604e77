//! What is wanted of a measure: which way is better, and how much it matters.

use serde::{Deserialize, Serialize};

use crate::threshold::Statistic;

/// Which way a measure should go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Better {
    /// Latencies, errors, costs.
    Lower,
    /// Throughput, passed checks.
    Higher,
}

/// How much a measure matters: P0 decides whether a version may go out, P1 whether it is good,
/// P2 is worth a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Priority {
    /// Beyond it is CRITICAL; differences are tested with a correction for many tests.
    P0,
    /// Beyond it is FAIL.
    P1,
    /// Beyond it is WARNING.
    P2,
}

/// Metrics of k6 of which more is better, by rate or by count.
const MORE_IS_BETTER: [&str; 4] = ["checks", "http_reqs", "iterations", "data_received"];

impl Better {
    /// The usual wish: more requests, iterations, received bytes and passed checks, less of
    /// everything else.
    #[must_use]
    pub fn of(metric: &str, statistic: Statistic) -> Self {
        let amount = matches!(statistic, Statistic::Rate | Statistic::Count);
        if amount && MORE_IS_BETTER.contains(&metric) {
            Self::Higher
        } else {
            Self::Lower
        }
    }

    /// The amount by which a difference is a change for the worse; negative for the better.
    pub(crate) const fn harm(self, difference: f64) -> f64 {
        match self {
            Self::Lower => difference,
            Self::Higher => -difference,
        }
    }
}

impl Priority {
    /// The priority of its name: `P0`, `P1` or `P2`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::P0, Self::P1, Self::P2]
            .into_iter()
            .find(|priority| priority.as_str() == text)
    }

    /// The name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::P0 => "P0",
            Self::P1 => "P1",
            Self::P2 => "P2",
        }
    }
}
