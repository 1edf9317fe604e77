//! What is compared: one measure of two groups of runs.

use crate::objective::{Better, Priority};
use crate::unit::Unit;

/// The most runs of a side that are looked at, the latest of them: enough for any difference
/// that matters, and few enough for exact tests.
pub const MAX_RUNS: usize = 30;

/// One measure of the same test in two groups of runs, the reference and the candidate.
#[derive(Debug, Clone, PartialEq)]
pub struct Subject {
    /// How sentences call it, for example `p95 of generate-summary`.
    pub name: String,
    /// How its values are written; they come in k6's unit.
    pub unit: Unit,
    /// Which way is better; absent where nobody said so.
    pub better: Option<Better>,
    /// P0 measures decide, and are corrected for being several; others inform.
    pub priority: Priority,
    /// Which effects count.
    pub effects: Effects,
    /// What was observed.
    pub observations: Observations,
}

/// What was observed in the runs of both sides, in the order of time, oldest first.
#[derive(Debug, Clone, PartialEq)]
pub enum Observations {
    /// One figure per run: a percentile, a mean, a cost. Figures that are not finite are left
    /// out. Throughput of an open load is a set-point and shows nothing here.
    Figures {
        /// The runs compared with.
        reference: Vec<f64>,
        /// The runs in question.
        candidate: Vec<f64>,
    },
    /// Hits of all per run, for example failed requests.
    Counts {
        /// The runs compared with.
        reference: Vec<Count>,
        /// The runs in question.
        candidate: Vec<Count>,
    },
}

/// How often something happened in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// How often it happened; more than `of` counts as `of`.
    pub hits: u64,
    /// How often it could have happened.
    pub of: u64,
}

/// Which effects count. Shares of the reference for figures, points of 1 for counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Effects {
    /// The smallest effect that anybody should act on; below it nothing is better or worse.
    pub smallest: f64,
    /// The effect that must not hide: two groups are the same only when one of this size is ruled
    /// out, and the number of runs needed is the one that finds it in 95 of 100 cases.
    pub relevant: f64,
}

impl Effects {
    /// For figures: 3 % and 10 %. Criterion takes 1 % for noise in micro-benchmarks, where load
    /// tests are noisier; Keptn's quality gates warn of +10 %.
    pub const OF_FIGURES: Self = Self {
        smallest: 0.03,
        relevant: 0.1,
    };

    /// For counts: 0.1 and 1 points of a hundred, the latter the error limit of most load tests.
    pub const OF_COUNTS: Self = Self {
        smallest: 0.001,
        relevant: 0.01,
    };
}

impl Subject {
    /// A measure with one figure per run and the usual effects; without a word on which way is
    /// better it becomes neither better nor worse.
    #[must_use]
    pub fn of_figures(
        (name, unit): (impl Into<String>, Unit),
        better: impl Into<Option<Better>>,
        priority: Priority,
        (reference, candidate): (Vec<f64>, Vec<f64>),
    ) -> Self {
        Self {
            name: name.into(),
            unit,
            better: better.into(),
            priority,
            effects: Effects::OF_FIGURES,
            observations: Observations::Figures {
                reference,
                candidate,
            },
        }
    }

    /// A share of failures with the usual effects.
    #[must_use]
    pub fn of_failures(
        name: impl Into<String>,
        priority: Priority,
        counts: (Vec<Count>, Vec<Count>),
    ) -> Self {
        Self {
            priority,
            ..Self::of_shares(name, Some(Better::Lower), counts)
        }
    }

    /// A share of anything with the usual effects, which informs; without a word on which way is
    /// better it becomes neither better nor worse.
    #[must_use]
    pub fn of_shares(
        name: impl Into<String>,
        better: Option<Better>,
        (reference, candidate): (Vec<Count>, Vec<Count>),
    ) -> Self {
        Self {
            name: name.into(),
            unit: Unit::Percent,
            better,
            priority: Priority::P2,
            effects: Effects::OF_COUNTS,
            observations: Observations::Counts {
                reference,
                candidate,
            },
        }
    }
}
