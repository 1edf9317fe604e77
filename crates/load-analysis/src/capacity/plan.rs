//! What a search for a capacity looks for, and within which bounds.

use serde::{Deserialize, Serialize};

/// The most runs of a search: ten doublings, five bisections, and repetitions.
pub const MOST_TRIALS: usize = 60;

/// What is searched and how closely. Rates are in requests per second.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    pub(super) lowest: f64,
    pub(super) highest: f64,
    pub(super) precision: f64,
    pub(super) confirmations: u32,
    pub(super) most_trials: usize,
}

/// Why a plan cannot be followed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPlan {
    /// The bounds of the rate.
    #[error("rates go from above 0 to at most {MAX_RATE}, the lowest before the highest")]
    Rates,
    /// How close the search goes.
    #[error("the precision is a share from 0.01 to 0.5")]
    Precision,
    /// How often a rate must hold.
    #[error("confirmations are 1 to 10")]
    Confirmations,
    /// How many runs there are.
    #[error("a search has from 3 up to {MOST_TRIALS} trials")]
    Trials,
}

/// No generator of ours makes more requests per second.
pub const MAX_RATE: f64 = 1_000_000.0;

impl Plan {
    /// A plan with the usual precision of 5 %, two confirmations and 30 trials.
    ///
    /// # Errors
    /// [`InvalidPlan::Rates`].
    pub fn between(lowest: f64, highest: f64) -> Result<Self, InvalidPlan> {
        Self::new((lowest, highest), 0.05, 2, 30)
    }

    /// A plan: the lowest and the highest rate, the precision as a share of the rate, how often
    /// the highest rate that held must hold again, and how many runs there are at most.
    ///
    /// # Errors
    /// [`InvalidPlan`] says what is out of bounds.
    pub fn new(
        (lowest, highest): (f64, f64),
        precision: f64,
        confirmations: u32,
        most_trials: usize,
    ) -> Result<Self, InvalidPlan> {
        if !(lowest > 0.0 && lowest < highest && highest <= MAX_RATE) {
            return Err(InvalidPlan::Rates);
        }
        if !(0.01..=0.5).contains(&precision) {
            return Err(InvalidPlan::Precision);
        }
        if !(1..=10).contains(&confirmations) {
            return Err(InvalidPlan::Confirmations);
        }
        if !(3..=MOST_TRIALS).contains(&most_trials) {
            return Err(InvalidPlan::Trials);
        }
        Ok(Self {
            lowest,
            highest,
            precision,
            confirmations,
            most_trials,
        })
    }

    /// The highest rate that is tried, in requests per second.
    #[must_use]
    pub const fn highest(&self) -> f64 {
        self.highest
    }
}
