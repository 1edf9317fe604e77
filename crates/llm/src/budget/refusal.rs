//! Why a budget lets no call through.

use std::time::Duration;

/// A call that was not sent, or a stream that was cut off.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BudgetRefusal {
    /// A limit is reached.
    #[error("the limit of {limit} is reached: {left} of {allowed} are left, {asked} were asked")]
    Reached {
        /// Which one.
        limit: LimitKind,
        /// What it allows, in units of 10⁻¹² USD, requests or tokens.
        allowed: i64,
        /// What is neither spent nor reserved; less than zero after an overshoot.
        left: i64,
        /// What was asked for.
        asked: i64,
        /// When there will be more.
        retry_after: Duration,
    },
    /// The tenant's money is limited, and nobody knows what the model costs.
    #[error("the model has no known price, and the tenant's spending is limited")]
    Unpriced,
    /// What is spent is not known, so nothing more is.
    #[error("the budget cannot be checked")]
    Unavailable {
        /// When to try again.
        retry_after: Duration,
    },
}

/// What a limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitKind {
    /// Money in a day.
    Day,
    /// Money in a month.
    Month,
    /// Attempts in a minute.
    Requests,
    /// Tokens in a minute.
    Tokens,
}

impl BudgetRefusal {
    /// When to try again; `None` where time changes nothing.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Reached { retry_after, .. } | Self::Unavailable { retry_after } => {
                Some(*retry_after)
            }
            Self::Unpriced => None,
        }
    }

    /// The word in the metrics.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Reached { limit, .. } => limit.as_str(),
            Self::Unpriced => "unpriced",
            Self::Unavailable { .. } => "unavailable",
        }
    }
}

impl LimitKind {
    /// The word in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Month => "month",
            Self::Requests => "requests",
            Self::Tokens => "tokens",
        }
    }
}

impl std::fmt::Display for LimitKind {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.as_str())
    }
}
