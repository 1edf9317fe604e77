//! Where a run spent its time, and what to do about it: each finding names a part, the figures
//! that say so, and a recommendation that follows from them. What nothing speaks for is not said.
//!
//! The main rule is one of accounting: the seconds that all requests together spent in a part,
//! of all seconds that they were served. It tells a slow store from a full queue whether or not
//! anything changed during the run. The others look at processors, circuits, caches that cooled
//! down, memory that grew, and load that grew without more being done; and, where the test has a
//! baseline, at caches and calls that are not what they were in its runs.

mod baseline;
mod changes;
mod saturation;
mod time;

use std::ops::Range;

use serde::{Deserialize, Serialize};

pub use self::baseline::TargetBaseline;
use crate::notation::number;
use crate::resources::{Resources, Signal};

/// What findings are made from. Times are seconds since the first sample of the run.
#[derive(Debug, Clone)]
pub struct Observed<'a> {
    /// What the target used.
    pub resources: &'a Resources,
    /// What the load generator measured, in steps.
    pub load: &'a [LoadPoint],
    /// The judged time; the whole load where none is judged.
    pub judged: Range<f64>,
    /// What the target used in the runs of the baseline, where the test has one.
    pub baseline: Option<&'a TargetBaseline>,
}

/// One step of the run as the load generator saw it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LoadPoint {
    /// Its begin.
    pub t: f64,
    /// Requests that ended, per second.
    pub requests_per_second: f64,
    /// 95th percentile of their durations, milliseconds.
    pub p95: Option<f64>,
    /// Virtual users.
    pub users: Option<f64>,
}

/// All that was found.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Findings {
    /// What was looked at, or why little could be.
    pub note: String,
    /// Findings, the weightiest first.
    pub findings: Vec<Finding>,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// What kind it is of.
    pub kind: FindingKind,
    /// The part it names: `redis`, `claude`, `processors`.
    pub part: String,
    /// The finding with its figures, a sentence.
    pub sentence: String,
    /// What to do, a sentence.
    pub recommendation: String,
    /// How much it explains, 0 to 1.
    pub weight: f64,
}

/// What a finding says of its part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum FindingKind {
    /// Requests spend most of their time in a store.
    StoreTime,
    /// Requests wait for a connection to a store.
    PoolWait,
    /// Requests spend most of their time at a model.
    ModelTime,
    /// Requests wait for a place at a model's provider.
    ModelQueue,
    /// Requests wait before they try a provider again.
    ModelRetries,
    /// A provider was not asked any more.
    CircuitOpen,
    /// The processors are used up.
    Processors,
    /// A cache answers less than at the begin.
    CacheCooled,
    /// A cache answers less than in the runs of the baseline.
    ColderThanBaseline,
    /// Calls take longer than in the runs of the baseline.
    SlowerThanBaseline,
    /// Memory grows with the run.
    MemoryGrowth,
    /// More load makes requests slower, and no more of them.
    Saturation,
}

/// Looks for everything that the evidence speaks for.
#[must_use]
pub fn find(observed: &Observed<'_>) -> Findings {
    let Some(judged) = settled_time(observed.resources, &observed.judged) else {
        return find_in_load(observed);
    };
    let observed = &Observed {
        judged,
        ..observed.clone()
    };
    let mut findings: Vec<Finding> = time::find(observed);
    findings.extend(saturation::find(observed));
    findings.extend(changes::find(observed));
    findings.extend(baseline::find(observed));
    findings.sort_by(|a, b| b.weight.total_cmp(&a.weight));
    Findings {
        note: note(observed, findings.is_empty()),
        findings,
    }
}

/// Of a time that is shorter than the window of the target's rates: these tell of whoever asked
/// before, so that no part of the target is named.
fn find_in_load(observed: &Observed<'_>) -> Findings {
    let none = Resources {
        series: Vec::new(),
        ..observed.resources.clone()
    };
    let load = Observed {
        resources: &none,
        ..observed.clone()
    };
    Findings {
        note: format!(
            "Only the load itself was looked at: its {} s are fewer than the {} s that the \
             target's rates are made over, which tell of other load too.",
            number(observed.judged.end - observed.judged.start),
            none.window,
        ),
        findings: saturation::find(&load),
    }
}

/// The judged time without its begin, where rates still tell of what was before; of a time that is
/// shorter than twice their window nothing is left out, and one that is shorter than the window
/// is none.
fn settled_time(resources: &Resources, judged: &Range<f64>) -> Option<Range<f64>> {
    let window = f64::from(resources.window);
    let length = judged.end - judged.start;
    if length < window {
        return None;
    }
    let settles = if length >= window * 2.0 { window } else { 0.0 };
    Some(judged.start + settles..judged.end)
}

fn note(observed: &Observed<'_>, nothing_found: bool) -> String {
    let resources = observed.resources;
    if !resources.available {
        return format!("Only the load itself was looked at: {}", resources.note);
    }
    let mut signals: Vec<Signal> = resources.series.iter().map(|it| it.signal).collect();
    signals.sort_unstable();
    signals.dedup();
    let runs = observed.baseline.map_or(0, TargetBaseline::runs);
    let beside = match runs {
        0 => String::new(),
        runs => format!(", beside those of {runs} runs of the baseline"),
    };
    let looked = format!("Looked at {} signals of the target{beside}.", signals.len());
    if nothing_found {
        format!("{looked} No part of it stands out.")
    } else {
        looked
    }
}

/// The mean of a signal over all its parts within some seconds.
fn total(observed: &Observed<'_>, signal: Signal, within: &Range<f64>) -> Option<f64> {
    let means = observed
        .resources
        .of(signal)
        .filter_map(|it| it.mean(within));
    means.reduce(|sum, mean| sum + mean)
}

/// The begin and the end of the judged time, a third each: what changed in the run is between.
fn thirds(judged: &Range<f64>) -> (Range<f64>, Range<f64>) {
    let third = (judged.end - judged.start) / 3.0;
    (
        judged.start..judged.start + third,
        judged.end - third..judged.end,
    )
}
