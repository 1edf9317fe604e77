//! Samples in, one value per second and series out, and totals of the whole run.
//!
//! Memory does not grow with the length of a run: seconds are handed out soon after they have
//! passed, and what is kept for the whole run is bounded by the constants here.

mod checks;
mod measured;
mod second;
mod tag_sets;
mod totals;

use std::collections::{BTreeMap, HashMap};

use self::checks::Checks;
pub(crate) use self::measured::metric_result;
pub use self::second::SecondBucket;
use self::tag_sets::TagSets;
use self::totals::Totals;
use crate::metric::{Contains, MetricKind};
use crate::results::{Coverage, ReportedThresholds, Results};
use crate::sample::Sample;
use crate::series::{SeriesKey, SeriesValue, WantedTags};
use crate::slowest::Slowest;
use crate::span::Span;
use crate::threshold::Threshold;

/// Tag sets that are kept apart in a run; a suite of 20 requests in 3 scenarios needs about
/// 100. Samples of further sets go to the set `other`.
pub const MAX_TAG_SETS: usize = 200;

/// Metrics of a run: k6 has about 25 of its own. Samples of further metrics are only counted.
pub const MAX_METRICS: usize = 200;

/// Checks of a run that are kept by name. Samples of further checks are only counted.
pub const MAX_CHECKS: usize = 200;

/// The longest tag value that is kept; a set with a longer one goes to `other`.
pub const MAX_TAG_LENGTH: usize = 500;

/// A second is handed out when a sample this many seconds later has been seen. k6 writes
/// samples every 0.2 s, so they come less than a second out of order.
const LATENESS_SECONDS: i64 = 2;

const MICROSECONDS: i64 = 1_000_000;

/// k6's own bookkeeping: present in every run, whether or not the script measured anything.
const BOOKKEEPING: [&str; 8] = [
    "vus",
    "vus_max",
    "data_sent",
    "data_received",
    "iterations",
    "iteration_duration",
    "dropped_iterations",
    "group_duration",
];

/// Whether a metric is k6's own bookkeeping: it shows in every run, whatever the script measures.
#[must_use]
pub fn is_bookkeeping(metric: &str) -> bool {
    BOOKKEEPING.contains(&metric)
}

/// Folds the samples of one run.
#[derive(Debug)]
pub struct Aggregator {
    totals: Totals,
    checks: Checks,
    tag_sets: TagSets,
    slowest: Slowest,
    open: BTreeMap<i64, HashMap<(usize, usize), SeriesValue>>,
    newest_second: Option<i64>,
    load: Option<(i64, i64)>,
    coverage: Coverage,
}

impl Aggregator {
    /// An aggregator that also keeps what these thresholds need. Take them from the options
    /// that the run really has (`k6 inspect`), before the first sample.
    #[must_use]
    pub fn new(thresholds: Vec<Threshold>) -> Self {
        Self {
            totals: Totals::new(thresholds),
            checks: Checks::default(),
            tag_sets: TagSets::default(),
            slowest: Slowest::default(),
            open: BTreeMap::new(),
            newest_second: None,
            load: None,
            coverage: Coverage::default(),
        }
    }

    /// The same with these values of other tags kept apart: of those that the limits of the run
    /// name.
    #[must_use]
    pub fn keeping(mut self, wanted: WantedTags) -> Self {
        self.tag_sets.want(wanted);
        self
    }

    /// Adds one sample.
    pub fn add(&mut self, sample: &Sample<'_>) {
        self.coverage.samples += 1;
        let Some(metric) = self.totals.add(sample) else {
            self.coverage.samples_left_out += 1;
            return;
        };
        if !is_bookkeeping(&sample.metric) {
            self.coverage.measurements += 1;
        }
        if sample.metric == "checks" && !self.checks.add(sample) {
            self.coverage.samples_left_out += 1;
        }
        self.extend_load(sample);
        self.slowest.add(sample);
        let set = self.tag_sets.index(sample.tags);
        if set == tag_sets::OTHER {
            self.coverage.samples_in_other += 1;
        }
        let second = sample.time.div_euclid(MICROSECONDS);
        self.newest_second = self.newest_second.max(Some(second));
        self.open
            .entry(second)
            .or_default()
            .entry((metric, set))
            .or_insert_with(|| SeriesValue::empty(sample.kind))
            .record(sample.time, sample.value);
    }

    /// Hands out the seconds that have passed, oldest first. Call it after each batch of
    /// samples. A sample that comes later still makes its second come out again, with that
    /// sample alone: buckets of the same second are parts to merge.
    pub fn take_passed(&mut self) -> Vec<SecondBucket> {
        let Some(newest) = self.newest_second else {
            return Vec::new();
        };
        let still_open = self.open.split_off(&(newest - LATENESS_SECONDS + 1));
        let passed = std::mem::replace(&mut self.open, still_open);
        self.buckets(passed)
    }

    /// Hands out all seconds that are left. For the end of the run.
    pub fn take_rest(&mut self) -> Vec<SecondBucket> {
        let rest = std::mem::take(&mut self.open);
        self.buckets(rest)
    }

    /// The results so far; `reported` is what k6's own summary says of the thresholds.
    #[must_use]
    pub fn results(&self, reported: Option<&ReportedThresholds>) -> Results {
        let coverage = Coverage {
            load_seconds: self.load_seconds(),
            tag_sets: self.tag_sets.len() as u64,
            ..self.coverage.clone()
        };
        Results {
            metrics: self.totals.metrics(coverage.load_seconds),
            checks: self.checks.results(),
            thresholds: self.totals.thresholds(coverage.load_seconds, reported),
            slowest: self.slowest.requests(),
            coverage,
            ..Results::default()
        }
    }

    /// What a counter has counted so far; `None` without a sample, and for other kinds.
    #[must_use]
    pub fn counted(&self, metric: &str) -> Option<f64> {
        self.totals.counted(metric)
    }

    /// When the load was on, for the limits of the run; `None` before its first sample.
    #[must_use]
    pub fn load_span(&self) -> Option<Span> {
        self.load.map(|(first, last)| Span::of_load(first, last))
    }

    fn load_seconds(&self) -> f64 {
        self.load_span().map_or(0.0, |span| span.load_seconds)
    }

    /// A request is stamped at its end, so that its duration leads back to its start.
    fn extend_load(&mut self, sample: &Sample<'_>) {
        if !sample.is_load() {
            return;
        }
        let is_span = sample.kind == MetricKind::Trend
            && sample.contains == Contains::Time
            && ["iteration_duration", "http_req_duration"].contains(&sample.metric.as_ref());
        let milliseconds = if is_span { sample.value.max(0.0) } else { 0.0 };
        // A run lasts hours, so that a longer duration is a damaged line.
        let length = crate::number::round_within(milliseconds * 1_000.0, 86_400 * MICROSECONDS);
        let start = sample.time - length;
        self.load = Some(match self.load {
            None => (start, sample.time),
            Some((first, last)) => (first.min(start), last.max(sample.time)),
        });
    }

    fn buckets(
        &self,
        seconds: BTreeMap<i64, HashMap<(usize, usize), SeriesValue>>,
    ) -> Vec<SecondBucket> {
        seconds
            .into_iter()
            .map(|(second, values)| {
                let mut series: Vec<_> = values
                    .into_iter()
                    .map(|((metric, set), value)| {
                        let metric = self.totals.metric_name(metric);
                        (
                            SeriesKey {
                                metric,
                                tags: self.tag_sets.tags(set),
                            },
                            value,
                        )
                    })
                    .collect();
                series.sort_by(|(a, _), (b, _)| a.cmp(b));
                SecondBucket { second, series }
            })
            .collect()
    }
}
