//! Two groups of runs of the same test, held against each other measure by measure.
//!
//! How much can be said depends on how many runs there are. Three on a side cannot be
//! significant at 5 % whatever they show, so below 4 v 4 a robust z-score against the history
//! answers, marked as of low confidence. From 4 v 4 on two tests must agree, Welch's on
//! logarithms and the exact one of Mann and Whitney, and the size of the effect is Hodges' and
//! Lehmann's shift. Shares of failures are counts and have tests of their own.
//!
//! An effect must be both unlikely to be chance and large enough to matter. Where the runs
//! cannot tell, the answer is INCONCLUSIVE with the number of runs that could.

mod counts;
mod decision;
mod few_runs;
mod groups;
mod rerun;
mod subject;
mod words;

use serde::{Deserialize, Serialize};

pub use self::rerun::{Rerun, Took, rerun};
pub use self::subject::{Count, Effects, MAX_RUNS, Observations, Subject};
use crate::objective::Priority;
use crate::statistics::{Step, holm};
use crate::verdict::Level;

/// The chance of a false alarm among all P0 measures that are compared at once.
pub const FALSE_ALARMS: f64 = 0.05;

/// The least noise that runs are believed to have, as a share of their centre: a history that
/// happens to agree to a thousandth must not make each next run an outlier.
pub const LEAST_NOISE: f64 = 0.01;

/// One measure compared. Values and differences are in k6's unit of the measure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Comparison {
    /// The name of the subject.
    pub name: String,
    /// What became of the candidate.
    pub direction: Direction,
    /// The part of a P0 measure in the verdict: WARNING when the interval reaches below the
    /// smallest effect that counts, FAIL when it does not, CRITICAL from twice that effect on.
    /// Absent for measures that only inform.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<Level>,
    /// The runs compared with.
    pub reference: Side,
    /// The runs in question.
    pub candidate: Side,
    /// Candidate less reference.
    pub difference: f64,
    /// The same as a share of the reference, or in points of 1 for counts.
    pub effect: f64,
    /// The interval of 95 % in which the effect lies; absent when there are too few runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<Interval>,
    /// The probability of a difference like this by chance alone; absent without a test. For two
    /// groups of runs the larger one of Welch's two-sided p and Mann and Whitney's p for the
    /// same direction: both must be small.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p: Option<f64>,
    /// `p` after Holm's correction for the P0 measures; absent for others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub corrected_p: Option<f64>,
    /// By how much runs of the reference differ among themselves: a robust standard deviation as
    /// a share of their centre. Absent for counts, and below two runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub noise: Option<f64>,
    /// What the answer rests on.
    pub method: Method,
    /// Whether it rests on a test.
    pub confidence: Confidence,
    /// Runs that each side needs for an answer; only when inconclusive, and only up to
    /// [`MAX_RUNS`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runs_needed: Option<usize>,
    /// All of it in a sentence.
    pub sentence: String,
}

/// What became of the candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Better than the reference.
    Better,
    /// Worse than the reference.
    Worse,
    /// Other than the reference, and nobody said which way is better.
    Changed,
    /// No difference that counts seen, and one of relevant size ruled out.
    Same,
    /// The runs cannot tell.
    Inconclusive,
}

/// What an answer rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// The difference alone: the reference has too few runs to know its noise.
    DifferenceOnly,
    /// A robust z-score against the reference's own noise.
    RobustZ,
    /// Welch's test on logarithms, Mann and Whitney's test, Hodges' and Lehmann's shift.
    WelchAndMannWhitney,
    /// The same on the values themselves, since not all are above zero.
    WelchAndMannWhitneyUnscaled,
    /// Fisher's exact test, Wilson's and Newcombe's intervals.
    FisherExact,
}

/// Whether an answer rests on a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// Too few runs for a test.
    Low,
    /// Tested.
    Tested,
}

/// One side of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Side {
    /// How many runs it has.
    pub runs: usize,
    /// The median of their figures, or the share of all their counts.
    pub centre: f64,
    /// Wilson's interval of 95 % of a share; absent for figures.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<Interval>,
}

/// From where to where.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// What the formulae say of a subject, before anything is decided.
#[derive(Debug, Clone)]
struct Finding {
    method: Method,
    reference: Side,
    candidate: Side,
    difference: f64,
    effect: f64,
    interval: Option<Interval>,
    noise: Option<f64>,
    basis: Basis,
}

/// What a decision rests on.
#[derive(Debug, Clone, Copy)]
enum Basis {
    Nothing,
    Distance(few_runs::Distance),
    Test(Test),
}

/// A test, and what it could have shown.
#[derive(Debug, Clone, Copy)]
struct Test {
    p: f64,
    /// The smallest p that so many observations can reach.
    smallest_p: f64,
    /// The variance of one run's effect, or of one count; what the number of runs follows from.
    variance: f64,
    /// Observations of one run: 1, or the mean number of counts.
    per_run: f64,
}

/// Compares all measures of two groups of runs at once; the answers come in their order.
#[must_use]
pub fn compare(subjects: &[Subject]) -> Vec<Comparison> {
    let findings: Vec<Finding> = subjects.iter().map(find).collect();
    let steps = correct(subjects, &findings);
    subjects
        .iter()
        .zip(findings)
        .zip(steps)
        .map(|((subject, finding), step)| decision::decide(subject, &finding, step))
        .collect()
}

/// By how much runs differ among themselves, as a share of their centre; `None` below two.
pub(crate) fn noise(figures: &[f64]) -> Option<f64> {
    groups::Scale::of(figures, &[]).noise(figures)
}

fn find(subject: &Subject) -> Finding {
    match &subject.observations {
        Observations::Counts {
            reference,
            candidate,
        } => counts::find(reference, candidate),
        Observations::Figures {
            reference,
            candidate,
        } => {
            let (reference, candidate) = (latest(reference), latest(candidate));
            if reference.len().min(candidate.len()) < groups::SMALLEST {
                few_runs::find(&reference, &candidate, subject.effects)
            } else {
                groups::find(&reference, &candidate)
            }
        }
    }
}

/// The finite figures among the latest.
fn latest(figures: &[f64]) -> Vec<f64> {
    let finite: Vec<f64> = figures
        .iter()
        .copied()
        .filter(|it| it.is_finite())
        .collect();
    finite[finite.len().saturating_sub(MAX_RUNS)..].to_vec()
}

/// Holm's correction over the tested P0 measures; every other one is held against the whole
/// level.
fn correct(subjects: &[Subject], findings: &[Finding]) -> Vec<Option<Step>> {
    let tested = |(subject, finding): (&Subject, &Finding)| match finding.basis {
        Basis::Test(test) if subject.priority == Priority::P0 => Some(test.p),
        Basis::Test(_) | Basis::Distance(_) | Basis::Nothing => None,
    };
    let p_values: Vec<Option<f64>> = subjects.iter().zip(findings).map(tested).collect();
    let family: Vec<f64> = p_values.iter().copied().flatten().collect();
    let mut corrected = holm(&family, FALSE_ALARMS).into_iter();
    p_values
        .into_iter()
        .map(|p| p.and_then(|_| corrected.next()))
        .collect()
}
