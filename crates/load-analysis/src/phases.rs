//! Warm-up, ramps and steady load of a run, apart: what the executors were asked to do tells which
//! seconds are which, and each phase gets figures of its own.
//!
//! A *steady* phase is a time in which no executor changes its level. The one with the highest
//! level is what limits and comparisons judge; of several equally high ones the longest. Ramps,
//! and a warm-up that was set by hand, are measured and shown, and judge nothing.

mod asked;
mod course;
mod executor;
mod figures;
mod layout;
mod silence;
mod slices;
mod stretches;

use std::collections::BTreeMap;
use std::ops::Range;

use serde::{Deserialize, Serialize};

pub use self::asked::asked_load;
pub use self::course::{AskedCourse, Corner};
pub use self::figures::PhaseFold;
pub use self::layout::PhasePlan;
pub use self::silence::silence;
pub use self::stretches::MAX_PHASES;
use crate::comparison::Interval;
use crate::notation::{counted, number, share, whole};
use crate::results::MetricResult;

/// What happens to the load in a phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PhaseKind {
    /// Left out of the judgement because somebody asked for it.
    WarmUp,
    /// The level grows.
    RampUp,
    /// The level stays.
    Steady,
    /// The level falls.
    RampDown,
    /// No iteration is begun any more; those that were begun end.
    Ending,
    /// No executor is at work.
    Idle,
}

/// One phase with its figures. Times are seconds since the load began, its end excluded; a second
/// belongs to one phase only.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Phase {
    /// What happens in it.
    pub kind: PhaseKind,
    /// Its first second.
    pub from: i64,
    /// The second after its last.
    pub to: i64,
    /// The level in words: `10 users`, `0 to 50/s`.
    pub load: String,
    /// Whether limits and comparisons judge it.
    pub judged: bool,
    /// What was measured in it.
    pub figures: PhaseFigures,
}

/// The figures of a phase, successes and failures apart.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PhaseFigures {
    /// Seconds that rates are computed over: those in which the load was on.
    pub seconds: f64,
    /// Requests that ended.
    pub requests: u64,
    /// The same per second.
    pub requests_per_second: f64,
    /// Iterations that ended.
    pub iterations: u64,
    /// Iterations that found no free user.
    pub dropped_iterations: u64,
    /// Failed requests of all, 0 to 1; absent without requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed: Option<f64>,
    /// Durations of requests that were answered as the script expects.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub successes: Option<Latency>,
    /// Durations of those that were not. A quick refusal would flatter the others, a time-out
    /// would spoil them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failures: Option<Latency>,
}

/// Durations in milliseconds, and how many there are.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Latency {
    /// Requests that the others are made of.
    pub n: u64,
    /// The mean.
    pub mean: f64,
    /// The median; absent with too few requests for it, as the others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p50: Option<f64>,
    /// The 95th percentile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p95: Option<f64>,
    /// Where the 95th percentile lies with 95 %, by the slices of the phase; of the judged phase
    /// only, and absent below ten slices of ten seconds. It tells nothing of other runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p95_interval: Option<Interval>,
    /// The 99th percentile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p99: Option<f64>,
    /// The same of the 99th percentile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p99_interval: Option<Interval>,
    /// The longest.
    pub max: f64,
}

/// A run by its phases.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Phases {
    /// The model of the load and what is judged, in sentences.
    pub sentence: String,
    /// The model of the load; absent where nobody knows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<Model>,
    /// Seconds from the first sample of the run, which may be of its setup, to the begin of the
    /// load: a point of the timeline is so much later than the same second of a phase.
    pub offset: i64,
    /// All phases, in the order of time.
    pub phases: Vec<Phase>,
    /// What was asked for over time; absent where nobody knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked: Option<AskedCourse>,
    /// The figures of the whole load.
    pub whole: PhaseFigures,
    /// Every metric over the judged phase, as [`Results::metrics`](crate::results::Results) has
    /// them over the run. Absent without a steady phase.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steady: Option<BTreeMap<String, MetricResult>>,
}

/// Who decides when the next iteration begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Model {
    /// Users, each of which waits for its answers: a slow target is asked less.
    Closed,
    /// The clock: iterations begin whether or not answers come.
    Open,
    /// Some scenarios are closed, others open.
    Mixed,
}

impl Model {
    /// The model in a sentence.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Closed => "Closed model: users wait for their answers.",
            Self::Open => "Open model: iterations begin whether or not answers come.",
            Self::Mixed => "Mixed model: some iterations begin by the clock, others after answers.",
        }
    }
}

impl PhaseKind {
    /// The kind in words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::WarmUp => "warm-up",
            Self::RampUp => "ramp up",
            Self::Steady => "steady",
            Self::RampDown => "ramp down",
            Self::Ending => "ending",
            Self::Idle => "idle",
        }
    }
}

impl Phase {
    /// The phase on one line: `steady 00:30 to 05:30 at 10 users: 1,500 requests, 5/s, p95 84 ms
    /// (n = 1,498), 0.13 % failed`.
    #[must_use]
    pub fn line(&self) -> String {
        let figures = &self.figures;
        let load = if self.load.is_empty() {
            String::new()
        } else {
            format!(" at {}", self.load)
        };
        let mut line = format!(
            "{} {}{load}: {}, {}/s",
            self.kind.words(),
            between(&(self.from..self.to)),
            counted(figures.requests, "request"),
            number(figures.requests_per_second)
        );
        for (name, latency) in [("", figures.successes), ("failures ", figures.failures)] {
            if let Some((latency, p95)) = latency.and_then(|it| Some((it, it.p95?))) {
                let lies = latency.p95_interval.map(|Interval { low, high }| {
                    format!(", 95 % interval {} to {}", number(low), number(high))
                });
                line.push_str(&format!(
                    ", {name}p95 {} ms (n = {}{})",
                    number(p95),
                    whole(latency.n),
                    lies.unwrap_or_default()
                ));
            }
        }
        if let Some(failed) = figures.failed {
            line.push_str(&format!(", {} failed", share(failed)));
        }
        line
    }
}

impl Phases {
    /// The judged phase; `None` when the run has none.
    #[must_use]
    pub fn judged(&self) -> Option<&Phase> {
        self.phases.iter().find(|phase| phase.judged)
    }
}

/// Minutes and seconds since the load began.
fn clock(seconds: i64) -> String {
    format!("{:02}:{:02}", seconds / 60, seconds % 60)
}

/// `00:30 to 05:30`
fn between(seconds: &Range<i64>) -> String {
    format!("{} to {}", clock(seconds.start), clock(seconds.end))
}
