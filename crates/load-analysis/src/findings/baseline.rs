//! What is otherwise than in the runs of the baseline.

use std::collections::BTreeMap;
use std::ops::Range;

use super::changes::{LEAST_FALL, LEAST_SLOWER};
use super::{Finding, FindingKind, Observed, settled_time};
use crate::notation::number;
use crate::resources::{ResourceSeries, Resources, Signal};
use crate::statistics::{median, sorted};

/// Runs of a baseline that must have seen a signal: fewer do not know what is usual.
const LEAST_RUNS: usize = 3;

/// Signals whose growth makes requests slower, and what they measure.
const DURATIONS: [(Signal, &str); 2] = [
    (Signal::StoreP95, "the p95 of calls to"),
    (Signal::ModelFirstChunkP95, "the p95 to the first chunk of"),
];

/// What a target used in the runs of a baseline: the mean of each signal in each run.
#[derive(Debug, Clone, Default)]
pub struct TargetBaseline {
    means: BTreeMap<(Signal, String), Vec<f64>>,
}

/// Where a signal lies in the runs of the baseline.
struct Usual {
    median: f64,
    least: f64,
    most: f64,
    runs: usize,
}

impl TargetBaseline {
    /// Adds a run of the baseline with its judged time, in seconds since its first sample; one that
    /// is too short for the rates of its target tells nothing.
    pub fn add(&mut self, resources: &Resources, judged: &Range<f64>) {
        let Some(judged) = settled_time(resources, judged) else {
            return;
        };
        for series in &resources.series {
            if let Some(mean) = series.mean(&judged) {
                let key = (series.signal, series.of.clone());
                self.means.entry(key).or_default().push(mean);
            }
        }
    }

    /// The most runs that saw the same signal.
    pub(super) fn runs(&self) -> usize {
        self.means.values().map(Vec::len).max().unwrap_or(0)
    }

    fn usual(&self, series: &ResourceSeries) -> Option<Usual> {
        let means = self.means.get(&(series.signal, series.of.clone()))?;
        if means.len() < LEAST_RUNS {
            return None;
        }
        let means = sorted(means);
        Some(Usual {
            median: median(&means)?,
            least: *means.first()?,
            most: *means.last()?,
            runs: means.len(),
        })
    }
}

pub(super) fn find(observed: &Observed<'_>) -> Vec<Finding> {
    let Some(baseline) = observed.baseline else {
        return Vec::new();
    };
    let slower: Vec<Slower> = DURATIONS
        .into_iter()
        .flat_map(|(signal, what)| {
            let series = observed.resources.of(signal);
            series.filter_map(move |series| Slower::find(observed, baseline, (series, what)))
        })
        .collect();
    let caches = observed.resources.of(Signal::CacheHits);
    let colder: Vec<Finding> = caches
        .filter_map(|cache| colder(observed, baseline, (cache, &slower)))
        .collect();
    // What a cache lets through is told with the cache.
    let alone = if colder.is_empty() {
        slower.as_slice()
    } else {
        &[]
    };
    let slower = alone.iter().map(Slower::finding);
    colder.iter().cloned().chain(slower).collect()
}

/// `The cache hit ratio of books l1 fell from 0.93 (median of 5 runs of the baseline) to 0.41 while
/// the p95 of calls to sqlite went from …`
fn colder(
    observed: &Observed<'_>,
    baseline: &TargetBaseline,
    (cache, slower): (&ResourceSeries, &[Slower]),
) -> Option<Finding> {
    let usual = baseline.usual(cache)?;
    let now = cache.mean(&observed.judged)?;
    // Beyond the noise of the baseline, and by enough to be another cache.
    if usual.median - now < LEAST_FALL || now >= usual.least {
        return None;
    }
    let meanwhile: Vec<String> = slower.iter().map(Slower::words).collect();
    let meanwhile = match meanwhile.join(" and ") {
        none if none.is_empty() => none,
        some => format!(" while {some}"),
    };
    let of = &cache.of;
    Some(Finding {
        kind: FindingKind::ColderThanBaseline,
        part: of.clone(),
        sentence: format!(
            "The cache hit ratio of {of} fell from {:.2} (median of {} runs of the baseline) to \
             {now:.2}{meanwhile}.",
            usual.median, usual.runs
        ),
        recommendation: format!(
            "See what changed since the baseline: the size and the lifetime of {of}, its keys, \
             how many different things are asked for, and whether {of} was there at all."
        ),
        weight: (usual.median - now).min(1.0),
    })
}

/// Calls that take longer than in every run of the baseline.
struct Slower {
    part: String,
    what: &'static str,
    usual: Usual,
    now: f64,
}

impl Slower {
    fn find(
        observed: &Observed<'_>,
        baseline: &TargetBaseline,
        (series, what): (&ResourceSeries, &'static str),
    ) -> Option<Self> {
        let usual = baseline.usual(series)?;
        let now = series.mean(&observed.judged)?;
        (now >= usual.median * LEAST_SLOWER && now > usual.most).then(|| Self {
            part: series.of.clone(),
            what,
            usual,
            now,
        })
    }

    /// `the p95 of calls to sqlite went from 2.00 to 4.00 ms`
    fn words(&self) -> String {
        let milliseconds = |seconds: f64| number(seconds * 1_000.0);
        format!(
            "{} {} went from {} to {} ms",
            self.what,
            self.part,
            milliseconds(self.usual.median),
            milliseconds(self.now)
        )
    }

    fn finding(&self) -> Finding {
        let words = self.words();
        let words = words.trim_start_matches("the ");
        Finding {
            kind: FindingKind::SlowerThanBaseline,
            part: self.part.clone(),
            sentence: format!(
                "The {words}, from the median of {} runs of the baseline.",
                self.usual.runs
            ),
            recommendation: format!(
                "See what changed since the baseline on the way to {part}, in {part} itself, and \
                 in what is asked of it.",
                part = self.part
            ),
            weight: (1.0 - self.usual.median / self.now).clamp(0.0, 1.0),
        }
    }
}
