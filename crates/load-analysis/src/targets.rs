//! Everything that a verdict rests on as target against actual, in words: the rows of every
//! report.

use std::cmp::Reverse;

use crate::limits::LimitResult;
use crate::notation::whole;
use crate::results::{Results, ThresholdResult};
use crate::verdict::Level;

/// A limit or a threshold, and how the run did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetLine {
    /// What is measured: `p(95) of http_req_duration`, or a threshold's metric.
    pub metric: String,
    /// What is wanted, with its unit or as k6's expression.
    pub target: String,
    /// What was measured, with its unit; `no sample` without any.
    pub actual: String,
    /// Samples that it is made of.
    pub samples: String,
    /// Whether nothing speaks against the run here.
    pub ok: bool,
    /// What became of it, in a word.
    pub reading: &'static str,
}

/// The reading of a limit that too few samples cannot decide.
const UNDECIDED: &str = "inconclusive";

impl TargetLine {
    /// Whether the run has too few samples to tell.
    #[must_use]
    pub fn is_undecided(&self) -> bool {
        self.reading == UNDECIDED
    }

    /// The limits, worst first, then the thresholds, crossed ones first.
    #[must_use]
    pub fn all(results: &Results) -> Vec<Self> {
        let mut lines = Self::of_limits(&results.limits);
        lines.extend(Self::of_thresholds(results));
        lines
    }

    /// The limits, worst first.
    #[must_use]
    pub fn of_limits(limits: &[LimitResult]) -> Vec<Self> {
        let mut ordered: Vec<&LimitResult> = limits.iter().collect();
        ordered.sort_by_key(|one| Reverse(one.level));
        ordered.into_iter().map(Self::of_limit).collect()
    }

    /// The thresholds, crossed ones first.
    #[must_use]
    pub fn of_thresholds(results: &Results) -> Vec<Self> {
        let all = results.thresholds.results.iter();
        let mut lines: Vec<Self> = all
            .map(|(name, result)| Self::of_threshold(results, name, result))
            .collect();
        lines.sort_by_key(|line| line.ok);
        lines
    }

    fn of_limit(result: &LimitResult) -> Self {
        Self {
            metric: result.limit.name(),
            target: result.limit.bound(result.limit.target),
            actual: result.actual(),
            samples: whole(result.samples),
            ok: !matches!(result.level, Level::Fail | Level::Critical | Level::Invalid),
            reading: match result.level {
                Level::Pass => "held",
                Level::Warning => "warning",
                Level::Inconclusive => UNDECIDED,
                Level::Invalid => "no sample",
                Level::Fail | Level::Critical => "crossed",
            },
        }
    }

    fn of_threshold(results: &Results, name: &str, result: &ThresholdResult) -> Self {
        let (metric, target) = name.rsplit_once(": ").unwrap_or((name, ""));
        Self {
            metric: metric.to_owned(),
            target: target.to_owned(),
            actual: results
                .observed(name)
                .unwrap_or_else(|| NO_SAMPLE.to_owned()),
            samples: whole(result.samples),
            ok: result.ok,
            reading: if result.ok { "held" } else { "crossed" },
        }
    }
}

/// Stands where nothing was measured.
pub(crate) const NO_SAMPLE: &str = "no sample";
