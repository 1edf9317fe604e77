//! What must hold, and when.

use std::collections::BTreeMap;
use std::fmt;

use anyhow::{Context, ensure};
use instrumentation::catalogue::{self, Kind};
use serde::Deserialize;

use crate::probes;
use crate::samples::Answer;

/// When something must hold: `before` the first fault, `after` the last one and its recovery,
/// `always`, or during the fault of a name.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub(crate) struct Moment(pub(crate) String);

impl Moment {
    pub(crate) const BEFORE: &str = "before";
    pub(crate) const AFTER: &str = "after";
    pub(crate) const ALWAYS: &str = "always";

    /// The fault that it names.
    pub(crate) fn fault(&self) -> Option<&str> {
        let general = [Self::BEFORE, Self::AFTER, Self::ALWAYS].contains(&self.0.as_str());
        (!general).then_some(self.0.as_str())
    }
}

/// What one kind of user must see.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Expectation {
    /// When.
    pub(crate) during: Moment,
    /// How long after the begin of the fault it begins to hold, in seconds: for a breaker that
    /// needs some failures before it opens.
    #[serde(default)]
    pub(crate) from: f64,
    /// Which kind, by the name of a probe.
    pub(crate) probe: String,
    /// Answers that are meant.
    pub(crate) status: Vec<Meant>,
    /// The least share of these among all answers.
    #[serde(default = "most")]
    pub(crate) share: f64,
    /// The 95th percentile of the time to the answer, in milliseconds.
    pub(crate) p95_ms: Option<f64>,
    /// The longest time, in milliseconds.
    pub(crate) max_ms: Option<f64>,
}

/// An answer that is meant: `503`, `"stream-error"`.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(untagged)]
pub(crate) enum Meant {
    /// A whole reply with this status.
    Status(u16),
    /// What has no status.
    Word(Word),
}

/// What comes in the place of a status.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Word {
    /// A stream that ends by telling of its failure.
    StreamError,
    /// No connection came about.
    Unreached,
}

impl Meant {
    /// Whether the answer is this one.
    pub(crate) fn is(self, answer: Answer) -> bool {
        answer
            == match self {
                Self::Status(status) => Answer::Status(status),
                Self::Word(Word::StreamError) => Answer::StreamError,
                Self::Word(Word::Unreached) => Answer::Unreached,
            }
    }
}

impl fmt::Display for Meant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(formatter, "{status}"),
            Self::Word(Word::StreamError) => formatter.write_str("stream error"),
            Self::Word(Word::Unreached) => formatter.write_str("unreached"),
        }
    }
}

impl Expectation {
    pub(super) fn check(&self) -> anyhow::Result<()> {
        let known = probes::NAMES.contains(&self.probe.as_str());
        let names = probes::NAMES.join(", ");
        ensure!(known, "expect.probe: {:?} is none of {names}", self.probe);
        let possible = |one: &Meant| !matches!(one, Meant::Status(..100 | 600..));
        ensure!(
            !self.status.is_empty() && self.status.iter().all(possible),
            "expect.status: must be statuses from 100 to 599, or words"
        );
        ensure!(
            (0.0..=1.0).contains(&self.share),
            "expect.share: must be 0 to 1"
        );
        Ok(())
    }
}

/// Bounds on how much a counter of the API's own grows, all label sets that fit added up.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MetricBound {
    /// When.
    pub(crate) during: Moment,
    /// The counter, as it stands in `/metrics`.
    pub(crate) name: String,
    /// Labels that the series have.
    #[serde(default)]
    pub(crate) labels: BTreeMap<String, String>,
    /// The least growth.
    pub(crate) at_least: Option<f64>,
    /// The most growth.
    pub(crate) at_most: Option<f64>,
}

impl MetricBound {
    /// Refuses what no page of metrics has: it would never grow.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        let Self { name, labels, .. } = self;
        let counts = |kind, family: &str| match kind {
            Kind::Counter => name == family,
            Kind::Histogram => name.strip_suffix("_count") == Some(family),
            Kind::Gauge => false,
        };
        let metric = catalogue::all().find(|metric| counts(metric.kind, metric.prometheus));
        let metric = metric.with_context(|| format!("metric.name: there is no counter {name}"))?;
        let known: Vec<String> = metric
            .labels
            .iter()
            .map(|it| it.replace('.', "_"))
            .collect();
        let wrong = labels.keys().find(|label| !known.contains(*label));
        if let Some(wrong) = wrong {
            let known = known.join(", ");
            anyhow::bail!("metric.labels: {name} has {known}, and no {wrong}");
        }
        Ok(())
    }
}

/// The hypothesis about the time before the first fault, and after each: over all users' probes.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Steady {
    /// The least share of right answers.
    pub(crate) share: f64,
    /// The 95th percentile of the time to an answer, in milliseconds.
    pub(crate) p95_ms: f64,
}

impl Default for Steady {
    fn default() -> Self {
        Self {
            share: most(),
            p95_ms: 1_000.0,
        }
    }
}

/// The bound on the time from a fault's end until the hypothesis holds again.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Recovery {
    /// Seconds.
    pub(crate) within: f64,
    /// The same for a small plan, where a sixth of it, but five seconds at least, is too little.
    pub(crate) within_small: Option<f64>,
}

impl Default for Recovery {
    fn default() -> Self {
        Self {
            within: 5.0,
            within_small: None,
        }
    }
}

/// Of a hundred answers ninety-nine.
const fn most() -> f64 {
    0.99
}
