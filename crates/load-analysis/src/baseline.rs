//! What a test's figures are when all is well: the runs that later ones are held against.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::comparison::{Comparison, Direction, LEAST_NOISE, MAX_RUNS, noise};
use crate::statistics::median;

/// Runs that a baseline needs before its noise is known.
pub const SMALLEST_BASELINE: usize = 5;

/// The most measures of a baseline: a run has about 25 metrics, each with a few statistics.
pub const MAX_MEASURES: usize = 500;

/// The longest reason for a change by hand.
pub const MAX_REASON_LENGTH: usize = 1_000;

/// The figures of one accepted run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunFigures {
    /// The run's id.
    pub run: String,
    /// Figures by the name of their measure, in k6's unit.
    pub figures: BTreeMap<String, f64>,
}

/// The baseline of one test in one environment and shape of load.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Baseline {
    /// The runs, oldest first, with their figures: comparisons need each of them.
    pub runs: Vec<RunFigures>,
    /// What they say of each measure that all of them have.
    pub measures: BTreeMap<String, Centre>,
}

/// Where a measure lies, and how much runs of unchanged code differ.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Centre {
    /// The median of the runs.
    pub median: f64,
    /// The smallest figure.
    pub min: f64,
    /// The largest figure.
    pub max: f64,
    /// A robust standard deviation as a share of the median, at least [`LEAST_NOISE`].
    pub noise: f64,
    /// How many runs it is made of.
    pub runs: usize,
}

/// Why runs make no baseline, or a baseline stays.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Too few runs to know the noise.
    #[error("a baseline needs {SMALLEST_BASELINE} runs, there are {0}")]
    TooFewRuns(usize),
    /// More runs than are ever compared.
    #[error("a baseline has at most {MAX_RUNS} runs, there are {0}")]
    TooManyRuns(usize),
    /// A run stands twice.
    #[error("the run {0} is there twice")]
    TwiceTheSame(String),
    /// No measure that all runs have.
    #[error("the runs have no measure in common")]
    NothingInCommon,
    /// More measures than a run can have.
    #[error("a baseline has at most {MAX_MEASURES} measures, there are {0}")]
    TooManyMeasures(usize),
    /// A figure that is no number.
    #[error("`{0}` is not a finite number in each run")]
    NotFinite(String),
    /// The new runs are not better.
    #[error("{0}")]
    NotImproved(String),
    /// Nobody said why.
    #[error("a change by hand needs a reason of 1 to {MAX_REASON_LENGTH} characters")]
    NoReason,
}

/// Why a baseline was replaced, or none is in force. Keep it beside the baseline's history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Replacement {
    /// The new runs are better; the measures by which they are.
    Improved(Vec<String>),
    /// By hand, with the reason and what it hides: sentences on measures that became worse.
    ByHand {
        /// What the person said.
        reason: String,
        /// What the new baseline would hide.
        hides: Vec<String>,
    },
    /// By hand: an earlier version is in force again.
    RolledBack {
        /// The number of that version.
        to: u64,
        /// What the person said.
        reason: String,
        /// What it would hide, held against the version that was in force.
        hides: Vec<String>,
    },
    /// By hand: nothing is in force from now on.
    Withdrawn {
        /// What the person said.
        reason: String,
    },
}

impl Baseline {
    /// Establishes a baseline from some accepted runs of the same test, environment and shape,
    /// oldest first. Measures that not all runs have are left out.
    ///
    /// # Errors
    /// [`Refused`] says what the runs lack.
    pub fn establish(runs: Vec<RunFigures>) -> Result<Self, Refused> {
        match runs.len() {
            few if few < SMALLEST_BASELINE => return Err(Refused::TooFewRuns(few)),
            many if many > MAX_RUNS => return Err(Refused::TooManyRuns(many)),
            _ => {}
        }
        for (position, run) in runs.iter().enumerate() {
            if runs[..position].iter().any(|before| before.run == run.run) {
                return Err(Refused::TwiceTheSame(run.run.clone()));
            }
        }
        let names = runs[0].figures.keys();
        let common: Vec<&String> = names
            .filter(|name| runs.iter().all(|run| run.figures.contains_key(*name)))
            .collect();
        match common.len() {
            0 => return Err(Refused::NothingInCommon),
            many if many > MAX_MEASURES => return Err(Refused::TooManyMeasures(many)),
            _ => {}
        }
        let measures = common
            .into_iter()
            .map(|name| Ok((name.clone(), Centre::of(name, &runs)?)))
            .collect::<Result<_, Refused>>()?;
        Ok(Self { runs, measures })
    }

    /// The figures of a measure, oldest run first: the reference of a comparison. Empty when the
    /// baseline does not have it.
    #[must_use]
    pub fn figures(&self, measure: &str) -> Vec<f64> {
        let figures = self.runs.iter().map(|run| run.figures.get(measure));
        figures.flatten().copied().collect()
    }
}

impl Replacement {
    /// Whether a baseline gives way by itself: a P0 measure of the new runs is better, and none
    /// is worse or undecided. `compared` holds the new runs against the baseline; measures of
    /// other priorities are not asked.
    ///
    /// # Errors
    /// [`Refused::NotImproved`] with the sentence that stands against it.
    pub fn if_improved(compared: &[Comparison]) -> Result<Self, Refused> {
        let first = || compared.iter().filter(|one| one.level.is_some());
        let undecided = |direction| matches!(direction, Direction::Worse | Direction::Inconclusive);
        if let Some(against) = first().find(|one| undecided(one.direction)) {
            return Err(Refused::NotImproved(against.sentence.clone()));
        }
        let better: Vec<String> = first()
            .filter(|one| one.direction == Direction::Better)
            .map(|one| one.name.clone())
            .collect();
        if better.is_empty() {
            let reason = "No measure of priority P0 became better.".to_owned();
            return Err(Refused::NotImproved(reason));
        }
        Ok(Self::Improved(better))
    }

    /// A change that a person decides, whatever the figures say.
    ///
    /// # Errors
    /// [`Refused::NoReason`] without a reason.
    pub fn by_hand(reason: &str, compared: &[Comparison]) -> Result<Self, Refused> {
        Ok(Self::ByHand {
            reason: given(reason)?,
            hides: hidden(compared),
        })
    }

    /// The return to an earlier version. `compared` holds its runs against those in force.
    ///
    /// # Errors
    /// [`Refused::NoReason`] without a reason.
    pub fn back_to(version: u64, reason: &str, compared: &[Comparison]) -> Result<Self, Refused> {
        Ok(Self::RolledBack {
            to: version,
            reason: given(reason)?,
            hides: hidden(compared),
        })
    }

    /// The end of a baseline without a successor.
    ///
    /// # Errors
    /// [`Refused::NoReason`] without a reason.
    pub fn withdrawn(reason: &str) -> Result<Self, Refused> {
        let reason = given(reason)?;
        Ok(Self::Withdrawn { reason })
    }
}

/// A reason that says something.
fn given(reason: &str) -> Result<String, Refused> {
    let reason = reason.trim();
    if reason.is_empty() || reason.chars().count() > MAX_REASON_LENGTH {
        return Err(Refused::NoReason);
    }
    Ok(reason.to_owned())
}

/// What nobody sees any more once the runs in question are the measure: what became worse.
fn hidden(compared: &[Comparison]) -> Vec<String> {
    let worse = compared
        .iter()
        .filter(|one| one.direction == Direction::Worse);
    worse.map(|one| one.sentence.clone()).collect()
}

impl Centre {
    fn of(name: &str, runs: &[RunFigures]) -> Result<Self, Refused> {
        let figures: Vec<f64> = runs
            .iter()
            .filter_map(|run| run.figures.get(name))
            .copied()
            .collect();
        let finite = figures.iter().all(|figure| figure.is_finite());
        let Some(centre) = median(&figures).filter(|_| finite) else {
            return Err(Refused::NotFinite(name.to_owned()));
        };
        Ok(Self {
            median: centre,
            min: figures.iter().copied().fold(f64::INFINITY, f64::min),
            max: figures.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            noise: noise(&figures).unwrap_or(0.0).max(LEAST_NOISE),
            runs: figures.len(),
        })
    }
}
